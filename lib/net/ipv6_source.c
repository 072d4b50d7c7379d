/* SPDX-License-Identifier: ISC
 *
 * Which of our addresses a packet has as its source (RFC 6724, 5).
 *
 * Rules 4 (home addresses) and 5 (interfaces) have nothing to choose here, as there is one link; 5.5 (who advertised
 * the prefix) is optional and not done.
 */
#include <errno.h>

#include "ipv6.h"
#include "ipv6_wire.h"

enum scope { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724, 3.1. */
static uint8_t scope_of(const struct ip_address *address)
{
	if (ipv6_is_multicast(address))
		return address->bytes[1] & 0x0f;
	if (ipv6_is_link_local(address) || ipv6_is_loopback(address))
		return SCOPE_LINK;
	if (address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	return SCOPE_GLOBAL;
}

/* The labels of the policy table in RFC 6724, 2.1: 6to4, Teredo, unique local, the old site-local and 6bone prefixes,
 * and all else. (::1, ::ffff:0:0/96 and ::/96 are on no link.) */
static uint8_t label_of(const struct ip_address *address)
{
	static const struct {
		struct ip_address prefix;
		uint8_t len, label;
	} policy[] = {
		{ { { 0x20, 0x02 } }, 16, 2 },
		{ { { 0x20, 0x01 } }, 32, 5 },
		{ { { 0xfc } }, 7, 13 },
		{ { { 0xfe, 0xc0 } }, 10, 11 },
		{ { { 0x3f, 0xfe } }, 16, 12 },
	};

	for (size_t i = 0; i < sizeof policy / sizeof *policy; i++)
		if (ipv6_common_bits(&policy[i].prefix, address) >= policy[i].len)
			return policy[i].label;
	return 1;
}

struct choice {
	const struct ip_address *destination;
	uint64_t now;
	uint8_t scope, label;
};

/* Positive: a is better than b; negative: worse. */
static int compare(const struct choice *choice, const struct ipv6_own_address *a, const struct ipv6_own_address *b)
{
	uint8_t scope_a = scope_of(&a->address), scope_b = scope_of(&b->address);
	unsigned common_a, common_b;
	int rule;

	/* 1 */
	rule = ip_equal(&a->address, choice->destination) - ip_equal(&b->address, choice->destination);
	if (rule != 0)
		return rule;
	/* 2: the smallest scope that reaches, or the largest of those that do not */
	if (scope_a != scope_b)
		return (scope_a < scope_b ? scope_a : scope_b) < choice->scope ? scope_a - scope_b : scope_b - scope_a;
	/* 3 */
	rule = (a->preferred_until > choice->now) - (b->preferred_until > choice->now);
	if (rule != 0)
		return rule;
	/* 6 */
	rule = (label_of(&a->address) == choice->label) - (label_of(&b->address) == choice->label);
	if (rule != 0)
		return rule;
	/* 7: who asked for temporary addresses wants them used */
	rule = (a->origin == IPV6_TEMPORARY) - (b->origin == IPV6_TEMPORARY);
	if (rule != 0)
		return rule;
	/* 8 */
	common_a = ipv6_common_bits(&a->address, choice->destination);
	common_b = ipv6_common_bits(&b->address, choice->destination);
	common_a = common_a < a->prefix_len ? common_a : a->prefix_len;
	common_b = common_b < b->prefix_len ? common_b : b->prefix_len;
	return (int)common_a - (int)common_b;
}

int ipv6_choose_source(
	const struct ipv6 *ipv6, const struct ip_address *destination, uint64_t now, struct ip_address *source)
{
	const struct choice choice = {
		.destination = destination,
		.now = now,
		.scope = scope_of(destination),
		.label = label_of(destination),
	};
	const struct ipv6_own_address *best = NULL;
	uint8_t hoped_for = 0; /* the largest scope of what is being probed */

	for (size_t i = 0; i < IPV6_ADDRESSES; i++) {
		const struct ipv6_own_address *own = &ipv6->addresses[i];

		if (own->state == IPV6_TENTATIVE && scope_of(&own->address) > hoped_for)
			hoped_for = scope_of(&own->address);
		if (own->state == IPV6_ASSIGNED && (!best || compare(&choice, own, best) > 0))
			best = own;
	}
	/* One that reaches farther than the best, and that is needed, is worth to be waited for. */
	if (hoped_for > (best ? scope_of(&best->address) : 0) && (!best || scope_of(&best->address) < choice.scope))
		return -EAGAIN;
	if (!best)
		return -EADDRNOTAVAIL;
	*source = best->address;
	return 0;
}
