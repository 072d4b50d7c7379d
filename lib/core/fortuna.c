/* SPDX-License-Identifier: ISC
 *
 * Fortuna (Ferguson, Schneier and Kohno, "Cryptography Engineering", chapter 9; chapter 10 in its first edition).
 *
 * The generator is AES-256 in counter mode. After each request it makes two more blocks and takes them for its key, so
 * that who learns the state learns nothing of what was given before. Events go to 32 pools, each a running SHA-256.
 * The nth reseed hashes pool 0, and pool i if 2^i divides n, into the key: if someone knows the state and can feed or
 * watch most events, some pool still gathers enough before it is used.
 *
 * The book's hash is SHAd-256 (SHA-256 of the SHA-256). Its counter is 128 bits, little-endian, and runs on through
 * requests; ours is big-endian as BearSSL's counter mode has it, and made of the number of the request (96 bits) and of
 * the block within it (32 bits): also never the same twice, and free of carries.
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

void fortuna_init(struct fortuna *f, const br_block_ctr_class *aes, uint64_t interval)
{
	memset(f, 0, sizeof *f);
	f->aes = aes;
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

/* One request of the book's: these bytes, then a new key. */
static void generate_piece(struct fortuna *f, uint8_t *buf, size_t len)
{
	br_aes_gen_ctr_keys aes;
	uint8_t iv[12] = { 0 };
	/* BearSSL returns the next block's number too, but does not count a last block that is cut: its rest, and so
	 * what the caller can tell of it, would become part of the key. */
	uint32_t blocks = (uint32_t)((len + 15) / 16);

	f->request_count++;
	for (size_t i = 0; i < 8; i++)
		iv[11 - i] = (uint8_t)(f->request_count >> 8 * i);
	f->aes->init(&aes.vtable, f->key, sizeof f->key);
	memset(buf, 0, len);
	f->aes->run(&aes.vtable, iv, 0, buf, len);
	memset(f->key, 0, sizeof f->key);
	f->aes->run(&aes.vtable, iv, blocks, f->key, sizeof f->key);
	fortuna_wipe(&aes, sizeof aes);
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

static bool aes_test(const br_block_ctr_class *aes)
{
	static const uint8_t key[32] = { 0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae, 0xf0, 0x85,
		0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14,
		0xdf, 0xf4 };
	static const uint8_t counter[12] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb };
	static const uint8_t plain[32] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73,
		0x93, 0x17, 0x2a, 0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf,
		0x8e, 0x51 };
	static const uint8_t answer[32] = { 0x60, 0x1e, 0xc3, 0x13, 0x77, 0x57, 0x89, 0xa5, 0xb7, 0xa7, 0xf5, 0x04,
		0xbb, 0xf3, 0xd2, 0x28, 0xf4, 0x43, 0xe3, 0xca, 0x4d, 0x62, 0xb5, 0x9a, 0xca, 0x84, 0xe9, 0x90, 0xca,
		0xca, 0xf5, 0xc5 };
	br_aes_gen_ctr_keys context;
	uint8_t text[32];

	memcpy(text, plain, sizeof text);
	aes->init(&context.vtable, key, sizeof key);
	aes->run(&context.vtable, counter, 0xfcfdfeff, text, sizeof text);
	return memcmp(text, answer, sizeof text) == 0;
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

bool fortuna_self_test(const br_block_ctr_class *aes)
{
	return aes_test(aes) && sha_test();
}
