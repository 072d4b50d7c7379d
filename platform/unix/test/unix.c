/* SPDX-License-Identifier: ISC
 *
 * Tests of the unix platform as one process sees it: guard pages, waiting, and sources that go away meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <platform.h>

#include "platform/unix/watch.h"

#define MS(n) ((uint64_t)(n)*1000000)

enum { STACK_BYTES = 10000 };

static void stack_is_usable_from_end_to_end(void **state)
{
	char *stack = platform_stack_new(STACK_BYTES);

	(void)state;
	assert_non_null(stack);
	assert_int_equal((uintptr_t)stack % 16, 0);
	memset(stack, 1, STACK_BYTES);
	platform_stack_free(stack, STACK_BYTES);
}

static void write_below_a_stack_is_killed(void **state)
{
	volatile char *stack = platform_stack_new(STACK_BYTES);
	pid_t child;
	int status;

	(void)state;
	assert_non_null(stack);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGSEGV, SIG_DFL);
		stack[-1] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	platform_stack_free((char *)(uintptr_t)stack, STACK_BYTES);
}

static void wait_ends_at_its_deadline_to_the_nanosecond_or_a_little_later(void **state)
{
	const uint64_t spans_ns[] = { 1, 100000, MS(5), MS(30) };

	(void)state;
	for (size_t i = 0; i < sizeof spans_ns / sizeof *spans_ns; i++) {
		uint64_t start = platform_clock_monotonic();

		platform_wait(start + spans_ns[i]);
		assert_true(platform_clock_monotonic() - start >= spans_ns[i]);
		assert_true(platform_clock_monotonic() - start < spans_ns[i] + MS(1000));
	}
}

/* A source that counts, and takes another one away the first time. */
struct counted {
	struct platform_source source;
	int fd, count;
	struct counted *victim;
};

static void count(struct platform_source *source)
{
	struct counted *counted = (struct counted *)source;

	counted->count++;
	if (counted->victim)
		watch_remove(counted->victim->fd, &counted->victim->source);
	counted->victim = NULL;
}

static void input_is_reported_at_every_wait_until_it_is_read(void **state)
{
	struct counted reader = { .source = { count } };
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(watch_add(ends[0], &reader.source), 0);
	platform_wait(0);
	assert_int_equal(reader.count, 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	platform_wait(UINT64_MAX);
	platform_wait(1);
	assert_int_equal(reader.count, 2);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	platform_wait(0);
	assert_int_equal(reader.count, 2);
	watch_remove(ends[0], &reader.source);
	close(ends[0]);
	close(ends[1]);
}

static void source_removed_by_another_of_the_same_wait_is_not_called(void **state)
{
	struct counted pair[2];
	int ends[2][2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(ends[i]), 0);
		pair[i] = (struct counted){ .source = { count }, .fd = ends[i][0], .victim = &pair[!i] };
		assert_int_equal(watch_add(ends[i][0], &pair[i].source), 0);
		assert_int_equal(write(ends[i][1], "x", 1), 1);
	}
	platform_wait(UINT64_MAX);
	assert_int_equal(pair[0].count + pair[1].count, 1);
	for (int i = 0; i < 2; i++) {
		watch_remove(ends[i][0], &pair[i].source);
		close(ends[i][0]);
		close(ends[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stack_is_usable_from_end_to_end),
		cmocka_unit_test(write_below_a_stack_is_killed),
		cmocka_unit_test(wait_ends_at_its_deadline_to_the_nanosecond_or_a_little_later),
		cmocka_unit_test(input_is_reported_at_every_wait_until_it_is_read),
		cmocka_unit_test(source_removed_by_another_of_the_same_wait_is_not_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
