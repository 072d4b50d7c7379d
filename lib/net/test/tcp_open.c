/* SPDX-License-Identifier: ISC
 *
 * Opening: RFC 9293, 3.5 and 3.10.7.1 to 3.10.7.3, from both sides and from both at once.
 */
#include <errno.h>

#include "tcp_wire.h"

static void passive_open_answers_syn_with_syn_ack(void **state)
{
	struct wire *w = wire_new();
	const struct tcp_segment *sent;

	(void)state;
	open_passive(w, .options = { .mss = 1460 });
	sent = expect(w, .seq = 0, .ack = 1, .flags = S | A, .options = { .mss = MSS });
	assert_false(sent->options.has_timestamp || sent->options.sack_permitted || sent->options.has_window_shift);
	assert_state(w, TCP_SYN_RECEIVED);
	send(w, .seq = 1, .ack = 1, .flags = A);
	assert_state(w, TCP_ESTABLISHED);
	expect_nothing(w);
	wire_free(w);
}

static void active_open_sends_syn_and_acknowledges_syn_ack(void **state)
{
	struct wire *w = wire_new();
	const struct tcp_segment *sent;

	(void)state;
	open_active(w);
	sent = expect(w, .seq = 0, .flags = S, .options = { .mss = MSS });
	assert_true(sent->options.sack_permitted && sent->options.has_timestamp && sent->options.has_window_shift);
	assert_state(w, TCP_SYN_SENT);
	send(w, .seq = 0, .ack = 1, .flags = S | A);
	assert_state(w, TCP_ESTABLISHED);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	wire_free(w);
}

static void data_with_the_final_ack_is_taken(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w, .options = { .mss = 1460 });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .ack = 1, .flags = A | P | F, .len = 10);
	assert_state(w, TCP_CLOSE_WAIT);
	expect(w, .seq = 1, .ack = 12, .flags = A);
	read_bytes(w, 1, 10);
	assert_int_equal(read_any(w), 0);
	wire_free(w);
}

static void data_with_a_syn_is_taken_when_it_comes_again(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w, .options = { .mss = MSS }, .len = 10);
	expect(w, .seq = 0, .ack = 1, .flags = S | A); /* of the SYN alone */
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	read_bytes(w, 1, 10);
	wire_free(w);
}

static void data_with_a_syn_ack_is_taken(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .ack = 1, .flags = S | A, .data = "hello", .options = { .mss = MSS });
	expect(w, .seq = 1, .ack = 6, .flags = A);
	assert_state(w, TCP_ESTABLISHED);
	assert_int_equal(w->c.rx.len, 5);
	wire_free(w);
}

static void simultaneous_open_reaches_established(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .flags = S, .options = { .mss = MSS });
	assert_state(w, TCP_SYN_RECEIVED);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 0, .ack = 1, .flags = S | A, .options = { .mss = MSS });
	assert_state(w, TCP_ESTABLISHED);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	write_bytes(w, 1, 5);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 5);
	wire_free(w);
}

static void syn_sent_bad_ack_is_reset_without_ack_flag(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .ack = 0, .flags = A);
	expect(w, .seq = 0, .flags = R);
	send(w, .seq = 0, .ack = 2, .flags = S | A);
	expect(w, .seq = 2, .flags = R);
	assert_state(w, TCP_SYN_SENT);
	wire_free(w);
}

static void syn_sent_rst_with_bad_ack_is_ignored(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .ack = 9, .flags = R | A);
	send(w, .seq = 0, .flags = R);
	expect_nothing(w);
	assert_state(w, TCP_SYN_SENT);
	wire_free(w);
}

static void syn_sent_rst_with_good_ack_is_refusal(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .ack = 1, .flags = R | A);
	expect_nothing(w);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ECONNREFUSED);
	wire_free(w);
}

static void syn_received_bad_ack_is_reset_and_goes_on(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .ack = 2, .flags = A);
	expect(w, .seq = 2, .flags = R);
	send(w, .seq = 1, .ack = 0, .flags = A);
	expect(w, .seq = 0, .flags = R);
	assert_state(w, TCP_SYN_RECEIVED);
	wire_free(w);
}

