/* SPDX-License-Identifier: ISC
 *
 * Random bytes fit for keys: Fortuna (Ferguson and Schneier, "Practical Cryptography", chapter 10) with 32 pools,
 * ChaCha20 and SHA-256 from BearSSL. Fed by RDSEED and RDRAND where the processor has them, and by
 * timing jitter always; fed again, and reseeded, as bytes are drawn.
 */
#ifndef SKERRY_RANDOM_H
#define SKERRY_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Tests the sources and the generator against known answers, and seeds it. Called by whatever opens a device that
 * needs randomness; a second call does nothing. 0; -EIO if the processor's source repeats itself, if it has none and
 * its clock shows no jitter, or if an answer is wrong: bytes are refused from then on. Takes under a millisecond. */
int random_init(void);

/* Fills buf. Panics if random_init() has not succeeded: no unseeded byte is ever given. Does not block. */
void random_bytes(void *buf, size_t len);
uint32_t random_u32(void);
/* Uniform in [0, bound), bound > 0, without modulo bias. */
uint32_t random_below(uint32_t bound);

#endif
