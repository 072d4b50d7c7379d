/* SPDX-License-Identifier: ISC
 *
 * Data in both directions: acknowledgement, windows, Nagle, silly windows, timestamps, out-of-order segments.
 */
#include <errno.h>

#include "tcp_wire.h"

static void data_is_read_as_it_was_sent(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A | P, .data = "hello");
	expect_nothing(w);
	advance(w, MSEC(40) - 1);
	expect_nothing(w);
	advance(w, 1);
	expect(w, .seq = 1, .ack = 6, .flags = A);
	wire_free(w);
}

static void every_second_full_segment_is_acknowledged_at_once(void **state)
{
	struct wire *w = established();

	(void)state;
	w->c.quick = 0;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = MSS);
	expect_nothing(w);
	send(w, .seq = 1 + MSS, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1, .ack = 1 + 2 * MSS, .flags = A);
	read_bytes(w, 1, 2 * MSS);
	wire_free(w);
}

static void first_full_segments_are_acknowledged_one_by_one(void **state)
{
	struct wire *w = established();

	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		send(w, .seq = 1 + i * MSS, .ack = 1, .flags = A, .len = MSS);
		expect(w, .seq = 1, .ack = 1 + (i + 1) * MSS, .flags = A);
	}
	send(w, .seq = 1 + 16 * MSS, .ack = 1, .flags = A, .len = MSS);
	expect_nothing(w);
	wire_free(w);
}

static void what_came_twice_is_reported(void **state)
{
	struct wire *w = established(.sack_permitted = true);
	const struct tcp_segment *sent;

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	advance(w, SECOND(1));
	wire_drop(w);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10); /* RFC 2883, 4.1 */
	sent = expect(w, .seq = 1, .ack = 11, .flags = A);
	assert_int_equal(sent->options.sack_count, 1);
	assert_int_equal(sent->options.sack[0].begin, THEIR_ISS + 1);
	assert_int_equal(sent->options.sack[0].end, THEIR_ISS + 11);
	send(w, .seq = 21, .ack = 1, .flags = A, .len = 10);
	assert_int_equal(expect(w, .seq = 1, .ack = 11, .flags = A)->options.sack_count, 1);
	send(w, .seq = 21, .ack = 1, .flags = A, .len = 5); /* 4.2: within what is held */
	sent = expect(w, .seq = 1, .ack = 11, .flags = A);
	assert_int_equal(sent->options.sack_count, 2);
	assert_int_equal(sent->options.sack[0].begin, THEIR_ISS + 21);
	assert_int_equal(sent->options.sack[0].end, THEIR_ISS + 26);
	assert_int_equal(sent->options.sack[1].end, THEIR_ISS + 31);
	wire_free(w);
}

static void the_part_that_came_twice_is_reported(void **state)
{
	struct wire *w = established(.sack_permitted = true);
	const struct tcp_segment *sent;

	(void)state;
	send(w, .seq = 21, .ack = 1, .flags = A, .len = 20);
	wire_drop(w);
	send(w, .seq = 31, .ack = 1, .flags = A, .len = 20); /* RFC 2883, 4.2: half of it is new */
	sent = expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(sent->options.sack_count, 2);
	assert_int_equal(sent->options.sack[0].begin, THEIR_ISS + 31);
	assert_int_equal(sent->options.sack[0].end, THEIR_ISS + 41);
	assert_int_equal(sent->options.sack[1].begin, THEIR_ISS + 21);
	assert_int_equal(sent->options.sack[1].end, THEIR_ISS + 51);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 30); /* closes the gap, and ten bytes more */
	sent = expect(w, .seq = 1, .ack = 51, .flags = A);
	assert_int_equal(sent->options.sack_count, 1);
	assert_int_equal(sent->options.sack[0].begin, THEIR_ISS + 21);
	assert_int_equal(sent->options.sack[0].end, THEIR_ISS + 31);
	read_bytes(w, 1, 50);
	wire_free(w);
}

static void a_batch_is_acknowledged_once(void **state)
{
	struct wire *w = established();

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		input(w, .seq = 1 + i * MSS, .ack = 1, .flags = A, .len = MSS);
	tcp_core_output(&w->c, w->now);
	expect(w, .seq = 1, .ack = 1 + 8 * MSS, .flags = A);
	expect_nothing(w);
	wire_free(w);
}

