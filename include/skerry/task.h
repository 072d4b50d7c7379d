/* SPDX-License-Identifier: ISC
 *
 * Tasks: structured concurrency in direct style, on one processor, without preemption.
 *
 * A task is a function on a stack of its own that runs until it blocks. Each task has a parent, and ends before its
 * parent does. The rules, which are Miou's:
 *   1. a task awaits or cancels every child before it ends;
 *   2. only the parent awaits or cancels a child;
 *   3. a task that fails or is cancelled has its children cancelled first;
 *   4. background tasks belong to a group (orphans), which the task that made the group cares for;
 *   5. what a task owns it releases, disowns or transfers before it ends well;
 *   6. what it still owns then, or has deferred, is finalised when it ends, last first, after its children have ended;
 *      finalisers neither block nor spawn;
 *   7. cancelling wakes a task at once: the call in which it is blocked, and every later one, returns -ECANCELED;
 *   8. a call that is cancelled or times out has taken nothing away: the next caller gets the connection, the data, the
 *      wake-up.
 * A broken rule is the programmer's fault: it is reported with the task's name, the place that spawned it and what
 * was left, cleaned up, and makes the unikernel's exit status 255.
 *
 * Blocking functions take an absolute deadline (FOREVER: none) and return 0 or more for success, -ETIMEDOUT when the
 * deadline passed, -EAGAIN when it is AT_ONCE and there is nothing yet, or -ECANCELED once the calling task is
 * cancelled: code then returns through its own clean-up. A cancelled task cannot block again; every blocking call
 * answers -ECANCELED at once. One that goes on calling without end is reported and ends the unikernel.
 */
#ifndef SKERRY_TASK_H
#define SKERRY_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/clock.h>

struct task;
struct task_group;

/* The size of every task's stack, with its control block of some 300 bytes; the build has a default (32 KiB in images,
 * 256 KiB on hosts, where memory that is not touched costs nothing). A program of very many tasks, or deep ones,
 * defines it: const size_t task_stack_bytes = 4096; task_list() tells what is needed. */
extern const size_t task_stack_bytes;

/* Where in the source a task was spawned: for reports. */
struct task_place {
	const char *file;
	int line;
	const char *function; /* the name of what runs: the task's name */
};
#define TASK_PLACE(run) (&(const struct task_place){ __FILE__, __LINE__, #run })

/* Starts run(arg) in a task of its own; it first runs when the caller blocks. Does not block, and makes no system
 * call when the stack pool has a stack.
 *   group  NULL: a child, which the caller awaits or cancels. Else a member of that group.
 *   task   receives the handle; may be NULL for a member of a group, which then collects itself when it ends, and a
 *          negative result other than -ECANCELED is logged.
 * 0 or -ENOMEM; -ECANCELED within a deferred clean-up (reported). The place is copied. Macro form: task_spawn(group,
 * run, arg, &task).
 * A task that fails may leave its children to rule 3, which cancels them once run() has returned: so what lies on the
 * stack of a function is only for tasks that are awaited or cancelled in that function, on all of its ways out. */
int task_spawn_at(
	const struct task_place *place, struct task_group *group, int (*run)(void *arg), void *arg, struct task **task);
#define task_spawn(group, run, arg, task) task_spawn_at(TASK_PLACE(run), (group), (run), (arg), (task))

/* The same for a task that has arg from now on, as if its first act were task_defer(cleanup, arg): but a task that is
 * cancelled before it runs does that, too. After an error arg is still the caller's. So a server hands a connection
 * over: task_spawn_with(task_orphans(), serve, flow, tcp_close_resource, NULL). */
int task_spawn_with_at(const struct task_place *place, struct task_group *group, int (*run)(void *arg), void *arg,
	void (*cleanup)(void *arg), struct task **task);
#define task_spawn_with(group, run, arg, cleanup, task)                                                                \
	task_spawn_with_at(TASK_PLACE(run), (group), (run), (arg), (cleanup), (task))

/* Waits until the task has ended, stores what run returned (-ECANCELED if it was cancelled before it ran; result may
 * be NULL), and frees it: the handle is void. Blocks. 0; -ETIMEDOUT or -ECANCELED: the task goes on and is still to
 * be awaited; -EPERM: it is not the caller's (rule 2; reported). */
