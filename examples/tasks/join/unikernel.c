/* SPDX-License-Identifier: ISC
 *
 * Throws two coins at once and waits until both have come down: joined, both sides are logged, each in its time.
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
	struct task *coins[2];
	int result = 0, err = task_spawn(NULL, heads, NULL, &coins[0]);

	if (err == 0)
		err = task_spawn(NULL, tails, NULL, &coins[1]);
	if (err == 0)
		err = task_join(coins, 2, &result, FOREVER);
	if (err == 0 && result == 0)
		log_info("Finished");
	return err < 0 ? err : result;
}
