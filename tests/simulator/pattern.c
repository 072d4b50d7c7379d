/* SPDX-License-Identifier: ISC
 *
 * The streams' bytes: all out of one table, so that writing and comparing them costs no more than memory.
 */
#include "pattern.h"

#include <stdbool.h>

#include "prng.h"

enum { PERIOD = 65521, STREAM_STEP = 7919 };

const uint8_t *pattern(uint64_t stream, uint64_t from)
{
	static uint8_t table[PERIOD + PATTERN_BYTES_MAX];
	static bool filled;
	struct prng prng = { 1 };

	for (size_t i = 0; i < sizeof table && !filled; i++)
		table[i] = i < PERIOD ? (uint8_t)prng_next(&prng) : table[i - PERIOD];
	filled = true;
	return table + (from + stream * STREAM_STEP) % PERIOD;
}
