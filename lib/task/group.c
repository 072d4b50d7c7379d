/* SPDX-License-Identifier: ISC
 *
 * Groups: the tasks that one task owns. Each task has two, for its children and for its background tasks. Members that
 * have ended and are to be awaited lie in a list of their own, so caring for a group looks at no running task.
 */
#include <errno.h>

#include "scheduler.h"

static void list_append(struct task_list *list, struct task *task)
{
	task->next = NULL;
	task->previous = list->last;
	if (list->last)
		list->last->next = task;
	else
		list->first = task;
	list->last = task;
}

static void list_remove(struct task_list *list, struct task *task)
{
	if (task->previous)
		task->previous->next = task->next;
	else
		list->first = task->next;
	if (task->next)
		task->next->previous = task->previous;
	else
		list->last = task->previous;
}

void group_init(struct task_group *group, struct task *owner)
{
	*group = (struct task_group){ .owner = owner };
}

void group_add(struct task_group *group, struct task *task)
{
	task->group = group;
	list_append(task->ended ? &group->ended : &group->running, task);
	group->count++;
}

void group_member_ended(struct task *task)
{
	struct task_group *group = task->group;

	list_remove(&group->running, task);
	list_append(&group->ended, task);
	if (group->owner)
		wake_all(&group->owner->member_ended);
}

void group_remove(struct task *task)
{
	struct task_group *group = task->group;

	list_remove(task->ended ? &group->ended : &group->running, task);
	group->count--;
	task->group = NULL;
}

void group_cancel(struct task_group *group)
{
	/* A member may spawn another one here while it ends, so the list is looked at again after each wake-up. */
	while (group->running.first) {
		for (struct task *task = group->running.first; task; task = task->next)
			task_begin_cancel(task);
		wait_even_if_cancelled(&group->owner->member_ended);
	}
	while (group->ended.first)
		task_collect(group->ended.first);
}

struct task_group *task_orphans(void)
{
	return &scheduler.current->orphans;
}

size_t task_group_count(const struct task_group *group)
{
	return group->count;
}

/* Rule 4: the task that made a group cares for it. */
static bool group_is_mine(const struct task_group *group, const char *verb)
{
	if (group->owner == scheduler.current)
		return true;
	rule_broken(scheduler.current, "%s the group of \"%s\" (spawned at %s:%d)", verb, group->owner->place.function,
		group->owner->place.file, group->owner->place.line);
	return false;
}

int task_group_care(struct task_group *group, struct task **task)
{
	struct task *ended = group->ended.first;

	if (!group_is_mine(group, "cared for"))
		return -EPERM;
	if (group->count == 0)
		return -ENOENT;
	if (!ended)
		return -EAGAIN;
	group_remove(ended);
	group_add(&group->owner->children, ended);
	*task = ended;
	return 0;
}

int task_group_take(struct task_group *group, struct task **task, uint64_t deadline)
{
	int err;

	while ((err = task_group_care(group, task)) == -EAGAIN) {
		err = wait_on(&group->owner->member_ended, deadline);
		if (err < 0)
			return err;
	}
	return err;
}

void task_group_cancel(struct task_group *group)
{
	if (group_is_mine(group, "cancelled"))
		group_cancel(group);
}
