/* SPDX-License-Identifier: ISC
 *
 * From the platform's start to the end of start(): keys, the main task, the exit status.
 */
#include <errno.h>

#include <platform.h>
#include <skerry/key.h>
#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/unikernel.h>

#include "scheduler.h"

LOG_SOURCE(boot);

enum { EXIT_FAILED = 1, EXIT_RULE_BROKEN = 255, EXIT_STATUS_MAX = 255 };

const char *unikernel_instance_name(void)
{
	return key_boot.name ? key_boot.name : unikernel.name;
}

/* The main task, known as start: a breakpoint there is to find the unikernel's alone. Nobody can cancel it, so it waits
 * as long as it is told to. */
static int main_task(void *arg)
{
	(void)arg;
	if (key_boot.delay_s > 0)
		(void)task_sleep(clock_deadline(SECOND((uint64_t)key_boot.delay_s)));
	return unikernel.run();
}

/* What start() returned, as an exit status. */
static int exit_status(int result)
{
	char text[24];

	if (result < 0)
		log_error("%s failed: %s", unikernel_instance_name(), error_name(-result, text));
	else if (result > EXIT_STATUS_MAX)
		log_error("start() returned %d: an exit status is 0 to %d", result, EXIT_STATUS_MAX);
	else
		return result;
	return EXIT_FAILED;
}

int platform_main(int argc, char **argv)
{
	static const struct task_place place = { __FILE__, __LINE__, "start" };
	int result;
	int err = key_parse(unikernel.keys, unikernel.key_count, argc, argv);

	if (err != 0)
		return err;
	err = task_run_at(&place, main_task, NULL, &result);
	if (err == -ENOMEM) {
		log_error("no memory for the main task's stack");
		return EXIT_FAILED;
	}
	result = exit_status(result);
	return err < 0 ? EXIT_RULE_BROKEN : result;
}
