/* SPDX-License-Identifier: ISC
 *
 * Flips a coin: two tasks sleep, and the one that wakes first is chosen. The other is cancelled, so it logs nothing.
 */
#include <skerry/log.h>
#include <skerry/task.h>

LOG_SOURCE(application);

static int heads(void *arg)
{
	int err = task_sleep(clock_deadline(SECOND(1)));

	(void)arg;
	if (err == 0)
		log_info("Heads");
	return err;
}

static int tails(void *arg)
{
	int err = task_sleep(clock_deadline(SECOND(2)));

	(void)arg;
	if (err == 0)
		log_info("Tails");
	return err;
}

int start(void)
{
	struct task *sides[2];
	size_t chosen;
	int err = task_spawn(NULL, heads, NULL, &sides[0]);

	/* After an error there is nothing to clean up: children of a task that fails are cancelled. */
	if (err == 0)
		err = task_spawn(NULL, tails, NULL, &sides[1]);
	if (err == 0)
		err = task_await_first(sides, 2, &chosen, NULL, FOREVER);
	return err;
}
