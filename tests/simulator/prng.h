/* SPDX-License-Identifier: ISC
 *
 * Seeded random numbers: the same seed gives the same run, on every machine.
 */
#ifndef SIMULATOR_PRNG_H
#define SIMULATOR_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct prng {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). */
static inline uint64_t prng_next(struct prng *prng)
{
	uint64_t z = prng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 to bound - 1; the bias of a remainder of 64 bits does not matter here. */
static inline uint64_t prng_below(struct prng *prng, uint64_t bound)
{
	return prng_next(prng) % bound;
}

/* First to last, both included. */
static inline uint64_t prng_between(struct prng *prng, uint64_t first, uint64_t last)
{
	return first + prng_below(prng, last - first + 1);
}

enum { PRNG_WHOLE = 10000 };

/* With a probability of so many in 10,000. Draws nothing when it cannot happen. */
static inline bool prng_happens(struct prng *prng, uint32_t in_10000)
{
	return in_10000 > 0 && prng_below(prng, PRNG_WHOLE) < in_10000;
}

#endif
