/* SPDX-License-Identifier: ISC
 *
 * The scheduler: who runs next, and when devices, timers and the clock are looked at.
 *
 * A task that blocks switches straight to the next ready task. The scheduler's own fiber, on the stack that task_run
 * was called on, has its turn when no task is ready, and in any case after TASK_SWITCHES_PER_POLL switches, or the
 * first that finds TASK_TICKS_PER_POLL gone: so tasks that are always ready starve neither devices nor timers, whether
 * they switch often or seldom. A turn is: run the hooks, let the platform wait (only if no task is ready) and report
 * its devices, fire the timers that are due, run tasks. The clock is read at most once a turn, when somebody first
 * asks.
 *
 * To look at the ticks would take as long as the switch. So tasks that are quick have it done at every
 * TASK_SWITCHES_PER_LOOK-th switch only, and those that were slow in the last turn at each.
 *
 * Cost of a switch: one swap of registers, no system call; of a turn: one platform_wait and one reading of the clock.
 */
#include <errno.h>

#include <platform.h>
#include <skerry/log.h>

#include "scheduler.h"

struct scheduler scheduler;

uint64_t task_now(void)
{
	if (scheduler.now_stale) {
		scheduler.now = clock_monotonic();
		scheduler.now_stale = false;
	}
	return scheduler.now;
}

/* Whether devices and timers are due, although tasks are ready. */
static bool turn_is_over(void)
{
	if (scheduler.switches_left-- == 0)
		return true;
	if (--scheduler.switches_to_look > 0)
		return false;
	if (platform_ticks() - scheduler.turn_began >= TASK_TICKS_PER_POLL) {
		scheduler.look_every = 1;
		return true;
	}
	if (scheduler.look_every < TASK_SWITCHES_PER_LOOK)
		scheduler.look_every *= 2;
	scheduler.switches_to_look = scheduler.look_every;
	return false;
}

/* Chooses who runs after the current task, and makes it current: NULL is the scheduler itself. */
static struct fiber *choose_next(void)
{
	struct task *next = NULL;

	if (stack_overflowed(scheduler.current))
		scheduler.overflowed = scheduler.current;
	else if (!turn_is_over())
		next = ready_take();
	scheduler.current = next;
	return next ? &next->fiber : &scheduler.fiber;
}

void scheduler_switch(void)
{
	struct task *self = scheduler.current;
	struct fiber *next = choose_next();

	if (next != &self->fiber)
		fiber_switch(&self->fiber, next);
}

_Noreturn void scheduler_leave(void)
{
	struct task *self = scheduler.current;

	fiber_leave(&self->fiber, choose_next());
}

/* A task's turn, and that of those it switches to, until the scheduler is next. */
static void run_tasks(void)
{
	const struct task *overflowed;

	scheduler.turn_began = platform_ticks();
	scheduler.switches_left = TASK_SWITCHES_PER_POLL;
	scheduler.switches_to_look = scheduler.look_every;
	scheduler.current = ready_take();
	if (scheduler.current)
		fiber_switch(&scheduler.fiber, &scheduler.current->fiber);
	overflowed = scheduler.overflowed;
	if (overflowed)
		panic("task \"%s\" (spawned at %s:%d) has overflowed its stack of %zu bytes",
			overflowed->place.function, overflowed->place.file, overflowed->place.line,
			overflowed->fiber.size);
}

static void run_hooks(void)
{
	struct task_hook *hook = scheduler.hooks;

	while (hook) {
		scheduler.next_hook = hook->next;
		hook->run(hook);
		hook = scheduler.next_hook;
	}
}

void task_hook_add(struct task_hook *hook)
{
	struct task_hook **end = &scheduler.hooks;

	while (*end)
		end = &(*end)->next;
	hook->next = NULL;
	*end = hook;
}

void task_hook_remove(struct task_hook *hook)
{
	struct task_hook **link = &scheduler.hooks;

	while (*link && *link != hook)
		link = &(*link)->next;
	if (*link)
		*link = hook->next;
	if (scheduler.next_hook == hook)
		scheduler.next_hook = hook->next;
}

/* Devices and timers are served here. With no task ready the unikernel waits, for the next timer at the latest. */
static void serve_devices(void)
{
	run_hooks();
	if (ready_is_empty())
		stack_trim();
	scheduler.now_stale = true;
	platform_wait(ready_is_empty() ? timers_next() : 0);
	timers_fire(task_now());
}

int task_run_at(const struct task_place *place, int (*run)(void *arg), void *arg, int *result)
{
	struct task *main_task;
	int err;

	must(!scheduler.current && scheduler.everything.count == 0);
	scheduler.now_stale = true;
	scheduler.rules_broken = 0;
	scheduler.turn = 0;
	scheduler.look_every = 1;
	group_init(&scheduler.everything, NULL);
	err = task_spawn_at(place, &scheduler.everything, run, arg, &main_task);
	if (err < 0)
		return err;
	while (!main_task->ended) {
		run_tasks();
		if (!main_task->ended)
			serve_devices();
	}
	*result = main_task->result;
	task_collect(main_task);
	run_hooks();
	stack_trim();
	return scheduler.rules_broken > 0 ? -EPROTO : 0;
}