static void an_ack_rides_on_data(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A | P, .len = 5);
	write_bytes(w, 1, 3);
	expect(w, .seq = 1, .ack = 6, .flags = A | P, .len = 3);
	send(w, .seq = 6, .ack = 4, .flags = A);
	advance(w, SECOND(1));
	expect_nothing(w);
	wire_free(w);
}

static void out_of_order_segments_get_duplicate_acks_and_are_joined(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1 + 2 * MSS, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 1 + MSS, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_false(tcp_core_readable(&w->c));
	send(w, .seq = 1, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1, .ack = 1 + 3 * MSS, .flags = A);
	read_bytes(w, 1, 3 * MSS);
	wire_free(w);
}

static void overlapping_segments_yield_each_byte_once(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 51, .ack = 1, .flags = A, .len = 100);
	send(w, .seq = 101, .ack = 1, .flags = A, .len = 100);
	send(w, .seq = 301, .ack = 1, .flags = A, .len = 50);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 70);
	assert_int_equal(w->c.rcv_nxt - THEIR_ISS, 201);
	send(w, .seq = 21, .ack = 1, .flags = A, .len = 400);
	read_bytes(w, 1, 420);
	assert_false(tcp_core_readable(&w->c));
	wire_free(w);
}

static void duplicate_segment_is_acknowledged_again(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	advance(w, MSEC(40));
	expect(w, .seq = 1, .ack = 11, .flags = A);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 11, .flags = A);
	read_bytes(w, 1, 10);
	wire_free(w);
}

/* A window of 256 KiB, of which every other 100 bytes come: more ranges than are kept. Those of them that were dropped
 * are not acknowledged; when all comes again, all is there. */
static void ranges_beyond_the_bound_are_dropped_and_come_again(void **state)
{
	struct wire *w = wire_new();
	const uint32_t count = TCP_RANGES_MAX + 200, len = 100;

	(void)state;
	w->config.ring_max = 262144;
	open_passive(w, .options = { .mss = MSS, .has_window_shift = true, .sack_permitted = true });
	send(w, .seq = 1, .ack = 1, .flags = A);
	for (uint32_t i = 0; i < count; i++) {
		input(w, .seq = 1 + (2 * i + 1) * len, .ack = 1, .flags = A, .len = len);
		assert_true(w->c.range_count == (i < TCP_RANGES_MAX ? i + 1 : TCP_RANGES_MAX));
		wire_drop(w);
	}
	assert_true(w->pool.used_bytes <= 262144 + TCP_RANGES_MAX * sizeof w->c.ranges[0]);
	for (uint32_t i = 0; i < 2 * count; i++) {
		input(w, .seq = 1 + i * len, .ack = 1, .flags = A, .len = len);
		wire_drop(w);
	}
	assert_int_equal(w->c.rcv_nxt - THEIR_ISS, 1 + 2 * count * len);
	assert_null(w->c.ranges);
	for (uint32_t i = 0; i < 2 * count; i += 500)
		read_bytes(w, 1 + i * len, (2 * count - i < 500 ? 2 * count - i : 500) * len);
	wire_free(w);
}

static void ranges_without_memory_are_dropped_and_come_again(void **state)
{
	struct wire *w = established();

	(void)state;
	input(w, .seq = 1 + 1000, .ack = 1, .flags = A, .len = 10);
	w->pool.limit_bytes = w->pool.used_bytes; /* sixteen have their place already */
	for (uint32_t i = 1; i < TCP_RANGES_FIRST + 10; i++)
		input(w, .seq = 1 + 1000 + i * 20, .ack = 1, .flags = A, .len = 10);
	assert_int_equal(w->c.range_count, TCP_RANGES_FIRST);
	for (uint32_t i = 0; i < 20; i++)
		input(w, .seq = 1 + i * 100, .ack = 1, .flags = A, .len = 100);
	wire_drop(w);
	read_bytes(w, 1, 2000);
	wire_free(w);
}

/* Whatever comes in whatever order, each byte is there once, and the reports name only what is held. */
static void ranges_that_come_at_random_are_joined(void **state)
{
	struct wire *w = established(.sack_permitted = true);
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 3000 || w->c.range_count > 0; i++) {
		uint32_t at, len;
		random = random * 1664525 + 1013904223;
		at = i < 3000 ? random >> 8 & 0x3fff : w->c.rcv_nxt - THEIR_ISS - 1;
		len = 1 + (random >> 24);
		input(w, .seq = 1 + at, .ack = 1, .flags = A, .len = len);
		tcp_core_output(&w->c, w->now);
		for (uint32_t k = 0; k < w->c.recent_count; k++) {
			bool held = false;
			for (uint32_t r = 0; r < w->c.range_count; r++)
				held |= w->c.recent[k].begin == w->c.ranges[r].begin &&
					w->c.recent[k].end == w->c.ranges[r].end;
			assert_true(held);
		}
		wire_drop(w);
	}
	read_bytes(w, 1, w->c.rcv_nxt - THEIR_ISS - 1);
	wire_free(w);
}

