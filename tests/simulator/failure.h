/* SPDX-License-Identifier: ISC
 *
 * What the simulator does when something is not as it must be: it says what, and how to see it again.
 */
#ifndef SIMULATOR_FAILURE_H
#define SIMULATOR_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

/* Prints the fault, and ends the process with status 1. Whoever has started it says which seed that was. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define check(condition, ...)                                                                                          \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fail(__VA_ARGS__);                                                                             \
	} while (0)

#endif
