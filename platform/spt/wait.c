/* SPDX-License-Identifier: ISC
 *
 * Waiting for devices and time. One system call a wait, epoll_pwait, in the usual case; no clock is read.
 *
 * epoll's own timeout counts milliseconds from now, so it would take a reading of the clock each time and be up to one
 * late. The timer takes the deadline as it is, and is set only if it has to be: not for a poll, not if it is set to
 * this or an earlier time. Deadlines of a busy program move into the future with every packet; the timer then stays
 * behind, ends one wait too early when its time comes, and is set again once. So setting it is rare.
 *
 * States of the timer, by timer_at: UINT64_MAX, it is off; 0, it has expired, and as it cannot be read it goes on being
 * ready until it is set or turned off; else it will expire then.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "platform/guest/device.h"
#include "spt.h"

static uint64_t timer_at = UINT64_MAX;

static void timer_set(uint64_t deadline_ns)
{
	struct itimerspec when = { 0 }; /* all zeros: off */

	if (deadline_ns < UINT64_MAX) {
		when.it_value.tv_sec = (time_t)(deadline_ns / 1000000000);
		when.it_value.tv_nsec = (long)(deadline_ns % 1000000000);
	}
	spt_system_call(spt_boot->timerfd, TFD_TIMER_ABSTIME, (long)&when, 0, 0, SYS_timerfd_settime);
	timer_at = deadline_ns;
}

static void answer(uint32_t inquiry)
{
	struct signalfd_siginfo info;

	if (spt_system_call(inquiry, (long)&info, sizeof info, 0, 0, SYS_read) == (long)sizeof info)
		platform_inquire();
}

static void serve(uint64_t handle)
{
	if (handle >= SPT_EPOLL_INQUIRY)
		answer((uint32_t)handle);
	else if (handle == SPT_EPOLL_TIMER)
		timer_at = 0;
	else
		guest_net_ready(handle);
}

void platform_wait(uint64_t deadline_ns)
{
	struct epoll_event events[MANIFEST_ENTRIES_MAX];
	int timeout_ms = deadline_ns == 0 ? 0 : -1;
	long count;

	if (timeout_ms != 0 && (timer_at == 0 || timer_at > deadline_ns))
		timer_set(deadline_ns);
	count = spt_system_call(spt_boot->epollfd, (long)events, MANIFEST_ENTRIES_MAX, timeout_ms, 0, SYS_epoll_pwait);
	for (long i = 0; i < count; i++)
		serve(events[i].data.u64);
}
