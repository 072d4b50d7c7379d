/* SPDX-License-Identifier: ISC
 *
 * One task waits for a value, another one provides it two seconds later.
 */
#include <skerry/log.h>
#include <skerry/sync.h>
#include <skerry/task.h>

LOG_SOURCE(application);

static struct wakener wakener = WAKENER_INIT;

static int print_value(void *arg)
{
	void *value;
	int err = wakener_wait(&wakener, &value, FOREVER);

	(void)arg;
	if (err == 0)
		log_info("%s", (const char *)value);
	return err;
}

static int provide_value(void *arg)
{
	static char value[] = "x";
	int err = task_sleep(clock_deadline(SECOND(2)));

	(void)arg;
	return err < 0 ? err : wakener_wakeup(&wakener, value);
}

int start(void)
{
	struct task *tasks[2];
	int result = 0, err = task_spawn(NULL, print_value, NULL, &tasks[0]);

	if (err == 0)
		err = task_spawn(NULL, provide_value, NULL, &tasks[1]);
	if (err == 0)
		err = task_join(tasks, 2, &result, FOREVER);
	return err < 0 ? err : result;
}
