/* SPDX-License-Identifier: ISC
 *
 * Closing: RFC 9293, 3.6 and 3.10.7.4, in every order; resets and RFC 5961; TIME-WAIT and RFC 1337; and what every
 * state does with every combination of flags.
 */
#include <errno.h>

#include "tcp_wire.h"

static void we_close_first(void **state)
{
	struct wire *w = established();

	(void)state;
	finish(w);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	assert_state(w, TCP_FIN_WAIT_1);
	send(w, .seq = 1, .ack = 2, .flags = A);
	assert_state(w, TCP_FIN_WAIT_2);
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	expect(w, .seq = 2, .ack = 2, .flags = A);
	assert_state(w, TCP_TIME_WAIT);
	assert_int_equal(read_any(w), 0);
	advance(w, TCP_TIME_WAIT_NS - 1);
	assert_state(w, TCP_TIME_WAIT);
	advance(w, 1);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, 0);
	wire_free(w);
}

static void they_close_first(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A | F);
	expect(w, .seq = 1, .ack = 2, .flags = A);
	assert_state(w, TCP_CLOSE_WAIT);
	assert_int_equal(read_any(w), 0);
	write_bytes(w, 1, 10); /* half-closed: we may still send */
	expect(w, .seq = 1, .ack = 2, .flags = A | P, .len = 10);
	finish(w);
	expect(w, .seq = 11, .ack = 2, .flags = A | F);
	assert_state(w, TCP_LAST_ACK);
	send(w, .seq = 2, .ack = 11, .flags = A);
	assert_state(w, TCP_LAST_ACK);
	send(w, .seq = 2, .ack = 12, .flags = A);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, 0);
	wire_free(w);
}

static void both_close_at_once(void **state)
{
	struct wire *w = established();

	(void)state;
	finish(w);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	send(w, .seq = 1, .ack = 1, .flags = A | F);
	expect(w, .seq = 2, .ack = 2, .flags = A);
	assert_state(w, TCP_CLOSING);
	send(w, .seq = 2, .ack = 2, .flags = A);
	assert_state(w, TCP_TIME_WAIT);
	wire_free(w);
}

static void fin_that_acknowledges_ours_leads_to_time_wait(void **state)
{
	struct wire *w = established();

	(void)state;
	finish(w);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	expect(w, .seq = 2, .ack = 2, .flags = A);
	assert_state(w, TCP_TIME_WAIT);
	wire_free(w);
}

static void half_closed_connection_goes_on_reading(void **state)
{
	struct wire *w = established();

	(void)state;
	finish(w);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	assert_int_equal(tcp_core_write(&w->c, "x", 1), -EPIPE);
	assert_int_equal(tcp_core_finish(&w->c), 0); /* twice is once */
	send(w, .seq = 1, .ack = 2, .flags = A);
	advance(w, SECOND(100000)); /* no limit while the user holds it */
	send(w, .seq = 1, .ack = 2, .flags = A, .len = 100);
	read_bytes(w, 1, 100);
	send(w, .seq = 101, .ack = 2, .flags = A | F, .len = 100);
	assert_state(w, TCP_TIME_WAIT);
	read_bytes(w, 101, 100); /* what came before the end is read after it */
	assert_int_equal(read_any(w), 0);
	wire_free(w);
}

static void fin_before_its_data_waits_for_it(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 11, .ack = 1, .flags = A | F, .len = 10);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_state(w, TCP_ESTABLISHED);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 22, .flags = A);
	assert_state(w, TCP_CLOSE_WAIT);
	read_bytes(w, 1, 20);
	assert_int_equal(read_any(w), 0);
	wire_free(w);
}

