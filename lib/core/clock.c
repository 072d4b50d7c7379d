/* SPDX-License-Identifier: ISC
 *
 * Time: the platform's clocks, and the calendar.
 */
/* All of this is off the hot paths and in every image: size counts. */
#pragma GCC optimize("Os")

#include <platform.h>
#include <skerry/clock.h>

uint64_t clock_monotonic(void)
{
	return platform_clock_monotonic();
}

uint64_t clock_wall(void)
{
	return platform_clock_wall();
}

uint64_t clock_deadline(uint64_t from_now_ns)
{
	uint64_t now_ns = clock_monotonic();

	return from_now_ns < FOREVER - now_ns ? now_ns + from_now_ns : FOREVER;
}

static int is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

void clock_date(uint64_t wall_ns, struct clock_date *date)
{
	static const uint8_t month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t seconds = wall_ns / SECOND(1);
	int days = (int)(seconds / 86400), second = (int)(seconds % 86400);
	int year = 1970, month = 0;

	date->weekday = (days + 4) % 7; /* 1970-01-01 was a Thursday */
	/* At most 584 rounds, until 2554, the last year that 64 bits of nanoseconds reach. */
	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (; days >= month_days[month] + (month == 1 && is_leap(year)); month++)
		days -= month_days[month] + (month == 1 && is_leap(year));
	date->year = year;
	date->month = month + 1;
	date->day = days + 1;
	date->hour = second / 3600;
	date->minute = second / 60 % 60;
	date->second = second % 60;
}
