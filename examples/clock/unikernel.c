/* SPDX-License-Identifier: ISC
 *
 * A speaking clock, of both clocks that a unikernel has: how long it has been running, and what time it is.
 */
#include <inttypes.h>

#include <skerry/clock.h>
#include <skerry/log.h>
#include <skerry/task.h>

LOG_SOURCE(application);

int start(void)
{
	const uint64_t started = clock_monotonic();
	int err;

	do {
		struct clock_date now;

		clock_date(clock_wall(), &now);
		log_info("%" PRIu64 " nanoseconds have elapsed.", clock_monotonic() - started);
		log_info("At the stroke, the time will be %d-%02d-%02d %02d:%02d:%02d UTC *BEEP*", now.year, now.month,
			now.day, now.hour, now.minute, now.second);
		err = task_sleep(clock_deadline(SECOND(1)));
	} while (err == 0);
	return err;
}