static void repeated_fin_is_acknowledged_and_restarts_time_wait(void **state)
{
	struct wire *w = established();

	(void)state;
	finish(w);
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	wire_drop(w);
	advance(w, SECOND(59));
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	expect(w, .seq = 2, .ack = 2, .flags = A);
	advance(w, SECOND(59));
	assert_state(w, TCP_TIME_WAIT);
	advance(w, SECOND(1));
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void reset_in_time_wait_is_ignored(void **state)
{
	struct wire *w = established();

	(void)state;
	finish(w);
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	wire_drop(w);
	send(w, .seq = 2, .flags = R);
	assert_state(w, TCP_TIME_WAIT); /* RFC 1337 */
	expect_nothing(w);
	wire_free(w);
}

static void time_wait_gives_way_to_a_newer_syn_only(void **state)
{
	struct wire *w = established();
	struct tcp_segment syn = { .flags = S, .seq = THEIR_ISS + 3 };

	(void)state;
	finish(w);
	assert_false(tcp_core_replaceable(&w->c, &syn));
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	assert_true(tcp_core_replaceable(&w->c, &syn));
	syn.seq = THEIR_ISS + 2;
	assert_false(tcp_core_replaceable(&w->c, &syn));
	syn.seq = THEIR_ISS - 1000;
	assert_false(tcp_core_replaceable(&w->c, &syn));
	wire_free(w);

	w = established(.has_timestamp = true, .timestamp = 100);
	finish(w);
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	syn = (struct tcp_segment){
		.flags = S, .seq = THEIR_ISS - 1000, .options = { .has_timestamp = true, .timestamp = 101 }
	};
	assert_true(tcp_core_replaceable(&w->c, &syn)); /* RFC 6191 */
	syn.options.timestamp = 99;
	syn.seq = THEIR_ISS + 1000;
	assert_false(tcp_core_replaceable(&w->c, &syn));
	wire_free(w);
}

static void exact_reset_ends_the_connection(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	send(w, .seq = 11, .flags = R);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(read_any(w), -ECONNRESET); /* MUST-12; a part is not passed off as the whole */
	assert_int_equal(tcp_core_write(&w->c, "x", 1), -ECONNRESET);
	expect_nothing(w);
	wire_free(w);
}

static void reset_may_carry_data(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .flags = R, .data = "why it ends"); /* SHLD-2 */
	assert_state(w, TCP_CLOSED);
	assert_int_equal(read_any(w), -ECONNRESET);
	expect_nothing(w);
	wire_free(w);

	w = established();
	send(w, .seq = 1, .ack = 1, .flags = R | A, .data = "why it ends");
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void complete_stream_is_readable_after_a_reset(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A | F, .len = 10);
	send(w, .seq = 12, .flags = R);
	assert_state(w, TCP_CLOSED);
	read_bytes(w, 1, 10);
	assert_int_equal(read_any(w), 0);
	assert_int_equal(tcp_core_write(&w->c, "x", 1), -ECONNRESET);
	wire_free(w);
}

static void reset_in_the_window_is_challenged_and_outside_ignored(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 2, .flags = R);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 60000, .flags = R | A, .ack = 1);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 0, .flags = R);
	send(w, .seq = 70000, .flags = R);
	expect_nothing(w);
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

static void reset_at_a_closed_window_counts(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->config.ring_max = 4096;
	open_passive(w, .options = { .mss = MSS });
	send(w, .seq = 1, .ack = 1, .flags = A);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 4096);
	send(w, .seq = 4097, .flags = R);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void challenge_acks_are_throttled(void **state)
{
	struct wire *w = established();

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		send(w, .seq = 100 + i, .flags = i % 2 ? R : S);
	assert_int_equal(w->count, TCP_CHALLENGES_MAX);
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

static void close_delivers_what_was_written(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 3 * MSS + 10);
	close_it(w);
	for (uint32_t i = 0; i < 3; i++)
		expect(w, .seq = 1 + i * MSS, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1 + 3 * MSS, .ack = 1, .flags = A | P | F, .len = 10);
	send(w, .seq = 1, .ack = 1 + 3 * MSS + 11, .flags = A | F);
	assert_state(w, TCP_TIME_WAIT);
	wire_free(w);
}

