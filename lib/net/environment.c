/* SPDX-License-Identifier: ISC
 *
 * What a stack takes from the world around it: in a unikernel, where there is one clock, one timer queue, one source of
 * chance and one memory, these.
 */
#include <skerry/random.h>
#include <skerry/task.h>

#include "own_stack.h"

enum { MEMORY_FRACTION = 4, MEMORY_UNKNOWN = 64 << 20 };

uint64_t stack_now(const struct own_stack *stack)
{
	(void)stack;
	return task_now();
}

void stack_timer_set(struct own_stack *stack, struct timer *timer, uint64_t deadline)
{
	(void)stack;
	timer_set(timer, deadline);
}

void stack_timer_cancel(struct own_stack *stack, struct timer *timer)
{
	(void)stack;
	timer_cancel(timer);
}

void stack_random(const struct own_stack *stack, void *buf, size_t len)
{
	(void)stack;
	random_bytes(buf, len);
}

uint32_t stack_random_u32(const struct own_stack *stack)
{
	(void)stack;
	return random_u32();
}

uint32_t stack_random_below(const struct own_stack *stack, uint32_t bound)
{
	(void)stack;
	return random_below(bound);
}

size_t stack_memory(const struct own_stack *stack)
{
	struct platform_memory memory;

	(void)stack;
	platform_memory(&memory);
	return memory.total_bytes ? memory.total_bytes / MEMORY_FRACTION : MEMORY_UNKNOWN;
}
