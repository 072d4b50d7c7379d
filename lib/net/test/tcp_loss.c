/* SPDX-License-Identifier: ISC
 *
 * Loss: retransmission times (RFC 6298), congestion windows (RFC 5681, 6928, 3042) and recovery (RFC 6582).
 */
#include <errno.h>

#include "tcp_wire.h"

/* A connection with a measured round-trip time of 100 ms, so that RTO = 100 + 4 * 50 = 300 ms. */
static struct wire *measured(void)
{
	struct wire *w = wire_new();

	open_passive(w, .options = { .mss = MSS });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	advance(w, MSEC(100));
	send(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(w->c.srtt_ns, MSEC(100));
	assert_int_equal(w->c.rto_ns, MSEC(300));
	w->c.config.tuning.congestion = &tcp_newreno;
	return w;
}

static void expect_full(struct wire *w, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct tcp_segment *sent = &w->queue[w->first].segment;
		expect(w, .seq = 1 + (first + i) * MSS, .ack = 1, .flags = A | (sent->flags & P), .len = MSS);
	}
}

static void retransmission_time_follows_the_formula(void **state)
{
	struct wire *w = measured();

	(void)state;
	/* RTTVAR = 3/4 * 50 + 1/4 * |100 - 20| = 57.5; SRTT = 7/8 * 100 + 1/8 * 20 = 90; RTO = 90 + 230 */
	write_bytes(w, 1, 10);
	advance(w, MSEC(20));
	send(w, .seq = 1, .ack = 11, .flags = A);
	assert_int_equal(w->c.srtt_ns, MSEC(90));
	assert_int_equal(w->c.rttvar_ns, USEC(57500));
	assert_int_equal(w->c.rto_ns, MSEC(320));
	wire_free(w);
}

static void retransmission_time_has_a_floor_and_a_ceiling(void **state)
{
	struct wire *w = established();

	(void)state;
	assert_int_equal(w->c.rto_ns, MSEC(200));
	tcp_rtt_sample(&w->c, SECOND(1000));
	assert_int_equal(w->c.rto_ns, SECOND(60));
	wire_free(w);
}

static void timer_retransmits_exactly_then_and_doubles(void **state)
{
	struct wire *w = measured();
	uint64_t wait = MSEC(300);

	(void)state;
	write_bytes(w, 1, 10);
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	for (int i = 0; i < 9; i++) {
		advance(w, wait - 1);
		expect_nothing(w);
		advance(w, 1);
		assert_true(expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10)->retransmission);
		wait = wait * 2 > SECOND(60) ? SECOND(60) : wait * 2;
	}
	wire_free(w);
}

static void dead_peer_is_given_up_after_five_minutes(void **state)
{
	struct wire *w = measured();
	uint64_t begin = w->now;

	(void)state;
	write_bytes(w, 1, 10);
	while (w->c.state != TCP_CLOSED && w->now < begin + SECOND(1000))
		advance(w, SECOND(1));
	assert_in_range(w->now - begin, SECOND(300), SECOND(361));
	assert_int_equal(w->c.error, -ETIME);
	assert_int_equal(read_any(w), -ETIME);
	wire_free(w);
}

static void time_outs_and_soft_errors_are_told_until_the_peer_answers(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, MSS);
	advance(w, SECOND(3));
	assert_in_range(w->c.timeouts, 3, 6); /* R1: SHLD-9, 10 */
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EHOSTUNREACH, 0, w->now);
	assert_int_equal(w->c.soft_error, -EHOSTUNREACH);
	assert_state(w, TCP_ESTABLISHED);
	send(w, .seq = 1, .ack = 1 + MSS, .flags = A);
	assert_int_equal(w->c.timeouts, 0);
	assert_int_equal(w->c.soft_error, 0);
	wire_free(w);
}

static void giving_up_reports_what_icmp_said(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EHOSTUNREACH, 0, w->now);
	advance(w, SECOND(400));
	assert_int_equal(w->c.error, -EHOSTUNREACH);
	wire_free(w);
}

static void timer_restarts_when_new_data_is_acknowledged(void **state)
{
	struct wire *w = measured();
	uint64_t rto;

	(void)state;
	write_bytes(w, 1, 2 * MSS);
	expect_full(w, 0, 2);
	advance(w, MSEC(100));
	send(w, .seq = 1, .ack = 1 + MSS, .flags = A);
	rto = w->c.rto_ns;
	assert_int_equal(tcp_core_deadline(&w->c), w->now + rto); /* RFC 6298, 5.3 */
	advance(w, rto);
	expect_full(w, 1, 1);
	send(w, .seq = 1, .ack = 1 + 2 * MSS, .flags = A);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER); /* 5.2 */
	wire_free(w);
}

