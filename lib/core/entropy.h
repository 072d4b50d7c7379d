/* SPDX-License-Identifier: ISC
 *
 * Where randomness comes from. Within lib/core.
 */
#ifndef ENTROPY_H
#define ENTROPY_H

#include <stdbool.h>
#include <stdint.h>

#include "fortuna.h"

/* What a machine offers; tests make machines of their own. */
struct entropy {
	bool (*seed_word)(uint64_t *word); /* 64 bits of entropy; false: there are none, or none now */
	bool (*word)(uint64_t *word);      /* 64 bits of a generator that is reseeded now and then; false: as above */
	uint64_t (*ticks)(void);           /* the finest clock there is */
};

/* This processor: RDSEED, RDRAND and the time-stamp counter. */
extern const struct entropy entropy_of_processor;

/* Seeds an unseeded generator, and fills all its pools, with at least 256 bits of what cannot be guessed. 0, or -EIO
 * when the processor's generator repeats itself, or when it has none and its clock shows no jitter. */
int entropy_seed(const struct entropy *from, struct fortuna *f);

/* Adds one event to every pool. */
void entropy_feed(const struct entropy *from, struct fortuna *f);

#endif
