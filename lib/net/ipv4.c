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

/* Routing ----------------------------------------------------------------------------------------------------- */

void ipv4_multicast_mac(uint8_t mac[6], uint32_t group)
{
	wire_put32(mac, 0x01005e00);
	wire_put32(mac + 2, (group & 0x7fffff) | 0x5e000000);
}

/* A stack that has no address yet, but a DHCP client, asks all. */
int ipv4_choose_hop(
	struct own_stack *stack, const struct ip_address *to, const struct ip_address *from, struct ipv4_hop *hop)
{
	uint32_t address = ipv4_number(to);
	struct interface *source = from ? ipv4_interface_of(stack, ipv4_number(from)) : NULL;
	const struct ipv4_local *near = ipv4_find_near(stack, address, &hop->interface);

	if (!ip_is_v4(to))
		return -ENETUNREACH;
	hop->neighbour = 0;
	if (address == UINT32_MAX || address >> 28 == 0xe || (near && ipv4_local_is_broadcast(near, address))) {
		memcpy(hop->mac, ethernet_broadcast, sizeof hop->mac); /* RFC 1122, 3.3.6 */
		if (address >> 28 == 0xe)
			ipv4_multicast_mac(hop->mac, address);
		if (!near)
			hop->interface = source ? source : &stack->first;
	} else if (ipv4_is_host(address)) {
		hop->neighbour = near ? address : stack->gateway; /* which need not be on our subnet */
		if (!near && stack->gateway)
			hop->interface = &stack->first;
		if (stack->routes)
			stack->routing->choose(stack, address, near, source, hop);
	}
	if (!hop->interface)
		return -ENETUNREACH;
	hop->source = ipv4_local_for(&hop->interface->ipv4, hop->neighbour ? hop->neighbour : address);
	return hop->source || (address == UINT32_MAX && stack->dhcp) ? 0 : -ENETUNREACH;
}

/* Sending ----------------------------------------------------------------------------------------------------- */

int ipv4_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu)
{
	struct ipv4_hop hop;
	int err = ipv4_choose_hop(stack, destination, NULL, &hop);

	if (err < 0)
		return err;
	*source = ipv4_address(hop.source);
	*mtu = hop.interface->net->info.mtu;
	return 0;
}

int ipv4_ready(struct own_stack *stack, const struct ip_address *destination)
{
	struct ipv4_hop hop;
	int err = ipv4_choose_hop(stack, destination, NULL, &hop);

	return err < 0 || hop.neighbour == 0 ? err : neighbour_find(hop.interface, hop.neighbour, hop.mac);
}

/* RFC 6864, 4.3: not used again while fragments with it may be on their way. So it counts; but in
 * an order that is secret (RFC 7739): a Feistel network of four rounds permutes the 65,536 numbers. */
static uint16_t next_identification(struct own_stack *stack)
{
	uint8_t left = (uint8_t)(stack->identification >> 8), right = (uint8_t)stack->identification;

	stack->identification++;
	for (uint8_t round = 0; round < 4; round++) {
		const uint8_t input[] = { round, right };
		uint8_t mixed = left ^ (uint8_t)hash_keyed(&stack->identification_key, input, sizeof input);

		left = right;
		right = mixed;
	}
	return (uint16_t)(left << 8 | right);
}

/* Where a packet, or a fragment of it, stands. RFC 6864, 4.1: a packet that is never fragmented (DF) needs no
 * identification. */
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
	header[IPV4_TTL] = packet->ttl ? packet->ttl : multicast ? 1 : IPV4_TTL_DEFAULT; /* RFC 1112, 6.1 */
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

static int send_place(const struct ip_sending *packet, const struct ipv4_hop *hop, const struct place *place,
	const struct platform_net_meta *meta)
{
	uint8_t headers[NET_ETHERNET_HEADER + IPV4_HEADER];
	struct platform_piece pieces[PLATFORM_PIECES] = { { headers, sizeof headers } };
	size_t count = 1 + ip_cut(pieces + 1, packet, place->offset, place->len);

	put_header(headers + NET_ETHERNET_HEADER, packet, hop->neighbour == 0 && hop->mac[0] == 0x01, place);
	if (hop->neighbour)
		return neighbour_send(hop->interface, hop->neighbour, headers, pieces, count, meta);
	ethernet_put_header(hop->interface, headers, hop->mac, ETHERNET_IPV4);
	return ethernet_send(hop->interface, pieces, count, meta);
}

static int send_fragments(struct own_stack *stack, const struct ip_sending *packet, const struct ipv4_hop *hop)
{
	static const struct platform_net_meta plain;
	size_t most = (hop->interface->net->info.mtu - (size_t)IPV4_HEADER) / FRAGMENT_UNIT * FRAGMENT_UNIT;
	struct place place = { .id = next_identification(stack) };
	int err = 0;

	for (; err == 0 && place.offset < packet->len; place.offset += place.len) {
		place.len = packet->len - place.offset < most ? packet->len - place.offset : most;
		place.fragment = (uint16_t)(place.offset / FRAGMENT_UNIT);
		if (place.offset + place.len < packet->len)
			place.fragment |= IPV4_MORE_FRAGMENTS;
		err = send_place(packet, hop, &place, &plain);
		stack->counters.IpFragCreates += err == 0;
	}
	stack->counters.IpFragOKs += err == 0;
	return err;
}

int ipv4_send(struct own_stack *stack, const struct ip_sending *packet)
{
	const struct place whole = { .fragment = packet->path_may_fragment ? 0 : IPV4_DONT_FRAGMENT,
		.id = packet->path_may_fragment ? next_identification(stack) : 0,
		.len = packet->len };
	struct platform_net_meta meta = {
		.segment_bytes = packet->segment_bytes,
		.header_bytes = (uint16_t)(NET_ETHERNET_HEADER + IPV4_HEADER + packet->pieces[0].len),
	};
	struct ipv4_hop hop;
	size_t mtu;
	int err = ipv4_choose_hop(stack, &packet->destination, &packet->source, &hop);

	stack->counters.IpOutRequests++;
	if (err < 0) {
		stack_drop(stack, DROP_IP_NO_ROUTE);
		return err;
	}
	mtu = packet->segment_bytes ? UINT16_MAX : hop.interface->net->info.mtu;
	if (packet->len > (size_t)UINT16_MAX - IPV4_HEADER ||
		(packet->len > mtu - IPV4_HEADER && !packet->may_fragment)) {
		stack_drop(stack, DROP_IP_TOO_BIG);
		return -EMSGSIZE;
	}
	if (packet->len > mtu - IPV4_HEADER)
		return send_fragments(stack, packet, &hop);
	if (packet->checksum_partial && (hop.interface->net->info.features & PLATFORM_NET_CHECKSUM)) {
		meta.checksum_partial = true;
		meta.checksum_start = NET_ETHERNET_HEADER + IPV4_HEADER;
		meta.checksum_offset = packet->checksum_offset;
	}
	return send_place(packet, &hop, &whole, &meta);
}
