/* SPDX-License-Identifier: ISC
 *
 * Time: the monotonic clock never goes back, waiting ends at its deadline and not long before it is over, a poll does
 * not wait, and the C library's clocks agree. Says the wall clock's seconds.
 */
#include <time.h>

#include "guest.h"

#define MS(n) ((uint64_t)(n)*1000000)

/* Waits as the scheduler does: platform_wait may come back early. Returns how often it was called. */
static int wait_until(uint64_t deadline)
{
	int waits = 0;

	while (platform_clock_monotonic() < deadline) {
		platform_wait(deadline);
		waits++;
	}
	return waits;
}

static void expect_wait(uint64_t ns)
{
	uint64_t start = platform_clock_monotonic();
	/* Each may come back early for a timer that an earlier wait has left behind, and once more for nothing. */
	int waits = wait_until(start + ns);

	expect(waits <= 4);
	expect(platform_clock_monotonic() - start < ns + MS(500));
}

int platform_main(int argc, char **argv)
{
	uint64_t last = platform_clock_monotonic(), start = last;
	struct timespec now;

	(void)argc;
	(void)argv;
	for (int i = 0; i < 10000; i++) {
		uint64_t next = platform_clock_monotonic();

		expect(next >= last);
		last = next;
	}
	for (int i = 0; i < 100; i++)
		platform_wait(0);
	platform_wait(1);
	platform_wait(start);
	expect(platform_clock_monotonic() - start < MS(500));
	expect_wait(MS(30));
	expect_wait(MS(10));
	expect_wait(100000);
	expect_wait(1);
	/* A deadline that is given up leaves nothing behind that disturbs a later, longer wait. */
	start = platform_clock_monotonic();
	platform_wait(0);
	wait_until(start + MS(20));
	expect(platform_clock_monotonic() >= start + MS(20));
	expect(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	expect((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec >= start);
	expect(time(NULL) - (time_t)(platform_clock_wall() / 1000000000) <= 1);
	printf("%lld\n", (long long)time(NULL));
	return 0;
}
