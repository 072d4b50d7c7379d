/* SPDX-License-Identifier: ISC
 *
 * Recovery with SACK: RACK and tail loss probes (RFC 8985), proportional rate reduction (RFC 9937), needless
 * retransmissions (RFC 2883, 4015), and CUBIC's windows (RFC 9438).
 */
#include "tcp_wire.h"

#define RTT MSEC(100)

/* A connection with SACK, a round trip of 100 ms and, so that times are told exactly, no timestamps. */
static struct wire *measured(bool timestamps)
{
	struct wire *w = wire_new();
	struct tcp_options options = { .mss = MSS, .sack_permitted = true, .has_timestamp = timestamps };

	if (timestamps)
		options.mss = MSS + TCP_TIMESTAMP_BYTES, w->config.mss = MSS + TCP_TIMESTAMP_BYTES;
	wire_open_passive(w, (struct shape){ .flags = S, .options = options });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	advance(w, RTT);
	send(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(w->c.srtt_ns, RTT);
	assert_int_equal(w->c.mss, MSS);
	return w;
}

/* Where segment number n begins, counted from 0. */
static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

static void expect_segments(struct wire *w, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct tcp_segment *sent = &w->queue[w->first].segment;
		expect(w, .seq = at(first + i), .ack = 1, .flags = A | (sent->flags & P), .len = MSS);
	}
}

static struct tcp_range range(uint32_t first, uint32_t end)
{
	return (struct tcp_range){ .begin = OUR_ISS + at(first), .end = OUR_ISS + at(end) };
}

/* The peer has all before segment `ack`, and those from first to before end. */
static void sack(struct wire *w, uint32_t ack, uint32_t first, uint32_t end)
{
	send(w, .seq = 1, .ack = at(ack), .flags = A, .options = { .sack_count = 1, .sack = { range(first, end) } });
}

static void third_sacked_segment_retransmits_the_missing_one(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 1, 2);
	sack(w, 0, 1, 3);
	expect_nothing(w);
	sack(w, 0, 1, 4); /* RFC 6675, 5; RFC 8985, 6.2: no reordering was seen, so that no time passes */
	expect_segments(w, 0, 1);
	expect_nothing(w);
	assert_int_equal(w->c.loss, TCP_LOSS_RECOVERY);
	assert_int_equal(w->c.ssthresh, 7 * MSS); /* CUBIC: 0.7 of ten */
	wire_free(w);
}

static void all_holes_are_filled_in_one_round_trip(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	/* 0, 2 and 4 are lost. */
	send(w, .seq = 1, .ack = at(0), .flags = A,
		.options = { .sack_count = 3, .sack = { range(5, 10), range(3, 4), range(1, 2) } });
	expect_segments(w, 0, 1);
	expect_segments(w, 2, 1);
	expect_segments(w, 4, 1);
	expect_nothing(w); /* what has arrived is not sent again */
	advance(w, RTT);
	send(w, .seq = 1, .ack = at(10), .flags = A);
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	assert_int_equal(w->c.cwnd, w->c.ssthresh);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	wire_free(w);
}

static void a_hole_younger_than_the_reordering_window_waits_for_it(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 3 * MSS);
	expect_segments(w, 0, 3);
	advance(w, RTT);
	sack(w, 0, 1, 2); /* too few to count: time decides, a quarter of the round trip */
	expect_nothing(w);
	advance(w, RTT / 4 - 1);
	expect_nothing(w);
	advance(w, 1);
	expect_segments(w, 0, 1);
	expect_nothing(w);
	wire_free(w);
}

static void lost_retransmission_is_sent_again_without_a_time_out(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	w->c.ssthresh = w->c.cwnd;
	write_bytes(w, 1, 30 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 1, 10);
	expect_segments(w, 0, 1);
	expect_segments(w, 10, 6); /* nine have arrived, and the window falls to seven */
	advance(w, RTT);
	sack(w, 0, 1, 16); /* what was sent after the retransmission has arrived, and it has not */
	expect_segments(w, 0, 1);
	assert_int_equal(w->c.ssthresh, 7 * MSS);
	wire_drop(w);
	send(w, .seq = 1, .ack = at(16), .flags = A);
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	wire_free(w);
}

