/* SPDX-License-Identifier: ISC
 *
 * The C library's clocks, from the platform's. Sleeping is not here: that is task_sleep()'s, since a call that stops
 * the only thread would stop everything.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

#include <platform.h>

enum { NS_PER_SECOND = 1000000000 };

int clock_gettime(clockid_t clock, struct timespec *now)
{
	uint64_t ns;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		ns = platform_clock_wall();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		ns = platform_clock_monotonic();
		break;
	default:
		errno = EINVAL;
		return -1;
	}
	now->tv_sec = (time_t)(ns / NS_PER_SECOND);
	now->tv_nsec = (long)(ns % NS_PER_SECOND);
	return 0;
}

/* musl's own name for it, which its time(), clock() and others call. */
int __clock_gettime(clockid_t clock, struct timespec *now) __attribute__((alias("clock_gettime")));
