/* SPDX-License-Identifier: ISC
 *
 * The host's clocks, a system call each: a guest has no vDSO.
 */
#include <time.h>

#include "spt.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now = { 0 };

	spt_system_call(clock, (long)&now, 0, 0, 0, SYS_clock_gettime);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t platform_clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t platform_clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}
