/* SPDX-License-Identifier: ISC
 *
 * What a task finalises when it ends: what it owns, which it must give up before a good end, and what it has deferred.
 *
 * Both lie in one list, latest first, so that they are finalised in the opposite order of their making. A resource that
 * changes its owner takes its entry along: only making one can fail, and a mutex, which has its entry within, never
 * does.
 */
#include <errno.h>
#include <stdlib.h>

#include "scheduler.h"

typedef void finaliser(void *resource);

static int resource_add(const struct task_resource *resource)
{
	struct task_resource *added = malloc(sizeof *added);

	if (!added) {
		resource->finalise(resource->resource);
		return -ENOMEM;
	}
	*added = *resource;
	added->next = scheduler.current->resources;
	scheduler.current->resources = added;
	return 0;
}

/* Takes the calling task's latest entry of this pair out of the list: NULL if there is none. */
static struct task_resource *resource_take(finaliser *finalise, void *resource, bool owned)
{
	struct task_resource **link = &scheduler.current->resources, *found;

	while (*link && ((*link)->finalise != finalise || (*link)->resource != resource || (*link)->owned != owned))
		link = &(*link)->next;
	found = *link;
	if (found)
		*link = found->next;
	return found;
}

static struct task_resource *take_owned(finaliser *finalise, void *resource, const char *verb)
{
	struct task_resource *found = resource_take(finalise, resource, true);

	if (!found)
		rule_broken(scheduler.current, "%s a resource that it does not own", verb);
	return found;
}

void resource_put(struct task_resource *resource, struct task *owner)
{
	resource->next = owner->resources;
	owner->resources = resource;
}

void resource_take_out(struct task_resource *resource, struct task *owner)
{
	struct task_resource **link = &owner->resources;

	while (*link != resource)
		link = &(*link)->next;
	*link = resource->next;
}

/* Frees the entry, and says so of a finaliser that blocks or spawns. */
static void entry_finalise(struct task *task, struct task_resource *entry)
{
	bool was_cleaning = task->cleaning;
	struct task_resource resource = *entry;

	if (!entry->embedded)
		free(entry);
	task->cleaning = true;
	resource.finalise(resource.resource);
	task->cleaning = was_cleaning;
}

int task_defer(finaliser *cleanup, void *resource)
{
	return resource_add(&(struct task_resource){ .finalise = cleanup, .resource = resource });
}

bool task_undefer(finaliser *cleanup, void *resource)
{
	struct task_resource *found = resource_take(cleanup, resource, false);

	if (found && !found->embedded)
		free(found);
	return found != NULL;
}

int task_own_at(const struct task_place *place, finaliser *finalise, void *resource)
{
	return resource_add(
		&(struct task_resource){ .finalise = finalise, .resource = resource, .owned = true, .place = *place });
}

int task_release(finaliser *finalise, void *resource)
{
	struct task_resource *found = take_owned(finalise, resource, "released");

	if (!found)
		return -EPERM;
	entry_finalise(scheduler.current, found);
	return 0;
}

int task_disown(finaliser *finalise, void *resource)
{
	struct task_resource *found = take_owned(finalise, resource, "disowned");

	free(found);
	return found ? 0 : -EPERM;
}

int task_transfer(finaliser *finalise, void *resource)
{
	struct task *parent = scheduler.current->group->owner;
	struct task_resource *found;

	if (!parent) {
		rule_broken(scheduler.current, "transferred a resource, but has no parent");
		return -EPERM;
	}
	found = take_owned(finalise, resource, "transferred");
	if (!found)
		return -EPERM;
	resource_put(found, parent);
	return 0;
}

int task_give(struct task *task, finaliser *finalise, void *resource)
{
	struct task_resource *found;

	if (!task_is_mine(task, "gave a resource to"))
		return -EPERM;
	if (task->ended)
		return -ESRCH;
	found = take_owned(finalise, resource, "gave away");
	if (!found)
		return -EPERM;
	resource_put(found, task);
	return 0;
}

void resources_finalise(struct task *task)
{
	while (task->resources) {
		struct task_resource *latest = task->resources;

		task->resources = latest->next;
		entry_finalise(task, latest);
	}
}
