/* SPDX-License-Identifier: ISC
 *
 * Keep-alive (RFC 9293, 3.8.4: MUST-24 to 29) and the user's time-out (MUST-21).
 */
#include <errno.h>

#include "tcp_wire.h"

static void it_is_off_at_first(void **state)
{
	struct wire *w = established();

	(void)state;
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	wire_free(w);
}

static void silence_is_probed_without_data_and_answers_keep_it_alive(void **state)
{
	struct wire *w = established();

	(void)state;
	tcp_core_keep_alive(&w->c, SECOND(100), SECOND(10), 3);
	for (int i = 0; i < 20; i++) {
		advance(w, SECOND(100) - 1);
		expect_nothing(w);
		advance(w, 1);
		expect(w, .seq = 0, .ack = 1, .flags = A); /* SHLD-12: no data, an old sequence number */
		send(w, .seq = 1, .ack = 1, .flags = A);
		expect_nothing(w);
	}
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

static void one_lost_probe_is_not_the_end(void **state)
{
	struct wire *w = established();

	(void)state;
	tcp_core_keep_alive(&w->c, SECOND(100), SECOND(10), 3);
	advance(w, SECOND(110)); /* the first is not answered: MUST-29 */
	expect(w, .seq = 0, .ack = 1, .flags = A);
	expect(w, .seq = 0, .ack = 1, .flags = A);
	send(w, .seq = 1, .ack = 1, .flags = A);
	advance(w, SECOND(99));
	expect_nothing(w);
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

static void all_probes_without_an_answer_end_it(void **state)
{
	struct wire *w = established();

	(void)state;
	tcp_core_keep_alive(&w->c, SECOND(100), SECOND(10), 3);
	advance(w, SECOND(130) - 1);
	assert_state(w, TCP_ESTABLISHED);
	advance(w, 1);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ETIME);
	wire_free(w);
}

static void traffic_puts_it_off(void **state)
{
	struct wire *w = established();

	(void)state;
	tcp_core_keep_alive(&w->c, SECOND(100), SECOND(10), 3);
	advance(w, SECOND(60));
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	advance(w, MSEC(40));
	expect(w, .seq = 1, .ack = 11, .flags = A);
	advance(w, SECOND(99));
	expect_nothing(w);
	advance(w, SECOND(1));
	expect(w, .seq = 0, .ack = 11, .flags = A);
	wire_free(w);
}

static void it_can_be_switched_off(void **state)
{
	struct wire *w = established();

	(void)state;
	tcp_core_keep_alive(&w->c, SECOND(100), SECOND(10), 3);
	tcp_core_keep_alive(&w->c, 0, SECOND(10), 3);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	wire_free(w);
}

static void data_in_flight_is_left_to_retransmission(void **state)
{
	struct wire *w = established();

	(void)state;
	tcp_core_keep_alive(&w->c, SECOND(1), SECOND(1), 1);
	write_bytes(w, 1, 10);
	advance(w, SECOND(60));
	while (w->count > 0)
		expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 10);
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

static void user_says_how_long_it_waits_for_an_acknowledgement(void **state)
{
	struct wire *w = established();

	(void)state;
	w->c.config.tuning.user_timeout_ns = SECOND(5);
	write_bytes(w, 1, 10);
	advance(w, SECOND(5));
	assert_state(w, TCP_ESTABLISHED);
	advance(w, SECOND(5)); /* at the next time-out */
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ETIME);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_off_at_first),
		cmocka_unit_test(silence_is_probed_without_data_and_answers_keep_it_alive),
		cmocka_unit_test(one_lost_probe_is_not_the_end),
		cmocka_unit_test(all_probes_without_an_answer_end_it),
		cmocka_unit_test(traffic_puts_it_off),
		cmocka_unit_test(it_can_be_switched_off),
		cmocka_unit_test(data_in_flight_is_left_to_retransmission),
		cmocka_unit_test(user_says_how_long_it_waits_for_an_acknowledgement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
