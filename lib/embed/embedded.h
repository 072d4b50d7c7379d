/* SPDX-License-Identifier: ISC
 *
 * A stack in a process of the host's: beside the stack itself, all that it takes from outside.
 */
#ifndef EMBED_EMBEDDED_H
#define EMBED_EMBEDDED_H

#include <skerry/embed.h>

#include "lib/net/own_stack.h"
#include "lib/task/timer_queue.h"

struct embedded {
	struct own_stack own; /* first: its memory is freed by its name */
	struct net net;
	struct stack_environment environment;
	struct timer_queue timers;
	bool received; /* frames, since transport_flush */
	struct stack_watch *first_ready, *last_ready;
};

static inline struct embedded *embedded_of(struct own_stack *stack)
{
	return (struct embedded *)(void *)stack;
}

static inline const struct embedded *const_embedded_of(const struct own_stack *stack)
{
	return (const struct embedded *)(const void *)stack;
}

/* environment.c: what stands for a NULL in the environment */
uint64_t embedded_clock(void *context);
void embedded_random(void *context, void *buf, size_t len);

#endif
