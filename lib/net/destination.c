/* SPDX-License-Identifier: ISC
 *
 * Which address of a service is tried first. An IPv4 address is in the policy table as what it is here: ::ffff:a.b.c.d.
 *
 * Rules 3 (deprecated), 4 (home addresses) and 7 (encapsulation) ask for what is not known of a source; and common bits
 * say nothing about distance in IPv4 (rule 9).
 */
#include <stddef.h>

#include "destination.h"
#include "ipv6_wire.h"

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14, V4 = 12 };

/* RFC 6724, 3.1 and 3.2. */
static int scope_of(const struct ip_address *address)
{
	const uint8_t *v4 = address->bytes + V4;

	if (ip_is_v4(address))
		return v4[0] == 127 || (v4[0] == 169 && v4[1] == 254) ? SCOPE_LINK : SCOPE_GLOBAL;
	if (ipv6_is_multicast(address))
		return address->bytes[1] & 0x0f;
	if (ipv6_is_link_local(address) || ipv6_is_loopback(address))
		return SCOPE_LINK;
	return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0xc0 ? SCOPE_SITE : SCOPE_GLOBAL;
}

struct policy {
	struct ip_address prefix;
	uint8_t len, precedence, label;
};

/* RFC 6724, 2.1; the longest prefixes come first. */
static const struct policy *policy_of(const struct ip_address *address)
{
	static const struct policy table[] = {
		{ { { [15] = 1 } }, 128, 50, 0 },
		{ { { [10] = 0xff, 0xff } }, 96, 35, 4 },
		{ { { 0 } }, 96, 1, 3 },
		{ { { 0x20, 0x01 } }, 32, 5, 5 },
		{ { { 0x20, 0x02 } }, 16, 30, 2 },
		{ { { 0x3f, 0xfe } }, 16, 1, 12 },
		{ { { 0xfe, 0xc0 } }, 10, 1, 11 },
		{ { { 0xfc } }, 7, 3, 13 },
		{ { { 0 } }, 0, 40, 1 },
	};
	const struct policy *policy = table;

	while (ipv6_common_bits(&policy->prefix, address) < policy->len)
		policy++;
	return policy;
}

/* Positive: a goes before b. */
static int compare(const struct destination *a, const struct destination *b)
{
	const struct policy *policy_a = policy_of(&a->address), *policy_b = policy_of(&b->address);
	bool known = !ip_equal(&a->source, &ip_unspecified) && !ip_equal(&b->source, &ip_unspecified);
	int rule = a->reachable - b->reachable; /* 1 */

	if (rule == 0 && known) /* 2 */
		rule = (scope_of(&a->address) == scope_of(&a->source)) -
		       (scope_of(&b->address) == scope_of(&b->source));
	if (rule == 0 && known) /* 5 */
		rule = (policy_a->label == policy_of(&a->source)->label) -
		       (policy_b->label == policy_of(&b->source)->label);
	if (rule == 0) /* 6 */
		rule = policy_a->precedence - policy_b->precedence;
	if (rule == 0) /* 8 */
		rule = scope_of(&b->address) - scope_of(&a->address);
	if (rule == 0 && known && !ip_is_v4(&a->address) && !ip_is_v4(&b->address)) /* 9 */
		rule = (int)ipv6_common_bits(&a->address, &a->source) - (int)ipv6_common_bits(&b->address, &b->source);
	return rule;
}

/* Moves one to a place further in front. */
static void move_up(struct destination *destinations, size_t from, size_t to)
{
	struct destination moved = destinations[from];

	memmove(destinations + to + 1, destinations + to, (from - to) * sizeof *destinations);
	destinations[to] = moved;
}

void destination_sort(struct destination *destinations, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		size_t to = i;

		while (to > 0 && compare(&destinations[i], &destinations[to - 1]) > 0)
			to--;
		move_up(destinations, i, to);
	}
}

void destination_interleave(struct destination *destinations, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		bool wanted = !ip_is_v4(&destinations[i - 1].address);
		size_t found = i;

		while (found < count && ip_is_v4(&destinations[found].address) != wanted)
			found++;
		if (found < count)
			move_up(destinations, found, i);
	}
}
