/* SPDX-License-Identifier: ISC
 *
 * Happy Eyeballs in time: who begins when, and what becomes of those that were too slow.
 */
#include "pair.h"

static struct tcp_listener *listener;

static struct ip_endpoint absent(uint8_t last)
{
	return (struct ip_endpoint){ .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, last }), .port = PORT };
}

/* How long connecting to these takes, in milliseconds, and its result. */
static uint64_t time_of(const struct ip_endpoint *peers, size_t count, uint64_t delay_ns, int expected, int *errors)
{
	uint64_t began = clock_monotonic();
	struct tcp *flow;
	int err = tcp_connect_any(ends[CLIENT].stack, peers, count, delay_ns, errors, &flow, soon());

	assert_int_equal(err, expected);
	if (err == 0) {
		tcp_close(flow);
		tcp_close(accepted(listener));
	}
	return (clock_monotonic() - began) / MSEC(1);
}

/* Nothing is left: no flow, and no task, or the test's own would not end well. */
static void end(void)
{
	tcp_unlisten(listener);
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	unplug();
}

TASK_TEST(the_next_address_is_tried_after_250_ms_or_as_told)
{
	const struct ip_endpoint peers[] = { absent(77), absent(78), server_at(PORT) };
	int errors[3];

	plug_in(0);
	listener = listening();
	assert_in_range(time_of(peers, 3, 0, 0, errors), 500, 510);
	assert_int_equal(errors[0], -ECANCELED);
	assert_int_equal(errors[2], 0);
	must(task_sleep(clock_deadline(SECOND(30))) == 0);
	assert_in_range(time_of(peers, 3, MSEC(10), 0, NULL), 20, 30);
	end();
}

TASK_TEST(the_next_address_is_tried_at_once_when_one_fails)
{
	const struct ip_endpoint far = { .address = ip_from_v4((const uint8_t[]){ 192, 0, 2, 1 }), .port = 1 };
	const struct ip_endpoint peers[] = { server_at(9), server_at(10), server_at(PORT), far };
	int errors[4];

	plug_in(0);
	listener = listening();
	assert_in_range(time_of(peers, 4, 0, 0, errors), 0, 10);
	assert_int_equal(errors[0], -ECONNREFUSED);
	assert_int_equal(errors[1], -ECONNREFUSED);
	assert_int_equal(time_of(&peers[3], 1, 0, -ENETUNREACH, errors), 0);
	assert_int_equal(errors[0], -ENETUNREACH);
	end();
}

static int mend(void *arg)
{
	(void)arg;
	must(task_sleep(clock_deadline(MSEC(500))) == 0);
	ends[CLIENT].lose = 0;
	return 0;
}

/* What was begun goes on when the next one begins: the first may still win. */
TASK_TEST(a_slow_address_may_still_win)
{
	const struct ip_endpoint peers[] = { server_at(PORT), absent(77) };
	struct task *mender;
	int errors[2];

	plug_in(0);
	listener = listening();
	time_of(peers, 1, 0, 0, NULL); /* ARP is done */
	ends[CLIENT].lose = 1;         /* also the SYN, which is sent again after a second */
	must(task_spawn(NULL, mend, NULL, &mender) == 0);
	assert_in_range(time_of(peers, 2, 0, 0, errors), 1000, 1100);
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], -ECANCELED);
	must(task_await(mender, NULL, soon()) == 0);
	end();
}

static int connect_to_nobody(void *arg)
{
	const struct ip_endpoint peers[] = { absent(77), absent(78) };
	struct tcp *flow;

	(void)arg;
	return tcp_connect_any(ends[CLIENT].stack, peers, 2, 0, NULL, &flow, clock_deadline(SECOND(2)));
}

TASK_TEST(time_out_and_cancellation_leave_nothing)
{
	struct task *task;
	int result;

	plug_in(0);
	listener = listening();
	must(task_spawn(NULL, connect_to_nobody, NULL, &task) == 0);
	must(task_await(task, &result, soon()) == 0);
	assert_int_equal(result, -ETIMEDOUT);
	must(task_spawn(NULL, connect_to_nobody, NULL, &task) == 0);
	must(task_sleep(clock_deadline(MSEC(400))) == 0);
	task_cancel(task);
	assert_int_equal(counters_of(CLIENT).tcp_flows, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_address_is_tried_after_250_ms_or_as_told),
		cmocka_unit_test(the_next_address_is_tried_at_once_when_one_fails),
		cmocka_unit_test(a_slow_address_may_still_win),
		cmocka_unit_test(time_out_and_cancellation_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
