/* SPDX-License-Identifier: ISC
 *
 * Gives work one second, and cancels what is not done by then: the work learns it in the call in which it is blocked.
 */
#include <errno.h>
#include <stdint.h>

#include <skerry/log.h>
#include <skerry/task.h>

LOG_SOURCE(application);

static int work(void *arg)
{
	unsigned duration_ms = (unsigned)(uintptr_t)arg;
	int err = task_sleep(clock_deadline(MSEC(duration_ms)));

	if (err == -ECANCELED)
		log_info("work of %u ms: cancelled", duration_ms);
	else
		log_info("work of %u ms: done", duration_ms);
	return err;
}

/* Does the work, within this time. */
static int work_within(uint64_t limit_ns, uintptr_t duration_ms)
{
	struct task *task;
	int result, err = task_spawn(NULL, work, (void *)duration_ms, &task);

	if (err < 0)
		return err;
	err = task_await(task, &result, clock_deadline(limit_ns));
	if (err < 0) {
		task_cancel(task);
		return err;
	}
	return result;
}

int start(void)
{
	int err = work_within(SECOND(1), 500);

	if (err < 0)
		return err;
	err = work_within(SECOND(1), 10000);
	if (err != -ETIMEDOUT)
		return err;
	log_info("timed out");
	return 0;
}
