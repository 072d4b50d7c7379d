/* SPDX-License-Identifier: ISC
 *
 * Connecting in two steps, and calls that are not to wait.
 */
#include "pair.h"

TASK_TEST(a_connection_is_begun_and_then_waited_for)
{
	const struct ip_endpoint server = server_at(PORT);
	struct tcp_listener *listener;
	struct tcp *flow, *accepted_flow;
	struct tcp_statistics statistics;

	plug_in(0);
	listener = listening();
	assert_int_equal(tcp_connect_begin(ends[CLIENT].stack, &server, &flow), 0);
	tcp_statistics(flow, &statistics);
	assert_string_equal(statistics.state, "SYN-SENT");
	assert_int_equal(tcp_connected(flow, AT_ONCE), -EAGAIN);
	assert_int_equal(tcp_connected(flow, soon()), 0);
	assert_int_equal(tcp_connected(flow, AT_ONCE), 0);
	accepted_flow = accepted(listener);
	tcp_close(flow);
	tcp_close(accepted_flow);
	tcp_unlisten(listener);
	unplug();
}

TASK_TEST(a_connection_that_was_begun_tells_its_failure_until_it_is_closed)
{
	const struct ip_endpoint server = server_at(PORT),
				 far = { .address = ip_from_v4((const uint8_t[]){ 192, 0, 2, 1 }), .port = 1 };
	struct tcp *flow;

	plug_in(0);
	assert_int_equal(tcp_connect_begin(ends[CLIENT].stack, &far, &flow), -ENETUNREACH);
	assert_int_equal(tcp_connect_begin(ends[CLIENT].stack, &server, &flow), 0);
	assert_int_equal(tcp_connected(flow, soon()), -ECONNREFUSED);
	assert_int_equal(tcp_connected(flow, AT_ONCE), -ECONNREFUSED);
	tcp_close(flow);
	assert_int_equal(counters_of(CLIENT).tcp_flows, 0);
	unplug();
}

TASK_TEST(a_connection_that_was_not_waited_for_long_enough_may_be_waited_for_again)
{
	const struct ip_endpoint server = server_at(PORT);
	struct tcp_listener *listener;
	struct tcp *flow;

	plug_in(0);
	ends[SERVER].room = 0; /* the cable takes nothing: SYNs are tried again */
	assert_int_equal(tcp_connect_begin(ends[CLIENT].stack, &server, &flow), 0);
	assert_int_equal(tcp_connected(flow, clock_deadline(MSEC(5))), -ETIMEDOUT);
	ends[SERVER].room = CABLE_FRAMES;
	listener = listening();
	assert_int_equal(tcp_connected(flow, soon()), 0);
	tcp_close(flow);
	tcp_unlisten(listener);
	unplug();
}

TASK_TEST(a_connection_whose_stack_is_closed_meanwhile_is_reset)
{
	const struct ip_endpoint server = server_at(PORT);
	struct tcp *flow;

	plug_in(0);
	ends[SERVER].room = 0;
	assert_int_equal(tcp_connect_begin(ends[CLIENT].stack, &server, &flow), 0);
	unplug();
	assert_int_equal(tcp_connected(flow, FOREVER), -ECONNRESET);
	tcp_close(flow);
}

TASK_TEST(calls_at_once_take_what_is_there_and_never_wait)
{
	static uint8_t bytes[1 << 20];
	struct tcp_listener *listener;
	struct tcp *flow, *peer;
	ssize_t written, read = 0, len;

	plug_in(0);
	listener = listening();
	assert_int_equal(tcp_accept(listener, &peer, AT_ONCE), -EAGAIN);
	flow = connected();
	peer = accepted(listener);
	assert_int_equal(tcp_read(peer, bytes, sizeof bytes, AT_ONCE), -EAGAIN);
	written = tcp_write(flow, bytes, sizeof bytes, AT_ONCE);
	assert_in_range(written, 1, sizeof bytes - 1);
	assert_int_equal(tcp_write(flow, bytes, sizeof bytes, AT_ONCE), -EAGAIN);
	for (; read < written; read += len) {
		len = tcp_read(peer, bytes, sizeof bytes, soon());
		assert_true(len > 0);
	}
	assert_int_equal(read, written);
	tcp_close(flow);
	tcp_close(peer);
	tcp_unlisten(listener);
	unplug();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_is_begun_and_then_waited_for),
		cmocka_unit_test(a_connection_that_was_begun_tells_its_failure_until_it_is_closed),
		cmocka_unit_test(a_connection_that_was_not_waited_for_long_enough_may_be_waited_for_again),
		cmocka_unit_test(a_connection_whose_stack_is_closed_meanwhile_is_reset),
		cmocka_unit_test(calls_at_once_take_what_is_there_and_never_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