static void karn_what_was_sent_twice_is_not_timed(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10);
	advance(w, MSEC(300));
	wire_drop(w);
	advance(w, MSEC(1));
	send(w, .seq = 1, .ack = 11, .flags = A);
	assert_int_equal(w->c.srtt_ns, MSEC(100));
	assert_int_equal(w->c.rto_ns, MSEC(600)); /* backed off until there is a sample */
	write_bytes(w, 11, 10);
	advance(w, MSEC(100));
	send(w, .seq = 1, .ack = 21, .flags = A);
	assert_int_equal(w->c.rto_ns, MSEC(250)); /* 100 + 4 * 37.5 */
	wire_free(w);
}

static void timestamps_time_what_was_sent_twice(void **state)
{
	struct wire *w = established(.has_timestamp = true, .timestamp = 100);
	const struct tcp_segment *sent;
	uint32_t second;

	(void)state;
	write_bytes(w, 1, 10);
	wire_drop(w);
	advance(w, MSEC(200));
	sent = expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	second = sent->options.timestamp;
	advance(w, MSEC(50));
	send(w, .seq = 1, .ack = 11, .flags = A,
		.options = { .has_timestamp = true, .timestamp = 101, .timestamp_echo = second });
	assert_in_range(w->c.srtt_ns, MSEC(5), MSEC(10)); /* 1/8 of 50 ms */
	assert_int_equal(w->c.rto_ns, MSEC(200));
	wire_free(w);
}

static void initial_window_is_ten_segments(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 30 * MSS);
	expect_full(w, 0, 10);
	expect_nothing(w);
	send(w, .seq = 1, .ack = 1 + 2 * MSS, .flags = A); /* slow start: two more than were acknowledged */
	expect_full(w, 10, 4);
	expect_nothing(w);
	wire_free(w);
}

static void acks_that_come_together_all_count(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 30 * MSS);
	expect_full(w, 0, 10);
	for (uint32_t i = 1; i <= 5; i++)
		input(w, .seq = 1, .ack = 1 + 2 * i * MSS, .flags = A);
	assert_int_equal(w->c.cwnd, 20 * MSS);
	tcp_core_output(&w->c, w->now);
	expect_full(w, 10, 20);
	wire_free(w);
}

static void window_does_not_grow_when_it_is_not_used(void **state)
{
	struct wire *w = measured();
	uint32_t cwnd = w->c.cwnd;

	(void)state;
	for (uint32_t seq = 1; seq < 500; seq += 10) {
		write_bytes(w, seq, 10);
		send(w, .seq = 1, .ack = seq + 10, .flags = A);
	}
	assert_int_equal(w->c.cwnd, cwnd);
	wire_free(w);
}

static void duplicates_send_new_segments_then_the_missing_one(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 40 * MSS);
	expect_full(w, 0, 10);
	send(w, .seq = 1, .ack = 1, .flags = A); /* limited transmit: RFC 3042 */
	expect_full(w, 10, 1);
	send(w, .seq = 1, .ack = 1, .flags = A);
	expect_full(w, 11, 1);
	assert_int_equal(w->c.cwnd, 10 * MSS);
	send(w, .seq = 1, .ack = 1, .flags = A); /* the third */
	expect_full(w, 0, 1);
	expect_nothing(w);
	assert_int_equal(w->c.ssthresh, 5 * MSS);           /* without what limited transmit has added: RFC 5681, 3.2 */
	send(w, .seq = 1, .ack = 1 + 12 * MSS, .flags = A); /* all of it: recovery ends */
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	assert_int_equal(w->c.cwnd, 5 * MSS);
	expect_full(w, 12, 5);
	wire_free(w);
}

static void partial_acknowledgement_retransmits_the_next_hole(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_full(w, 0, 10);
	for (int i = 0; i < 3; i++)
		send(w, .seq = 1, .ack = 1, .flags = A);
	expect_full(w, 0, 1);
	send(w, .seq = 1, .ack = 1 + 4 * MSS, .flags = A);
	expect_full(w, 4, 1);
	assert_int_equal(w->c.loss, TCP_LOSS_RECOVERY);
	assert_int_equal(w->c.ssthresh, 5 * MSS); /* not halved again */
	send(w, .seq = 1, .ack = 1 + 8 * MSS, .flags = A);
	expect_full(w, 8, 1);
	send(w, .seq = 1, .ack = 1 + 10 * MSS, .flags = A);
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	expect_nothing(w);
	wire_free(w);
}

