/* SPDX-License-Identifier: ISC
 *
 * Clocks, and waiting: one system call each.
 *
 * platform_wait() is one epoll_pwait. Its own timeout counts milliseconds, so deadlines are met by the timer
 * descriptor, which is set (a second call) only when the deadline is earlier than what it is set to: a wake-up too
 * early is allowed, and cheaper than moving the timer whenever a connection makes progress.
 */
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/syscall.h>
#include <time.h>

#include <platform.h>

#include "spt.h"

enum { EVENTS_MAX = 16, NSEC_PER_SEC = 1000000000 };

struct platform_source *spt_sources[MANIFEST_ENTRIES_MAX];
static uint64_t armed_ns = UINT64_MAX; /* when the timer will fire; UINT64_MAX: never */
static bool fired;                     /* it has, and says so until it is set again */

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

static void timer_arm(uint64_t deadline_ns)
{
	struct itimerspec when = { 0 }; /* all zero disarms */

	if (deadline_ns != UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(deadline_ns / NSEC_PER_SEC);
		when.it_value.tv_nsec = (long)(deadline_ns % NSEC_PER_SEC);
	}
	spt_syscall(SYS_timerfd_settime, spt_boot->timerfd, TFD_TIMER_ABSTIME, (long)&when, 0, 0, 0);
	armed_ns = deadline_ns;
	fired = false;
}

void platform_wait(uint64_t deadline_ns)
{
	struct epoll_event events[EVENTS_MAX];
	long count;

	if (deadline_ns != 0 && (fired || deadline_ns < armed_ns))
		timer_arm(deadline_ns);
	count = spt_syscall(
		SYS_epoll_pwait, spt_boot->epollfd, (long)events, EVENTS_MAX, deadline_ns == 0 ? 0 : -1, 0, 0);
	for (long i = 0; i < count; i++) {
		uint64_t handle = events[i].data.u64;

		if (handle == SPT_EPOLL_TIMER) {
			fired = true;
			armed_ns = UINT64_MAX;
		} else if (handle < MANIFEST_ENTRIES_MAX && spt_sources[handle]) {
			spt_sources[handle]->ready(spt_sources[handle]);
		}
	}
}
