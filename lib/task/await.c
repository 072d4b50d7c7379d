/* SPDX-License-Identifier: ISC
 *
 * Awaiting: one task, all of several, or whichever ends first.
 *
 * Only its parent waits for a task, so there is one queue per parent, woken whenever any of its tasks ends. Nothing is
 * collected before the whole call can succeed: one that times out or is cancelled changes nothing.
 */
#include <errno.h>

#include "scheduler.h"

static int collect(struct task **task)
{
	int result = (*task)->result;

	task_collect(*task);
	*task = NULL;
	return result;
}

/* 0 if the caller may await these now. */
static int check(struct task *const tasks[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tasks[i] && !task_is_mine(tasks[i], "awaited"))
			return -EPERM;
	return task_may_block() ? 0 : -ECANCELED;
}

static int wait_until_ended(const char *function, const struct task *task, uint64_t deadline)
{
	int err = 0;

	while (err == 0 && !task->ended)
		err = wait_on_at(function, &scheduler.current->member_ended, deadline);
	return err;
}

int task_await(struct task *task, int *result, uint64_t deadline)
{
	int err = check(&task, 1), ended_with;

	if (err == 0)
		err = wait_until_ended(__func__, task, deadline);
	if (err < 0)
		return err;
	ended_with = collect(&task);
	if (result)
		*result = ended_with;
	return 0;
}

static int wait_until_all_ended(const char *function, struct task *const tasks[], size_t count, uint64_t deadline)
{
	int err = check(tasks, count);

	for (size_t i = 0; err == 0 && i < count; i++)
		if (tasks[i])
			err = wait_until_ended(function, tasks[i], deadline);
	return err;
}

int task_await_all(struct task *tasks[], size_t count, int results[], uint64_t deadline)
{
	int err = wait_until_all_ended(__func__, tasks, count, deadline);

	for (size_t i = 0; err == 0 && i < count; i++) {
		int result = tasks[i] ? collect(&tasks[i]) : 0;

		if (results)
			results[i] = result;
	}
	return err;
}

int task_join(struct task *tasks[], size_t count, int *result, uint64_t deadline)
{
	int err = wait_until_all_ended(__func__, tasks, count, deadline), first = 0;

	if (err < 0)
		return err;
	for (size_t i = 0; i < count; i++) {
		int one = tasks[i] ? collect(&tasks[i]) : 0;

		if (one < 0 && first == 0)
			first = one;
	}
	*result = first;
	return 0;
}

/* -EAGAIN while none has ended. */
static int find_ended(struct task *const tasks[], size_t count, size_t *chosen)
{
	int err = -ENOENT;

	for (size_t i = 0; i < count; i++) {
		if (!tasks[i])
			continue;
		if (tasks[i]->ended && (err != 0 || tasks[i]->result >= 0)) {
			*chosen = i;
			err = 0;
			if (tasks[i]->result >= 0)
				break;
		} else if (err == -ENOENT) {
			err = -EAGAIN;
		}
	}
	return err;
}

int task_choose(struct task *const tasks[], size_t count, size_t *chosen, uint64_t deadline)
{
	int err = check(tasks, count);

	if (err < 0)
		return err;
	while ((err = find_ended(tasks, count, chosen)) == -EAGAIN) {
		err = wait_on(&scheduler.current->member_ended, deadline);
		if (err < 0)
			return err;
	}
	return err;
}

int task_await_one(struct task *tasks[], size_t count, size_t *chosen, int *result, uint64_t deadline)
{
	int err = task_choose(tasks, count, chosen, deadline), ended_with;

	if (err < 0)
		return err;
	ended_with = collect(&tasks[*chosen]);
	if (result)
		*result = ended_with;
	return 0;
}

int task_await_first(struct task *tasks[], size_t count, size_t *chosen, int *result, uint64_t deadline)
{
	int err = task_await_one(tasks, count, chosen, result, deadline);

	if (err < 0)
		return err;
	/* All are told before the first is waited for, so they end side by side. */
	for (size_t i = 0; i < count; i++)
		if (tasks[i])
			task_begin_cancel(tasks[i]);
	for (size_t i = 0; i < count; i++) {
		task_cancel(tasks[i]);
		tasks[i] = NULL;
	}
	return 0;
}
