/* SPDX-License-Identifier: ISC
 *
 * Inside the task library: a task's control block, the scheduler's state, and what the files tell each other.
 */
#ifndef TASK_SCHEDULER_H
#define TASK_SCHEDULER_H

#include <skerry/task.h>

#include "fiber.h"

/* What task_stack_bytes is unless the program defines it. The build may choose another size. */
#ifndef TASK_STACK_BYTES
#define TASK_STACK_BYTES (32 * 1024)
#endif

enum {
	TASK_SWITCHES_PER_POLL = 64,  /* devices and timers are served at least after so many switches, ... */
	TASK_TICKS_PER_POLL = 200000, /* ... and at the first look after so many ticks: 40 to 200 microseconds */
	TASK_SWITCHES_PER_LOOK = 8,   /* the ticks are looked at after 1, if the tasks are slow, to so many */
	TASK_STACKS_KEPT = 128,       /* when idle the pool keeps so many free stacks, and as many as are in use */
	TASK_CANARY_BYTES = 64,       /* at a stack's low end, zero until the stack overflows */
	TASK_REFUSALS_MAX = 1000000,  /* blocking calls of a cancelled task: more, and it will never end */
	TASK_REPORT_NAMES = 4,        /* tasks or resources that a report names; the rest is counted */
};

struct task_list {
	struct task *first, *last;
};

/* Tasks that belong to one task: its children, or its background tasks. */
struct task_group {
	struct task *owner; /* NULL: the scheduler, for the main task */
	struct task_list running, ended;
	size_t count; /* in both lists */
};

enum waiter_end { WAITER_WAITS, WAITER_WOKEN, WAITER_WOKEN_WITH_ALL, WAITER_TIMED_OUT, WAITER_INTERRUPTED };

/* A task's place in a wait queue: on the task's stack. A task may be in several queues at once. */
struct waiter {
	struct task *task;
	struct wait_queue *queue;
	struct waiter *next, *previous;
	enum waiter_end end;
};

/* A task's control block, at the top of its stack: so a spawn takes one thing from one pool. */
struct task {
	struct fiber fiber;
	struct task *next_ready; /* in the ready queue; in the pool's list while free */
	struct waiter *waiters;  /* set while it waits */
	size_t waiter_count;
	const char *waits_in; /* the function in which it waits, or waited last */
	struct timer timeout;
	struct task_group *group; /* which it belongs to; NULL once it is collected */
	struct task *next, *previous;
	struct task_group children, orphans;
	struct wait_queue member_ended;  /* only the task itself waits here, for one of those groups */
	struct task_resource *resources; /* latest first */
	struct task_resource argument;   /* the first of them, if it was spawned with one */
	int (*run)(void *arg);
	void *arg;
	int result;
	unsigned refusals; /* of blocking calls, since it was cancelled */
	bool cancelled;
	bool ended;
	bool cleaning;   /* runs what it deferred: must not block */
	bool has_handle; /* somebody will await or cancel it; else it collects itself */
	struct task_place place;
};

struct scheduler {
	struct task *current;
	struct task_group everything; /* of which the main task is the one member */
	struct fiber fiber;           /* the stack that task_run was called on: polls, fires timers, waits */
	unsigned switches_left, switches_to_look; /* until the turn is over; until the ticks are looked at */
	unsigned look_every;
	uint64_t turn_began; /* in ticks */
	uint32_t turn;       /* for selects */
	uint64_t now;
	bool now_stale;
	unsigned rules_broken; /* reports, since task_run began */
	struct task *overflowed;
	struct task_hook *hooks, *next_hook;
};
extern struct scheduler scheduler;

/* ready.c, or platform/sim/ready.c: the tasks that can run */
void scheduler_ready(struct task *task);
struct task *ready_take(void); /* the one that is to run next, or NULL */
bool ready_is_empty(void);

/* scheduler.c */
/* Leaves the current task, which waits or is ready, and returns when it runs again. */
void scheduler_switch(void);
/* Leaves the current task for ever. */
_Noreturn void scheduler_leave(void);

/* wait.c */
void task_timeout(struct timer *timer);
void wait_interrupt(struct task *task);                /* ends its waiting, if it waits */
void wait_even_if_cancelled(struct wait_queue *queue); /* may return early: wait in a loop */
/* As wait_on, but 0 whenever it was woken, even if it was cancelled since: for what is handed over with the wake-up. */
int wait_handed(const char *function, struct wait_queue *queue, uint64_t deadline);
/* Waits in several queues, which the waiters name; woken says by which of them it was woken. As wait_on. */
int wait_on_any(const char *function, struct waiter waiters[], size_t count, size_t *woken, uint64_t deadline);

/* timer.c */
uint64_t timers_next(void);
void timers_fire(uint64_t now);

/* stack.c */
struct task *stack_take(void); /* a control block, not initialised but for its stack's bounds in fiber; or NULL */
void stack_put(struct task *task);
void stack_trim(void); /* not from a task */
bool stack_overflowed(const struct task *task);
/* The most bytes of a stack that were ever in use, as far as what they held was not zero. */
size_t stack_high_water(const struct task *task);

/* task.c */
void task_begin_cancel(struct task *task);
void task_collect(struct task *task);
/* Whether the caller is its parent, or made its group; if not, says that it did this to it (rule 2). */
bool task_is_mine(const struct task *task, const char *verb);
/* Whether the current task may block now: it is not cancelled. That it runs clean-ups is a broken rule. */
bool task_may_block(void);
void group_init(struct task_group *group, struct task *owner);
void group_add(struct task_group *group, struct task *task);
void group_member_ended(struct task *task);
void group_remove(struct task *task);
void group_cancel(struct task_group *group);

/* own.c */
void resources_finalise(struct task *task); /* all of them, for its end */
void resource_put(struct task_resource *resource, struct task *owner);
void resource_take_out(struct task_resource *resource, struct task *owner);

/* rule.c: reports that a rule is broken, which makes the exit status 255. */
void rule_broken(const struct task *task, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reports what a task that ends well has left behind. */
void rule_check_end(struct task *task);
const char *error_name(int error, char text[static 24]);

#endif
