/* SPDX-License-Identifier: ISC
 *
 * For tests of IPv6 on the cable of cable.h: a stack with it, packets to give, and packets to expect.
 *
 *	struct cable *cable = cable6_open("2001:db8::2", 64, "2001:db8::1");	addresses are assigned
 *	put_ip6(&packet, HOST, US, IP_PROTOCOL_UDP, payload, len);
 *	put_icmp6(&packet, HOST, US, type, code, rest, data, len);       rest: the 4 bytes behind the checksum
 *	give_packet(cable, &packet);
 *	const struct frame *sent = expect_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION);
 */
#ifndef NET_TEST_CABLE6_H
#define NET_TEST_CABLE6_H

#include "lib/net/ipv6_stack.h"
#include "lib/net/ndp_message.h"
#include "lib/net/test/cable.h"

enum { HEADERS_6 = NET_ETHERNET_HEADER + IPV6_HEADER };

static inline struct ip_address ip6(const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_parse(text, &address), 0);
	return address;
}

static inline struct key_ipv6 ipv6_key(const char *text, uint8_t prefix_len)
{
	struct key_ipv6 key = { .prefix_len = prefix_len, .set = text != NULL };

	if (text)
		memcpy(key.address, ip6(text).bytes, 16);
	return key;
}

static inline int cable6_open_stack(struct cable *cable, const struct stack_config *config)
{
	struct stack_config whole = *config;

	if (!whole.ipv4.set && !whole.dhcp)
		whole.ipv4 = ipv4_key("10.0.0.2", 24);
	whole.ipv6 = &stack_ipv6;
	pass(0); /* so that the scheduler has read the clock */
	return stack_open(&cable->net, &whole, &cable->stack);
}

static inline struct cable *cable6_open(const char *address, uint8_t prefix_len, const char *gateway)
{
	const struct stack_config config = { .ipv6_address = ipv6_key(address, prefix_len),
		.ipv6_gateway = ipv6_key(gateway, 128),
		.ipv6_secret = "test" };
	struct cable *cable = cable_new();

	assert_int_equal(cable6_open_stack(cable, &config), 0);
	pass(SECOND(5));
	drop_sent(cable);
	return cable;
}

static inline struct ipv6 *machine_of(const struct cable *cable)
{
	return own_of(cable)->ipv6->machine;
}

/* The stack's address of this origin; asserts that there is one. */
static inline struct ip_address address_of(const struct cable *cable, enum ipv6_address_origin origin)
{
	const struct ipv6 *machine = machine_of(cable);

	for (size_t i = 0; i < IPV6_ADDRESSES; i++)
		if (machine->addresses[i].state != IPV6_FREE && machine->addresses[i].origin == origin)
			return machine->addresses[i].address;
	fail_msg("the stack has no address of origin %d", origin);
	return ip_unspecified;
}

/* Packets ----------------------------------------------------------------------------------------------------- */

static inline void put_ip6_between(struct packet *packet, const struct ip_address *from, const struct ip_address *to,
	uint8_t next, const void *payload, size_t len)
{
	uint8_t *header = packet->bytes + NET_ETHERNET_HEADER;

	memset(packet->bytes, 0, HEADERS_6);
	memcpy(packet->bytes, our_mac, 6);
	if (ipv6_is_multicast(to)) {
		packet->bytes[0] = packet->bytes[1] = 0x33;
		memcpy(packet->bytes + 2, to->bytes + 12, 4);
	}
	memcpy(packet->bytes + 6, their_mac, 6);
	wire_put16(packet->bytes + 12, ETHERNET_IPV6);
	header[0] = 0x60;
	wire_put16(header + IPV6_PAYLOAD_LENGTH, (uint16_t)len);
	header[IPV6_NEXT_HEADER] = next;
	header[IPV6_HOP_LIMIT] = 64;
	memcpy(header + IPV6_SOURCE, from->bytes, 16);
	memcpy(header + IPV6_DESTINATION, to->bytes, 16);
	if (len)
		memcpy(packet->bytes + HEADERS_6, payload, len);
	packet->len = HEADERS_6 + len;
}

static inline void put_ip6(
	struct packet *packet, const char *from, const char *to, uint8_t next, const void *payload, size_t len)
{
	struct ip_address source = ip6(from), destination = ip6(to);

