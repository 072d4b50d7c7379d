/* SPDX-License-Identifier: ISC
 *
 * Virtual time: it goes on a little with every look at the clock, so that loops around the clock end, and jumps when
 * the tasks wait.
 */
#include <platform.h>
#include <skerry/log.h>
#include <skerry/task.h>

#include "inside.h"
#include "sim.h"

enum { LATE_MAX_NS = 2000, START_NS = 1000000000 };
static const uint64_t wall_start = 1700000000000000000;

static uint64_t now = START_NS;

void sim_reset_clock(void)
{
	now = START_NS;
}

uint64_t platform_clock_monotonic(void)
{
	return now++;
}

uint64_t platform_clock_wall(void)
{
	return wall_start + platform_clock_monotonic();
}

uint64_t platform_ticks(void)
{
	return now;
}

/* There are no devices: without a timer nothing would ever happen again. */
static _Noreturn void stuck(void)
{
	char error[128];

	(void)log_configure("task:app", error, sizeof error);
	task_list();
	panic("no task can ever run again");
}

void platform_wait(uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX)
		stuck();
	if (deadline_ns > now)
		now = deadline_ns;
	now += sim_random(LATE_MAX_NS);
}
