/* SPDX-License-Identifier: ISC
 *
 * From the platform's start to the end of start(): keys, the main task, the exit status.
 */
#include <errno.h>

#include <platform.h>
#include <skerry/key.h>
#include <skerry/log.h>
#include <skerry/unikernel.h>

#include "scheduler.h"

LOG_SOURCE(boot);

enum { EXIT_FAILED = 1, EXIT_RULE_BROKEN = 255, EXIT_STATUS_MAX = 255 };

static int start(void *arg)
{
	(void)arg;
	return unikernel.run();
}

/* What start() returned, as an exit status. */
static int exit_status(int result)
{
	char text[24];

	if (result < 0)
		log_error("%s failed: %s", unikernel.name, error_name(-result, text));
	else if (result > EXIT_STATUS_MAX)
		log_error("start() returned %d: an exit status is 0 to %d", result, EXIT_STATUS_MAX);
	else
		return result;
	return EXIT_FAILED;
}

int platform_main(int argc, char **argv)
{
	int result;
	int err = key_parse(unikernel.keys, unikernel.key_count, argc, argv);

	if (err != 0)
		return err;
	err = task_run(start, NULL, &result);
	if (err == -ENOMEM) {
		log_error("no memory for the main task's stack");
		return EXIT_FAILED;
	}
	result = exit_status(result);
	return err < 0 ? EXIT_RULE_BROKEN : result;
}
