/* SPDX-License-Identifier: ISC
 *
 * In place of lib/net/environment.c, and of lib/task: each stack has its own clock, timers and chance; and since there
 * are no tasks, nobody ever waits.
 */
#include <errno.h>
#include <sys/random.h>
#include <time.h>

#include <skerry/log.h>

#include "embedded.h"

enum { MEMORY_DEFAULT = 64 << 20 };

uint64_t embedded_clock(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return SECOND(now.tv_sec) + (uint64_t)now.tv_nsec;
}

void embedded_random(void *context, void *buf, size_t len)
{
	uint8_t *at = buf, *end = at + len;

	(void)context;
	while (at < end) {
		ssize_t got = getrandom(at, (size_t)(end - at), 0);

		if (got > 0)
			at += got;
		else if (got < 0 && errno != EINTR)
			panic("getrandom() gives nothing (error %d)", errno);
	}
}

uint64_t stack_now(const struct own_stack *stack)
{
	const struct stack_environment *environment = &const_embedded_of(stack)->environment;

	return environment->now(environment->context);
}

void stack_timer_set(struct own_stack *stack, struct timer *timer, uint64_t deadline)
{
	timer_queue_set(&embedded_of(stack)->timers, timer, deadline);
}

void stack_timer_cancel(struct own_stack *stack, struct timer *timer)
{
	timer_queue_cancel(&embedded_of(stack)->timers, timer);
}

void stack_random(const struct own_stack *stack, void *buf, size_t len)
{
	const struct stack_environment *environment = &const_embedded_of(stack)->environment;

	environment->random(environment->context, buf, len);
}

uint32_t stack_random_u32(const struct own_stack *stack)
{
	uint32_t number;

	stack_random(stack, &number, sizeof number);
	return number;
}

/* 64 bits are so many more than 32 that what the remainder favours cannot be noticed. */
uint32_t stack_random_below(const struct own_stack *stack, uint32_t bound)
{
	uint64_t number;

	stack_random(stack, &number, sizeof number);
	return (uint32_t)(number % bound);
}

size_t stack_memory(const struct own_stack *stack)
{
	uint64_t bytes = const_embedded_of(stack)->environment.memory_bytes;

	return bytes ? bytes : MEMORY_DEFAULT;
}

bool task_cancelled(void)
{
	return false;
}