static void syn_received_repeated_syn_repeats_syn_ack(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 0, .flags = S);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	assert_state(w, TCP_SYN_RECEIVED);
	wire_free(w);
}

static void syn_received_new_syn_in_window_forgets_a_passive_open(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 100, .flags = S);
	expect_nothing(w);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void syn_received_rst_ends_passive_and_refuses_active_open(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .flags = R);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ECONNRESET);
	wire_free(w);

	w = wire_new();
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .flags = S);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .flags = R);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ECONNREFUSED);
	wire_free(w);
}

static void syn_is_repeated_with_doubled_time_and_given_up_after_three_minutes(void **state)
{
	struct wire *w = wire_new();
	uint64_t begin = w->now, wait = SECOND(1);

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	for (int i = 0; i < 7; i++) {
		advance(w, wait - 1);
		expect_nothing(w);
		advance(w, 1);
		expect(w, .seq = 0, .flags = S);
		wait = wait * 2 > SECOND(60) ? SECOND(60) : wait * 2;
	}
	while (w->c.state != TCP_CLOSED)
		advance(w, SECOND(1));
	assert_int_equal(w->c.error, -ETIME);
	assert_in_range(w->now - begin, SECOND(180), SECOND(240));
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	wire_free(w);
}

static void lost_syn_means_three_seconds_and_one_segment(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	advance(w, SECOND(1));
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .ack = 1, .flags = S | A, .options = { .mss = MSS });
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(w->c.rto_ns, SECOND(3)); /* RFC 6298, 5.7 */
	write_bytes(w, 1, 5000);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS);
	expect_nothing(w); /* RFC 5681, 3.1 */
	wire_free(w);
}

static void unreachable_network_ends_connecting_at_once(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->sink_error = -ENETUNREACH;
	open_active(w);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ENETUNREACH);
	wire_free(w);
}

static void syn_waits_for_room_at_the_link(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->sink_error = -EAGAIN;
	open_active(w);
	assert_true(w->c.blocked);
	w->sink_error = 0;
	tcp_core_output(&w->c, w->now);
	expect(w, .seq = 0, .flags = S);
	wire_free(w);
}

static void icmp_errors_refuse_only_what_is_in_flight_and_not_established(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	tcp_core_undelivered(&w->c, OUR_ISS + 5, -ECONNREFUSED, 0, w->now);
	tcp_core_undelivered(&w->c, OUR_ISS, -EHOSTUNREACH, 0, w->now); /* MUST-56: a hint */
	assert_state(w, TCP_SYN_SENT);
	tcp_core_undelivered(&w->c, OUR_ISS, -ECONNREFUSED, 0, w->now);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ECONNREFUSED);
	wire_free(w);

	w = established();
	write_bytes(w, 1, 10);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -ECONNREFUSED, 0, w->now);
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

static void listen_ignores_resets_refuses_acks_and_accepts_syns(void **state)
{
	struct tcp_segment segment = { .seq = 77, .ack = 99 };

	(void)state;
	for (unsigned flags = 0; flags < 64; flags++) {
		enum tcp_verdict wanted = flags & R                ? TCP_IGNORE
					  : flags & A              ? TCP_REFUSE
					  : (flags & (S | F)) == S ? TCP_ACCEPT
								   : TCP_IGNORE;
		segment.flags = (uint8_t)flags;
		assert_int_equal(tcp_listen_verdict(&segment), wanted);
	}
}

static void closed_refuses_as_the_rfc_says(void **state)
{
	struct tcp_segment reset;

	(void)state;
	for (unsigned flags = 0; flags < 64; flags++) {
		struct tcp_segment segment = {
			.seq = 77, .ack = 99, .flags = (uint8_t)flags, .len = 5, .source_port = 1, .destination_port = 2
		};
		if (flags & R) {
			assert_false(tcp_segment_refuse(&segment, &reset));
			continue;
		}
		assert_true(tcp_segment_refuse(&segment, &reset));
		assert_int_equal(reset.source_port, 2);
		assert_int_equal(reset.destination_port, 1);
		if (flags & A) {
			assert_int_equal(reset.flags, R);
			assert_int_equal(reset.seq, 99);
		} else {
			assert_int_equal(reset.flags, R | A);
			assert_int_equal(reset.seq, 0);
			assert_int_equal(reset.ack, 77 + 5 + ((flags & S) != 0) + ((flags & F) != 0));
		}
	}
}

