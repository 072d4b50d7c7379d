/* SPDX-License-Identifier: ISC
 *
 * Says hello four times, a second apart, in the words of the key --hello.
 */
#include <skerry/log.h>
#include <skerry/task.h>

#include "keys.h"

LOG_SOURCE(application);

int start(void)
{
	for (int i = 0; i < 4; i++) {
		log_info("%s", keys.hello);
		if (task_sleep(clock_deadline(SECOND(1))) < 0)
			break;
	}
	return 0;
}