	put_ip6_between(packet, &source, &destination, next, payload, len);
}

/* Sums the upper layer, of this protocol, which begins at offset at of the payload. */
static inline void sum_ip6(struct packet *packet, uint8_t protocol, size_t at, size_t checksum_offset)
{
	uint8_t *header = packet->bytes + NET_ETHERNET_HEADER, *upper = packet->bytes + HEADERS_6 + at;
	size_t len = packet->len - HEADERS_6 - at;
	struct ip_address from = ipv6_get(header + IPV6_SOURCE), to = ipv6_get(header + IPV6_DESTINATION);
	uint32_t sum = checksum_pseudo(&from, &to, protocol, len);

	wire_put16(upper + checksum_offset, 0);
	wire_put16(upper + checksum_offset, checksum_finish(checksum_add(sum, upper, len)));
}

/* With the hop limit of discovery, if it is a message of that. */
static inline void put_icmp6_between(struct packet *packet, const struct ip_address *from, const struct ip_address *to,
	uint8_t type, uint8_t code, uint32_t rest, const void *data, size_t len)
{
	uint8_t *icmp = packet->bytes + HEADERS_6;

	put_ip6_between(packet, from, to, IP_PROTOCOL_ICMPV6, NULL, 0);
	memset(icmp, 0, ICMPV6_HEADER);
	icmp[ICMPV6_TYPE] = type;
	icmp[ICMPV6_CODE] = code;
	wire_put32(icmp + ICMPV6_REST, rest);
	if (len)
		memcpy(icmp + ICMPV6_HEADER, data, len);
	packet->len = HEADERS_6 + ICMPV6_HEADER + len;
	wire_put16(packet->bytes + NET_ETHERNET_HEADER + IPV6_PAYLOAD_LENGTH, (uint16_t)(ICMPV6_HEADER + len));
	if (type >= NDP_ROUTER_SOLICITATION && type <= NDP_REDIRECT)
		packet->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT] = 255;
	if (type >= MLD_QUERY && type <= MLD_DONE_1)
		packet->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT] = 1;
	sum_ip6(packet, IP_PROTOCOL_ICMPV6, 0, ICMPV6_CHECKSUM);
}

static inline void put_icmp6(struct packet *packet, const char *from, const char *to, uint8_t type, uint8_t code,
	uint32_t rest, const void *data, size_t len)
{
	struct ip_address source = ip6(from), destination = ip6(to);

	put_icmp6_between(packet, &source, &destination, type, code, rest, data, len);
}

/* Appends to an ICMPv6 message (an option of discovery) and sums again. */
static inline void append_icmp6(struct packet *packet, const void *data, size_t len)
{
	memcpy(packet->bytes + packet->len, data, len);
	packet->len += len;
	wire_put16(packet->bytes + NET_ETHERNET_HEADER + IPV6_PAYLOAD_LENGTH, (uint16_t)(packet->len - HEADERS_6));
	sum_ip6(packet, IP_PROTOCOL_ICMPV6, 0, ICMPV6_CHECKSUM);
}

static inline void append_mac(struct packet *packet, enum ndp_option_type type, const uint8_t mac[6])
{
	uint8_t option[NDP_OPTION_MAC_LEN] = { (uint8_t)type, 1 };

	memcpy(option + 2, mac, 6);
	append_icmp6(packet, option, sizeof option);
}

/* A neighbour advertises target as its address, in answer or not. */
static inline void give_advertisement(
	struct cable *cable, const char *from, const char *to, const char *target, uint8_t flags, const uint8_t *mac)
{
	static struct packet packet;
	struct ip_address address = ip6(target);

	put_icmp6(&packet, from, to, NDP_NEIGHBOUR_ADVERTISEMENT, 0, (uint32_t)flags << 24, address.bytes, 16);
	if (mac)
		append_mac(&packet, NDP_OPTION_TARGET_MAC, mac);
	give_packet(cable, &packet);
}

static inline void give_solicitation(
	struct cable *cable, const char *from, const char *to, const char *target, const uint8_t *mac)
{
	static struct packet packet;
	struct ip_address address = ip6(target);

	put_icmp6(&packet, from, to, NDP_NEIGHBOUR_SOLICITATION, 0, 0, address.bytes, 16);
	if (mac)
		append_mac(&packet, NDP_OPTION_SOURCE_MAC, mac);
	give_packet(cable, &packet);
}

