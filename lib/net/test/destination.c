/* SPDX-License-Identifier: ISC
 *
 * The order of a service's addresses: the examples of RFC 6724, 10.2, and RFC 8305, 4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/destination.h"

enum { MAX = 8 };

struct row {
	const char *address, *source; /* NULL: not reachable; "": not known */
};

static struct ip_address parsed(const char *text)
{
	struct ip_address address = ip_unspecified;

	if (text && *text)
		assert_int_equal(ip_parse(text, &address), 0);
	return address;
}

/* Sorts, and says in which order the rows came, as digits. */
static const char *order_of(const struct row *rows, size_t count, bool interleaved)
{
	static char order[MAX + 1];
	struct destination destinations[MAX];

	for (size_t i = 0; i < count; i++)
		destinations[i] = (struct destination){ parsed(rows[i].address), parsed(rows[i].source),
			rows[i].source != NULL, i };
	destination_sort(destinations, count);
	if (interleaved)
		destination_interleave(destinations, count);
	for (size_t i = 0; i < count; i++)
		order[i] = (char)('0' + destinations[i].index);
	order[count] = '\0';
	return order;
}

/* Two that RFC 6724 puts in this order, given in this and in the other. */
static void goes_before(struct row first, struct row second)
{
	assert_string_equal(order_of((struct row[]){ first, second }, 2, false), "01");
	assert_string_equal(order_of((struct row[]){ second, first }, 2, false), "10");
}

static void the_examples_of_the_rfc(void **state)
{
	(void)state;
	/* matching scope */
	goes_before(
		(struct row){ "2001:db8:1::1", "2001:db8:1::2" }, (struct row){ "198.51.100.121", "169.254.13.78" });
	goes_before((struct row){ "198.51.100.121", "198.51.100.117" }, (struct row){ "2001:db8:1::1", "fe80::1" });
	/* higher precedence */
	goes_before((struct row){ "2001:db8:1::1", "2001:db8:1::2" }, (struct row){ "10.1.2.3", "10.1.2.4" });
	/* smaller scope */
	goes_before((struct row){ "fe80::1", "fe80::2" }, (struct row){ "2001:db8:1::1", "2001:db8:1::2" });
	/* matching label */
	goes_before((struct row){ "2002:c633:6401::1", "2002:c633:6401::2" },
		(struct row){ "2001:db8:1::1", "2002:c633:6401::2" });
	/* higher precedence */
	goes_before((struct row){ "2001:db8:1::1", "2001:db8:1::2" },
		(struct row){ "2002:c633:6401::1", "2002:c633:6401::2" });
}

static void what_has_no_route_comes_last(void **state)
{
	(void)state;
	goes_before((struct row){ "192.0.2.1", "10.0.0.2" }, (struct row){ "2001:db8::1", NULL });
}

static void a_host_with_private_ipv6_alone_uses_ipv4_for_the_world(void **state)
{
	(void)state;
	goes_before((struct row){ "192.0.2.1", "10.0.0.2" }, (struct row){ "2001:db8::1", "fd00::2" });
	goes_before((struct row){ "fd00::9", "fd00::2" }, (struct row){ "192.0.2.1", "fd00::2" });
}

static void the_longest_common_prefix_wins_in_ipv6_alone(void **state)
{
	(void)state;
	goes_before(
		(struct row){ "2001:db8:1::1", "2001:db8:1::2" }, (struct row){ "2001:db8:ff::1", "2001:db8:1::2" });
	assert_string_equal(
		order_of((struct row[]){ { "198.51.100.1", "10.0.0.2" }, { "10.0.0.9", "10.0.0.2" } }, 2, false), "01");
}

static void equals_keep_their_order_and_sources_may_be_unknown(void **state)
{
	const struct row rows[] = { { "192.0.2.3", "" }, { "192.0.2.1", "" }, { "2001:db8::2", "" },
		{ "2001:db8::1", "" }, { "192.0.2.2", "" } };

	(void)state;
	assert_string_equal(order_of(rows, 5, false), "23014");
}

static void families_take_turns(void **state)
{
	const struct row rows[] = { { "2001:db8::1", "2001:db8::9" }, { "2001:db8::2", "2001:db8::9" },
		{ "2001:db8::3", "2001:db8::9" }, { "192.0.2.1", "10.0.0.2" }, { "192.0.2.2", "10.0.0.2" } };

	(void)state;
	assert_string_equal(order_of(rows, 5, true), "03142");
	assert_string_equal(order_of(rows, 3, true), "012");
	assert_string_equal(order_of(rows, 0, true), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc),
		cmocka_unit_test(what_has_no_route_comes_last),
		cmocka_unit_test(a_host_with_private_ipv6_alone_uses_ipv4_for_the_world),
		cmocka_unit_test(the_longest_common_prefix_wins_in_ipv6_alone),
		cmocka_unit_test(equals_keep_their_order_and_sources_may_be_unknown),
		cmocka_unit_test(families_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
