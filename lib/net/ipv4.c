/* SPDX-License-Identifier: ISC
 *
 * IPv4 addresses, and packets on their way down (RFC 791, 1122, 6864): a header and a next hop for each.
 *
 * Hot path: no copy and no allocation; the header, with room for Ethernet's in front, is one piece on the stack.
 */
#include <errno.h>
#include <string.h>

#include "own_stack.h"
#include "wire.h"

bool ipv4_is_host(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address < 0xe0000000;
}

bool ipv4_is_broadcast(const struct own_stack *stack, uint32_t address)
{
	/* A subnet of two (RFC 3021) or of one has none of its own. */
	if (stack->mask < 0xfffffffe && (address & stack->mask) == (stack->ipv4 & stack->mask) &&
		(address | stack->mask) == UINT32_MAX)
		return true;
	return address == UINT32_MAX;
}

uint32_t ipv4_number(const struct ip_address *address)
{
	return wire_get32(address->bytes + 12);
}

struct ip_address ipv4_address(uint32_t number)
{
	uint8_t bytes[4];

	wire_put32(bytes, number);
	return ip_from_v4(bytes);
}

/* Sending ----------------------------------------------------------------------------------------------------- */

/* Where a packet goes next. */
struct hop {
	uint32_t neighbour; /* to be resolved; 0: all on the link, at mac */
	uint8_t mac[6];
};

/* 0 or -ENETUNREACH. There is no loopback: our own address cannot be reached from here. */
static int choose_hop(const struct own_stack *stack, const struct ip_address *to, struct hop *hop)
{
	uint32_t address = ipv4_number(to);

	*hop = (struct hop){ 0 };
	if (!ip_is_v4(to) || address == stack->ipv4 || (stack->ipv4 == 0 && !stack->dhcp))
		return -ENETUNREACH;
	if (ipv4_is_broadcast(stack, address)) {
		memcpy(hop->mac, ethernet_broadcast, sizeof hop->mac);
		return 0;
	}
	if (stack->ipv4 == 0) /* its DHCP client asks all */
		return -ENETUNREACH;
	if (address >> 28 == 0xe) { /* multicast: RFC 1112, 6.4 */
		wire_put32(hop->mac + 2, (address & 0x7fffff) | 0x5e000000);
		hop->mac[0] = 0x01;
		hop->mac[1] = 0x00;
		return 0;
	}
	if (!ipv4_is_host(address))
		return -ENETUNREACH;
	if (((address ^ stack->ipv4) & stack->mask) == 0)
		hop->neighbour = address;
	else
		hop->neighbour = stack->gateway; /* which need not be on our subnet */
	return hop->neighbour ? 0 : -ENETUNREACH;
}

int ipv4_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu)
{
	struct hop hop;
	int err = choose_hop(stack, destination, &hop);

	if (err < 0)
		return err;
	*source = stack->address;
	*mtu = stack->net->info.mtu;
	return 0;
}

int ipv4_ready(struct own_stack *stack, const struct ip_address *destination)
{
	struct hop hop;
	int err = choose_hop(stack, destination, &hop);

	return err < 0 || hop.neighbour == 0 ? err : neighbour_find(stack, hop.neighbour, hop.mac);
}

/* Where a packet, or a fragment of it, stands. RFC 6864, 4.1: a packet that is never fragmented (DF) needs no
 * identification; one that is gets an unpredictable one (RFC 7739). */
struct place {
	uint16_t id;
	uint16_t fragment; /* the field: flags, and the offset in units of 8 bytes */
	size_t offset, len;
};

