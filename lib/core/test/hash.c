/* SPDX-License-Identifier: ISC
 *
 * The keyed hash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <skerry/hash.h>

/* SipHash-2-4 with the key 00..0f of the first n bytes 00, 01, ...: the authors' vectors. */
static void hash_gives_the_published_values(void **state)
{
	static const struct hash_key key = { { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u } };
	uint8_t input[15];

	(void)state;
	for (uint8_t i = 0; i < sizeof input; i++)
		input[i] = i;
	assert_true(hash_keyed(&key, input, 0) == 0x726fdb47dd0e0e31u);
	assert_true(hash_keyed(&key, input, 15) == 0xa129ca6149be45e5u);
}

static void hash_depends_on_key_length_and_every_byte(void **state)
{
	static const struct hash_key one = { { 1, 2 } }, other = { { 1, 3 } };
	uint8_t input[9] = { 0 };
	uint64_t first = hash_keyed(&one, input, sizeof input);

	(void)state;
	assert_true(hash_keyed(&other, input, sizeof input) != first);
	assert_true(hash_keyed(&one, input, sizeof input - 1) != first);
	for (size_t i = 0; i < sizeof input; i++) {
		input[i] = 1;
		assert_true(hash_keyed(&one, input, sizeof input) != first);
		input[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_gives_the_published_values),
		cmocka_unit_test(hash_depends_on_key_length_and_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
