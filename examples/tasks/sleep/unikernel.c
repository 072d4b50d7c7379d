/* SPDX-License-Identifier: ISC
 *
 * Sleeps a second, says so, sleeps two more, and says that it woke up.
 */
#include <skerry/log.h>
#include <skerry/task.h>

LOG_SOURCE(application);

int start(void)
{
	int err = task_sleep(clock_deadline(SECOND(1)));

	if (err < 0)
		return err;
	log_info(">> start");
	err = task_sleep(clock_deadline(SECOND(2)));
	if (err < 0)
		return err;
	log_info(">> woken up");
	return 0;
}
