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

static void waiter_append(struct waiter *waiter)
{
	struct wait_queue *queue = waiter->queue;

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

/* Ends a task's waiting, in all queues, for whatever reason. */
static void waiter_end(struct waiter *waiter, enum waiter_end reason)
{
	struct task *task = waiter->task;

	for (size_t i = 0; i < task->waiter_count; i++)
		waiter_remove(&task->waiters[i]);
	waiter->end = reason;
	task->waiters = NULL;
	timer_cancel(&task->timeout);
	scheduler_ready(task);
}

void task_timeout(struct timer *timer)
{
	struct task *task = (struct task *)((char *)timer - offsetof(struct task, timeout));

	waiter_end(task->waiters, WAITER_TIMED_OUT);
}

void wait_interrupt(struct task *task)
{
	if (task->waiters)
		waiter_end(task->waiters, WAITER_INTERRUPTED);
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

/* The waiters name their queues. */
static void wait_for(const char *function, struct waiter waiters[], size_t count, uint64_t deadline)
{
	struct task *self = scheduler.current;

	for (size_t i = 0; i < count; i++) {
		waiters[i].task = self;
		waiter_append(&waiters[i]);
	}
	self->waiters = waiters;
	self->waiter_count = count;
	self->waits_in = function;
	timer_set(&self->timeout, deadline);
	scheduler_switch();
}

/* Others have run in either case: so a loop that only polls starves nobody. */
static int too_late(uint64_t deadline)
{
	return deadline == AT_ONCE ? -EAGAIN : -ETIMEDOUT;
}

int wait_on_at(const char *function, struct wait_queue *queue, uint64_t deadline)
{
	struct waiter waiter = { .queue = queue };
	size_t woken;

	return wait_on_any(function, &waiter, 1, &woken, deadline);
}

int wait_on_any(const char *function, struct waiter waiters[], size_t count, size_t *woken, uint64_t deadline)
{
	size_t first = 0;

	if (!task_may_block())
		return -ECANCELED;
	wait_for(function, waiters, count, deadline);
	while (first < count - 1 && waiters[first].end == WAITER_WAITS)
		first++;
	if (scheduler.current->cancelled) {
		/* Who was woken with all others takes no wake-up away; and the queue may be gone with its owner. */
		if (waiters[first].end == WAITER_WOKEN)
			wake_one(waiters[first].queue);
		return -ECANCELED;
	}
	*woken = first;
	return waiters[first].end == WAITER_TIMED_OUT ? too_late(deadline) : 0;
}

int wait_handed(const char *function, struct wait_queue *queue, uint64_t deadline)
{
	struct waiter waiter = { .queue = queue };

	if (!task_may_block())
		return -ECANCELED;
	wait_for(function, &waiter, 1, deadline);
	if (waiter.end == WAITER_WOKEN || waiter.end == WAITER_WOKEN_WITH_ALL)
		return 0;
	return scheduler.current->cancelled ? -ECANCELED : too_late(deadline);
}

void wait_even_if_cancelled(struct wait_queue *queue)
{
	struct waiter waiter = { .queue = queue };

	if (scheduler.current->cleaning)
		rule_broken(scheduler.current, "blocked in a deferred clean-up");
	wait_for(__func__, &waiter, 1, FOREVER);
}

int task_sleep(uint64_t deadline)
{
	struct wait_queue nobody = WAIT_QUEUE_INIT;
	int err = wait_on(&nobody, deadline);

	return err == -ECANCELED ? err : 0;
}
