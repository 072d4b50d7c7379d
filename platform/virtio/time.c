/* SPDX-License-Identifier: ISC
 *
 * Time: the processor's time stamp counter, whose frequency CPUID tells or the interval timer (8254) measures; the wall
 * clock's start from the real-time clock (MC146818).
 */
#include <cpuid.h>

#include <platform.h>

#include "platform/guest/guest.h"
#include "virtio.h"

enum {
	SECOND_NS = 1000000000,
	FRACTION_BITS = 32,

	PIT_CHANNEL = 0x42,
	PIT_MODE = 0x43,
	PIT_GATE = 0x61,
	PIT_HZ = 1193182,
	PIT_COUNTS = PIT_HZ / 100, /* how long to measure */
	PIT_READINGS = 8,
	PIT_POLLS_MAX = 10000000,

	RTC_INDEX = 0x70,
	RTC_DATA = 0x71,
	RTC_TRIES = 1000000,
	RTC_UPDATING = 0x80, /* in register A */
	RTC_BINARY = 4,      /* in register B */
	RTC_24_HOURS = 2,
	RTC_FIELDS = 6,
};

/* Nanoseconds a cycle, times 2^FRACTION_BITS. */
static uint64_t scale;
static uint64_t wall_at_zero;

/* The interval timer ------------------------------------------------------------------------------------------------
 */

struct reading {
	uint64_t cycles;
	uint32_t timer, pit; /* both count down */
};

static uint32_t pit_count(void)
{
	uint32_t low;

	port_write8(PIT_MODE, 0x80); /* latch channel 2 */
	low = port_read8(PIT_CHANNEL);
	return low | (uint32_t)port_read8(PIT_CHANNEL) << 8;
}

/* All three counters at one moment: of several readings, the one that took the least time. */
static struct reading read_counters(void)
{
	struct reading best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < PIT_READINGS; i++) {
		uint64_t before = platform_ticks();
		uint32_t pit = pit_count();
		uint32_t timer = virtio_timer_count();
		uint64_t after = platform_ticks();

		if (after - before >= least)
			continue;
		least = after - before;
		best = (struct reading){ before + least / 2, timer, pit };
	}
	return best;
}

/* Cycles a second; the timer's are measured on the way. */
static uint64_t measure(void)
{
	struct reading first, last;
	uint32_t counts;

	port_write8(PIT_GATE, (uint8_t)((port_read8(PIT_GATE) & 0xfc) | 1));
	port_write8(PIT_MODE, 0xb0); /* channel 2, low byte first, counts down once */
	port_write8(PIT_CHANNEL, 0xff);
	port_write8(PIT_CHANNEL, 0xff);
	first = read_counters();
	for (int i = 0; i < PIT_POLLS_MAX && first.pit - pit_count() < PIT_COUNTS; i++)
		__builtin_ia32_pause();
	last = read_counters();
	counts = first.pit - last.pit;
	if (counts < PIT_COUNTS || counts > UINT16_MAX)
		guest_fatal("the interval timer does not run; expected an 8254");
	virtio_timer_rate((uint64_t)(first.timer - last.timer) * PIT_HZ / counts);
	return (last.cycles - first.cycles) * PIT_HZ / counts;
}

/* The frequency as CPUID leaf 0x15 gives it: the crystal's times a ratio; 0 when it does not. */
static uint64_t frequency_told(void)
{
	unsigned denominator = 0, numerator = 0, crystal = 0, d;

	if (!__get_cpuid_count(0x15, 0, &denominator, &numerator, &crystal, &d) || denominator == 0)
		return 0;
	return (uint64_t)crystal * numerator / denominator;
}

/* The real-time clock ------------------------------------------------------------------------------------------------
 */

static uint8_t rtc_read(uint8_t index)
{
	port_write8(RTC_INDEX, index);
	return port_read8(RTC_DATA);
}

static void rtc_fields(uint8_t fields[RTC_FIELDS])
{
	static const uint8_t indices[RTC_FIELDS] = { 0, 2, 4, 7, 8, 9 };

	for (int i = 0; i < RTC_TRIES && rtc_read(0x0a) & RTC_UPDATING; i++)
		__builtin_ia32_pause();
	for (size_t i = 0; i < RTC_FIELDS; i++)
		fields[i] = rtc_read(indices[i]);
}

static uint32_t days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
	static const uint16_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	uint32_t years = year - 1970;
	/* Leap years of this century are those that 4 divides. */
	uint32_t leaps = (years + 1) / 4 + (year % 4 == 0 && month > 2);

	return years * 365 + leaps + before[month - 1] + day - 1;
}

/* UTC seconds since 1970; 0 where there is no such clock. */
static uint64_t rtc_seconds(void)
{
	uint8_t fields[RTC_FIELDS], mode = rtc_read(0x0b);
	uint32_t hour;

	rtc_fields(fields);
	hour = fields[2] & 0x7f;
	for (size_t i = 0; !(mode & RTC_BINARY) && i < RTC_FIELDS; i++)
		fields[i] = (uint8_t)((fields[i] >> 4 & (i == 2 ? 7 : 15)) * 10 + (fields[i] & 15));
	if (!(mode & RTC_BINARY))
		hour = fields[2];
	if (fields[4] < 1 || fields[4] > 12 || fields[5] > 99)
		return 0;
	if (!(mode & RTC_24_HOURS))
		return 0;
	return ((days_since_1970(2000u + fields[5], fields[4], fields[3]) * UINT64_C(24) + hour) * 60 + fields[1]) *
		       60 +
	       fields[0];
}

void virtio_time_init(void)
{
	uint64_t measured = measure(), told = frequency_told();

	scale = ((uint64_t)SECOND_NS << FRACTION_BITS) / (told ? told : measured);
	wall_at_zero = rtc_seconds() * SECOND_NS - platform_clock_monotonic();
}

uint64_t platform_clock_monotonic(void)
{
	return (uint64_t)((unsigned __int128)platform_ticks() * scale >> FRACTION_BITS);
}

uint64_t platform_clock_wall(void)
{
	return wall_at_zero + platform_clock_monotonic();
}
