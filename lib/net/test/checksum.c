/* SPDX-License-Identifier: ISC
 *
 * The Internet checksum, beside the plain loop of RFC 1071.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/ip.h"

static uint16_t plain(const uint8_t *bytes, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint64_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void the_example_of_rfc_1071_holds(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof bytes)), (uint16_t)~0xddf2);
}

static void every_length_and_alignment_agrees_with_the_plain_loop(void **state)
{
	enum { LENGTHS = 400, ALIGNMENTS = 16 };

	(void)state;
	srand(1);
	for (size_t len = 0; len < LENGTHS; len++) {
		for (size_t align = 0; align < ALIGNMENTS; align++) {
			uint8_t *block = malloc(align + len + 1), *bytes = block + align;

			for (size_t i = 0; i < len; i++)
				bytes[i] = (uint8_t)(rand() % 4 ? rand() : 0xff);
			assert_int_equal(checksum_finish(checksum_add(0, bytes, len)), plain(bytes, len));
			block = realloc(block, align + len ? align + len : 1); /* the end is watched */
			assert_int_equal(
				checksum_finish(checksum_add(0, block + align, len)), plain(block + align, len));
			free(block);
		}
	}
}

static void sixty_four_kibibytes_of_ones_do_not_overflow(void **state)
{
	static uint8_t ones[65536];
	uint32_t sum = 0;

	(void)state;
	memset(ones, 0xff, sizeof ones);
	assert_int_equal(checksum_finish(checksum_add(0, ones, sizeof ones)), plain(ones, sizeof ones));
	for (int i = 0; i < 1000; i++)
		sum = checksum_add(sum, ones, sizeof ones);
	assert_int_equal(checksum_finish(sum), 0);
	assert_int_equal(checksum_finish(checksum_add(UINT32_MAX, ones, 65535)), plain(ones, 65535));
}

static void pieces_sum_up_to_the_whole(void **state)
{
	uint8_t bytes[300];

	(void)state;
	srand(2);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)rand();
	for (size_t cut = 0; cut <= sizeof bytes; cut += 2) {
		uint32_t sum = checksum_add(checksum_add(0, bytes, cut), bytes + cut, sizeof bytes - cut);

		assert_int_equal(checksum_finish(sum), plain(bytes, sizeof bytes));
	}
}

static void what_carries_its_checksum_sums_up_to_zero(void **state)
{
	uint8_t bytes[64];
	uint16_t checksum;

	(void)state;
	srand(3);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)rand();
	bytes[10] = bytes[11] = 0;
	checksum = checksum_finish(checksum_add(0, bytes, sizeof bytes));
	bytes[10] = (uint8_t)(checksum >> 8);
	bytes[11] = (uint8_t)checksum;
	assert_int_equal(checksum_finish(checksum_add(0, bytes, sizeof bytes)), 0);
}

static void the_pseudo_header_is_that_of_the_addresses_family(void **state)
{
	static const uint8_t v4[] = { 10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0x12, 0x34 };
	uint8_t v6[40] = { 0xfe, 0x80, [15] = 1, [16] = 0xfe, 0x80, [31] = 2, [32] = 0, 1, 0x12, 0x34, [39] = 6 };
	struct ip_address a = ip_from_v4(v4), b = ip_from_v4(v4 + 4);

	(void)state;
	assert_int_equal(checksum_finish(checksum_pseudo(&a, &b, 17, 0x1234)), plain(v4, sizeof v4));
	memcpy(a.bytes, v6, 16);
	memcpy(b.bytes, v6 + 16, 16);
	assert_int_equal(checksum_finish(checksum_pseudo(&a, &b, 6, 0x11234)), plain(v6, sizeof v6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_1071_holds),
		cmocka_unit_test(every_length_and_alignment_agrees_with_the_plain_loop),
		cmocka_unit_test(sixty_four_kibibytes_of_ones_do_not_overflow),
		cmocka_unit_test(pieces_sum_up_to_the_whole),
		cmocka_unit_test(what_carries_its_checksum_sums_up_to_zero),
		cmocka_unit_test(the_pseudo_header_is_that_of_the_addresses_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