static void sack_blocks_report_the_latest_first(void **state)
{
	struct wire *w = established(.sack_permitted = true);
	const struct tcp_segment *sent;

	(void)state;
	send(w, .seq = 101, .ack = 1, .flags = A, .len = 50);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 301, .ack = 1, .flags = A, .len = 50);
	sent = expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(sent->options.sack_count, 2);
	assert_int_equal(sent->options.sack[0].begin - THEIR_ISS, 301);
	assert_int_equal(sent->options.sack[1].end - THEIR_ISS, 151);
	send(w, .seq = 151, .ack = 1, .flags = A, .len = 10);
	sent = expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(sent->options.sack_count, 2);
	assert_int_equal(sent->options.sack[0].begin - THEIR_ISS, 101);
	assert_int_equal(sent->options.sack[0].end - THEIR_ISS, 161);
	wire_free(w);
}

static void received_data_without_memory_is_not_acknowledged(void **state)
{
	struct wire *w = established();

	(void)state;
	w->pool.limit_bytes = 0;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 100);
	advance(w, SECOND(1));
	expect_nothing(w);
	w->pool.limit_bytes = 1 << 20;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 100);
	advance(w, SECOND(1));
	expect(w, .seq = 1, .ack = 101, .flags = A);
	read_bytes(w, 1, 100);
	wire_free(w);
}

static void window_closes_opens_and_is_announced(void **state)
{
	struct wire *w = established();
	uint32_t seq = 1;

	(void)state;
	while (seq - 1 < 65535) {
		uint32_t len = 65535 - (seq - 1) < MSS ? 65535 - (seq - 1) : MSS;
		input(w, .seq = seq, .ack = 1, .flags = A, .len = len);
		seq += len;
	}
	tcp_core_output(&w->c, w->now);
	expect(w, .seq = 1, .ack = 65536, .flags = A, .closed = true);
	/* MUST-66: with the window closed, a probe is answered, its ACK counts, its text does not. */
	send(w, .seq = 65536, .ack = 1, .flags = A, .len = 1);
	expect(w, .seq = 1, .ack = 65536, .flags = A, .closed = true);
	read_bytes(w, 1, MSS); /* a silly window is not offered (MUST-39) */
	expect_nothing(w);
	read_bytes(w, 1 + MSS, MSS);
	expect(w, .seq = 1, .ack = 65536, .flags = A, .window = 2 * MSS + 1);
	wire_free(w);
}

static void data_beyond_the_window_is_cut(void **state)
{
	struct wire *w;

	(void)state;
	w = wire_new();
	w->config.ring_max = 4096;
	open_passive(w, .options = { .mss = MSS });
	expect(w, .seq = 0, .ack = 1, .flags = S | A, .window = 4096);
	send(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 1, .ack = 1, .flags = A | F, .len = 5000);
	expect(w, .seq = 1, .ack = 4097, .flags = A, .closed = true);
	assert_state(w, TCP_ESTABLISHED); /* the FIN lay outside */
	read_bytes(w, 1, 4096);
	wire_free(w);
}

static void segment_outside_the_window_is_answered_but_not_taken(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1 + 70000, .ack = 1, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(w->c.range_count, 0);
	wire_free(w);
}

static void pure_old_segments_get_a_bounded_number_of_answers(void **state)
{
	struct wire *w = established();
	size_t before;

	(void)state;
	for (int i = 0; i < 1000; i++)
		send(w, .seq = 0, .ack = 1, .flags = A);
	before = w->count;
	assert_int_equal(before, TCP_CHALLENGES_MAX);
	wire_drop(w);
	advance(w, TCP_CHALLENGE_NS);
	send(w, .seq = 0, .ack = 1, .flags = A); /* a keep-alive of the peer's is answered */
	expect(w, .seq = 1, .ack = 1, .flags = A);
	wire_free(w);
}

