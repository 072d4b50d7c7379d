/* SPDX-License-Identifier: ISC
 *
 * Fortuna (Ferguson, Schneier and Kohno, "Cryptography Engineering", chapter 9; chapter 10 in its first edition).
 *
 * The generator is ChaCha20 (RFC 8439), as FreeBSD's Fortuna has it: unlike the book's AES it is as good in constant
 * time without instructions of its own, so there is one implementation, and it is a fifth of the size. Each request has
 * a nonce of its own, its number; its first block is taken for the next key, so that who learns the state learns
 * nothing of what was given before; the blocks behind it are the answer. Events go to 32 pools, each a running SHA-256.
 * The nth reseed hashes pool 0, and pool i if 2^i divides n, into the key: if someone knows the state and can feed or
 * watch most events, some pool still gathers enough before it is used.
 *
 * The hash is the book's SHAd-256 (SHA-256 of the SHA-256).
 */
#include <string.h>

#include <skerry/log.h>

#include "fortuna.h"

static void sha_twice(br_sha256_context *context, uint8_t hash[32])
{
	br_sha256_out(context, hash);
	br_sha256_init(context);
	br_sha256_update(context, hash, 32);
	br_sha256_out(context, hash);
}

void fortuna_wipe(void *data, size_t len)
{
	memset(data, 0, len);
	__asm__ volatile("" : : "r"(data) : "memory");
}

void fortuna_init(struct fortuna *f, uint64_t interval)
{
	memset(f, 0, sizeof *f);
	f->interval = interval;
	for (size_t i = 0; i < FORTUNA_POOLS; i++)
		br_sha256_init(&f->pools[i]);
}

void fortuna_add(struct fortuna *f, uint8_t source, unsigned pool, const void *data, size_t len)
{
	uint8_t head[2] = { source, (uint8_t)len };

	must(pool < FORTUNA_POOLS && len >= 1 && len <= FORTUNA_EVENT_MAX);
	br_sha256_update(&f->pools[pool], head, sizeof head);
	br_sha256_update(&f->pools[pool], data, len);
	if (pool == 0 && f->pool0_bytes < FORTUNA_POOL_MIN)
		f->pool0_bytes += sizeof head + len;
}

void fortuna_reseed(struct fortuna *f, const void *seed, size_t len, uint64_t now)
{
	br_sha256_context context;

	br_sha256_init(&context);
	br_sha256_update(&context, f->key, sizeof f->key);
	br_sha256_update(&context, seed, len);
	sha_twice(&context, f->key);
	fortuna_wipe(&context, sizeof context);
	f->reseed_count++;
	f->last_reseed = now;
}

static void reseed_from_pools(struct fortuna *f, uint64_t now)
{
	uint8_t seed[FORTUNA_POOLS][32];
	uint64_t number = f->reseed_count + 1;
	size_t count = 0;

	for (; count < FORTUNA_POOLS && number % ((uint64_t)1 << count) == 0; count++) {
		sha_twice(&f->pools[count], seed[count]);
		br_sha256_init(&f->pools[count]);
	}
	fortuna_reseed(f, seed, count * sizeof *seed, now);
	f->pool0_bytes = 0;
	fortuna_wipe(seed, sizeof seed);
}

/* One request of the book's: these bytes, and a new key. */
static void generate_piece(struct fortuna *f, uint8_t *buf, size_t len)
{
	uint8_t nonce[12] = { 0 }, next[FORTUNA_KEY_SIZE] = { 0 };

	f->request_count++;
	for (size_t i = 0; i < 8; i++)
		nonce[i] = (uint8_t)(f->request_count >> 8 * i);
	br_chacha20_ct_run(f->key, nonce, 0, next, sizeof next);
	memset(buf, 0, len);
	br_chacha20_ct_run(f->key, nonce, 1, buf, len);
	memcpy(f->key, next, sizeof next);
	fortuna_wipe(next, sizeof next);
}

void fortuna_generate(struct fortuna *f, uint64_t now, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	if (f->reseed_count == 0)
		panic("random: bytes are wanted before the generator is seeded");
	if (f->pool0_bytes >= FORTUNA_POOL_MIN && now - f->last_reseed >= f->interval)
		reseed_from_pools(f, now);
	while (len > 0) {
		size_t piece = len < FORTUNA_REQUEST_MAX ? len : FORTUNA_REQUEST_MAX;

		generate_piece(f, bytes, piece);
		bytes += piece;
		len -= piece;
	}
}

/* Known answers ----------------------------------------------------------------------------------------------- */

static bool cipher_test(br_chacha20_run cipher)
{
	static const uint8_t nonce[12] = { 0, 0, 0, 9, 0, 0, 0, 0x4a };
	static const uint8_t answer[64] = { 0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f,
		0xa3, 0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3,
		0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b,
		0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c,
		0x4e };
	uint8_t key[32], block[64] = { 0 };

	for (uint8_t i = 0; i < sizeof key; i++)
		key[i] = i;
	cipher(key, nonce, 1, block, sizeof block);
	return memcmp(block, answer, sizeof block) == 0;
}

static bool sha_test(void)
{
	static const uint8_t answer[32] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde,
		0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2,
		0x00, 0x15, 0xad };
	br_sha256_context context;
	uint8_t hash[32];

	br_sha256_init(&context);
	br_sha256_update(&context, "abc", 3);
	br_sha256_out(&context, hash);
	return memcmp(hash, answer, sizeof hash) == 0;
}

bool fortuna_self_test(br_chacha20_run cipher)
{
	return cipher_test(cipher) && sha_test();
}
