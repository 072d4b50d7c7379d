/* SPDX-License-Identifier: ISC
 *
 * Bytes that are sent from where they lie: over links of every kind, and that nothing but the loan holds them.
 */
#include "pair.h"

#include <sys/mman.h>

enum { LEN = 3000000 };

static int read_lent(void *arg)
{
	static uint8_t buf[7777];
	size_t at = 0;
	ssize_t len;

	while ((len = tcp_read(arg, buf, sizeof buf, soon())) > 0) {
		for (size_t i = 0; i < (size_t)len; i++)
			must(buf[i] == pattern(at + i));
		at += (size_t)len;
	}
	return len < 0 ? (int)len : (int)at;
}

/* Odd pieces, so that sums begin at odd bytes, with written ones between them. */
static void deliver_over(uint32_t features, unsigned lose)
{
	uint8_t *bytes = malloc(LEN);
	struct tcp_listener *listener;
	struct tcp *flow, *served;
	struct task *reader;
	int result;

	plug_in(features);
	listener = listening();
	flow = connected();
	served = accepted(listener);
	ends[CLIENT].lose = lose;
	ends[SERVER].lose = lose ? lose + 6 : 0;
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = pattern(i);
	must(task_spawn(NULL, read_lent, served, &reader) == 0);
	for (size_t at = 0, step = 200001; at < LEN; at += step) {
		size_t len = LEN - at < step ? LEN - at : step, written = len < 333 ? len : 333;

		must(tcp_write(flow, bytes + at, written, soon()) == (ssize_t)written);
		must(tcp_deliver(flow, bytes + at + written, len - written, soon()) == (ssize_t)(len - written));
		assert_int_equal(
			tcp_of(CLIENT)->own->pool.used_bytes, 0); /* all is acknowledged, and was never copied */
	}
	free(bytes);
	assert_int_equal(tcp_shutdown(flow), 0);
	must(task_await(reader, &result, soon()) == 0);
	assert_int_equal(result, LEN);
	tcp_close(flow);
	tcp_close(served);
	tcp_unlisten(listener);
}

TASK_TEST(a_link_that_sums_and_cuts_takes_it_from_there)
{
	deliver_over(PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4, 0);
	assert_true(ends[CLIENT].cut > 10 && ends[CLIENT].largest > 60000);
	assert_true(ends[CLIENT].seen < 500);
	unplug();
}

TASK_TEST(what_is_lost_is_sent_again_from_there)
{
	deliver_over(0, 23);
	assert_true(counters_of(CLIENT).TcpRetransSegs > 50);
	unplug();
}

static unsigned released;
static int last_error;

static void count(struct tcp_loan *loan, int error)
{
	(void)loan;
	released++;
	last_error = error;
}

TASK_TEST(no_more_than_a_gibibyte_is_lent)
{
	void *much = mmap(NULL, TCP_LOAN_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct tcp_loan loans[3];
	struct tcp_listener *listener;
	struct tcp *flow, *served;
	uint8_t buf[1000];

	plug_in(0);
	listener = listening();
	flow = connected();
	served = accepted(listener);
	released = 0;
	for (size_t i = 0; i < 3; i++)
		loans[i] = (struct tcp_loan){ .data = much, .len = TCP_LOAN_MAX, .released = count };
	assert_int_equal(tcp_lend(flow, &loans[0], AT_ONCE), 0);
	assert_int_equal(tcp_lend(flow, &loans[1], AT_ONCE), 0);
	assert_int_equal(tcp_lend(flow, &loans[2], AT_ONCE), -EAGAIN);
	assert_int_equal(tcp_lend(flow, &loans[2], clock_deadline(SECOND(1))), -ETIMEDOUT);
	assert_int_equal(
		tcp_undelivered(flow), (size_t)TCP_LOAN_MAX * 2 - tcp_of(SERVER)->all.first->flow->core.rx.len);
	assert_int_equal(tcp_read(served, buf, sizeof buf, soon()), sizeof buf);
	assert_int_equal(released, 0);
	tcp_abort(flow);
	assert_int_equal(released, 2);
	assert_int_equal(last_error, -ECONNRESET);
	munmap(much, TCP_LOAN_MAX); /* whoever looks there again faults */
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	tcp_close(served);
	tcp_unlisten(listener);
	unplug();
}

TASK_TEST(a_stack_that_closes_gives_back_what_was_lent)
{
	static uint8_t bytes[1000000];
	struct tcp_loan loan = { .data = bytes, .len = sizeof bytes, .released = count };
	struct tcp_listener *listener;
	struct tcp *flow, *served;

	plug_in(0);
	listener = listening();
	flow = connected();
	served = accepted(listener);
	released = 0;
	assert_int_equal(tcp_lend(flow, &loan, AT_ONCE), 0);
	stack_close(ends[CLIENT].stack);
	ends[CLIENT].stack = NULL;
	assert_int_equal(released, 1);
	assert_int_equal(tcp_lend(flow, &loan, AT_ONCE), -ECONNRESET);
	tcp_close(flow);
	tcp_close(served);
	tcp_unlisten(listener);
	unplug();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_that_sums_and_cuts_takes_it_from_there),
		cmocka_unit_test(what_is_lost_is_sent_again_from_there),
		cmocka_unit_test(no_more_than_a_gibibyte_is_lent),
		cmocka_unit_test(a_stack_that_closes_gives_back_what_was_lent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
