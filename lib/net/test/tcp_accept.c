/* SPDX-License-Identifier: ISC
 *
 * What becomes of connections that nobody accepts: the listener's queue, and what it does when it is full.
 */
#include "pair.h"

static struct tcp_listener *listening_with(uint32_t backlog, bool refuse)
{
	const struct tcp_listening how = { .backlog = backlog, .refuse = refuse };
	struct tcp_listener *listener = NULL;

	plug_in(0);
	must(tcp_listen_with(ends[SERVER].stack, PORT, &how, &listener) == 0);
	return listener;
}

static int try_to_connect(struct tcp **flow, uint64_t ns)
{
	struct ip_endpoint server = server_at(PORT);

	return tcp_connect(ends[CLIENT].stack, &server, flow, clock_deadline(ns));
}

TASK_TEST(a_full_queue_ignores_who_then_gets_in_when_one_is_accepted)
{
	struct tcp_listener *listener = listening_with(2, false);
	struct tcp *flows[3], *served;
	struct ip_endpoint local, peer;

	must(try_to_connect(&flows[0], SECOND(1)) == 0);
	must(try_to_connect(&flows[1], SECOND(1)) == 0);
	assert_int_equal(counters_of(SERVER).TcpExtListenOverflows, 0);
	assert_int_equal(try_to_connect(&flows[2], MSEC(500)), -ETIMEDOUT);
	assert_int_equal(counters_of(SERVER).TcpExtListenOverflows, 1);
	assert_int_equal(counters_of(SERVER).TcpOutRsts, 0);
	tcp_close(accepted(listener));
	must(try_to_connect(&flows[2], SECOND(1)) == 0);
	tcp_close(accepted(listener));
	served = accepted(listener);
	tcp_local(flows[2], &local);
	tcp_peer(served, &peer);
	assert_int_equal(local.port, peer.port);
	tcp_close(served);
	for (int i = 0; i < 3; i++)
		tcp_close(flows[i]);
	tcp_unlisten(listener);
	unplug();
}

TASK_TEST(a_full_queue_that_refuses_says_so_at_once)
{
	struct tcp_listener *listener = listening_with(1, true);
	struct tcp *first, *second;

	must(try_to_connect(&first, SECOND(1)) == 0);
	assert_int_equal(try_to_connect(&second, SECOND(1)), -ECONNREFUSED);
	assert_int_equal(counters_of(SERVER).TcpExtListenOverflows, 1);
	assert_int_equal(counters_of(SERVER).TcpOutRsts, 1);
	assert_int_equal(counters_of(SERVER).tcp_flows, 1);
	tcp_close(first);
	tcp_unlisten(listener);
	unplug();
}

static int connect_and_read(void *arg)
{
	struct tcp *flow;
	uint8_t byte;
	int err = try_to_connect(&flow, SECOND(5));

	(void)arg;
	if (err == 0) {
		err = (int)tcp_read(flow, &byte, 1, clock_deadline(SECOND(5)));
		tcp_close(flow);
	}
	return err;
}

/* Both are half open before either is established. */
static void two_at_once(bool refuse, int results[2])
{
	struct tcp_listener *listener = listening_with(1, refuse);
	struct ip_endpoint nobody = server_at(9);
	struct task *tasks[2];
	struct tcp *flow;

	must(tcp_connect(ends[CLIENT].stack, &nobody, &flow, soon()) == -ECONNREFUSED); /* ARP is done */
	for (int i = 0; i < 2; i++)
		must(task_spawn(NULL, connect_and_read, NULL, &tasks[i]) == 0);
	must(task_sleep(clock_deadline(MSEC(100))) == 0);
	assert_int_equal(((struct own_listener *)listener)->ready.count, 1);
	assert_int_equal(((struct own_listener *)listener)->half_open.count, refuse ? 0 : 1);
	assert_true(counters_of(SERVER).TcpExtListenOverflows > 0);
	must(task_await_all(tasks, 2, results, soon()) == 0);
	tcp_unlisten(listener);
	unplug();
}

TASK_TEST(the_last_ack_that_finds_the_queue_full_is_ignored)
{
	int results[2];

	two_at_once(false, results);
	assert_int_equal(results[0], -ETIMEDOUT);
	assert_int_equal(results[1], -ETIMEDOUT); /* it thinks that it is connected, as with Linux */
}

TASK_TEST(the_last_ack_that_finds_the_queue_full_is_reset_on_request)
{
	int results[2];

	two_at_once(true, results);
	assert_int_equal(results[0], -ETIMEDOUT);
	assert_int_equal(results[1], -ECONNRESET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_queue_ignores_who_then_gets_in_when_one_is_accepted),
		cmocka_unit_test(a_full_queue_that_refuses_says_so_at_once),
		cmocka_unit_test(the_last_ack_that_finds_the_queue_full_is_ignored),
		cmocka_unit_test(the_last_ack_that_finds_the_queue_full_is_reset_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