static void scaled_window_is_offered_and_never_taken_back(void **state)
{
	struct wire *w = wire_new();
	uint32_t seq = 1, edge = 0;

	(void)state;
	w->config.ring_max = 262144;
	open_passive(w, .options = { .mss = MSS, .has_window_shift = true });
	assert_int_equal(expect(w, .seq = 0, .ack = 1, .flags = S | A, .window = 65535)->options.window_shift, 3);
	send(w, .seq = 1, .ack = 1, .flags = A);
	for (int i = 0; i < 200; i++) {
		uint32_t len = 1 + (uint32_t)i % 7;
		const struct tcp_segment *sent;
		send(w, .seq = seq, .ack = 1, .flags = A, .len = len);
		advance(w, MSEC(40));
		seq += len;
		if (i % 3 == 0)
			while (read_any(w) > 0)
				;
		sent = expect(w, .seq = 1, .ack = seq, .flags = A);
		assert_false(seq_before(sent->ack + ((uint32_t)sent->window << 3), edge) && edge != 0);
		edge = sent->ack + ((uint32_t)sent->window << 3);
	}
	wire_free(w);
}

static void nagle_holds_small_segments_while_one_is_in_flight(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 10);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	write_bytes(w, 11, 10);
	write_bytes(w, 21, 10);
	expect_nothing(w);
	send(w, .seq = 1, .ack = 11, .flags = A);
	expect(w, .seq = 11, .ack = 1, .flags = A | P, .len = 20);
	write_bytes(w, 31, MSS); /* a full segment goes */
	expect(w, .seq = 31, .ack = 1, .flags = A | P, .len = MSS);
	wire_free(w);
}

static void nagle_off_sends_at_once(void **state)
{
	struct wire *w = established();

	(void)state;
	w->c.nodelay = true;
	write_bytes(w, 1, 10);
	write_bytes(w, 11, 10);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	expect(w, .seq = 11, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

static void push_marks_the_last_of_what_is_buffered(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 2 * MSS + 10);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1 + MSS, .ack = 1, .flags = A, .len = MSS);
	expect_nothing(w); /* Nagle */
	send(w, .seq = 1, .ack = 1 + 2 * MSS, .flags = A);
	expect(w, .seq = 1 + 2 * MSS, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

static void finish_sends_the_rest_with_the_fin(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, MSS + 10);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS);
	expect_nothing(w);
	finish(w);
	expect(w, .seq = 1 + MSS, .ack = 1, .flags = A | P | F, .len = 10);
	wire_free(w);
}

static void closed_window_is_probed_with_backoff_as_long_as_it_is_answered(void **state)
{
	struct wire *w = established();
	uint64_t wait;

	(void)state;
	write_bytes(w, 1, 10);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	send(w, .seq = 1, .ack = 11, .flags = A, .closed = true);
	write_bytes(w, 11, 10);
	wait = w->c.rto_ns;
	for (int i = 0; i < 100; i++) { /* much longer than our patience: MUST-37 */
		advance(w, wait - 1);
		expect_nothing(w);
		advance(w, 1);
		expect(w, .seq = 11, .ack = 1, .flags = A, .len = 1);
		send(w, .seq = 1, .ack = 11, .flags = A, .closed = true);
		expect_nothing(w);
		wait = wait * 2 > SECOND(60) ? SECOND(60) : wait * 2;
	}
	send(w, .seq = 1, .ack = 11, .flags = A);
	expect(w, .seq = 11, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

static void closed_window_whose_probes_are_not_answered_ends_the_connection(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	advance(w, SECOND(10000)); /* idleness before does not count */
	write_bytes(w, 1, 10);
	advance(w, SECOND(200));
	assert_state(w, TCP_ESTABLISHED);
	advance(w, SECOND(200));
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ETIME);
	wire_free(w);
}

static void a_loss_after_a_long_closed_window_is_survived(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	write_bytes(w, 1, 10);
	while (w->now < SECOND(3000)) { /* longer than our patience, each probe answered */
		advance(w, SECOND(60));
		wire_drop(w);
		send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	}
	send(w, .seq = 1, .ack = 1, .flags = A);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	advance(w, w->c.rto_ns);
	assert_state(w, TCP_ESTABLISHED);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

static void a_probe_that_the_peer_takes_goes_on_from_there(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	write_bytes(w, 1, 10);
	expect_nothing(w);
	advance(w, w->c.rto_ns);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = 1);
	send(w, .seq = 1, .ack = 2, .flags = A);
	expect(w, .seq = 2, .ack = 1, .flags = A | P, .len = 9);
	wire_free(w);
}

static void fin_is_probed_too(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	finish(w);
	expect_nothing(w);
	advance(w, w->c.rto_ns);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	send(w, .seq = 1, .ack = 2, .flags = A);
	assert_state(w, TCP_FIN_WAIT_2);
	wire_free(w);
}

static void silly_window_is_not_filled_until_the_override(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, MSS);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = MSS);
	send(w, .seq = 1, .ack = 1 + MSS, .flags = A, .window = 100);
	write_bytes(w, 1 + MSS, MSS);
	expect_nothing(w);
	advance(w, TCP_OVERRIDE_NS - 1);
	expect_nothing(w);
	advance(w, 1);
	expect(w, .seq = 1 + MSS, .ack = 1, .flags = A, .len = 100);
	wire_free(w);
}

