/* SPDX-License-Identifier: ISC
 *
 * Ticks: the processor's time-stamp counter. Apart from the clocks, which tests replace.
 */
#include <platform.h>

uint64_t platform_ticks(void)
{
	return __builtin_ia32_rdtsc();
}
