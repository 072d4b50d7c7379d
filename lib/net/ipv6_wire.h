/* SPDX-License-Identifier: ISC
 *
 * IPv6 on the wire: where the fields of its header lie (RFC 8200, 3), numbers of protocols and ICMPv6 types, and what
 * an address says about itself (RFC 4291).
 */
#ifndef NET_IPV6_WIRE_H
#define NET_IPV6_WIRE_H

#include <string.h>

#include <skerry/address.h>

enum {
	IPV6_VERSION = 0,
	IPV6_PAYLOAD_LENGTH = 4,
	IPV6_NEXT_HEADER = 6,
	IPV6_HOP_LIMIT = 7,
	IPV6_SOURCE = 8,
	IPV6_DESTINATION = 24,
	IPV6_HEADER = 40, /* IPV6_HEADER_BYTES of own_stack.h */
};
enum { IPV6_MTU_MIN = 1280 };

/* Next headers */
enum {
	IPV6_HOP_BY_HOP = 0,
	IPV6_ROUTING = 43,
	IPV6_FRAGMENT = 44,
	IP_PROTOCOL_ICMPV6 = 58,
	IPV6_NO_NEXT = 59,
	IPV6_DESTINATION_OPTIONS = 60,
};

/* ICMPv6: below 128 they are errors */
enum {
	ICMPV6_UNREACHABLE = 1,
	ICMPV6_TOO_BIG = 2,
	ICMPV6_TIME_EXCEEDED = 3,
	ICMPV6_PARAMETER_PROBLEM = 4,
	ICMPV6_INFORMATIONAL = 128,
	ICMPV6_ECHO_REQUEST = 128,
	ICMPV6_ECHO_REPLY = 129,
	MLD_QUERY = 130,
	MLD_REPORT_1 = 131,
	MLD_DONE_1 = 132,
	NDP_ROUTER_SOLICITATION = 133,
	NDP_ROUTER_ADVERTISEMENT = 134,
	NDP_NEIGHBOUR_SOLICITATION = 135,
	NDP_NEIGHBOUR_ADVERTISEMENT = 136,
	NDP_REDIRECT = 137,
	MLD_REPORT_2 = 143,
};
enum { ICMPV6_TYPE = 0, ICMPV6_CODE = 1, ICMPV6_CHECKSUM = 2, ICMPV6_REST = 4, ICMPV6_HEADER = 8 };

static inline struct ip_address ipv6_get(const uint8_t bytes[16])
{
	struct ip_address address;

	memcpy(address.bytes, bytes, sizeof address.bytes);
	return address;
}

static inline bool ipv6_is_multicast(const struct ip_address *address)
{
	return address->bytes[0] == 0xff;
}

static inline bool ipv6_is_link_local(const struct ip_address *address)
{
	return address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

static inline bool ipv6_is_unspecified(const struct ip_address *address)
{
	return ip_equal(address, &ip_unspecified);
}

/* ::1, which never is on a link. */
static inline bool ipv6_is_loopback(const struct ip_address *address)
{
	static const struct ip_address loopback = { { [15] = 1 } };

	return ip_equal(address, &loopback);
}

/* RFC 4291, 2.7.1: the group in which an address is asked for. */
static inline struct ip_address ipv6_solicited_node(const struct ip_address *address)
{
	struct ip_address group = { { 0xff, 0x02, [11] = 1, [12] = 0xff } };

	memcpy(group.bytes + 13, address->bytes + 13, 3);
	return group;
}

/* How many bits two addresses have in common, from the first on. */
static inline unsigned ipv6_common_bits(const struct ip_address *a, const struct ip_address *b)
{
	unsigned i = 0;

	while (i < 16 && a->bytes[i] == b->bytes[i])
		i++;
	return i == 16 ? 128 : i * 8 + (unsigned)__builtin_clz((unsigned)(a->bytes[i] ^ b->bytes[i])) - 24;
}

#endif
