/* SPDX-License-Identifier: ISC
 *
 * Time. The monotonic clock is the processor's time stamp counter, which costs no exit to the tender; the wall clock is
 * a hypercall.
 */
#include <platform.h>

#include "hvt.h"

enum { SECOND_NS = 1000000000, FRACTION_BITS = 32 };

/* Nanoseconds a cycle, times 2^FRACTION_BITS: no division each time, and half a nanosecond off in a second. */
static uint64_t scale;

void hvt_time_init(void)
{
	scale = ((uint64_t)SECOND_NS << FRACTION_BITS) / hvt_boot->cycles_per_sec;
}

uint64_t platform_clock_monotonic(void)
{
	return (uint64_t)((unsigned __int128)platform_ticks() * scale >> FRACTION_BITS);
}

uint64_t platform_clock_wall(void)
{
	struct hvt_walltime time = { 0 };

	hvt_call(HVT_WALLTIME, &time);
	return time.nsecs;
}
