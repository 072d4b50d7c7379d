/* SPDX-License-Identifier: ISC
 *
 * What will happen, in the order of virtual time: a binary heap. Of two events at the same time, the one that was added
 * first comes first.
 */
#ifndef SIMULATOR_EVENTS_H
#define SIMULATOR_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void event_function(void *context, void *argument);

struct event {
	uint64_t at, order;
	event_function *run;
	void *context, *argument;
};

struct events {
	struct event *heap;
	size_t count, size;
	uint64_t now, order;
};

/* Calls run(context, argument) at this time, or now if that has passed. */
void events_add(struct events *events, uint64_t at, event_function *run, void *context, void *argument);
/* The next event. false: there is none. */
bool events_step(struct events *events);
void events_fini(struct events *events);

#endif