static void options_are_used_only_if_both_offer_them(void **state)
{
	struct wire *w = wire_new();
	const struct tcp_segment *sent;

	(void)state;
	open_passive(w, .window = 1000,
		.options = { .mss = 500,
			.has_window_shift = true,
			.window_shift = 3,
			.has_timestamp = true,
			.timestamp = 1234 });
	sent = expect(w, .seq = 0, .ack = 1, .flags = S | A);
	assert_true(sent->options.has_window_shift && sent->options.has_timestamp);
	assert_false(sent->options.sack_permitted);
	assert_int_equal(sent->options.timestamp_echo, 1234);
	assert_int_equal(w->c.mss, 500 - 12);
	assert_int_equal(w->c.snd_wnd, 1000); /* a SYN's window is not shifted */
	send(w, .seq = 1, .ack = 1, .flags = A, .window = 1000);
	assert_int_equal(w->c.snd_wnd, 8000);
	wire_free(w);
}

static void window_shift_above_14_is_taken_as_14(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w, .options = { .has_window_shift = true, .window_shift = 255 });
	assert_int_equal(w->c.snd_shift, 14);
	wire_free(w);
}

static void missing_mss_means_536_and_a_tiny_one_is_not_obeyed(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w);
	assert_int_equal(w->c.mss, 536);
	wire_free(w);
	w = wire_new();
	open_passive(w, .options = { .mss = 1 });
	assert_int_equal(w->c.mss, TCP_MSS_MIN);
	wire_free(w);
}

static void half_open_connection_ends_after_a_minute(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_passive(w);
	advance(w, SECOND(130));
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passive_open_answers_syn_with_syn_ack),
		cmocka_unit_test(active_open_sends_syn_and_acknowledges_syn_ack),
		cmocka_unit_test(data_with_the_final_ack_is_taken),
		cmocka_unit_test(data_with_a_syn_is_taken_when_it_comes_again),
		cmocka_unit_test(data_with_a_syn_ack_is_taken),
		cmocka_unit_test(simultaneous_open_reaches_established),
		cmocka_unit_test(syn_sent_bad_ack_is_reset_without_ack_flag),
		cmocka_unit_test(syn_sent_rst_with_bad_ack_is_ignored),
		cmocka_unit_test(syn_sent_rst_with_good_ack_is_refusal),
		cmocka_unit_test(syn_received_bad_ack_is_reset_and_goes_on),
		cmocka_unit_test(syn_received_repeated_syn_repeats_syn_ack),
		cmocka_unit_test(syn_received_new_syn_in_window_forgets_a_passive_open),
		cmocka_unit_test(syn_received_rst_ends_passive_and_refuses_active_open),
		cmocka_unit_test(syn_is_repeated_with_doubled_time_and_given_up_after_three_minutes),
		cmocka_unit_test(lost_syn_means_three_seconds_and_one_segment),
		cmocka_unit_test(unreachable_network_ends_connecting_at_once),
		cmocka_unit_test(syn_waits_for_room_at_the_link),
		cmocka_unit_test(icmp_errors_refuse_only_what_is_in_flight_and_not_established),
		cmocka_unit_test(listen_ignores_resets_refuses_acks_and_accepts_syns),
		cmocka_unit_test(closed_refuses_as_the_rfc_says),
		cmocka_unit_test(options_are_used_only_if_both_offer_them),
		cmocka_unit_test(window_shift_above_14_is_taken_as_14),
		cmocka_unit_test(missing_mss_means_536_and_a_tiny_one_is_not_obeyed),
		cmocka_unit_test(half_open_connection_ends_after_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
