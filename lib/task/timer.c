/* SPDX-License-Identifier: ISC
 *
 * The timers of the tasks, and of all else in a unikernel: one queue.
 */
#include "scheduler.h"
#include "timer_queue.h"

static struct timer_queue timers;

void timer_set(struct timer *timer, uint64_t deadline)
{
	timer_queue_set(&timers, timer, deadline);
}

void timer_cancel(struct timer *timer)
{
	timer_queue_cancel(&timers, timer);
}

uint64_t timers_next(void)
{
	return timer_queue_next(&timers);
}

void timers_fire(uint64_t now)
{
	timer_queue_fire(&timers, now);
}
