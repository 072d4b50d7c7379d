/* SPDX-License-Identifier: ISC
 *
 * A queue of timers as an object. A unikernel has one, behind timer_set() and timer_cancel(); in a host's process each
 * network stack has its own (lib/embed).
 */
#ifndef TASK_TIMER_QUEUE_H
#define TASK_TIMER_QUEUE_H

#include <skerry/task.h>

/* All zero: an empty queue. */
struct timer_queue {
	struct timer *root;
	size_t armed_count;
};

/* As timer_set() and timer_cancel(). A timer is always used with the same queue. */
void timer_queue_set(struct timer_queue *queue, struct timer *timer, uint64_t deadline);
void timer_queue_cancel(struct timer_queue *queue, struct timer *timer);
/* The earliest deadline; FOREVER: no timer is armed. */
uint64_t timer_queue_next(const struct timer_queue *queue);
/* Runs what is due. */
void timer_queue_fire(struct timer_queue *queue, uint64_t now);

#endif
