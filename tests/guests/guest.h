/* SPDX-License-Identifier: ISC
 *
 * For the guests of this directory: tiny programs that each show one property of where they run. They have no tasks:
 * each is what the platform calls.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include <stdio.h>
#include <string.h>

#include <platform.h>

/* One line on the console, at once. */
static inline void say(const char *text)
{
	platform_console_write(text, strlen(text));
	platform_console_write("\n", 1);
}

/* Says what does not hold and ends with status 1. */
#define expect(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			say("does not hold: " #condition);                                                             \
			platform_exit(1);                                                                              \
		}                                                                                                      \
	} while (0)

#endif
