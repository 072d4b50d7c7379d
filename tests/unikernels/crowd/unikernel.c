/* SPDX-License-Identifier: ISC
 *
 * 100,000 tasks that live at once: all of them wait for one event, and then each of them counts.
 */
#include <errno.h>

#include <platform.h>
#include <skerry/log.h>
#include <skerry/sync.h>
#include <skerry/task.h>

LOG_SOURCE(application);

enum { TASKS = 100000 };

const size_t task_stack_bytes = 4096;

static struct wakener everybody_is_there = WAKENER_INIT;
static unsigned waiting, counted;

static int wait_and_count(void *arg)
{
	int err;

	(void)arg;
	waiting++;
	err = wakener_wait(&everybody_is_there, NULL, FOREVER);
	if (err == 0)
		counted++;
	return err;
}

int start(void)
{
	struct platform_memory memory;
	struct task *none;

	for (int i = 0; i < TASKS; i++) {
		int err = task_spawn(task_orphans(), wait_and_count, NULL, NULL);

		if (err < 0)
			return err;
	}
	while (waiting < TASKS)
		if (task_yield() < 0)
			return -ECANCELED;
	platform_memory(&memory);
	log_info("%u tasks live in %zu bytes", waiting, memory.used_bytes);
	if (wakener_wakeup(&everybody_is_there, NULL) < 0 || task_group_take(task_orphans(), &none, FOREVER) != -ENOENT)
		return -EIO;
	log_info("%u have counted", counted);
	return 0;
}