static void a_peer_whose_window_is_always_small_is_served(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w, .options = { .mss = MSS }, .window = 100);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .ack = 1, .flags = A, .window = 100);
	write_bytes(w, 1, 300);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = 100);
	send(w, .seq = 1, .ack = 101, .flags = A, .window = 100);
	expect(w, .seq = 101, .ack = 1, .flags = A, .len = 100);
	send(w, .seq = 1, .ack = 201, .flags = A, .window = 100);
	expect(w, .seq = 201, .ack = 1, .flags = A | P, .len = 100);
	wire_free(w);
}

static void shrunken_window_is_survived(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 5 * MSS);
	for (uint32_t i = 0; i < 5; i++)
		expect(w, .seq = 1 + i * MSS, .ack = 1, .flags = A | (i == 4 ? P : 0), .len = MSS);
	send(w, .seq = 1, .ack = 1 + MSS, .flags = A, .window = MSS); /* the edge moves left: MUST-34 */
	write_bytes(w, 1 + 5 * MSS, 10);
	expect_nothing(w); /* SHLD-15: no new data */
	advance(w, w->c.rto_ns);
	expect(w, .seq = 1 + MSS, .ack = 1, .flags = A, .len = MSS); /* SHLD-16: inside of the window */
	send(w, .seq = 1, .ack = 1 + 5 * MSS, .flags = A);
	expect(w, .seq = 1 + 5 * MSS, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

static void window_shrunk_to_nothing_is_probed(void **state)
{
	struct wire *w = established();
	int probes = 0;

	(void)state;
	write_bytes(w, 1, 2 * MSS);
	wire_drop(w);
	for (int i = 0; i < 30; i++) {
		send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
		advance(w, SECOND(60));
		probes += (int)w->count;
		wire_drop(w);
	}
	assert_state(w, TCP_ESTABLISHED); /* MUST-35 */
	assert_in_range(probes, 20, 60);
	send(w, .seq = 1, .ack = 1, .flags = A);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS);
	wire_free(w);
}

static void old_window_updates_are_ignored(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 100, .window = 5000);
	send(w, .seq = 101, .ack = 1, .flags = A, .len = 100, .window = 4000);
	assert_int_equal(w->c.snd_wnd, 4000);
	send(w, .seq = 51, .ack = 1, .flags = A, .len = 150, .window = 9000);
	assert_int_equal(w->c.snd_wnd, 4000);
	wire_free(w);
}

/* The peer sends something again, and with it its latest window, smaller by what it holds */
static void the_window_of_a_later_acknowledgement_counts_whatever_bytes_come_with_it(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 300);
	wire_drop(w);
	send(w, .seq = 101, .ack = 1, .flags = A, .len = 100, .window = 5000);
	send(w, .seq = 1, .ack = 301, .flags = A, .len = 100, .window = 4700);
	assert_int_equal(w->c.snd_una, OUR_ISS + 301);
	assert_int_equal(w->c.snd_wnd, 4700);
	wire_free(w);
}

static void ack_of_what_was_never_sent_is_challenged(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 100, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_false(tcp_core_readable(&w->c));
	/* RFC 5961, 5.2: older than any window could make it */
	send(w, .seq = 1, .ack = 1u - 70000, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_false(tcp_core_readable(&w->c));
	send(w, .seq = 1, .ack = 1u - 1000, .flags = A, .len = 10);
	assert_true(tcp_core_readable(&w->c));
	wire_free(w);
}

static void segment_without_ack_is_dropped(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .flags = P, .len = 10);
	send(w, .seq = 1, .flags = 0, .len = 10);
	expect_nothing(w);
	assert_false(tcp_core_readable(&w->c));
	wire_free(w);
}

