/* SPDX-License-Identifier: ISC
 *
 * SipHash-2-4 (Aumasson and Bernstein 2012): a keyed hash, short and fast, that nobody without the key can predict. For
 * tables whose keys others choose, who could else choose them so that all meet in one place.
 */
#ifndef SKERRY_HASH_H
#define SKERRY_HASH_H

#include <stddef.h>
#include <stdint.h>

/* 16 random bytes: random_bytes(&key, sizeof key). */
struct hash_key {
	uint64_t words[2];
};

uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len);

#endif
