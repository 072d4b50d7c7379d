/* SPDX-License-Identifier: ISC
 *
 * Keys whose values are IPv6 addresses, as boot arguments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <skerry/address.h>
#include <skerry/key.h>

static struct key_ipv6 address, prefix;
static const struct key keys[] = {
	{ .name = "gateway", .type = &key_type_ipv6, .doc = "A.", .value = &address },
	{ .name = "prefix", .type = &key_type_ipv6_prefix, .doc = "P.", .value = &prefix, .initial = "fd00::1/64" },
};

static int parse(const char *argument)
{
	char program[] = "test", text[128];
	char *argv[] = { program, text, NULL };

	strncpy(text, argument, sizeof text - 1);
	text[sizeof text - 1] = '\0';
	return key_parse(keys, 2, 2, argv);
}

static void expect(const struct key_ipv6 *key, const char *text, uint8_t prefix_len)
{
	struct ip_address expected;

	assert_int_equal(ip_parse(text, &expected), 0);
	assert_true(key->set);
	assert_memory_equal(key->address, expected.bytes, 16);
	assert_int_equal(key->prefix_len, prefix_len);
}

static void addresses_and_prefixes_are_read(void **state)
{
	(void)state;
	assert_int_equal(parse("--gateway=2001:db8::1"), 0);
	expect(&address, "2001:db8::1", 128);
	expect(&prefix, "fd00::1", 64);
	assert_int_equal(parse("--prefix=2001:db8::2/48"), 0);
	expect(&prefix, "2001:db8::2", 48);
	assert_false(address.set);
	assert_int_equal(parse("--prefix=::/0"), 0);
	expect(&prefix, "::", 0);
	assert_int_equal(parse("--prefix=2001:DB8:0:0:0:0:0:1/128"), 0);
	expect(&prefix, "2001:db8::1", 128);
}

static void what_is_neither_is_refused(void **state)
{
	static const char *const wrong[] = { "--gateway=10.0.0.1", "--gateway=2001:db8::1/64",
		"--gateway=", "--gateway=x", "--gateway=2001:db8::1::", "--prefix=2001:db8::1", "--prefix=2001:db8::1/",
		"--prefix=2001:db8::1/129", "--prefix=2001:db8::1/064", "--prefix=2001:db8::1/64x",
		"--prefix=2001:db8::1/1000", "--prefix=/64", "--prefix=10.0.0.1/24",
		"--prefix=0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(parse(wrong[i]), EXIT_BAD_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_prefixes_are_read),
		cmocka_unit_test(what_is_neither_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