static void duplicates_after_a_time_out_start_no_second_recovery(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_full(w, 0, 10);
	advance(w, MSEC(300));
	expect_full(w, 0, 1);
	assert_int_equal(w->c.cwnd, MSS);
	assert_int_equal(w->c.ssthresh, 5 * MSS);
	for (int i = 0; i < 5; i++)
		send(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(w->c.loss, TCP_LOSS_TIMEOUT);
	wire_free(w);
}

static void threshold_falls_once_however_often_the_timer_fires(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	advance(w, MSEC(300 + 600));
	assert_int_equal(w->c.ssthresh, 5 * MSS);
	assert_int_equal(w->c.cwnd, MSS);
	wire_free(w);
}

static void after_a_time_out_slow_start_resends_what_is_missing(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_full(w, 0, 10);
	advance(w, MSEC(300));
	expect_full(w, 0, 1);
	send(w, .seq = 1, .ack = 1 + MSS, .flags = A);
	expect_full(w, 1, 2);
	send(w, .seq = 1, .ack = 1 + 9 * MSS, .flags = A); /* the rest was there */
	expect_full(w, 9, 1);
	send(w, .seq = 1, .ack = 1 + 10 * MSS, .flags = A);
	expect_nothing(w);
	wire_free(w);
}

static void congestion_avoidance_adds_a_segment_each_round_trip(void **state)
{
	struct wire *w = measured();
	uint32_t acked = 0;

	(void)state;
	w->c.ssthresh = w->c.cwnd;
	write_bytes(w, 1, 40 * MSS);
	for (int i = 0; i < 10; i++) {
		acked += MSS;
		send(w, .seq = 1, .ack = 1 + acked, .flags = A);
		wire_drop(w);
	}
	assert_int_equal(w->c.cwnd, 11 * MSS);
	wire_free(w);
}

static void window_starts_again_after_a_pause(void **state)
{
	struct wire *w = measured();

	(void)state;
	w->c.cwnd = 50 * MSS;
	advance(w, SECOND(1));
	write_bytes(w, 1, 50 * MSS);
	expect_full(w, 0, 10);
	expect_nothing(w);
	wire_free(w);
}

static void acks_with_data_or_a_new_window_are_no_duplicates(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 10 * MSS);
	expect_full(w, 0, 10);
	for (uint32_t i = 0; i < 5; i++)
		input(w, .seq = 1 + i, .ack = 1, .flags = A, .len = 1);
	for (uint32_t i = 0; i < 5; i++)
		input(w, .seq = 6, .ack = 1, .flags = A, .window = 30000 + i);
	assert_int_equal(w->c.flight.bytes[TCP_SPAN_SACKED], 0);
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	wire_free(w);
}

static void acks_keep_their_sequence_number_after_a_time_out(void **state)
{
	struct wire *w = measured();

	(void)state;
	write_bytes(w, 1, 5 * MSS);
	expect_full(w, 0, 5);
	advance(w, MSEC(300));
	expect_full(w, 0, 1);
	send(w, .seq = 1, .ack = 1, .flags = A | F); /* answered by what the peer takes, though we send from 1 again */
	expect(w, .seq = 1 + 5 * MSS, .ack = 2, .flags = A);
	wire_free(w);
}

static void lost_fin_is_sent_again(void **state)
{
	struct wire *w = measured();

	(void)state;
	finish(w);
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	advance(w, MSEC(300));
	expect(w, .seq = 1, .ack = 1, .flags = A | F);
	send(w, .seq = 1, .ack = 2, .flags = A);
	assert_state(w, TCP_FIN_WAIT_2);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	wire_free(w);
}

static void errors_of_the_link_are_like_losses(void **state)
{
	struct wire *w = measured();

	(void)state;
	w->sink_error = -EHOSTUNREACH;
	write_bytes(w, 1, 10);
	assert_state(w, TCP_ESTABLISHED);
	w->sink_error = 0;
	advance(w, MSEC(300));
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retransmission_time_follows_the_formula),
		cmocka_unit_test(retransmission_time_has_a_floor_and_a_ceiling),
		cmocka_unit_test(timer_retransmits_exactly_then_and_doubles),
		cmocka_unit_test(dead_peer_is_given_up_after_five_minutes),
		cmocka_unit_test(time_outs_and_soft_errors_are_told_until_the_peer_answers),
		cmocka_unit_test(giving_up_reports_what_icmp_said),
		cmocka_unit_test(timer_restarts_when_new_data_is_acknowledged),
		cmocka_unit_test(karn_what_was_sent_twice_is_not_timed),
		cmocka_unit_test(timestamps_time_what_was_sent_twice),
		cmocka_unit_test(initial_window_is_ten_segments),
		cmocka_unit_test(acks_that_come_together_all_count),
		cmocka_unit_test(window_does_not_grow_when_it_is_not_used),
		cmocka_unit_test(duplicates_send_new_segments_then_the_missing_one),
		cmocka_unit_test(partial_acknowledgement_retransmits_the_next_hole),
		cmocka_unit_test(duplicates_after_a_time_out_start_no_second_recovery),
		cmocka_unit_test(threshold_falls_once_however_often_the_timer_fires),
		cmocka_unit_test(after_a_time_out_slow_start_resends_what_is_missing),
		cmocka_unit_test(congestion_avoidance_adds_a_segment_each_round_trip),
		cmocka_unit_test(window_starts_again_after_a_pause),
		cmocka_unit_test(acks_with_data_or_a_new_window_are_no_duplicates),
		cmocka_unit_test(acks_keep_their_sequence_number_after_a_time_out),
		cmocka_unit_test(lost_fin_is_sent_again),
		cmocka_unit_test(errors_of_the_link_are_like_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