static void close_with_unread_data_resets(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	close_it(w);
	expect(w, .seq = 1, .flags = R); /* SHLD-3 */
	expect_nothing(w);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void data_after_close_resets(void **state)
{
	struct wire *w = established();

	(void)state;
	close_it(w);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	send(w, .seq = 1, .ack = 2, .flags = A);
	expect_nothing(w);
	send(w, .seq = 1, .ack = 2, .flags = A, .len = 10);
	expect(w, .seq = 2, .flags = R);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void closed_connection_does_not_wait_for_ever_for_a_fin(void **state)
{
	struct wire *w = established();

	(void)state;
	close_it(w);
	send(w, .seq = 1, .ack = 2, .flags = A);
	assert_state(w, TCP_FIN_WAIT_2);
	advance(w, TCP_FIN_WAIT_2_NS);
	assert_state(w, TCP_CLOSED);
	wire_free(w);

	w = established(); /* also when it was half-closed before */
	finish(w);
	send(w, .seq = 1, .ack = 2, .flags = A);
	advance(w, SECOND(1000));
	assert_state(w, TCP_FIN_WAIT_2);
	close_it(w);
	advance(w, TCP_FIN_WAIT_2_NS);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void closed_connection_gives_up_on_a_silent_peer_sooner(void **state)
{
	struct wire *w = established();
	uint64_t begin = w->now;

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A | F);
	close_it(w);
	assert_state(w, TCP_LAST_ACK);
	while (w->c.state != TCP_CLOSED)
		advance(w, SECOND(1));
	assert_in_range(w->now - begin, SECOND(100), SECOND(161));
	wire_free(w);
}

static void closed_connection_does_not_probe_a_window_for_ever(void **state)
{
	struct wire *w = established();
	uint64_t begin = w->now;

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	write_bytes(w, 1, 10);
	close_it(w);
	while (w->c.state != TCP_CLOSED && w->now < begin + SECOND(1000)) {
		advance(w, SECOND(1));
		wire_drop(w);
		send(w, .seq = 1, .ack = 1, .flags = A, .closed = true);
	}
	assert_in_range(w->now - begin, SECOND(100), SECOND(161));
	wire_free(w);
}

static void abort_resets_at_snd_nxt(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 10);
	wire_drop(w);
	tcp_core_abort(&w->c, -ECONNRESET);
	expect(w, .seq = 11, .flags = R);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	tcp_core_abort(&w->c, -ECONNRESET); /* twice says nothing more */
	close_it(w);
	expect_nothing(w);
	wire_free(w);
}

static void closing_before_the_answer_forgets_the_connection(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	assert_int_equal(tcp_core_finish(&w->c), -ENOTCONN);
	close_it(w);
	expect_nothing(w);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(we_close_first),
		cmocka_unit_test(they_close_first),
		cmocka_unit_test(both_close_at_once),
		cmocka_unit_test(fin_that_acknowledges_ours_leads_to_time_wait),
		cmocka_unit_test(half_closed_connection_goes_on_reading),
		cmocka_unit_test(fin_before_its_data_waits_for_it),
		cmocka_unit_test(repeated_fin_is_acknowledged_and_restarts_time_wait),
		cmocka_unit_test(reset_in_time_wait_is_ignored),
		cmocka_unit_test(time_wait_gives_way_to_a_newer_syn_only),
		cmocka_unit_test(exact_reset_ends_the_connection),
		cmocka_unit_test(reset_may_carry_data),
		cmocka_unit_test(complete_stream_is_readable_after_a_reset),
		cmocka_unit_test(reset_in_the_window_is_challenged_and_outside_ignored),
		cmocka_unit_test(reset_at_a_closed_window_counts),
		cmocka_unit_test(challenge_acks_are_throttled),
		cmocka_unit_test(close_delivers_what_was_written),
		cmocka_unit_test(close_with_unread_data_resets),
		cmocka_unit_test(data_after_close_resets),
		cmocka_unit_test(closed_connection_does_not_wait_for_ever_for_a_fin),
		cmocka_unit_test(closed_connection_gives_up_on_a_silent_peer_sooner),
		cmocka_unit_test(closed_connection_does_not_probe_a_window_for_ever),
		cmocka_unit_test(abort_resets_at_snd_nxt),
		cmocka_unit_test(closing_before_the_answer_forgets_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
