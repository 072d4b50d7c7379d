/* SPDX-License-Identifier: ISC
 *
 * Stacks: a pool, so that most spawns cost no call to the platform, and the check that finds an overflow.
 *
 * A stack's low end must stay zero: TASK_CANARY_BYTES of it are looked at whenever its task is left. Zeros, because
 * memory that is fresh from a host is zero already; so the host never has to back the page, and where the platform
 * has put a guard page below the stack the check costs nothing but the look.
 */
#include <platform.h>

#include "scheduler.h"

static struct task *free_stacks; /* by next_ready */
static size_t free_count, used_count;

enum { ALIGNMENT = 64 };

struct task *stack_take(void)
{
	struct task *task = free_stacks;
	char *lowest;
	size_t size = (task_stack_bytes - sizeof *task) / ALIGNMENT * ALIGNMENT;

	if (task) {
		free_stacks = task->next_ready;
		free_count--;
		used_count++;
		return task;
	}
	lowest = platform_stack_new(task_stack_bytes);
	if (!lowest)
		return NULL;
	task = (struct task *)(void *)(lowest + size);
	task->fiber = (struct fiber){ .lowest = lowest, .size = size };
	used_count++;
	return task;
}

void stack_put(struct task *task)
{
	task->next_ready = free_stacks;
	free_stacks = task;
	free_count++;
	used_count--;
}

void stack_trim(void)
{
	while (free_count > used_count + TASK_STACKS_KEPT) {
		struct task *task = free_stacks;

		free_stacks = task->next_ready;
		free_count--;
		platform_stack_free(task->fiber.lowest, task_stack_bytes);
	}
}

bool stack_overflowed(const struct task *task)
{
	const uint64_t *canary = task->fiber.lowest;
	uint64_t all = 0;

	for (size_t i = 0; i < TASK_CANARY_BYTES / sizeof *canary; i++)
		all |= canary[i];
	return all != 0;
}

__attribute__((no_sanitize_address)) size_t stack_high_water(const struct task *task)
{
	const uint64_t *word = task->fiber.lowest;
	size_t unused = 0;

	while (unused < task->fiber.size && word[unused / sizeof *word] == 0)
		unused += sizeof *word;
	return task->fiber.size - unused;
}
