/* SPDX-License-Identifier: ISC
 *
 * For tests of what reaches the console and of faults that end the program: runs an expression in a child process
 * and looks at what it wrote to its standard output and error, and how it ended.
 */
#ifndef DIES_H
#define DIES_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char apart_output[65536]; /* of the last child, as a string */
static int apart_status;         /* of the last child, as waitpid() gives it */

/* True in the child, which is to end by apart_leave(); the parent returns false once the child has ended. */
static inline bool apart_enter(void)
{
	FILE *output = tmpfile();
	size_t len;
	pid_t pid;

	assert_non_null(output);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		dup2(fileno(output), STDOUT_FILENO);
		dup2(fileno(output), STDERR_FILENO);
		alarm(20);
		return true;
	}
	assert_int_equal(waitpid(pid, &apart_status, 0), pid);
	rewind(output);
	len = fread(apart_output, 1, sizeof apart_output - 1, output);
	apart_output[len] = 0;
	fclose(output);
	return false;
}

/* Ends the child without the parent's exit handlers. */
static inline void apart_leave(int status)
{
	fflush(NULL);
	_exit(status);
}

/* Runs the statement in a child; the console's text is then in apart_output. */
#define apart(statement)                                                                                               \
	do {                                                                                                           \
		if (apart_enter()) {                                                                                   \
			statement;                                                                                     \
			apart_leave(0);                                                                                \
		}                                                                                                      \
	} while (0)

/* The expression must panic with this text on the console. */
#define assert_dies(text, expression)                                                                                  \
	do {                                                                                                           \
		apart((void)(expression));                                                                             \
		assert_true(WIFSIGNALED(apart_status) ? WTERMSIG(apart_status) == SIGABRT                              \
						      : WEXITSTATUS(apart_status) == 255);                             \
		if (!strstr(apart_output, text))                                                                       \
			fail_msg("expected \"%s\" in \"%s\"", text, apart_output);                                     \
	} while (0)

#endif
