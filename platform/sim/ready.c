/* SPDX-License-Identifier: ISC
 *
 * The tasks that can run, in the simulator's order: each time any of the first few is next, as the seed decides. Who
 * comes first is taken within a few turns with probability 1, so nobody starves.
 */
#include "lib/task/scheduler.h"
#include "sim.h"

enum { CHOICES = 8 };

static struct task *first, *last;

void scheduler_ready(struct task *task)
{
	task->next_ready = NULL;
	if (last)
		last->next_ready = task;
	else
		first = task;
	last = task;
}

/* The link to one of the first few, all with the same probability. */
static struct task **choose(void)
{
	struct task **link = &first, **chosen = link;

	for (uint32_t i = 1; i <= CHOICES && *link; i++, link = &(*link)->next_ready)
		if (sim_random(i) == 0)
			chosen = link;
	return chosen;
}

struct task *ready_take(void)
{
	struct task **link = choose(), *task = *link;

	if (!task)
		return NULL;
	*link = task->next_ready;
	if (last == task) {
		last = first;
		while (last && last->next_ready)
			last = last->next_ready;
	}
	return task;
}

bool ready_is_empty(void)
{
	return !first;
}
