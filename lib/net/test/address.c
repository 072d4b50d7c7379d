/* SPDX-License-Identifier: ISC
 *
 * Addresses as text, from RFC 4291 (2.2), RFC 5952 and what people type.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <skerry/address.h>

static struct ip_address parsed(const char *text)
{
	struct ip_address address;

	if (ip_parse(text, &address) != 0)
		fail_msg("\"%s\" was refused", text);
	return address;
}

static void assert_formats(const char *text, const char *expected)
{
	struct ip_address address = parsed(text);
	char *out = malloc(IP_TEXT_MAX); /* on the heap, so that the sanitizer sees a write beyond the end */

	assert_string_equal(ip_format(&address, out), expected);
	free(out);
}

static void dotted_decimal_is_read_into_the_mapped_form(void **state)
{
	static const uint8_t mapped[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 255, 2 };
	struct ip_address address = parsed("10.0.255.2"), same = ip_from_v4((const uint8_t[]){ 10, 0, 255, 2 });

	(void)state;
	assert_memory_equal(address.bytes, mapped, 16);
	assert_true(ip_is_v4(&address));
	assert_true(ip_equal(&address, &same));
	same = parsed("::ffff:10.0.255.2");
	assert_true(ip_equal(&address, &same));
}

static void both_families_unspecified_addresses_are_one(void **state)
{
	struct ip_address v4 = parsed("0.0.0.0"), v6 = parsed("::");

	(void)state;
	assert_true(ip_equal(&v4, &ip_unspecified));
	assert_true(ip_equal(&v6, &ip_unspecified));
	assert_false(ip_is_v4(&v4));
}

static void ipv6_text_is_read_in_all_forms_of_rfc_4291(void **state)
{
	static const struct {
		const char *text;
		uint8_t bytes[16];
	} cases[] = {
		{ "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", { 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
								     0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89 } },
		{ "2001:DB8:0:0:8:800:200C:417A",
			{ 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 8, 8, 0, 0x20, 0x0c, 0x41, 0x7a } },
		{ "2001:DB8::8:800:200C:417A",
			{ 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 8, 8, 0, 0x20, 0x0c, 0x41, 0x7a } },
		{ "::1", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
		{ "1::", { 0, 1 } },
		{ "::13.1.68.3", { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 1, 68, 3 } },
		{ "64:ff9b::192.0.2.33", { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, 33 } },
		{ "1:2:3:4:5:6:7::", { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7 } },
		{ "::2:3:4:5:6:7:8", { 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8 } },
		{ "1:2:3:4:5:6:77.88.99.111", { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 77, 88, 99, 111 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ip_address address = parsed(cases[i].text);

		assert_memory_equal(address.bytes, cases[i].bytes, 16);
	}
}

static void what_is_no_address_is_refused_and_nothing_is_written(void **state)
{
	static const char *const bad[] = { "", " ", "10", "10.0.0", "10.0.0.", ".10.0.0.1", "10.0.0.1.", "10.0.0.1.2",
		"256.0.0.1", "10.0.0.999", "10.0.0.0001", "01.2.3.4", "10.00.0.1", "0x0a.0.0.1", "10.0.0.-1",
		"10.0.0.1 ", " 10.0.0.1", "10.0.0.1/24", "10..0.1", "a.b.c.d", ":", ":::", "1", "1:", ":1",
		"1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
		"1:2:3:4::5:6:7:8", "1::2::3", "12345::", "g::", "::10.0.0", "::10.0.0.256", "1:2:3:4:5:6:7:10.0.0.1",
		"10.0.0.1::", "::10.0.0.1:1", "fe80::1%eth0", "[::1]", "::1:" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ip_address address;

		memset(&address, 0xa5, sizeof address);
		if (ip_parse(bad[i], &address) != -EINVAL)
			fail_msg("\"%s\" was taken for an address", bad[i]);
		for (size_t byte = 0; byte < sizeof address.bytes; byte++)
			assert_int_equal(address.bytes[byte], 0xa5);
	}
}

static void addresses_are_written_as_rfc_5952_says(void **state)
{
	(void)state;
	assert_formats("10.0.0.1", "10.0.0.1");
	assert_formats("255.255.255.255", "255.255.255.255");
	assert_formats("2001:0db8::0001", "2001:db8::1");               /* 4.1: no leading zeros */
	assert_formats("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");        /* 4.2.1: as short as can be */
	assert_formats("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"); /* 4.2.2: not for one group */
	assert_formats("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");          /* 4.2.3: the longest run */
	assert_formats("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");    /* 4.2.3: the first of two */
	assert_formats("2001:DB8::ABCD", "2001:db8::abcd");             /* 4.3: lower case */
	assert_formats("::", "::");
	assert_formats("::1", "::1");
	assert_formats("1::", "1::");
	assert_formats("0:0:1::", "0:0:1::");
	assert_formats("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void an_endpoint_of_ipv6_has_brackets(void **state)
{
	struct ip_endpoint endpoint = { parsed("10.0.0.1"), 80 };
	char *text = malloc(IP_ENDPOINT_TEXT_MAX);

	(void)state;
	assert_string_equal(ip_endpoint_format(&endpoint, text), "10.0.0.1:80");
	endpoint = (struct ip_endpoint){ parsed("fe80::1"), 65535 };
	assert_string_equal(ip_endpoint_format(&endpoint, text), "[fe80::1]:65535");
	free(text);
}

static void any_address_survives_being_written_and_read(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct ip_address address, again;
		char text[IP_TEXT_MAX];

		for (size_t byte = 0; byte < 16; byte++)
			address.bytes[byte] = (uint8_t)(rand() % 3 ? 0 : rand());
		again = parsed(ip_format(&address, text));
		assert_true(ip_equal(&address, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dotted_decimal_is_read_into_the_mapped_form),
		cmocka_unit_test(both_families_unspecified_addresses_are_one),
		cmocka_unit_test(ipv6_text_is_read_in_all_forms_of_rfc_4291),
		cmocka_unit_test(what_is_no_address_is_refused_and_nothing_is_written),
		cmocka_unit_test(addresses_are_written_as_rfc_5952_says),
		cmocka_unit_test(an_endpoint_of_ipv6_has_brackets),
		cmocka_unit_test(any_address_survives_being_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