/* What the peer sends as urgent, up to this relative sequence number. */
static void send_urgent(struct wire *w, uint32_t seq, uint32_t end, uint32_t len)
{
	uint8_t bytes[WIRE_PAYLOAD];
	struct tcp_segment segment = { .seq = THEIR_ISS + seq,
		.ack = OUR_ISS + 1,
		.flags = A | U,
		.window = 65535,
		.urgent_pointer = (uint16_t)(end - seq),
		.len = len };

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(seq + i);
	segment.pieces[0] = (struct platform_piece){ .data = bytes, .len = len };
	segment.count = len > 0;
	tcp_core_input(&w->c, &segment, w->now);
	tcp_core_output(&w->c, w->now);
}

static void urgent_data_stays_in_the_stream_and_its_end_is_known(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 5);
	assert_int_equal(tcp_core_urgent(&w->c), 0);
	send_urgent(w, 6, 9, 10);                    /* MUST-62: the pointer is behind the last urgent octet */
	assert_int_equal(tcp_core_urgent(&w->c), 8); /* MUST-33: how much is left */
	read_bytes(w, 1, 6);
	assert_int_equal(tcp_core_urgent(&w->c), 2);
	read_bytes(w, 7, 9);
	assert_int_equal(tcp_core_urgent(&w->c), 0);
	send(w, .seq = 16, .ack = 1, .flags = A, .len = 5); /* what follows is not urgent */
	assert_int_equal(tcp_core_urgent(&w->c), 0);
	read_bytes(w, 16, 5);
	wire_free(w);
}

static void urgent_data_of_any_length_is_told_before_it_comes(void **state)
{
	struct wire *w = established();
	uint32_t seq = 1;

	(void)state;
	send_urgent(w, 1, 60001, 0); /* MUST-31; MUST-32: told when it is announced */
	assert_int_equal(tcp_core_urgent(&w->c), 60000);
	for (; seq < 60000; seq += 1000) {
		send(w, .seq = seq, .ack = 1, .flags = A, .len = 1000);
		read_bytes(w, seq, 1000);
		assert_int_equal(tcp_core_urgent(&w->c), 60001 - seq - 1000);
	}
	send_urgent(w, seq, seq + 10, 5);
	send_urgent(w, seq + 5, seq + 7, 5); /* an older end changes nothing */
	assert_int_equal(tcp_core_urgent(&w->c), 10);
	send_urgent(w, seq + 5, seq + 20, 10); /* again, with more: from where it was sent the first time */
	assert_int_equal(tcp_core_urgent(&w->c), 20);
	wire_free(w);
}

/* MUST-66 */
static void urgent_data_is_told_although_the_window_is_closed(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->config.ring_max = 4096;
	open_passive(w, .options = { .mss = MSS });
	send(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 4096);
	send_urgent(w, 4097, 4099, 1);
	assert_int_equal(tcp_core_urgent(&w->c), 4098);
	assert_int_equal(w->c.rx.len, 4096);
	wire_free(w);
}

/* Segments that the link has merged: what counts is their bytes. */
static void a_large_segment_counts_by_its_bytes(void **state)
{
	struct wire *w = established();
	uint32_t cwnd;

	(void)state;
	w->c.quick = 0;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 2 * MSS);
	expect(w, .seq = 1, .ack = 1 + 2 * MSS, .flags = A); /* SHLD-19: two full segments */
	send(w, .seq = 1 + 2 * MSS, .ack = 1, .flags = A, .len = 7 * MSS);
	expect(w, .seq = 1, .ack = 1 + 9 * MSS, .flags = A);
	read_bytes(w, 1, 9 * MSS);
	cwnd = w->c.cwnd;
	write_bytes(w, 1, 10 * MSS);
	wire_drop(w);
	send(w, .seq = 1 + 9 * MSS, .ack = 1 + 3 * MSS + 500, .flags = A); /* and of what is acknowledged */
	assert_int_equal(w->c.cwnd, cwnd + 3 * MSS + 500);
	wire_free(w);
}

static void segments_without_the_timestamps_that_were_agreed_on_are_taken(void **state)
{
	struct wire *w = established(.has_timestamp = true, .timestamp = 100);

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	advance(w, MSEC(40));
	assert_true(expect(w, .seq = 1, .ack = 11, .flags = A)->options.has_timestamp); /* ours have them */
	read_bytes(w, 1, 10);
	wire_free(w);
}

#define STAMPED(value, echo)                                                                                           \
	{                                                                                                              \
		.has_timestamp = true, .timestamp = (value), .timestamp_echo = (echo)                                  \
	}