int task_await(struct task *task, int *result, uint64_t deadline);

/* Several at once: an array of the caller's tasks, where NULL is skipped. A task that was awaited or cancelled is NULL
 * afterwards; after an error all are as they were, and still to be awaited. These block. Errors of all: -ETIMEDOUT;
 * -ECANCELED; -EPERM, one is not the caller's (rule 2; reported). */

/* Awaits all; results, if not NULL, receives what each returned. 0. */
int task_await_all(struct task *tasks[], size_t count, int results[], uint64_t deadline);
/* Awaits all; result receives 0 or, of those that failed, what the first in the array returned. 0. */
int task_join(struct task *tasks[], size_t count, int *result, uint64_t deadline);
/* Waits until one has ended, and says which without awaiting it. Of several that have, one that did not fail is chosen
 * if there is one, and the first in the array. 0; -ENOENT: there is none. */
int task_choose(struct task *const tasks[], size_t count, size_t *chosen, uint64_t deadline);
/* Awaits one, chosen in the same way; the others go on. 0 or -ENOENT. result may be NULL. */
int task_await_one(struct task *tasks[], size_t count, size_t *chosen, int *result, uint64_t deadline);
/* The same, and cancels the others. So with a task that sleeps, anything has a time-out. */
int task_await_first(struct task *tasks[], size_t count, size_t *chosen, int *result, uint64_t deadline);

/* Cancels the task and its children, waits until it has ended, and frees it. Blocks until then, even when the caller
 * is cancelled itself (a cancelled task cannot block, so this ends). NULL is ignored; so is another's task, after the
 * report. */
void task_cancel(struct task *task);

/* The calling task: good until it ends. So a member of a group that has no handle can be cancelled by the group's task,
 * which the member has told of itself. */
struct task *task_self(void);

/* Lets other ready tasks run. 0 or -ECANCELED. */
int task_yield(void);
/* Sleeps until the deadline. 0 when it came, or -ECANCELED. */
int task_sleep(uint64_t deadline);
/* Whether the calling task is cancelled: for long computations. */
bool task_cancelled(void);

/* Runs cleanup(resource) when the calling task ends, last deferred first, after its children have ended. The
 * clean-up must neither block nor spawn. 0 or -ENOMEM (then the clean-up has run already: nothing leaks). */
int task_defer(void (*cleanup)(void *resource), void *resource);
/* Forgets the latest task_defer of this pair without running it: false if there is none. */
bool task_undefer(void (*cleanup)(void *resource), void *resource);

/* Makes the calling task the owner of a resource. As task_defer, but a task that ends well must have given it up in one
 * of the ways below: else it leaks, which is reported with this place and the finaliser's name (rule 5). A task that
 * fails or is cancelled needs to do nothing. 0 or -ENOMEM (then it is finalised already). */
int task_own_at(const struct task_place *place, void (*finalise)(void *resource), void *resource);
#define task_own(finalise, resource) task_own_at(TASK_PLACE(finalise), (finalise), (resource))
/* The ways to give it up. They fail with -EPERM, reported, when the calling task does not own this pair. */
int task_release(void (*finalise)(void *resource), void *resource); /* finalises it now */
int task_disown(void (*finalise)(void *resource), void *resource);  /* the caller looks after it itself */
/* The parent owns it from now on. -EPERM, too, in the main task, which has none. */
int task_transfer(void (*finalise)(void *resource), void *resource);
/* A child, or a member of the caller's group, owns it from now on: even one that is cancelled before it ran finalises
 * it. -EPERM, too, when the task is not the caller's (rule 2); -ESRCH: it has ended, and the caller owns on. */
int task_give(struct task *task, void (*finalise)(void *resource), void *resource);

/* An entry of what a task owns: for what embeds one, such as a mutex. */
struct task_resource {
	void (*finalise)(void *resource);
	void *resource;
	struct task_resource *next; /* the one before */
	bool owned;                 /* must be given up before a good end, by rule 5; else it is only deferred */
	bool embedded;              /* in something else: not to be freed */
	struct task_place place;
};

