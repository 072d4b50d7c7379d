/* SPDX-License-Identifier: ISC
 *
 * Helpers for tests of tasks: a program run to its end in a process of its own, as boot would run it, with what it
 * wrote and its exit status; and one run inside the test.
 */
#ifndef TASK_TEST_SCENARIO_H
#define TASK_TEST_SCENARIO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <skerry/task.h>

struct outcome {
	int status; /* of exit; 128 and the signal's number if a signal ended it */
	char output[8192];
};

/* Calls end() in a child process, which exits with what it returns. */
static inline struct outcome outcome_of(int (*end)(void *arg), void *arg)
{
	struct outcome outcome = { 0 };
	size_t len = 0;
	ssize_t got;
	int ends[2], status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(end(arg));
	}
	close(ends[1]);
	while ((got = read(ends[0], outcome.output + len, sizeof outcome.output - 1 - len)) > 0)
		len += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return outcome;
}

/* How often text occurs in what was written. */
static inline unsigned times_written(const struct outcome *outcome, const char *text)
{
	unsigned count = 0;

	for (const char *at = outcome->output; (at = strstr(at, text)) != NULL; at += strlen(text))
		count++;
	return count;
}

/* Runs a main task here, which must break no rule, and gives its result. */
static inline int result_of(int (*run)(void *arg), void *arg)
{
	int result = -1;

	assert_int_equal(task_run(run, arg, &result), 0);
	return result;
}

/* A test that is the body of a main task, which must break no rule. */
#define TASK_TEST(name)                                                                                                \
	static void name##_body(void);                                                                                 \
	static int name##_main(void *arg)                                                                              \
	{                                                                                                              \
		(void)arg;                                                                                             \
		name##_body();                                                                                         \
		return 0;                                                                                              \
	}                                                                                                              \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		assert_int_equal(result_of(name##_main, NULL), 0);                                                     \
	}                                                                                                              \
	static void name##_body(void)

#endif
