/* SPDX-License-Identifier: ISC
 *
 * Sequence numbers compare modulo 2^32 (RFC 9293, 3.4): a lies before b when b is less than 2^31 ahead. All in
 * unsigned arithmetic, which C defines to wrap; no signed difference is ever formed.
 */
#ifndef NET_TCP_SEQUENCE_H
#define NET_TCP_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (uint32_t)(a - b) >= 0x80000000u;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
	return seq_before(b, a);
}

/* first <= seq < first + len */
static inline bool seq_within(uint32_t seq, uint32_t first, uint32_t len)
{
	return (uint32_t)(seq - first) < len;
}

/* first <= seq <= last */
static inline bool seq_between(uint32_t seq, uint32_t first, uint32_t last)
{
	return (uint32_t)(seq - first) <= (uint32_t)(last - first);
}

static inline uint32_t seq_later(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? b : a;
}

static inline uint32_t seq_earlier(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

#endif
