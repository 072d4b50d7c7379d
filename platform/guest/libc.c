/* SPDX-License-Identifier: ISC
 *
 * What musl's objects would make system calls for and a guest has no use of, or another way to do: locks, the ends of a
 * program, and the checks that the compiler inserts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <platform.h>
#include <skerry/text.h>

#include "guest.h"

/* There is one thread, so that every lock is free. musl's names; its headers do not declare them. */
void __lock(volatile int *lock);
void __unlock(volatile int *lock);
int __lockfile(FILE *file);
void __unlockfile(FILE *file);

/* What assert() calls; <assert.h> declares it only for those who assert. */
_Noreturn void __assert_fail(const char *condition, const char *file, int line, const char *function);

void __lock(volatile int *lock)
{
	(void)lock;
}

void __unlock(volatile int *lock)
{
	(void)lock;
}

int __lockfile(FILE *file)
{
	(void)file;
	return 0;
}

void __unlockfile(FILE *file)
{
	(void)file;
}

/* The ends of a program */

_Noreturn void abort(void)
{
	guest_fatal("abort() was called");
}

_Noreturn void _Exit(int status)
{
	platform_exit(status);
}

_Noreturn void __assert_fail(const char *condition, const char *file, int line, const char *function)
{
	char text[256];

	text_format(text, sizeof text, "%s:%d: %s: assertion failed: %s", file, line, function, condition);
	guest_fatal(text);
}
