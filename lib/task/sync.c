/* SPDX-License-Identifier: ISC
 *
 * Mutex, condition, semaphore and wakener, on wait queues.
 *
 * Mutex and semaphore hand over what they guard together with the wake-up, so nobody can come between and take it: a
 * task that is woken has it, and if it was cancelled meanwhile it learns that at its next blocking call.
 */
#include <errno.h>

#include <skerry/sync.h>

#include "scheduler.h"

/* Mutex ------------------------------------------------------------------------------------------------------------ */

static void mutex_hand_over(void *resource)
{
	struct mutex *mutex = resource;

	mutex->owner = mutex->waiters.first ? mutex->waiters.first->task : NULL;
	wake_one(&mutex->waiters);
}

/* The calling task has become the owner. */
static void mutex_hold(const struct task_place *place, struct mutex *mutex)
{
	mutex->owner = scheduler.current;
	mutex->held = (struct task_resource){
		.finalise = mutex_hand_over,
		.resource = mutex,
		.owned = true,
		.embedded = true,
		.place = *place,
	};
	resource_put(&mutex->held, scheduler.current);
}

int mutex_lock_at(const struct task_place *place, struct mutex *mutex, uint64_t deadline)
{
	if (mutex->owner == scheduler.current) {
		rule_broken(scheduler.current, "locked \"%s\" again at %s:%d, which it holds since %s:%d",
			place->function, place->file, place->line, mutex->held.place.file, mutex->held.place.line);
		return -EDEADLK;
	}
	if (!task_may_block())
		return -ECANCELED;
	if (mutex->owner) {
		int err = wait_handed("mutex_lock", &mutex->waiters, deadline);

		if (err < 0)
			return err;
	}
	mutex_hold(place, mutex);
	return 0;
}

int mutex_try_lock_at(const struct task_place *place, struct mutex *mutex)
{
	if (mutex->owner)
		return -EBUSY;
	mutex_hold(place, mutex);
	return 0;
}

static bool mutex_is_mine(const struct mutex *mutex, const char *verb)
{
	if (mutex->owner == scheduler.current)
		return true;
	rule_broken(scheduler.current, "%s a mutex that it does not hold", verb);
	return false;
}

int mutex_unlock(struct mutex *mutex)
{
	if (mutex->owner != scheduler.current && scheduler.current->cancelled)
		return -EPERM; /* lost in condition_wait */
	if (!mutex_is_mine(mutex, "unlocked"))
		return -EPERM;
	resource_take_out(&mutex->held, scheduler.current);
	mutex_hand_over(mutex);
	return 0;
}

/* Condition -------------------------------------------------------------------------------------------------------- */

int condition_wait(struct condition *condition, struct mutex *mutex, uint64_t deadline)
{
	struct task_place place = mutex->held.place;
	int err, relocked;

	if (!mutex_is_mine(mutex, "waited with"))
		return -EPERM;
	if (!task_may_block())
		return -ECANCELED;
	mutex_unlock(mutex);
	err = wait_on(&condition->waiters, deadline);
	if (err == -ECANCELED)
		return err;
	relocked = mutex_lock_at(&place, mutex, FOREVER);
	if (relocked < 0 && err == 0)
		wake_one(&condition->waiters); /* the signal is for somebody who can use it */
	return relocked < 0 ? relocked : err;
}

void condition_signal(struct condition *condition)
{
	wake_one(&condition->waiters);
}

void condition_broadcast(struct condition *condition)
{
	wake_all(&condition->waiters);
}

/* Semaphore -------------------------------------------------------------------------------------------------------- */

int semaphore_acquire(struct semaphore *semaphore, uint64_t deadline)
{
	if (!task_may_block())
		return -ECANCELED;
	return semaphore_try_acquire(semaphore) ? 0 : wait_handed(__func__, &semaphore->waiters, deadline);
}

bool semaphore_try_acquire(struct semaphore *semaphore)
{
	if (semaphore->count == 0)
		return false;
	semaphore->count--;
	return true;
}

void semaphore_release(struct semaphore *semaphore)
{
	if (!wake_one(&semaphore->waiters))
		semaphore->count++;
}

/* Wakener ---------------------------------------------------------------------------------------------------------- */

int wakener_wait(struct wakener *wakener, void **value, uint64_t deadline)
{
	if (!task_may_block())
		return -ECANCELED;
	while (!wakener->woken) {
		int err = wait_on(&wakener->waiters, deadline);

		if (err < 0)
			return err;
	}
	if (value)
		*value = wakener->value;
	return 0;
}

int wakener_wakeup(struct wakener *wakener, void *value)
{
	if (wakener->woken)
		return -EALREADY;
	wakener->woken = true;
	wakener->value = value;
	wake_all(&wakener->waiters);
	return 0;
}
