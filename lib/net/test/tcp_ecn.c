/* SPDX-License-Identifier: ISC
 *
 * Explicit congestion notification: RFC 3168, 6.1, from both ends.
 */
#include "tcp_wire.h"

/* A passive open that the peer has asked for ECN. */
static struct wire *agreed(void)
{
	struct wire *w = wire_new();

	wire_open_passive(w, (struct shape){ .flags = S | E | C, .options = { .mss = MSS } });
	expect(w, .seq = 0, .ack = 1, .flags = S | A | E);
	send(w, .seq = 1, .ack = 1, .flags = A);
	return w;
}

static void who_is_asked_agrees(void **state)
{
	struct wire *w = agreed();

	(void)state;
	assert_true(w->c.ecn);
	wire_free(w);
}

static void who_is_not_asked_does_not_use_it(void **state)
{
	struct wire *w = established();

	(void)state;
	assert_false(w->c.ecn);
	write_bytes(w, 1, 10);
	assert_false(expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10)->ecn_capable);
	wire_free(w);
}

static void who_has_it_off_does_not_agree(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->config.ecn = STACK_ECN_OFF;
	wire_open_passive(w, (struct shape){ .flags = S | E | C, .options = { .mss = MSS } });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	wire_free(w);
}

static void active_open_asks_only_when_told_to(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	open_active(w);
	expect(w, .seq = 0, .flags = S);
	tcp_core_fini(&w->c);
	w->config.ecn = STACK_ECN_ASK;
	open_active(w);
	expect(w, .seq = 0, .flags = S | E | C);
	send(w, .seq = 0, .ack = 1, .flags = S | A | E, .options = { .mss = MSS });
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_true(w->c.ecn);
	wire_free(w);
}

static void both_flags_in_the_answer_do_not_agree(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->config.ecn = STACK_ECN_ASK;
	open_active(w);
	expect(w, .seq = 0, .flags = S | E | C);
	send(w, .seq = 0, .ack = 1, .flags = S | A | E | C, .options = { .mss = MSS }); /* a peer that only reflects */
	assert_false(w->c.ecn);
	wire_free(w);
}

static void lost_syn_is_sent_again_without_asking(void **state)
{
	struct wire *w = wire_new();

	(void)state;
	w->config.ecn = STACK_ECN_ASK;
	open_active(w);
	expect(w, .seq = 0, .flags = S | E | C);
	advance(w, SECOND(1));
	expect(w, .seq = 0, .flags = S);
	send(w, .seq = 0, .ack = 1, .flags = S | A | E, .options = { .mss = MSS });
	assert_false(w->c.ecn);
	wire_free(w);
}

static void only_new_data_may_be_marked(void **state)
{
	struct wire *w = agreed();

	(void)state;
	write_bytes(w, 1, 10);
	assert_true(expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10)->ecn_capable);
	advance(w, w->c.rto_ns);
	assert_false(expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10)->ecn_capable); /* 6.1.5 */
	send(w, .seq = 1, .ack = 11, .flags = A, .len = 10);
	advance(w, MSEC(40));
	assert_false(expect(w, .seq = 11, .ack = 11, .flags = A)->ecn_capable); /* 6.1.4 */
	wire_free(w);
}

static void mark_is_echoed_until_the_peer_has_reduced(void **state)
{
	struct wire *w = agreed();

	(void)state;
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10, .congested = true);
	expect(w, .seq = 1, .ack = 11, .flags = A | E); /* at once */
	send(w, .seq = 11, .ack = 1, .flags = A, .len = 10);
	advance(w, MSEC(40));
	expect(w, .seq = 1, .ack = 21, .flags = A | E);
	send(w, .seq = 21, .ack = 1, .flags = A | C, .len = 10);
	advance(w, MSEC(40));
	expect(w, .seq = 1, .ack = 31, .flags = A);
	send(w, .seq = 31, .ack = 1, .flags = A | C, .len = 10, .congested = true); /* and marked again */
	expect(w, .seq = 1, .ack = 41, .flags = A | E);
	wire_free(w);
}

static void echo_reduces_the_window_once_a_round_trip_and_says_so(void **state)
{
	struct wire *w = agreed();

	(void)state;
	write_bytes(w, 1, 30 * MSS);
	wire_drop(w);
	send(w, .seq = 1, .ack = 1 + 2 * MSS, .flags = A | E);
	assert_int_equal(w->c.ssthresh, 7 * MSS); /* CUBIC's 0.7 */
	send(w, .seq = 1, .ack = 1 + 4 * MSS, .flags = A | E);
	assert_int_equal(w->c.ssthresh, 7 * MSS);
	expect(w, .seq = 1 + 10 * MSS, .ack = 1, .flags = A | C, .len = MSS);
	expect_nothing(w); /* of eleven, four are acknowledged: seven are left */
	send(w, .seq = 1, .ack = 1 + 10 * MSS, .flags = A);
	assert_int_equal(w->c.cwnd, 7 * MSS);
	expect(w, .seq = 1 + 11 * MSS, .ack = 1, .flags = A, .len = MSS);
	wire_drop(w);
	assert_int_equal(w->c.retransmissions, 0);
	wire_free(w);
}

static void reduction_after_a_loss_is_said_too(void **state)
{
	struct wire *w = agreed();

	(void)state;
	write_bytes(w, 1, 12 * MSS);
	wire_drop(w);
	for (int i = 0; i < 3; i++)
		send(w, .seq = 1, .ack = 1, .flags = A);
	wire_drop(w);
	send(w, .seq = 1, .ack = 1 + 12 * MSS, .flags = A);
	write_bytes(w, 1 + 12 * MSS, 10);
	expect(w, .seq = 1 + 12 * MSS, .ack = 1, .flags = A | P | C, .len = 10); /* 6.1.2 */
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_asked_agrees),
		cmocka_unit_test(who_is_not_asked_does_not_use_it),
		cmocka_unit_test(who_has_it_off_does_not_agree),
		cmocka_unit_test(active_open_asks_only_when_told_to),
		cmocka_unit_test(both_flags_in_the_answer_do_not_agree),
		cmocka_unit_test(lost_syn_is_sent_again_without_asking),
		cmocka_unit_test(only_new_data_may_be_marked),
		cmocka_unit_test(mark_is_echoed_until_the_peer_has_reduced),
		cmocka_unit_test(echo_reduces_the_window_once_a_round_trip_and_says_so),
		cmocka_unit_test(reduction_after_a_loss_is_said_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
