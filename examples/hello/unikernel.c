/* SPDX-License-Identifier: ISC
 *
 * Logs "hello" four times, a second apart.
 */
#include <skerry/log.h>
#include <skerry/task.h>

LOG_SOURCE(application);

int start(void)
{
	for (int i = 0; i < 4; i++) {
		log_info("hello");
		if (task_sleep(clock_deadline(SECOND(1))) < 0)
			break;
	}
	return 0;
}