static void timestamps_are_echoed_earliest_first(void **state)
{
	struct wire *w = established(.has_timestamp = true, .timestamp = 100);
	const struct tcp_segment *sent;

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10, .options = STAMPED(110, 0));
	send(w, .seq = 11, .ack = 1, .flags = A, .len = 10, .options = STAMPED(120, 0));
	advance(w, MSEC(40));
	sent = expect(w, .seq = 1, .ack = 21, .flags = A);
	assert_int_equal(sent->options.timestamp_echo, 110); /* RFC 7323, 4.3 (A) */
	assert_int_equal(sent->options.timestamp, w->now / MSEC(1) + 7);
	send(w, .seq = 31, .ack = 1, .flags = A, .len = 10, .options = STAMPED(140, 0));
	sent = expect(w, .seq = 1, .ack = 21, .flags = A);
	assert_int_equal(sent->options.timestamp_echo, 110); /* (B): not of a segment beyond a gap */
	send(w, .seq = 21, .ack = 1, .flags = A, .len = 10, .options = STAMPED(130, 0));
	sent = expect(w, .seq = 1, .ack = 41, .flags = A);
	assert_int_equal(sent->options.timestamp_echo, 130); /* (C): of the one that fills it */
	wire_free(w);
}

static void old_timestamp_is_dropped_and_acknowledged(void **state)
{
	struct wire *w = established(.has_timestamp = true, .timestamp = 100);

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10, .options = STAMPED(99, 0));
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_false(tcp_core_readable(&w->c));
	send(w, .seq = 1, .flags = R, .options = STAMPED(99, 0)); /* not so for resets */
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void timestamp_older_than_24_days_is_void(void **state)
{
	struct wire *w = established(.has_timestamp = true, .timestamp = 100);

	(void)state;
	advance(w, TCP_PAWS_STALE_NS);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10, .options = STAMPED(99, 0));
	assert_true(tcp_core_readable(&w->c));
	assert_int_equal(w->c.timestamp_recent, 99);
	wire_free(w);
}

static void full_segments_leave_room_for_timestamps(void **state)
{
	struct wire *w = established(.has_timestamp = true, .timestamp = 100);

	(void)state;
	write_bytes(w, 1, MSS);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS - TCP_TIMESTAMP_BYTES);
	wire_free(w);
}

static void writer_is_stopped_by_a_full_ring_and_woken_with_a_quarter_free(void **state)
{
	struct wire *w = established();
	static uint8_t bytes[70000];

	(void)state;
	assert_int_equal(tcp_core_write(&w->c, bytes, sizeof bytes), 65536);
	assert_int_equal(tcp_core_write(&w->c, bytes, 1), 0);
	assert_false(tcp_core_writable(&w->c));
	tcp_core_output(&w->c, w->now);
	wire_drop(w);
	for (uint32_t acked = MSS; acked < 16384; acked += MSS) {
		send(w, .seq = 1, .ack = 1 + acked, .flags = A);
		assert_false(tcp_core_writable(&w->c));
		wire_drop(w);
	}
	send(w, .seq = 1, .ack = 1 + 17 * MSS, .flags = A);
	assert_true(tcp_core_writable(&w->c));
	wire_free(w);
}

static void writing_without_memory_says_so(void **state)
{
	struct wire *w = established();

	(void)state;
	w->pool.limit_bytes = 0;
	assert_int_equal(tcp_core_write(&w->c, "x", 1), -ENOMEM);
	wire_free(w);
}

static void full_link_delays_and_loses_nothing(void **state)
{
	struct wire *w = established();

	(void)state;
	w->sink_error = -EAGAIN;
	write_bytes(w, 1, 10);
	send(w, .seq = 1, .ack = 1, .flags = A | P | F, .len = 10);
	assert_true(w->c.blocked);
	w->sink_error = 0;
	tcp_core_output(&w->c, w->now);
	expect(w, .seq = 1, .ack = 12, .flags = A | P, .len = 10);
	assert_false(w->c.blocked);
	wire_free(w);
}

static void a_link_that_cuts_segments_gets_many_at_once(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->config.burst_bytes = 4500;
	open_passive(w, .options = { .mss = MSS });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .ack = 1, .flags = A);
	write_bytes(w, 1, 9500);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = 4000, .segment_bytes = MSS);
	expect(w, .seq = 4001, .ack = 1, .flags = A, .len = 4000, .segment_bytes = MSS);
	expect(w, .seq = 8001, .ack = 1, .flags = A, .len = MSS);
	expect_nothing(w);
	finish(w);
	expect(w, .seq = 9001, .ack = 1, .flags = A | P | F, .len = 500);
	wire_free(w);
}

