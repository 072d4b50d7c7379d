/* SPDX-License-Identifier: ISC
 *
 * The random numbers of the whole program: one Fortuna, its sources, and its states.
 *
 * States: NEW until random_init(); then READY, or BROKEN for ever. Bytes are given in READY only.
 *
 * A draw costs the generator's rekeying (a block) and one event: the time of the draw, to the
 * next pool in turn. Once in INTERVAL ticks it also feeds all pools from the sources and so lets the generator reseed.
 * Time is the time-stamp counter, because it costs no system call; the interval is 27 to 270 ms for counters of 10 to
 * 1 GHz.
 */
#include <errno.h>

#include <skerry/log.h>
#include <skerry/random.h>

#include "entropy.h"
#include "fortuna.h"

#define INTERVAL ((uint64_t)1 << 28)

enum { FROM_DRAWS = 2 }; /* a source's name in events, beside those of entropy.c */

static enum { NEW, READY, BROKEN } condition;
static struct fortuna generator;
static uint64_t last_feed;
static unsigned next_pool;

int random_init(void)
{
	if (condition != NEW)
		return condition == READY ? 0 : -EIO;
	condition = BROKEN;
	fortuna_init(&generator, INTERVAL);
	if (!fortuna_self_test(br_chacha20_ct_run) || entropy_seed(&entropy_of_processor, &generator) < 0)
		return -EIO;
	last_feed = entropy_of_processor.ticks();
	condition = READY;
	return 0;
}

void random_bytes(void *buf, size_t len)
{
	uint64_t now;

	if (condition != READY)
		panic("random: bytes are wanted, but random_init() has not succeeded");
	now = entropy_of_processor.ticks();
	if (now - last_feed >= INTERVAL) {
		entropy_feed(&entropy_of_processor, &generator);
		last_feed = now;
	}
	fortuna_add(&generator, FROM_DRAWS, next_pool, &now, 4); /* the low half is what cannot be foretold */
	next_pool = (next_pool + 1) % FORTUNA_POOLS;
	fortuna_generate(&generator, now, buf, len);
}

uint32_t random_u32(void)
{
	uint32_t number;

	random_bytes(&number, sizeof number);
	return number;
}

/* Lemire, "Fast Random Integer Generation in an Interval": the upper half of number * bound is the result; the lower
 * halves that would give some results more often are drawn again, which happens less than once in two draws. */
uint32_t random_below(uint32_t bound)
{
	uint64_t product;

	must(bound > 0);
	do
		product = (uint64_t)random_u32() * bound;
	while ((uint32_t)product < -bound % bound);
	return (uint32_t)(product >> 32);
}
