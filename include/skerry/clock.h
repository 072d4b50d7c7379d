/* SPDX-License-Identifier: ISC
 *
 * Time. All times are nanoseconds in uint64_t; all deadlines are absolute and monotonic.
 * Nothing above lib/core reads a clock in another way, so a simulator can replace time.
 */
#ifndef SKERRY_CLOCK_H
#define SKERRY_CLOCK_H

#include <stdint.h>

#define FOREVER   UINT64_MAX  /* the deadline that never comes */
#define AT_ONCE   UINT64_C(0) /* of a call that is not to wait: -EAGAIN, in place of -ETIMEDOUT, if it had to */
#define NSEC(n)   ((uint64_t)(n))
#define USEC(n)   ((uint64_t)(n)*1000u)
#define MSEC(n)   ((uint64_t)(n)*1000000u)
#define SECOND(n) ((uint64_t)(n)*1000000000u)

/* Nanoseconds since an arbitrary start. Never goes back. One system call on spt: take it once per batch of work. */
uint64_t clock_monotonic(void);

/* Nanoseconds of UTC since 1970-01-01 00:00:00. May jump when the host's clock is set. */
uint64_t clock_wall(void);

/* The deadline that lies this far from now; saturates at FOREVER. */
uint64_t clock_deadline(uint64_t from_now_ns);

/* A point of UTC, broken down (proleptic Gregorian, no leap seconds). */
struct clock_date {
	int year;  /* 1970 to 2554 */
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
	int hour, minute, second;
	int weekday; /* 0 = Sunday */
};
void clock_date(uint64_t wall_ns, struct clock_date *date);

#endif
