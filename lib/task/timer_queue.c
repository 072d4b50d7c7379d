/* SPDX-License-Identifier: ISC
 *
 * A queue of timers: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, "The Pairing Heap", 1986) ordered by
 * deadline.
 *
 * Every timer's deadline is at or after its parent's. A node's children are a list by `next`; `previous` is the
 * sibling before it or, for the first child, the parent; the root has neither. Taking a node out merges its children
 * in pairs from left to right and then the pairs from right to left, in loops, so depth costs no stack.
 */
#include "timer_queue.h"

/* Makes the later of two roots the first child of the other. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (!a || !b)
		return a ? a : b;
	if (b->deadline < a->deadline) {
		struct timer *earlier = b;

		b = a;
		a = earlier;
	}
	b->previous = a;
	b->next = a->child;
	if (a->child)
		a->child->previous = b;
	a->child = b;
	return a;
}

/* One heap of a list of siblings. */
static struct timer *meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL, *heap = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;
		a->next = a->previous = NULL;
		if (b)
			b->next = b->previous = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *pair = pairs;

		pairs = pair->next;
		pair->next = NULL;
		heap = meld(pair, heap);
	}
	return heap;
}

void timer_queue_cancel(struct timer_queue *queue, struct timer *timer)
{
	struct timer *rest;

	if (!timer->armed)
		return;
	rest = meld_siblings(timer->child);
	if (timer == queue->root) {
		queue->root = rest;
	} else {
		if (timer->previous->child == timer)
			timer->previous->child = timer->next;
		else
			timer->previous->next = timer->next;
		if (timer->next)
			timer->next->previous = timer->previous;
		queue->root = meld(queue->root, rest);
	}
	timer->child = timer->next = timer->previous = NULL;
	timer->armed = false;
	queue->armed_count--;
}

void timer_queue_set(struct timer_queue *queue, struct timer *timer, uint64_t deadline)
{
	timer_queue_cancel(queue, timer);
	timer->deadline = deadline;
	if (deadline == FOREVER)
		return;
	timer->child = timer->next = timer->previous = NULL;
	timer->armed = true;
	queue->root = meld(queue->root, timer);
	queue->armed_count++;
}

uint64_t timer_queue_next(const struct timer_queue *queue)
{
	return queue->root ? queue->root->deadline : FOREVER;
}

void timer_queue_fire(struct timer_queue *queue, uint64_t now)
{
	/* A callback may arm its timer again for a time that has passed already; that one waits for the next turn. */
	for (size_t budget = queue->armed_count; budget > 0 && queue->root && queue->root->deadline <= now; budget--) {
		struct timer *timer = queue->root;

		timer_queue_cancel(queue, timer);
		timer->fire(timer);
	}
}
