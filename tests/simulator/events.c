/* SPDX-License-Identifier: ISC
 *
 * The heap of events.
 */
#include "events.h"

#include <string.h>

#include "memory.h"

static bool precedes(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void events_add(struct events *events, uint64_t at, event_function *run, void *context, void *argument)
{
	struct event event = { at > events->now ? at : events->now, events->order++, run, context, argument };
	size_t i = events->count++;

	if (events->count > events->size) {
		struct event *larger;
		events->size = events->size ? events->size * 2 : 256;
		larger = memory_own(events->size * sizeof *larger);
		if (events->heap)
			memcpy(larger, events->heap, (events->count - 1) * sizeof *larger);
		memory_free_own(events->heap);
		events->heap = larger;
	}
	for (; i > 0 && precedes(&event, &events->heap[(i - 1) / 2]); i = (i - 1) / 2)
		events->heap[i] = events->heap[(i - 1) / 2];
	events->heap[i] = event;
}

/* Puts the event into the hole at the root. */
static void sift_down(struct events *events, struct event event)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < events->count && precedes(&events->heap[child + 1], &events->heap[child]))
			child++;
		if (child >= events->count || !precedes(&events->heap[child], &event))
			break;
		events->heap[i] = events->heap[child];
		i = child;
	}
	events->heap[i] = event;
}

bool events_step(struct events *events)
{
	struct event next;

	if (events->count == 0)
		return false;
	next = events->heap[0];
	events->count--;
	if (events->count > 0)
		sift_down(events, events->heap[events->count]);
	events->now = next.at;
	next.run(next.context, next.argument);
	return true;
}

void events_fini(struct events *events)
{
	memory_free_own(events->heap);
	*events = (struct events){ 0 };
}