static void reordering_that_was_seen_gives_late_segments_time(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 1, 2);
	send(w, .seq = 1, .ack = at(2), .flags = A); /* the first was late, not lost */
	assert_true(w->c.reordering);
	sack(w, 2, 3, 9);
	expect_nothing(w);
	advance(w, RTT / 4);
	expect_segments(w, 2, 1);
	wire_free(w);
}

static void needless_retransmission_widens_the_reordering_window(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 1, 4);
	expect_segments(w, 0, 1);
	advance(w, MSEC(1));
	sack(w, 4, 0, 1); /* it came twice: RFC 2883 */
	assert_int_equal(w->c.reorder_steps, 1);
	sack(w, 4, 0, 1);
	assert_int_equal(w->c.reorder_steps, 1); /* once a round trip */
	wire_free(w);
}

static void window_falls_in_proportion_to_what_arrives(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	w->c.cwnd = w->c.ssthresh = 20 * MSS;
	w->c.config.tuning.congestion = &tcp_newreno;
	write_bytes(w, 1, 60 * MSS);
	expect_segments(w, 0, 20);
	advance(w, RTT);
	for (uint32_t i = 2; i < 5; i++)
		sack(w, 0, 1, i);
	wire_drop(w); /* limited transmit: two; and the missing one */
	assert_int_equal(w->c.ssthresh, 10 * MSS);
	for (uint32_t i = 5; i < 20; i++)
		sack(w, 0, 1, i + 1);
	/* RFC 9937: half of what arrives is sent, not nothing for half a round trip and then a burst. */
	assert_in_range(w->count, 6, 9);
	wire_drop(w);
	send(w, .seq = 1, .ack = at(30), .flags = A);
	assert_int_equal(w->c.cwnd, 10 * MSS);
	wire_free(w);
}

static void lost_tail_is_probed_after_two_round_trips(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 5 * MSS);
	expect_segments(w, 0, 5);
	advance(w, RTT);
	send(w, .seq = 1, .ack = at(3), .flags = A); /* the last two are lost */
	advance(w, 2 * RTT + MSEC(2) - 1);
	expect_nothing(w);
	advance(w, 1);
	expect_segments(w, 4, 1);
	expect_nothing(w);
	advance(w, RTT);
	sack(w, 3, 4, 5); /* the probe has arrived: the one before it is lost */
	advance(w, RTT / 4);
	expect_segments(w, 3, 1);
	assert_int_equal(w->c.loss, TCP_LOSS_RECOVERY);
	wire_free(w);
}

static void probe_is_what_comes_next_if_there_is_any(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	w->c.cwnd = 5 * MSS;
	write_bytes(w, 1, 7 * MSS);
	expect_segments(w, 0, 5);
	advance(w, 2 * RTT + MSEC(2));
	expect_segments(w, 5, 1); /* beyond the congestion window: RFC 8985, 7.3 */
	expect_nothing(w);
	advance(w, RTT); /* one probe only: the timer is next */
	expect_nothing(w);
	wire_free(w);
}

static void probe_that_repaired_a_loss_counts_as_congestion(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 4 * MSS);
	expect_segments(w, 0, 4);
	advance(w, RTT);
	send(w, .seq = 1, .ack = at(2), .flags = A);
	advance(w, 2 * RTT + MSEC(2));
	expect_segments(w, 3, 1);
	send(w, .seq = 1, .ack = at(4), .flags = A); /* the original or the probe: not told yet */
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	write_bytes(w, at(4), MSS);
	expect_segments(w, 4, 1);
	send(w, .seq = 1, .ack = at(5), .flags = A); /* no duplicate was reported: one of them was lost */
	assert_true(w->c.ssthresh < 10 * MSS);
	wire_free(w);
}

