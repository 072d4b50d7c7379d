/* SPDX-License-Identifier: ISC
 *
 * Timers: a pairing heap (Fredman, Sedgewick, Sleator, Tarjan, "The Pairing Heap", 1986) ordered by deadline.
 *
 * Every timer's deadline is at or after its parent's. A node's children are a list by `next`; `previous` is the
 * sibling before it or, for the first child, the parent; the root has neither. Taking a node out merges its children
 * in pairs from left to right and then the pairs from right to left, in loops, so depth costs no stack.
 */
#include "scheduler.h"

static struct timer *root;
static size_t armed_count;

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

void timer_cancel(struct timer *timer)
{
	struct timer *rest;

	if (!timer->armed)
		return;
	rest = meld_siblings(timer->child);
	if (timer == root) {
		root = rest;
	} else {
		if (timer->previous->child == timer)
			timer->previous->child = timer->next;
		else
			timer->previous->next = timer->next;
		if (timer->next)
			timer->next->previous = timer->previous;
		root = meld(root, rest);
	}
	timer->child = timer->next = timer->previous = NULL;
	timer->armed = false;
	armed_count--;
}

void timer_set(struct timer *timer, uint64_t deadline)
{
	timer_cancel(timer);
	timer->deadline = deadline;
	if (deadline == FOREVER)
		return;
	timer->child = timer->next = timer->previous = NULL;
	timer->armed = true;
	root = meld(root, timer);
	armed_count++;
}

uint64_t timers_next(void)
{
	return root ? root->deadline : FOREVER;
}

void timers_fire(uint64_t now)
{
	/* A callback may arm its timer again for a time that has passed already; that one waits for the next turn. */
	for (size_t budget = armed_count; budget > 0 && root && root->deadline <= now; budget--) {
		struct timer *timer = root;

		timer_cancel(timer);
		timer->fire(timer);
	}
}
