/* SPDX-License-Identifier: ISC
 *
 * A task's life: spawned, run, cancelled, ended, collected.
 *
 *	task_spawn          fiber_main                                            await.c, task_cancel
 *	   |                    |                                                      |
 *	   v     first turn     v      run() returns        all members ended,         v
 *	 ready ------------> running -----------> ending -- clean-ups run ---> ended ----> stack in the pool
 *
 * Cancelling marks a task and interrupts its waiting; from then on its blocking calls fail, so it returns through its
 * own clean-up. An ending task cancels what it still owns and waits for it in its own context, however deep the tree:
 * nothing here recurses. A task without a handle collects itself: it puts its stack into the pool while it still
 * stands on it, which is sound because nothing else runs before it has left it for the last time, and the pool gives
 * memory back only in the scheduler's turn.
 */
#include <errno.h>

#include <skerry/log.h>

#include "scheduler.h"

LOG_SOURCE(task);

bool task_is_mine(const struct task *task, const char *verb)
{
	if (task->group && task->group->owner == scheduler.current)
		return true;
	rule_broken(scheduler.current, "%s \"%s\" (spawned at %s:%d), which is not its own", verb, task->place.function,
		task->place.file, task->place.line);
	return false;
}

bool task_may_block(void)
{
	struct task *self = scheduler.current;

	must(self); /* timers, hooks and devices must not block */
	if (self->cleaning)
		rule_broken(self, "blocked in a deferred clean-up");
	if (!self->cancelled)
		return !self->cleaning;
	/* Nobody else runs while it loops around calls that fail at once, so nobody else could ever say so. */
	if (++self->refusals > TASK_REFUSALS_MAX)
		panic("task \"%s\" (spawned at %s:%d) is cancelled and does not end", self->place.function,
			self->place.file, self->place.line);
	return false;
}

bool task_cancelled(void)
{
	return scheduler.current->cancelled;
}

int task_yield(void)
{
	if (!task_may_block())
		return -ECANCELED;
	scheduler_ready(scheduler.current);
	scheduler_switch();
	return scheduler.current->cancelled ? -ECANCELED : 0;
}

struct task *task_self(void)
{
	return scheduler.current;
}

int task_spawn_with_at(const struct task_place *place, struct task_group *group, int (*run)(void *arg), void *arg,
	void (*cleanup)(void *arg), struct task **handle)
{
	struct task *self = scheduler.current, *task;

	if (self && self->cleaning) {
		rule_broken(self, "spawned \"%s\" in a deferred clean-up", place->function);
		return -ECANCELED;
	}
	must(group || handle); /* nobody could await it */
	task = stack_take();
	if (!task)
		return -ENOMEM;
	*task = (struct task){
		.fiber = task->fiber,
		.timeout = TIMER_INIT(task_timeout),
		.run = run,
		.arg = arg,
		.has_handle = handle != NULL,
		.place = *place,
	};
	fiber_init(&task->fiber, task->fiber.lowest, task->fiber.size);
	group_init(&task->children, task);
	group_init(&task->orphans, task);
	if (cleanup) {
		task->argument = (struct task_resource){ .finalise = cleanup, .resource = arg, .embedded = true };
		resource_put(&task->argument, task);
	}
	group_add(group ? group : &self->children, task);
	scheduler_ready(task);
	if (handle)
		*handle = task;
	return 0;
}

int task_spawn_at(const struct task_place *place, struct task_group *group, int (*run)(void *arg), void *arg,
	struct task **handle)
{
	return task_spawn_with_at(place, group, run, arg, NULL, handle);
}

/* A member of a group that nobody will await. */
static void collect_itself(struct task *self)
{
	char text[24];

	if (self->result < 0 && self->result != -ECANCELED)
		log_warn("task \"%s\" (spawned at %s:%d) failed: %s", self->place.function, self->place.file,
			self->place.line, error_name(-self->result, text));
	task_collect(self);
}

_Noreturn void fiber_main(void)
{
	struct task *self = scheduler.current;

	self->result = self->cancelled ? -ECANCELED : self->run(self->arg);
	if (self->result >= 0 && !self->cancelled)
		rule_check_end(self);
	group_cancel(&self->children);
	group_cancel(&self->orphans);
	resources_finalise(self);
	self->ended = true;
	group_member_ended(self);
	if (!self->has_handle)
		collect_itself(self);
	scheduler_leave();
}

void task_collect(struct task *task)
{
	group_remove(task);
	stack_put(task);
}

void task_begin_cancel(struct task *task)
{
	if (task->cancelled || task->ended)
		return;
	task->cancelled = true;
	wait_interrupt(task);
}

void task_cancel(struct task *task)
{
	if (!task)
		return;
	if (!task_is_mine(task, "cancelled"))
		return;
	task->has_handle = true; /* it is collected here */
	task_begin_cancel(task);
	while (!task->ended)
		wait_even_if_cancelled(&scheduler.current->member_ended);
	task_collect(task);
}