static void idle_connection_holds_no_buffers(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 10);
	send(w, .seq = 1, .ack = 11, .flags = A | P, .len = 10);
	assert_int_not_equal(w->pool.used_bytes, 0);
	read_bytes(w, 1, 10);
	assert_int_equal(w->pool.used_bytes, 0);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_read_as_it_was_sent),
		cmocka_unit_test(every_second_full_segment_is_acknowledged_at_once),
		cmocka_unit_test(first_full_segments_are_acknowledged_one_by_one),
		cmocka_unit_test(what_came_twice_is_reported),
		cmocka_unit_test(the_part_that_came_twice_is_reported),
		cmocka_unit_test(a_batch_is_acknowledged_once),
		cmocka_unit_test(an_ack_rides_on_data),
		cmocka_unit_test(out_of_order_segments_get_duplicate_acks_and_are_joined),
		cmocka_unit_test(overlapping_segments_yield_each_byte_once),
		cmocka_unit_test(duplicate_segment_is_acknowledged_again),
		cmocka_unit_test(ranges_beyond_the_bound_are_dropped_and_come_again),
		cmocka_unit_test(ranges_without_memory_are_dropped_and_come_again),
		cmocka_unit_test(ranges_that_come_at_random_are_joined),
		cmocka_unit_test(sack_blocks_report_the_latest_first),
		cmocka_unit_test(received_data_without_memory_is_not_acknowledged),
		cmocka_unit_test(window_closes_opens_and_is_announced),
		cmocka_unit_test(data_beyond_the_window_is_cut),
		cmocka_unit_test(segment_outside_the_window_is_answered_but_not_taken),
		cmocka_unit_test(pure_old_segments_get_a_bounded_number_of_answers),
		cmocka_unit_test(scaled_window_is_offered_and_never_taken_back),
		cmocka_unit_test(nagle_holds_small_segments_while_one_is_in_flight),
		cmocka_unit_test(nagle_off_sends_at_once),
		cmocka_unit_test(push_marks_the_last_of_what_is_buffered),
		cmocka_unit_test(finish_sends_the_rest_with_the_fin),
		cmocka_unit_test(closed_window_is_probed_with_backoff_as_long_as_it_is_answered),
		cmocka_unit_test(closed_window_whose_probes_are_not_answered_ends_the_connection),
		cmocka_unit_test(a_loss_after_a_long_closed_window_is_survived),
		cmocka_unit_test(a_probe_that_the_peer_takes_goes_on_from_there),
		cmocka_unit_test(fin_is_probed_too),
		cmocka_unit_test(silly_window_is_not_filled_until_the_override),
		cmocka_unit_test(a_peer_whose_window_is_always_small_is_served),
		cmocka_unit_test(shrunken_window_is_survived),
		cmocka_unit_test(window_shrunk_to_nothing_is_probed),
		cmocka_unit_test(old_window_updates_are_ignored),
		cmocka_unit_test(the_window_of_a_later_acknowledgement_counts_whatever_bytes_come_with_it),
		cmocka_unit_test(ack_of_what_was_never_sent_is_challenged),
		cmocka_unit_test(segment_without_ack_is_dropped),
		cmocka_unit_test(urgent_data_stays_in_the_stream_and_its_end_is_known),
		cmocka_unit_test(urgent_data_of_any_length_is_told_before_it_comes),
		cmocka_unit_test(urgent_data_is_told_although_the_window_is_closed),
		cmocka_unit_test(a_large_segment_counts_by_its_bytes),
		cmocka_unit_test(segments_without_the_timestamps_that_were_agreed_on_are_taken),
		cmocka_unit_test(timestamps_are_echoed_earliest_first),
		cmocka_unit_test(old_timestamp_is_dropped_and_acknowledged),
		cmocka_unit_test(timestamp_older_than_24_days_is_void),
		cmocka_unit_test(full_segments_leave_room_for_timestamps),
		cmocka_unit_test(writer_is_stopped_by_a_full_ring_and_woken_with_a_quarter_free),
		cmocka_unit_test(writing_without_memory_says_so),
		cmocka_unit_test(full_link_delays_and_loses_nothing),
		cmocka_unit_test(a_link_that_cuts_segments_gets_many_at_once),
		cmocka_unit_test(idle_connection_holds_no_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