static void put_header(
	uint8_t header[IPV4_HEADER], const struct ip_sending *packet, bool multicast, const struct place *place)
{
	memset(header, 0, IPV4_HEADER);
	header[IPV4_VERSION_IHL] = IPV4_VERSION | IPV4_HEADER / 4;
	header[IPV4_TRAFFIC_CLASS] = packet->traffic_class;
	wire_put16(header + IPV4_TOTAL_LENGTH, (uint16_t)(IPV4_HEADER + place->len));
	wire_put16(header + IPV4_ID, place->id);
	wire_put16(header + IPV4_FRAGMENT, place->fragment);
	header[IPV4_TTL] = multicast ? 1 : IPV4_TTL_DEFAULT; /* RFC 1112, 6.1 */
	header[IPV4_PROTOCOL] = packet->protocol;
	memcpy(header + IPV4_SOURCE, packet->source.bytes + 12, 4);
	memcpy(header + IPV4_DESTINATION, packet->destination.bytes + 12, 4);
	wire_put16(header + IPV4_CHECKSUM, checksum_finish(checksum_add(0, header, IPV4_HEADER)));
}

void ipv4_put_whole_header(uint8_t header[IPV4_HEADER], const struct ip_sending *packet)
{
	const struct place whole = { .fragment = IPV4_DONT_FRAGMENT, .len = packet->len };

	put_header(header, packet, false, &whole);
}

static int send_place(struct own_stack *stack, const struct ip_sending *packet, const struct hop *hop,
	const struct place *place, const struct platform_net_meta *meta)
{
	uint8_t headers[NET_ETHERNET_HEADER + IPV4_HEADER];
	struct platform_piece pieces[PLATFORM_PIECES] = { { headers, sizeof headers } };
	size_t count = 1 + ip_cut(pieces + 1, packet, place->offset, place->len);

	put_header(headers + NET_ETHERNET_HEADER, packet, hop->neighbour == 0 && hop->mac[0] == 0x01, place);
	if (hop->neighbour)
		return neighbour_send(stack, hop->neighbour, headers, pieces, count, meta);
	ethernet_put_header(stack, headers, hop->mac, ETHERNET_IPV4);
	return ethernet_send(stack, pieces, count, meta);
}

static int send_fragments(struct own_stack *stack, const struct ip_sending *packet, const struct hop *hop)
{
	static const struct platform_net_meta plain;
	size_t most = (stack->net->info.mtu - (size_t)IPV4_HEADER) / FRAGMENT_UNIT * FRAGMENT_UNIT;
	struct place place = { .id = (uint16_t)stack_random_u32(stack) };
	int err = 0;

	for (; err == 0 && place.offset < packet->len; place.offset += place.len) {
		place.len = packet->len - place.offset < most ? packet->len - place.offset : most;
		place.fragment = (uint16_t)(place.offset / FRAGMENT_UNIT);
		if (place.offset + place.len < packet->len)
			place.fragment |= IPV4_MORE_FRAGMENTS;
		err = send_place(stack, packet, hop, &place, &plain);
	}
	return err;
}

int ipv4_send(struct own_stack *stack, const struct ip_sending *packet)
{
	const struct place whole = { .fragment = packet->path_may_fragment ? 0 : IPV4_DONT_FRAGMENT,
		.id = packet->path_may_fragment ? (uint16_t)stack_random_u32(stack) : 0,
		.len = packet->len };
	struct platform_net_meta meta = {
		.segment_bytes = packet->segment_bytes,
		.header_bytes = (uint16_t)(NET_ETHERNET_HEADER + IPV4_HEADER + packet->pieces[0].len),
	};
	size_t mtu = packet->segment_bytes ? UINT16_MAX : stack->net->info.mtu;
	struct hop hop;
	int err = choose_hop(stack, &packet->destination, &hop);

	if (err < 0)
		return err;
	if (packet->len > (size_t)UINT16_MAX - IPV4_HEADER ||
		(packet->len > mtu - IPV4_HEADER && !packet->may_fragment))
		return -EMSGSIZE;
	if (packet->len > mtu - IPV4_HEADER)
		return send_fragments(stack, packet, &hop);
	if (packet->checksum_partial && (stack->net->info.features & PLATFORM_NET_CHECKSUM)) {
		meta.checksum_partial = true;
		meta.checksum_start = NET_ETHERNET_HEADER + IPV4_HEADER;
		meta.checksum_offset = packet->checksum_offset;
	}
	return send_place(stack, packet, &hop, &whole, &meta);
}
