/* SPDX-License-Identifier: ISC
 *
 * The list of all tasks, for the operator: a walk over the tree, parents first, in constant memory.
 */
/* All of this is off the hot paths: size counts. */
#pragma GCC optimize("Os")

#include <platform.h>
#include <skerry/log.h>
#include <skerry/text.h>

#include "scheduler.h"

LOG_SOURCE(task);

enum { LISTS = 4, DEPTH_SHOWN = 16 };

/* The lists of tasks that belong to one, in the order in which they are shown. */
static struct task *list_first(const struct task *owner, int list)
{
	const struct task_list *lists[LISTS] = { &owner->children.running, &owner->children.ended,
		&owner->orphans.running, &owner->orphans.ended };

	return lists[list]->first;
}

/* The first task of these lists, from this one on: NULL if they are empty. */
static struct task *first_from(const struct task *owner, int list)
{
	struct task *first = NULL;

	for (; list < LISTS && !first; list++)
		first = list_first(owner, list);
	return first;
}

/* The task after this one: its first child, or who follows it or one of its ancestors. */
static struct task *task_after(struct task *task, int *depth)
{
	struct task *after = first_from(task, 0);

	if (after)
		++*depth;
	while (!after && task) {
		struct task *owner = task->group->owner;

		after = task->next;
		if (!after && owner) {
			int list = (task->group == &owner->orphans ? 2 : 0) + task->ended;

			after = first_from(owner, list + 1);
		}
		if (!after)
			--*depth;
		task = owner;
	}
	return after;
}

static const char *describe(const struct task *task, char text[static 96])
{
	size_t len;

	if (task == scheduler.current)
		return "runs";
	if (task->ended)
		return "has ended and is to be awaited";
	if (!task->waiters)
		return "is ready";
	len = text_format(text, 96, "waits in %.48s", task->waits_in);
	if (task->timeout.armed) {
		uint64_t now = task_now(), deadline = task->timeout.deadline;
		uint64_t left_ms = deadline > now ? (deadline - now) / MSEC(1) : 0;

		text_format(text + len, 96 - len, " for %llu.%03llu s", (unsigned long long)(left_ms / 1000),
			(unsigned long long)(left_ms % 1000));
	}
	return text;
}

void task_list(void)
{
	struct task *task = scheduler.everything.running.first;
	char text[96];
	int depth = 0;

	while (task) {
		log_app("%*stask \"%s\" (spawned at %s:%d) %s%s; stack %zu of %zu bytes",
			2 * (depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN), "", task->place.function, task->place.file,
			task->place.line, describe(task, text), task->cancelled ? ", cancelled" : "",
			stack_high_water(task), task->fiber.size);
		task = task_after(task, &depth);
	}
}

static struct wait_queue inquirers;

void platform_inquire(void)
{
	task_list();
	wake_all(&inquirers);
}

int task_inquiry(uint64_t deadline)
{
	return wait_on(&inquirers, deadline);
}
