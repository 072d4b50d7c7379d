/* SPDX-License-Identifier: ISC
 *
 * What the users send: byte k of a stream is a function of the stream and k, so that whoever reads it knows what is to
 * come.
 */
#ifndef SIMULATOR_PATTERN_H
#define SIMULATOR_PATTERN_H

#include <stddef.h>
#include <stdint.h>

enum { PATTERN_BYTES_MAX = 65536 };

/* The stream's bytes from offset `from` on: PATTERN_BYTES_MAX of them. They repeat after 65,521, a prime, so that bytes
 * that are off by a segment or by a window are never the same. */
const uint8_t *pattern(uint64_t stream, uint64_t from);

#endif
