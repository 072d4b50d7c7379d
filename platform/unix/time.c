/* SPDX-License-Identifier: ISC
 *
 * Clocks and waiting on a host's libc. Reading a clock costs no system call here: the kernel's vDSO answers.
 */
#include <time.h>

#include "watch.h"

enum { NSEC_PER_SEC = 1000000000 };

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec;
}

uint64_t platform_clock_monotonic(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

uint64_t platform_clock_wall(void)
{
	return clock_read(CLOCK_REALTIME);
}

void platform_wait(uint64_t deadline_ns)
{
	watch_wait(deadline_ns);
}
