/* SPDX-License-Identifier: ISC
 *
 * Gives work two seconds, and cancels what is not done by then, in two ways: by a deadline, and by a race against a
 * task that sleeps.
 */
#include <errno.h>
#include <stddef.h>

#include <skerry/log.h>
#include <skerry/random.h>
#include <skerry/task.h>

#include "keys.h"

LOG_SOURCE(application);

enum { LIMIT_SECONDS = 2 };

static int work(void *arg)
{
	const int *duration_ms = arg;
	int err = task_sleep(clock_deadline(MSEC(*duration_ms)));

	return err < 0 ? err : *duration_ms;
}

static int alarm_clock(void *arg)
{
	(void)arg;
	return task_sleep(clock_deadline(SECOND(LIMIT_SECONDS)));
}

/* Each stores what the work returned. -ETIMEDOUT: it was not done in time. */

static int with_deadline(int *duration_ms, int *result)
{
	struct task *task;
	int err = task_spawn(NULL, work, duration_ms, &task);

	if (err < 0)
		return err;
	err = task_await(task, result, clock_deadline(SECOND(LIMIT_SECONDS)));
	if (err < 0)
		task_cancel(task);
	return err;
}

static int with_race(int *duration_ms, int *result)
{
	struct task *racers[2] = { NULL, NULL };
	size_t first;
	int err = task_spawn(NULL, work, duration_ms, &racers[0]);

	if (err == 0)
		err = task_spawn(NULL, alarm_clock, NULL, &racers[1]);
	if (err == 0)
		err = task_await_first(racers, 2, &first, result, FOREVER);
	for (size_t i = 0; i < 2; i++)
		task_cancel(racers[i]);
	return err < 0 ? err : first == 1 ? -ETIMEDOUT : 0;
}

int start(void)
{
	int (*const ways[])(int *, int *) = { with_deadline, with_race };
	int err = random_init();

	for (size_t i = 0; err == 0 && i < 2; i++) {
		int duration_ms = keys.work ? (int)keys.work : (int)random_below(3000), result;

		err = ways[i](&duration_ms, &result);
		if (err == 0)
			log_info("Returned %d", result);
		else if (err == -ETIMEDOUT)
			log_info("Cancelled");
		if (err == -ETIMEDOUT)
			err = 0;
	}
	return err;
}
