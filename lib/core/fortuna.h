/* SPDX-License-Identifier: ISC
 *
 * Fortuna as an object: no I/O, no clock, no globals, so that its answers can be known. Within lib/core; programs use
 * <skerry/random.h>.
 */
#ifndef FORTUNA_H
#define FORTUNA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bearssl/bearssl_block.h>
#include <bearssl/bearssl_hash.h>

enum {
	FORTUNA_POOLS = 32,
	FORTUNA_KEY_SIZE = 32,
	FORTUNA_POOL_MIN = 64,       /* bytes in pool 0 that a reseed waits for */
	FORTUNA_EVENT_MAX = 32,      /* bytes of one event */
	FORTUNA_REQUEST_MAX = 65536, /* bytes made under one key */
};

struct fortuna {
	uint8_t key[FORTUNA_KEY_SIZE];
	uint64_t request_count; /* the nonce, so that no block is made twice */
	uint64_t reseed_count;  /* 0: not seeded */
	uint64_t last_reseed;   /* ticks */
	uint64_t interval;      /* ticks that lie between reseeds at least */
	size_t pool0_bytes;
	br_sha256_context pools[FORTUNA_POOLS];
};

/* An unseeded generator. interval: the least time between
 * two reseeds from the pools, in the ticks that fortuna_generate() is given; the book says 100 ms. */
void fortuna_init(struct fortuna *f, uint64_t interval);

/* Adds an event of 1 to FORTUNA_EVENT_MAX bytes from a source (a small number) to a pool. */
void fortuna_add(struct fortuna *f, uint8_t source, unsigned pool, const void *data, size_t len);

/* Mixes this, and nothing from the pools, into the key. From the first call on the generator is seeded. */
void fortuna_reseed(struct fortuna *f, const void *seed, size_t len, uint64_t now);

/* Reseeds from the pools if that is due, then fills buf. Panics if the generator is not seeded. */
void fortuna_generate(struct fortuna *f, uint64_t now, void *buf, size_t len);

/* Clears what must not be left in memory; the compiler cannot leave it out. */
void fortuna_wipe(void *data, size_t len);

/* Whether ChaCha20 (RFC 8439, 2.3.2; br_chacha20_ct_run, or a broken one in tests) and SHA-256 (FIPS 180-2, B.1) give
 * the published answers. */
bool fortuna_self_test(br_chacha20_run cipher);

#endif