static void probe_that_came_twice_costs_nothing(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 4 * MSS);
	expect_segments(w, 0, 4);
	advance(w, 2 * RTT + MSEC(2));
	expect_segments(w, 3, 1);
	send(w, .seq = 1, .ack = at(4), .flags = A);
	sack(w, 4, 3, 4); /* RFC 2883 */
	write_bytes(w, at(4), MSS);
	expect_segments(w, 4, 1);
	send(w, .seq = 1, .ack = at(5), .flags = A);
	assert_true(w->c.ssthresh > 10 * MSS);
	assert_false(w->c.probing);
	wire_free(w);
}

/* Reordering, taken for loss: the peer reports all that was sent again, and without timestamps nothing else does. */
static void retransmissions_that_all_came_twice_are_undone(void **state)
{
	struct wire *w = measured(false);
	uint32_t cwnd = w->c.cwnd, ssthresh = w->c.ssthresh;

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 2, 5);
	expect_segments(w, 0, 2);
	assert_int_equal(w->c.loss, TCP_LOSS_RECOVERY);
	send(w, .seq = 1, .ack = at(10), .flags = A); /* both were late */
	assert_true(w->c.cwnd < cwnd);
	sack(w, 10, 0, 1);
	assert_true(w->c.cwnd < cwnd); /* the second may have been needed */
	sack(w, 10, 1, 2);
	assert_true(w->c.cwnd >= cwnd);
	assert_int_equal(w->c.ssthresh, ssthresh);
	wire_free(w);
}

static void retransmissions_of_which_one_was_needed_are_not_undone(void **state)
{
	struct wire *w = measured(false);
	uint32_t cwnd = w->c.cwnd;

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 2, 5);
	expect_segments(w, 0, 2);
	send(w, .seq = 1, .ack = at(10), .flags = A);
	sack(w, 10, 1, 2);
	write_bytes(w, at(10), MSS);
	wire_drop(w);
	advance(w, RTT);
	sack(w, 11, 10, 11); /* what the network doubles later is no retransmission of then */
	assert_true(w->c.cwnd < cwnd);
	wire_free(w);
}

/* RFC 6675 would send the last segment again, once, to find this: here time does. */
static void hole_and_tail_of_one_window_are_repaired_without_a_time_out(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 1, 8); /* 0, 8 and 9 are lost */
	expect_segments(w, 0, 1);
	expect_nothing(w);
	advance(w, RTT);
	send(w, .seq = 1, .ack = at(8), .flags = A); /* the retransmission was sent after 8 and 9, and has arrived */
	expect_segments(w, 8, 2);
	assert_true(w->c.timeouts == 0 && w->c.loss == TCP_LOSS_RECOVERY);
	wire_free(w);
}

static void tail_of_what_recovery_sent_is_probed_after_it(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 12 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 1, 10);
	expect_segments(w, 0, 1);
	expect_segments(w, 10, 2); /* these are lost */
	advance(w, RTT);
	send(w, .seq = 1, .ack = at(10), .flags = A);
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	advance(w, 3 * RTT);
	expect_segments(w, 11, 1);
	assert_int_equal(w->c.timeouts, 0);
	wire_free(w);
}

static void time_out_that_was_needless_is_undone(void **state)
{
	struct wire *w = measured(true);
	uint32_t first, cwnd = w->c.cwnd;

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	first = expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS)->options.timestamp;
	expect_segments(w, 1, 9);
	while (w->c.loss != TCP_LOSS_TIMEOUT) /* a delay of a second, which nobody could foresee */
		advance(w, MSEC(1));
	wire_drop(w);
	advance(w, SECOND(1));
	wire_drop(w);
	send(w, .seq = 1, .ack = at(1), .flags = A, /* RFC 3522: the answer to what was sent first */
		.options = { .has_timestamp = true, .timestamp = 1, .timestamp_echo = first });
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	assert_true(w->c.cwnd >= cwnd);
	assert_int_equal(w->c.flight.bytes[TCP_SPAN_LOST], 0);
	assert_true(w->c.rto_ns > SECOND(1)); /* RFC 4015, 3.5: it has learnt from it */
	expect_nothing(w);
	wire_free(w);
}

