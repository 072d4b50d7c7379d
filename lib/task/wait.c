/* SPDX-License-Identifier: ISC
 *
 * Wait queues, on which every blocking call is built.
 *
 * A waiter lies on the stack of the task that waits and is in the queue exactly as long as nobody has woken it: a
 * wake-up, the deadline and cancellation each take it out, so the first of them wins and the others find it gone. A
 * task that wakes looks at what happened meanwhile; a wake-up that it cannot use goes to the next in the queue.
 */
#include <errno.h>

#include "scheduler.h"

static void waiter_append(struct wait_queue *queue, struct waiter *waiter)
{
	waiter->queue = queue;
	waiter->next = NULL;
	waiter->previous = queue->last;
	if (queue->last)
		queue->last->next = waiter;
	else
		queue->first = waiter;
	queue->last = waiter;
}

static void waiter_remove(struct waiter *waiter)
{
	struct wait_queue *queue = waiter->queue;

	if (waiter->previous)
		waiter->previous->next = waiter->next;
	else
		queue->first = waiter->next;
	if (waiter->next)
		waiter->next->previous = waiter->previous;
	else
		queue->last = waiter->previous;
}

/* Ends a task's waiting for whatever reason. */
static void waiter_end(struct waiter *waiter, enum waiter_end reason)
{
	struct task *task = waiter->task;

	waiter_remove(waiter);
	waiter->end = reason;
	task->waiter = NULL;
	timer_cancel(&task->timeout);
	scheduler_ready(task);
}

void task_timeout(struct timer *timer)
{
	struct task *task = (struct task *)((char *)timer - offsetof(struct task, timeout));

	waiter_end(task->waiter, WAITER_TIMED_OUT);
}

void wait_interrupt(struct task *task)
{
	if (task->waiter)
		waiter_end(task->waiter, WAITER_INTERRUPTED);
}

bool wake_one(struct wait_queue *queue)
{
	if (!queue->first)
		return false;
	waiter_end(queue->first, WAITER_WOKEN);
	return true;
}

void wake_all(struct wait_queue *queue)
{
	while (queue->first)
		waiter_end(queue->first, WAITER_WOKEN_WITH_ALL);
}

static enum waiter_end wait_for(struct wait_queue *queue, uint64_t deadline)
{
	struct task *self = scheduler.current;
	struct waiter waiter = { .task = self };

	waiter_append(queue, &waiter);
	self->waiter = &waiter;
	timer_set(&self->timeout, deadline);
	scheduler_switch();
	return waiter.end;
}

int wait_on(struct wait_queue *queue, uint64_t deadline)
{
	enum waiter_end end;

	if (!task_may_block())
		return -ECANCELED;
	end = wait_for(queue, deadline);
	if (scheduler.current->cancelled) {
		/* Who was woken with all others takes no wake-up away; and the queue may be gone with its owner. */
		if (end == WAITER_WOKEN)
			wake_one(queue);
		return -ECANCELED;
	}
	return end == WAITER_TIMED_OUT ? -ETIMEDOUT : 0;
}

void wait_even_if_cancelled(struct wait_queue *queue)
{
	if (scheduler.current->cleaning)
		rule_broken(scheduler.current, "blocked in a deferred clean-up");
	(void)wait_for(queue, FOREVER);
}

int task_sleep(uint64_t deadline)
{
	struct wait_queue nobody = WAIT_QUEUE_INIT;
	int err = wait_on(&nobody, deadline);

	return err == -ETIMEDOUT ? 0 : err;
}