/* The group for the calling task's background tasks: a part of the task, so never NULL, and gone when it ends. A task
 * that ends well while members still run has broken rule 4 (they are cancelled first when it fails). */
struct task_group *task_orphans(void);
size_t task_group_count(const struct task_group *group);
/* Takes one ended member that has a handle: it must then be awaited, which does not block. 0 and the task; -EAGAIN:
 * none has ended; -ENOENT: the group is empty; -EPERM: the group is not the caller's (reported). */
int task_group_care(struct task_group *group, struct task **task);
/* The same, and waits for one to end: blocks. 0, -ENOENT, -EPERM, -ETIMEDOUT, -ECANCELED. While all that is left are
 * members without a handle it waits for those, too. */
int task_group_take(struct task_group *group, struct task **task, uint64_t deadline);
/* Cancels all members, waits until they have ended, and frees them: their handles are void. Only for the group's
 * task, and like task_cancel not itself cut short by cancellation. */
void task_group_cancel(struct task_group *group);

/* The one way to wait: a queue of waiting tasks. Whatever has a condition (a socket, a mutex, a timer) embeds a
 * queue; tasks wait in a loop around the condition, and whoever makes it true wakes them. */
struct wait_queue {
	struct waiter *first, *last;
};
#define WAIT_QUEUE_INIT                                                                                                \
	{                                                                                                              \
		NULL, NULL                                                                                             \
	}

/* Blocks until woken. 0, -ETIMEDOUT, -ECANCELED; -EAGAIN: the deadline is AT_ONCE, and what ran meanwhile has not woken
 * it. A wake-up that comes together with cancellation is handed to the next waiter, so none is lost. Lists of tasks
 * name the function that waits. */
int wait_on_at(const char *function, struct wait_queue *queue, uint64_t deadline);
#define wait_on(queue, deadline) wait_on_at(__func__, (queue), (deadline))
/* Wakes the task that waits longest: true if there was one. Callable from timers and device callbacks. */
bool wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);

/* A callback at a point of time, run by the scheduler outside of any task; it must not block. Intrusive, no
 * allocation: a pairing heap (Fredman et al. 1986). Arming costs O(1), disarming and firing O(log n). */
struct timer {
	void (*fire)(struct timer *timer);
	uint64_t deadline;                     /* read-only for the owner */
	struct timer *child, *next, *previous; /* the heap's own */
	bool armed;                            /* read-only for the owner */
};
#define TIMER_INIT(callback)                                                                                           \
	{                                                                                                              \
		.fire = (callback)                                                                                     \
	}
/* Arms, or moves, the timer. FOREVER disarms. */
void timer_set(struct timer *timer, uint64_t deadline);
void timer_cancel(struct timer *timer);

/* A callback before the scheduler waits, after all ready tasks ran: devices acknowledge and flush a batch once. */
struct task_hook {
	void (*run)(struct task_hook *hook);
	struct task_hook *next;
};
void task_hook_add(struct task_hook *hook);
void task_hook_remove(struct task_hook *hook);

/* The monotonic time at which the current batch of work began: free to read, and exact enough for protocols. */
uint64_t task_now(void);

/* Logs a line for every task, each below its parent: its name, where it was spawned, what it does (the function in
 * which it waits, and how long still), and the most of its stack that was ever in use. A unix process, or a guest's
 * tender, has this done by SIGUSR1. From a task, a timer or a device. */
void task_list(void);

/* Waits until the operator asks the next time, as above: for what else a program can tell him. 0, -ETIMEDOUT,
 * -ECANCELED. */
int task_inquiry(uint64_t deadline);

/* Runs run(arg) as the main task, with the scheduler on the caller's stack, until it has ended: what boot does, and
 * what a test of blocking code does. Not from within a task. Stores the result. 0; -EPROTO: tasks broke rules (result
 * is stored all the same); -ENOMEM. */
int task_run_at(const struct task_place *place, int (*run)(void *arg), void *arg, int *result);
#define task_run(run, arg, result) task_run_at(TASK_PLACE(run), (run), (arg), (result))

#endif