/* What came late is the acknowledgement of the second time: that of the first was lost, and its time tells nothing */
static void a_lost_acknowledgement_is_not_taken_for_a_long_round_trip(void **state)
{
	struct wire *w = measured(true);
	uint32_t first;

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	first = expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS)->options.timestamp;
	while (w->c.loss != TCP_LOSS_TIMEOUT)
		advance(w, MSEC(1));
	advance(w, SECOND(3));
	wire_drop(w);
	send(w, .seq = 1, .ack = at(1), .flags = A,
		.options = { .sack_count = 1,
			.sack = { range(0, 1) },
			.has_timestamp = true,
			.timestamp = 1,
			.timestamp_echo = first });
	assert_int_equal(w->c.srtt_ns, RTT);
	wire_free(w);
}

static void time_out_that_was_needed_is_not_undone(void **state)
{
	struct wire *w = measured(true);
	uint32_t again;

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	wire_drop(w);
	while (w->c.loss != TCP_LOSS_TIMEOUT)
		advance(w, MSEC(1));
	again = w->queue[(w->first + w->count - 1) % WIRE_QUEUE].segment.options.timestamp;
	wire_drop(w);
	advance(w, RTT);
	send(w, .seq = 1, .ack = at(1), .flags = A,
		.options = { .has_timestamp = true, .timestamp = 1, .timestamp_echo = again });
	assert_int_equal(w->c.loss, TCP_LOSS_TIMEOUT);
	expect_segments(w, 1, 2);
	wire_free(w);
}

static void peer_that_drops_what_it_sacked_gets_it_again(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_segments(w, 0, 10);
	advance(w, RTT);
	sack(w, 0, 3, 6);
	wire_drop(w);
	send(w, .seq = 1, .ack = at(3), .flags = A); /* it had 3 to 5, and does not acknowledge them: RFC 2018, 8 */
	expect_segments(w, 3, 1);
	wire_free(w);
}

static void absurd_blocks_are_ignored(void **state)
{
	struct wire *w = measured(false);
	const struct tcp_range absurd[] = { { OUR_ISS + 5, OUR_ISS + 2 }, range(2, 400), { OUR_ISS + 1, OUR_ISS + 20 },
		{ OUR_ISS - 5000, OUR_ISS - 4000 }, { OUR_ISS + 100, OUR_ISS + 100 } };

	(void)state;
	write_bytes(w, 1, 5 * MSS);
	expect_segments(w, 0, 5);
	for (size_t i = 0; i < sizeof absurd / sizeof absurd[0]; i++)
		send(w, .seq = 1, .ack = 1, .flags = A, .options = { .sack_count = 1, .sack = { absurd[i] } });
	assert_int_equal(w->c.flight.bytes[TCP_SPAN_SACKED], 0);
	expect_nothing(w);
	wire_free(w);
}

static void blocks_of_any_shape_take_bounded_memory(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	w->c.cwnd = 60 * MSS;
	write_bytes(w, 1, 60 * MSS);
	wire_drop(w);
	for (uint32_t seq = 3; seq < 60 * MSS; seq += 4) {
		input(w, .seq = 1, .ack = 1, .flags = A,
			.options = { .sack_count = 1, .sack = { { OUR_ISS + seq, OUR_ISS + seq + 1 } } });
		assert_true(w->c.flight.count <= TCP_SPANS_MAX);
	}
	tcp_core_output(&w->c, w->now);
	wire_drop(w);
	send(w, .seq = 1, .ack = at(60), .flags = A);
	assert_int_equal(w->c.flight.count, 0);
	assert_int_equal(w->pool.used_bytes, 0);
	wire_free(w);
}

