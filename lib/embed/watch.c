/* SPDX-License-Identifier: ISC
 *
 * Watching: where a unikernel's flow has tasks that wait in its queues, a flow here may have one watch in all of them,
 * and to wake it is to put it on its stack's list of those that are ready.
 */
#include <errno.h>

#include "embedded.h"
#include "lib/net/tcp_stack.h"
#include "lib/net/udp_stack.h"

/* The first in a queue is its watch; the last is the same if it is to be told, else NULL. */
static struct stack_watch *watch_in(const struct wait_queue *queue)
{
	return (struct stack_watch *)(void *)queue->first;
}

static void set_watch(struct wait_queue *queue, struct stack_watch *watch)
{
	queue->first = (struct waiter *)(void *)watch;
	queue->last = NULL;
}

static void append(struct stack_watch *watch)
{
	struct embedded *embedded = (struct embedded *)(void *)watch->stack;

	if (watch->ready)
		return;
	watch->ready = true;
	watch->next = NULL;
	watch->previous = embedded->last_ready;
	if (embedded->last_ready)
		embedded->last_ready->next = watch;
	else
		embedded->first_ready = watch;
	embedded->last_ready = watch;
}

static void take_out(struct stack_watch *watch)
{
	struct embedded *embedded = (struct embedded *)(void *)watch->stack;

	if (!watch->ready)
		return;
	watch->ready = false;
	if (watch->previous)
		watch->previous->next = watch->next;
	else
		embedded->first_ready = watch->next;
	if (watch->next)
		watch->next->previous = watch->previous;
	else
		embedded->last_ready = watch->previous;
}

/* own NULL: the stack was closed, and its list is gone. What may have happened before is seen by a first look. */
static void change_watch(struct own_stack *own, struct stack_watch *before, struct stack_watch *watch)
{
	if (before && own)
		take_out(before);
	if (!watch)
		return;
	watch->ready = false;
	watch->stack = own ? &own->base : NULL;
	if (own)
		append(watch);
}

void tcp_watch(struct tcp *base, struct stack_watch *watch)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;

	change_watch(flow->tcp ? flow->tcp->own : NULL, watch_in(&flow->readers), watch);
	set_watch(&flow->readers, watch);
	set_watch(&flow->writers, watch);
}

void tcp_watch_listener(struct tcp_listener *base, struct stack_watch *watch)
{
	struct own_listener *listener = (struct own_listener *)(void *)base;

	change_watch(listener->tcp ? listener->tcp->own : NULL, watch_in(&listener->acceptors), watch);
	set_watch(&listener->acceptors, watch);
}

void udp_watch(struct udp *base, struct stack_watch *watch)
{
	struct own_udp *socket = (struct own_udp *)(void *)base;

	change_watch(socket->owner ? socket->owner->stack : NULL, watch_in(&socket->readable), watch);
	set_watch(&socket->readable, watch);
}

struct stack_watch *stack_next_ready(struct stack *stack)
{
	struct stack_watch *watch = ((struct embedded *)(void *)stack)->first_ready;

	if (watch)
		take_out(watch);
	return watch;
}

/* In place of lib/task/wait.c: where a task would wait, the queue keeps in mind that it is to be told. A queue of the
 * stack's own is watched by nobody. */

int wait_on_at(const char *function, struct wait_queue *queue, uint64_t deadline)
{
	(void)function;
	(void)deadline;
	queue->last = queue->first;
	return -EAGAIN;
}

bool wake_one(struct wait_queue *queue)
{
	if (!queue->last)
		return false;
	wake_all(queue);
	return true;
}

void wake_all(struct wait_queue *queue)
{
	queue->last = NULL;
	if (queue->first)
		append(watch_in(queue));
}