static inline void put_udp6(struct packet *packet, const char *from, uint16_t from_port, const char *to,
	uint16_t to_port, const void *data, size_t len)
{
	uint8_t *udp = packet->bytes + HEADERS_6;

	put_ip6(packet, from, to, IP_PROTOCOL_UDP, NULL, 0);
	wire_put16(udp, from_port);
	wire_put16(udp + 2, to_port);
	wire_put16(udp + 4, (uint16_t)(8 + len));
	if (len)
		memcpy(udp + 8, data, len);
	packet->len = HEADERS_6 + 8 + len;
	wire_put16(packet->bytes + NET_ETHERNET_HEADER + IPV6_PAYLOAD_LENGTH, (uint16_t)(8 + len));
	sum_ip6(packet, IP_PROTOCOL_UDP, 0, 6);
}

/* What was sent ------------------------------------------------------------------------------------------------ */

/* The next IPv6 packet sent; NULL: there is none. Its lengths and addresses are well formed. */
static inline const struct frame *take6(struct cable *cable)
{
	const struct frame *frame;

	while ((frame = take(cable)) && wire_get16(frame->bytes + 12) != ETHERNET_IPV6)
		;
	if (!frame)
		return NULL;
	assert_true(frame->len >= HEADERS_6);
	assert_memory_equal(frame->bytes + 6, our_mac, 6);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER] >> 4, 6);
	assert_int_equal(wire_get16(frame->bytes + NET_ETHERNET_HEADER + IPV6_PAYLOAD_LENGTH), frame->len - HEADERS_6);
	return frame;
}

static inline struct ip_address source_of(const struct frame *frame)
{
	return ipv6_get(frame->bytes + NET_ETHERNET_HEADER + IPV6_SOURCE);
}

static inline struct ip_address destination_of(const struct frame *frame)
{
	return ipv6_get(frame->bytes + NET_ETHERNET_HEADER + IPV6_DESTINATION);
}

/* Where its ICMPv6 message begins, behind a Hop-by-Hop header if there is one; NULL: it is none. Checks the sum. */
static inline const uint8_t *icmp6_of(const struct frame *frame, size_t *len)
{
	const uint8_t *header = frame->bytes + NET_ETHERNET_HEADER, *upper = header + IPV6_HEADER;
	struct ip_address from = source_of(frame), to = destination_of(frame);
	uint8_t next = header[IPV6_NEXT_HEADER];

	*len = frame->len - HEADERS_6;
	if (next == IPV6_HOP_BY_HOP) {
		next = upper[0];
		upper += 8;
		*len -= 8;
	}
	if (next != IP_PROTOCOL_ICMPV6)
		return NULL;
	assert_int_equal(
		checksum_finish(checksum_add(checksum_pseudo(&from, &to, IP_PROTOCOL_ICMPV6, *len), upper, *len)), 0);
	return upper;
}

/* The next packet must be an ICMPv6 message of this type. */
static inline const struct frame *expect_icmp6(struct cable *cable, uint8_t type)
{
	const struct frame *frame = take6(cable);
	const uint8_t *message;
	size_t len;

	assert_non_null(frame);
	message = icmp6_of(frame, &len);
	assert_non_null(message);
	assert_int_equal(message[ICMPV6_TYPE], type);
	return frame;
}

/* The first packet that is an ICMPv6 message of this type, those before it dropped; NULL: there is none. */
static inline const struct frame *find_icmp6(struct cable *cable, uint8_t type)
{
	const struct frame *frame;
	const uint8_t *message;
	size_t len;

	while ((frame = take6(cable)))
		if ((message = icmp6_of(frame, &len)) && message[ICMPV6_TYPE] == type)
			return frame;
	return NULL;
}

static inline const uint8_t *body_of(const struct frame *frame)
{
	size_t len;

	return icmp6_of(frame, &len);
}

static inline void assert_address(const struct ip_address *address, const char *text)
{
	char shown[IP_TEXT_MAX];
	struct ip_address expected = ip6(text);

	assert_string_equal(ip_format(address, shown), ip_format(&expected, (char[IP_TEXT_MAX]){ 0 }));
}

#endif
