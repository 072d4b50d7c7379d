/* SPDX-License-Identifier: ISC
 *
 * The tasks that can run, first come, first served. The simulator has another order in its place.
 */
#include "scheduler.h"

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

struct task *ready_take(void)
{
	struct task *task = first;

	if (task) {
		first = task->next_ready;
		if (!first)
			last = NULL;
	}
	return task;
}

bool ready_is_empty(void)
{
	return !first;
}
