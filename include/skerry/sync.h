/* SPDX-License-Identifier: ISC
 *
 * Synchronisation between tasks: mutex, condition, semaphore, wakener.
 *
 * Tasks switch only where they block, so what does not block needs no lock: these are for what must stay together
 * across a blocking call, and for waiting. Each lives in its owner's memory and needs no clean-up, but nobody may wait
 * for one that goes away. Blocking calls return -ETIMEDOUT or -ECANCELED as <skerry/task.h> says. Who waits longest
 * comes first. What does not block may be called from timers and devices, but for the mutex.
 */
#ifndef SKERRY_SYNC_H
#define SKERRY_SYNC_H

#include <skerry/task.h>

/* A mutex belongs to the task that locked it, as task_own says: a task that ends well must have unlocked it, else it is
 * reported as a leak; for one that fails or is cancelled it is unlocked when it ends. */
struct mutex {
	struct task *owner;
	struct wait_queue waiters;
	struct task_resource held; /* in the owner's list */
};
#define MUTEX_INIT                                                                                                     \
	{                                                                                                              \
		.owner = NULL                                                                                          \
	}
/* Blocks while another task holds it. 0, -ETIMEDOUT, -ECANCELED; -EDEADLK: the caller holds it (reported). */
int mutex_lock_at(const struct task_place *place, struct mutex *mutex, uint64_t deadline);
#define mutex_lock(mutex, deadline) mutex_lock_at(TASK_PLACE(mutex), (mutex), (deadline))
/* Does not block. 0 or -EBUSY. */
int mutex_try_lock_at(const struct task_place *place, struct mutex *mutex);
#define mutex_try_lock(mutex) mutex_try_lock_at(TASK_PLACE(mutex), (mutex))
/* Hands it to the task that waits longest. 0; -EPERM: the caller does not hold it (reported, unless the caller is
 * cancelled: condition_wait may have taken it away). */
int mutex_unlock(struct mutex *mutex);

struct condition {
	struct wait_queue waiters;
};
#define CONDITION_INIT                                                                                                 \
	{                                                                                                              \
		WAIT_QUEUE_INIT                                                                                        \
	}
/* Unlocks the mutex, waits for a signal, and locks it again. Wait in a loop: what was signalled may be gone by then. 0,
 * -ETIMEDOUT; -EPERM: the caller does not hold the mutex (reported). -ECANCELED: and the mutex is not held any more,
 * since who is cancelled must not wait for it: the task that holds it may be waiting for this one to end. A signal that
 * meets cancellation goes to the next. */
int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);

struct semaphore {
	size_t count;
	struct wait_queue waiters;
};
#define SEMAPHORE_INIT(initial)                                                                                        \
	{                                                                                                              \
		.count = (initial)                                                                                     \
	}
/* Takes one; blocks while there is none. 0, -ETIMEDOUT, -ECANCELED. */
int semaphore_acquire(struct semaphore *semaphore, uint64_t deadline);
bool semaphore_try_acquire(struct semaphore *semaphore);
/* Gives one, to the task that waits longest. */
void semaphore_release(struct semaphore *semaphore);

/* One event with one value, which any number of tasks may wait for, before it and after. */
struct wakener {
	bool woken;
	void *value;
	struct wait_queue waiters;
};
#define WAKENER_INIT                                                                                                   \
	{                                                                                                              \
		.woken = false                                                                                         \
	}
/* Blocks until the event, and stores the value unless value is NULL. 0, -ETIMEDOUT, -ECANCELED. */
int wakener_wait(struct wakener *wakener, void **value, uint64_t deadline);
/* 0; -EALREADY: that was done, and the value stays. */
int wakener_wakeup(struct wakener *wakener, void *value);

#endif
