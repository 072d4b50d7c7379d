/* SPDX-License-Identifier: ISC
 *
 * Clocks, and waiting: one system call each.
 *
 * platform_wait() is one epoll_pwait. Its timeout counts milliseconds, so a deadline closer than that, or between two
 * milliseconds, is met by the timer descriptor instead, which costs a second call only when the deadline has changed.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/syscall.h>
#include <time.h>

#include <platform.h>

#include "spt.h"

enum { EVENTS_MAX = 16, NSEC_PER_SEC = 1000000000 };

struct platform_source *spt_sources[MANIFEST_ENTRIES_MAX];
static uint64_t armed_ns; /* what the timer is set to; 0: not armed */

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	spt_syscall(SYS_clock_gettime, clock, (long)&now, 0, 0, 0, 0);
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

/* Sets the timer to an absolute monotonic time; an expiry that was not fetched is forgotten by setting it anew. */
static void timer_arm(uint64_t deadline_ns)
{
	struct itimerspec when = {
		.it_value = { (time_t)(deadline_ns / NSEC_PER_SEC), (long)(deadline_ns % NSEC_PER_SEC) },
	};

	spt_syscall(SYS_timerfd_settime, spt_boot->timerfd, TFD_TIMER_ABSTIME, (long)&when, 0, 0, 0);
	armed_ns = deadline_ns;
}

void platform_wait(uint64_t deadline_ns)
{
	struct epoll_event events[EVENTS_MAX];
	int timeout_ms = deadline_ns == 0 ? 0 : -1;
	long count;

	if (deadline_ns != 0 && deadline_ns != UINT64_MAX && deadline_ns != armed_ns)
		timer_arm(deadline_ns);
	count = spt_syscall(SYS_epoll_pwait, spt_boot->epollfd, (long)events, EVENTS_MAX, timeout_ms, 0, 0);
	for (long i = 0; i < count; i++) {
		if (events[i].data.u64 == SPT_EPOLL_TIMER)
			timer_arm(UINT64_MAX / 2);
		else if (events[i].data.u64 < MANIFEST_ENTRIES_MAX && spt_sources[events[i].data.u64])
			spt_sources[events[i].data.u64]->ready(spt_sources[events[i].data.u64]);
	}
}