static void cubic_reaches_its_last_maximum_in_the_time_that_the_formula_says(void **state)
{
	struct wire *w = measured(false);
	uint64_t began;

	(void)state;
	w->c.cwnd = 100 * MSS;
	assert_int_equal(tcp_cubic.reduced(&w->c, w->c.cwnd), 70 * MSS);
	w->c.cwnd = w->c.ssthresh = 70 * MSS;
	began = w->now;
	for (int i = 0; w->c.cwnd < 100 * MSS && i < 1000; i++) {
		for (uint32_t acked = w->c.cwnd, step = 2 * MSS; acked >= step; acked -= step)
			tcp_cubic.acked(&w->c, step, w->now);
		advance(w, RTT);
	}
	/* K = cbrt((100 - 70) / 0.4) = 4.2 s; Reno would take 30 / 0.53 round trips, 5.7 s. */
	assert_in_range(w->now - began, MSEC(3900), MSEC(4500));
	wire_free(w);
}

static void cubic_is_never_slower_than_reno(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	w->c.cwnd = 10 * MSS;
	w->c.ssthresh = w->c.cwnd = tcp_cubic.reduced(&w->c, w->c.cwnd);
	for (int i = 0; i < 20; i++) { /* 20 round trips of 1 ms: no time for the cubic function */
		for (uint32_t acked = w->c.cwnd, step = MSS; acked >= step; acked -= step)
			tcp_cubic.acked(&w->c, step, w->now);
		advance(w, MSEC(1));
	}
	assert_in_range(w->c.cwnd, 15 * MSS, 28 * MSS);
	wire_free(w);
}

static void cubic_leaves_room_when_it_did_not_reach_its_last_maximum(void **state)
{
	struct wire *w = measured(false);

	(void)state;
	w->c.cwnd = 100 * MSS;
	tcp_cubic.reduced(&w->c, w->c.cwnd);
	w->c.cwnd = 80 * MSS;
	tcp_cubic.reduced(&w->c, w->c.cwnd);
	assert_int_equal(w->c.cubic.w_max, 68 * MSS); /* RFC 9438, 4.7: 80 * (1 + 0.7) / 2 */
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(third_sacked_segment_retransmits_the_missing_one),
		cmocka_unit_test(all_holes_are_filled_in_one_round_trip),
		cmocka_unit_test(a_hole_younger_than_the_reordering_window_waits_for_it),
		cmocka_unit_test(lost_retransmission_is_sent_again_without_a_time_out),
		cmocka_unit_test(reordering_that_was_seen_gives_late_segments_time),
		cmocka_unit_test(needless_retransmission_widens_the_reordering_window),
		cmocka_unit_test(window_falls_in_proportion_to_what_arrives),
		cmocka_unit_test(lost_tail_is_probed_after_two_round_trips),
		cmocka_unit_test(probe_is_what_comes_next_if_there_is_any),
		cmocka_unit_test(probe_that_repaired_a_loss_counts_as_congestion),
		cmocka_unit_test(probe_that_came_twice_costs_nothing),
		cmocka_unit_test(retransmissions_that_all_came_twice_are_undone),
		cmocka_unit_test(retransmissions_of_which_one_was_needed_are_not_undone),
		cmocka_unit_test(hole_and_tail_of_one_window_are_repaired_without_a_time_out),
		cmocka_unit_test(tail_of_what_recovery_sent_is_probed_after_it),
		cmocka_unit_test(time_out_that_was_needless_is_undone),
		cmocka_unit_test(a_lost_acknowledgement_is_not_taken_for_a_long_round_trip),
		cmocka_unit_test(time_out_that_was_needed_is_not_undone),
		cmocka_unit_test(peer_that_drops_what_it_sacked_gets_it_again),
		cmocka_unit_test(absurd_blocks_are_ignored),
		cmocka_unit_test(blocks_of_any_shape_take_bounded_memory),
		cmocka_unit_test(cubic_reaches_its_last_maximum_in_the_time_that_the_formula_says),
		cmocka_unit_test(cubic_is_never_slower_than_reno),
		cmocka_unit_test(cubic_leaves_room_when_it_did_not_reach_its_last_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
