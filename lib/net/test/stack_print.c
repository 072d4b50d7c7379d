/* SPDX-License-Identifier: ISC
 *
 * What stack_print says: of a stack that another talks to, of one that holds more than is shown, and when it is asked.
 */
#include <regex.h>

#include <skerry/udp.h>

#include "lib/net/test/pair.h"

static int run_task(void *body)
{
	int result = -1;

	return task_run(*(int (**)(void *))body, NULL, &result) < 0 ? 1 : result;
}

static struct outcome said_by(int (*body)(void *))
{
	struct outcome outcome = outcome_of(run_task, &body);

	assert_int_equal(outcome.status, 0);
	return outcome;
}

static bool is_said(const struct outcome *outcome, const char *pattern)
{
	regex_t regex;
	int found;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE), 0);
	found = regexec(&regex, outcome->output, 0, NULL, 0);
	regfree(&regex);
	return found == 0;
}

static void expect(const struct outcome *outcome, const char *pattern)
{
	if (!is_said(outcome, pattern))
		fail_msg("no line matches %s in\n%s", pattern, outcome->output);
}

static int talk(void *arg)
{
	const struct ip_endpoint nobody = server_at(9);
	struct tcp_listener *listener;
	struct tcp *client, *served;
	struct udp *socket, *sender;

	(void)arg;
	plug_in(0);
	listener = listening();
	client = connected();
	served = accepted(listener);
	must(udp_bind(ends[SERVER].stack, 53, &socket) == 0);
	must(udp_bind(ends[CLIENT].stack, 0, &sender) == 0);
	must(udp_send(sender, &nobody, "x", 1, soon()) == 0);
	must(tcp_write(client, "hello", 5, soon()) == 5);
	must(task_sleep(clock_deadline(MSEC(10))) == 0);
	stack_print(ends[SERVER].stack);
	udp_close(socket);
	udp_close(sender);
	tcp_abort(client);
	tcp_abort(served);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void a_stack_says_what_it_is_and_does(void **state)
{
	struct outcome said = said_by(talk);

	(void)state;
	expect(&said, "APP \\[stack\\] link 0: 02:00:00:00:00:01, MTU 1500$");
	expect(&said, "address 10\\.0\\.0\\.2/24 on link 0$");
	expect(&said, "neighbour 10\\.0\\.0\\.1 at 02:00:00:00:00:00, known [0-9]+ s ago$");
	expect(&said, "memory [1-9][0-9]* of [1-9][0-9]* bytes for data, [1-9][0-9]* for connections$");
	expect(&said, "tcp LISTEN ready:0 of 1024 half-open:0 \\*:7$");
	expect(&said, "tcp ESTABLISHED recv-q:5 send-q:0 10\\.0\\.0\\.2:7 10\\.0\\.0\\.1:[0-9]+ "
		      "timer:\\(delayed-ack,0\\.0[0-9]{2}s\\) cwnd:[0-9]+ rtt:[0-9]+\\.[0-9]{3}ms retrans:0$");
	expect(&said, "udp recv-q:0 of 262144 \\*:53 \\*$");
	expect(&said, "counter TcpPassiveOpens 1$");
	expect(&said, "counter TcpCurrEstab 1$");
	expect(&said, "counter IcmpMsgOutType3 1$");
	expect(&said, "drop UDP_NO_PORT 1$");
	assert_false(is_said(&said, "counter TcpActiveOpens")); /* it is zero */
}

enum { CROWD = 100 };

static int crowd(void *arg)
{
	struct udp *sockets[CROWD];

	(void)arg;
	plug_in(0);
	for (uint16_t i = 0; i < CROWD; i++)
		must(udp_bind(ends[SERVER].stack, (uint16_t)(1000 + i), &sockets[i]) == 0);
	stack_print(ends[SERVER].stack);
	for (int i = 0; i < CROWD; i++)
		udp_close(sockets[i]);
	unplug();
	return 0;
}

static void of_many_things_some_are_shown_and_all_are_counted(void **state)
{
	struct outcome said = said_by(crowd);

	(void)state;
	assert_int_equal(times_written(&said, "] udp recv-q"), STACK_PRINT_MAX);
	expect(&said, "sockets: 64 of 100 are shown$");
}

static int ask_twice(void *arg)
{
	struct task *reporter;

	(void)arg;
	plug_in(0);
	must(task_spawn(NULL, stack_print_when_asked, ends[SERVER].stack, &reporter) == 0);
	for (int i = 0; i < 2; i++) {
		must(task_sleep(clock_deadline(SECOND(1))) == 0);
		platform_inquire();
	}
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	task_cancel(reporter);
	unplug();
	return 0;
}

static void it_answers_each_inquiry_beside_the_tasks(void **state)
{
	struct outcome said = said_by(ask_twice);

	(void)state;
	assert_int_equal(times_written(&said, "link 0: "), 2);
	assert_int_equal(times_written(&said, "waits in task_inquiry"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_says_what_it_is_and_does),
		cmocka_unit_test(of_many_things_some_are_shown_and_all_are_counted),
		cmocka_unit_test(it_answers_each_inquiry_beside_the_tasks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
