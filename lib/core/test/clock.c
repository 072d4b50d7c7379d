/* SPDX-License-Identifier: ISC
 *
 * The clocks and the calendar, which is compared with the C library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include <skerry/clock.h>

static void assert_date(uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / SECOND(1));
	struct clock_date date;
	struct tm tm;

	assert_non_null(gmtime_r(&seconds, &tm));
	clock_date(wall_ns, &date);
	assert_int_equal(date.year, tm.tm_year + 1900);
	assert_int_equal(date.month, tm.tm_mon + 1);
	assert_int_equal(date.day, tm.tm_mday);
	assert_int_equal(date.hour, tm.tm_hour);
	assert_int_equal(date.minute, tm.tm_min);
	assert_int_equal(date.second, tm.tm_sec);
	assert_int_equal(date.weekday, tm.tm_wday);
}

static void every_day_from_1970_to_2554_is_as_in_the_c_library(void **state)
{
	uint64_t last_day = UINT64_MAX / SECOND(86400);

	(void)state;
	for (uint64_t day = 0; day < last_day; day++) {
		assert_date(day * SECOND(86400));
		assert_date((day + 1) * SECOND(86400) - 1);
		assert_date(day * SECOND(86400) + SECOND(day * 7919 % 86400));
	}
}

static void the_last_instant_is_in_2554(void **state)
{
	struct clock_date date;

	(void)state;
	clock_date(UINT64_MAX, &date);
	assert_date(UINT64_MAX);
	assert_int_equal(date.year, 2554);
}

static void a_deadline_lies_ahead_and_saturates_at_forever(void **state)
{
	uint64_t before = clock_monotonic(), deadline = clock_deadline(SECOND(5)), after = clock_monotonic();

	(void)state;
	assert_true(deadline >= before + SECOND(5) && deadline <= after + SECOND(5));
	assert_true(clock_deadline(FOREVER) == FOREVER);
	assert_true(clock_deadline(FOREVER - 1) == FOREVER);
	assert_true(clock_deadline(FOREVER - after - SECOND(3600)) < FOREVER);
}

static void monotonic_time_never_goes_back_and_wall_time_is_now(void **state)
{
	uint64_t last = clock_monotonic();
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t next = clock_monotonic();

		assert_true(next >= last);
		last = next;
	}
	assert_in_range(clock_wall() / SECOND(1), now - 1, now + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_from_1970_to_2554_is_as_in_the_c_library),
		cmocka_unit_test(the_last_instant_is_in_2554),
		cmocka_unit_test(a_deadline_lies_ahead_and_saturates_at_forever),
		cmocka_unit_test(monotonic_time_never_goes_back_and_wall_time_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
