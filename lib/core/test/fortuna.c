/* SPDX-License-Identifier: ISC
 *
 * Fortuna's answers. They were computed with OpenSSL's ChaCha20 and Python's SHA-256 from the definition:
 * reseed: key = H(H(key, seed)), a pool giving H(H(events)), an event being source, length, data; request r: the
 * key stream for the nonce r (96 bits, little-endian): 32 bytes of block 0 are the new key, blocks from 1 on the
 * answer.
 */
#include <skerry/log.h>

#include "lib/core/fortuna.h"
#include "lib/core/test/dies.h"

enum { INTERVAL = 1000 };

static struct fortuna generator;

static void assert_hex(const uint8_t *data, const char *hex)
{
	for (size_t i = 0; hex[2 * i]; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		assert_int_equal(data[i], byte);
	}
}

static void assert_next(uint64_t now, const char *hex)
{
	uint8_t bytes[16];

	fortuna_generate(&generator, now, bytes, sizeof bytes);
	assert_hex(bytes, hex);
}

/* Adds what makes reseeds 2, 3 and 4 due. */
static void add_events(int reseed)
{
	uint8_t data[32];

	for (unsigned i = 0; i < 32; i++)
		data[i] = (uint8_t)i;
	for (unsigned pool = 0; pool < FORTUNA_POOLS && reseed == 2; pool++)
		fortuna_add(&generator, 7, pool, data, 32);
	for (unsigned pool = 0; pool < FORTUNA_POOLS && reseed == 3; pool++)
		fortuna_add(&generator, 3, pool, &data[pool], 1);
	memset(data, reseed == 2 ? 'x' : 'y', sizeof data);
	fortuna_add(&generator, reseed == 2 ? 7 : 3, 0, data, reseed == 2 ? 30 : 32);
	memset(data, 'z', sizeof data);
	if (reseed != 2)
		fortuna_add(&generator, 3, 0, data, 32);
}

static void the_generator_gives_the_known_answers(void **state)
{
	static uint8_t bytes[200000];
	br_sha256_context hash;
	uint8_t out[32];

	(void)state;
	fortuna_init(&generator, INTERVAL);
	fortuna_reseed(&generator, "skerry", 6, 0);
	fortuna_generate(&generator, 0, bytes, 40);
	assert_hex(bytes, "af4acec53f22acab88c41eebed2166cff10f472ef57a164112940f5311c7382704006c4f409b363f");
	assert_next(0, "225873ce1411073d257971c15ae2a291");
	/* more than one key may make */
	fortuna_generate(&generator, 0, bytes, sizeof bytes);
	br_sha256_init(&hash);
	br_sha256_update(&hash, bytes, sizeof bytes);
	br_sha256_out(&hash, out);
	assert_hex(out, "59ef553a481597760ad5584243cd92cc5c426ccfecdae38ec32b956519957a35");
	/* pools 0 and 1; pool 0; pools 0, 1 and 2 */
	add_events(2);
	assert_next(INTERVAL, "3a0a8da7fee77a8ebbde9c75bbb3ac45");
	add_events(3);
	assert_next(2 * INTERVAL, "6d759b68910919d3566e107d07e35ac3");
	add_events(4);
	assert_next(3 * INTERVAL, "5722aa95d534c02f60e976ee09fcb388");
}

static void the_cipher_and_the_hash_pass_the_self_test(void **state)
{
	(void)state;
	assert_true(fortuna_self_test(br_chacha20_ct_run));
}

/* A cipher that is wrong in one bit. */
static uint32_t wrong_run(const void *key, const void *nonce, uint32_t block, void *data, size_t len)
{
	uint32_t next = br_chacha20_ct_run(key, nonce, block, data, len);

	((uint8_t *)data)[len - 1] ^= 0x80;
	return next;
}

static void a_wrong_cipher_fails_the_self_test(void **state)
{
	(void)state;
	assert_false(fortuna_self_test(wrong_run));
}

static void an_unseeded_generator_panics(void **state)
{
	uint8_t byte;

	(void)state;
	fortuna_init(&generator, INTERVAL);
	for (int i = 0; i < 100; i++)
		add_events(2);
	assert_dies("before the generator is seeded", fortuna_generate(&generator, INTERVAL, &byte, 1));
}

static void new_generator(void)
{
	fortuna_init(&generator, INTERVAL);
	fortuna_reseed(&generator, "skerry", 6, 0);
}

static void events_count_only_once_the_interval_is_over(void **state)
{
	(void)state;
	new_generator();
	add_events(2);
	assert_next(INTERVAL - 1, "af4acec53f22acab88c41eebed2166cf");
	assert_int_equal(generator.reseed_count, 1);
	assert_next(INTERVAL, "");
	assert_int_equal(generator.reseed_count, 2);
	assert_next(INTERVAL + 1, "");
	assert_int_equal(generator.reseed_count, 2);
}

static void a_pool_with_too_little_starts_no_reseed(void **state)
{
	static const uint8_t data[32];

	(void)state;
	new_generator();
	fortuna_add(&generator, 0, 0, data, 32);
	fortuna_add(&generator, 0, 1, data, 32);
	fortuna_add(&generator, 0, 0, data, 27); /* 63 bytes with both heads */
	assert_next(INTERVAL, "af4acec53f22acab88c41eebed2166cf");
	assert_int_equal(generator.reseed_count, 1);
	fortuna_add(&generator, 0, 0, data, 1);
	assert_next(INTERVAL, "");
	assert_int_equal(generator.reseed_count, 2);
}

static void the_key_changes_with_every_request(void **state)
{
	uint8_t key[32], bytes[3][16];

	(void)state;
	new_generator();
	for (int i = 0; i < 3; i++) {
		memcpy(key, generator.key, sizeof key);
		fortuna_generate(&generator, 0, bytes[i], sizeof bytes[i]);
		assert_memory_not_equal(key, generator.key, sizeof key);
	}
	assert_memory_not_equal(bytes[0], bytes[1], 16);
	assert_memory_not_equal(bytes[1], bytes[2], 16);
}

static void events_must_be_of_a_pool_and_a_length_that_exist(void **state)
{
	static const uint8_t data[33];

	(void)state;
	new_generator();
	assert_dies("does not hold", fortuna_add(&generator, 0, 32, data, 1));
	assert_dies("does not hold", fortuna_add(&generator, 0, 0, data, 33));
	assert_dies("does not hold", fortuna_add(&generator, 0, 0, data, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cipher_and_the_hash_pass_the_self_test),
		cmocka_unit_test(the_generator_gives_the_known_answers),
		cmocka_unit_test(a_wrong_cipher_fails_the_self_test),
		cmocka_unit_test(an_unseeded_generator_panics),
		cmocka_unit_test(events_count_only_once_the_interval_is_over),
		cmocka_unit_test(a_pool_with_too_little_starts_no_reseed),
		cmocka_unit_test(the_key_changes_with_every_request),
		cmocka_unit_test(events_must_be_of_a_pool_and_a_length_that_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
