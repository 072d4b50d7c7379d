/* SPDX-License-Identifier: ISC
 *
 * IPv4 (RFC 791, 1122, 6864): what is received is checked once and handed to its transport; what is sent gets a header
 * and a next hop.
 *
 * Hot path, sending: no copy and no allocation; the header, with room for Ethernet's in front, is one piece on the
 * stack. Receiving: none either.
 */
#include <errno.h>
#include <string.h>

#include "own_stack.h"
#include "wire.h"

/* Where the fields lie (RFC 791, 3.1). */
enum {
	VERSION_IHL = 0,
	TRAFFIC_CLASS = 1,
	TOTAL_LENGTH = 2,
	FRAGMENT = 6,
	TTL = 8,
	PROTOCOL = 9,
	CHECKSUM = 10,
	SOURCE = 12,
	DESTINATION = 16,
};
enum { VERSION_4 = 0x40, IHL_MASK = 0x0f, DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, OFFSET_MASK = 0x1fff };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LOOSE_ROUTE = 131, OPTION_STRICT_ROUTE = 137 };

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

/* Receiving --------------------------------------------------------------------------------------------------- */

/* Whether the options hold a source route, which makes our host a relay (RFC 7126, 4.3 and 4.4 advise to drop it), or
 * are malformed. All others are ignored (RFC 1122, 3.2.1.8). */
static bool options_refused(const uint8_t *packet, size_t header_len)
{
	size_t at = IPV4_HEADER;

	while (at < header_len && packet[at] != OPTION_END) {
		uint8_t type = packet[at];

		if (type == OPTION_NOP) {
			at++;
			continue;
		}
		if (type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE || at + 1 >= header_len ||
			packet[at + 1] < 2 || packet[at + 1] > header_len - at)
			return true;
		at += packet[at + 1];
	}
	return false;
}

/* Checks all lengths: after it, packet has header_len and total_len bytes. */
static bool is_well_formed(const uint8_t *packet, size_t len, size_t *header_len, size_t *total_len)
{
	if (len < IPV4_HEADER || (packet[VERSION_IHL] & 0xf0) != VERSION_4)
		return false;
	*header_len = (packet[VERSION_IHL] & IHL_MASK) * 4u;
	*total_len = wire_get16(packet + TOTAL_LENGTH);
	return *header_len >= IPV4_HEADER && *total_len >= *header_len && *total_len <= len;
}

/* Who may send to us: a host that is not we ourselves (a "land" attack), nor our subnet's broadcast address. */
static bool source_is_legal(const struct own_stack *stack, uint32_t source)
{
	return ipv4_is_host(source) && source != stack->ipv4 && !ipv4_is_broadcast(stack, source);
}

static void dispatch(struct own_stack *stack, const struct ip_received *packet, uint8_t protocol)
{
	switch (protocol) {
	case IP_PROTOCOL_ICMP:
		icmp_receive(stack, packet);
		break;
	case IP_PROTOCOL_TCP:
		tcp_receive(stack->tcp, packet);
		break;
	case IP_PROTOCOL_UDP:
		if (!udp_receive_packet(stack->udp, packet))
			icmp_unreachable(stack, packet, ICMP_PORT_UNREACHABLE);
		break;
	default:
		stack->counters.dropped_not_ours++;
		icmp_unreachable(stack, packet, ICMP_PROTOCOL_UNREACHABLE);
	}
}

void ipv4_receive(struct own_stack *stack, const uint8_t *packet, size_t len, bool link_broadcast,
	const struct platform_net_meta *meta)
{
	struct ip_received received = { .header = packet };
	uint32_t source, destination;
	size_t total_len;

	if (!is_well_formed(packet, len, &received.header_len, &total_len)) {
		stack->counters.dropped_malformed++;
		return;
	}
	if (checksum_finish(checksum_add(0, packet, received.header_len)) != 0) {
		stack->counters.dropped_checksum++;
		return;
	}
	source = wire_get32(packet + SOURCE);
	destination = wire_get32(packet + DESTINATION);
	received.broadcast = ipv4_is_broadcast(stack, destination);
	/* RFC 1122, 3.3.6: what was broadcast on the link, but not by IP, is not for us. */
	if ((destination != stack->ipv4 && !received.broadcast) || (link_broadcast && !received.broadcast) ||
		!source_is_legal(stack, source) || options_refused(packet, received.header_len)) {
		stack->counters.dropped_not_ours++;
		return;
	}
	if (wire_get16(packet + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK)) {
		stack->counters.dropped_not_ours++;
		return;
	}
	received.source = ipv4_address(source);
	received.destination = ipv4_address(destination);
	received.payload = packet + received.header_len;
	received.len = total_len - received.header_len;
	received.checksum_verified = meta->checksum_verified || meta->checksum_partial;
	received.traffic_class = packet[TRAFFIC_CLASS];
	received.ttl = packet[TTL];
	dispatch(stack, &received, packet[PROTOCOL]);
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
	if (!ip_is_v4(to) || address == stack->ipv4)
		return -ENETUNREACH;
	if (ipv4_is_broadcast(stack, address)) {
		memcpy(hop->mac, ethernet_broadcast, sizeof hop->mac);
		return 0;
	}
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

int ip_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu)
{
	struct hop hop;
	int err = choose_hop(stack, destination, &hop);

	if (err < 0)
		return err;
	*source = stack->address;
	*mtu = stack->net->info.mtu;
	return 0;
}

uint32_t ip_link_features(const struct own_stack *stack)
{
	return stack->net->info.features;
}

int ip_ready(struct own_stack *stack, const struct ip_address *destination)
{
	struct hop hop;
	int err = choose_hop(stack, destination, &hop);

	return err < 0 || hop.neighbour == 0 ? err : neighbour_find(stack, hop.neighbour, hop.mac);
}

/* RFC 6864, 4.1: a packet that is never fragmented (DF) needs no identification. */
static void put_header(uint8_t header[IPV4_HEADER], const struct ip_sending *packet, const struct hop *hop)
{
	bool multicast = hop->neighbour == 0 && hop->mac[0] == 0x01;

	memset(header, 0, IPV4_HEADER);
	header[VERSION_IHL] = VERSION_4 | IPV4_HEADER / 4;
	header[TRAFFIC_CLASS] = packet->traffic_class;
	wire_put16(header + TOTAL_LENGTH, (uint16_t)(IPV4_HEADER + packet->len));
	wire_put16(header + FRAGMENT, DONT_FRAGMENT);
	header[TTL] = multicast ? 1 : IPV4_TTL; /* RFC 1112, 6.1 */
	header[PROTOCOL] = packet->protocol;
	memcpy(header + SOURCE, packet->source.bytes + 12, 4);
	memcpy(header + DESTINATION, packet->destination.bytes + 12, 4);
	wire_put16(header + CHECKSUM, checksum_finish(checksum_add(0, header, IPV4_HEADER)));
}

int ip_send(struct own_stack *stack, const struct ip_sending *packet)
{
	uint8_t headers[NET_ETHERNET_HEADER + IPV4_HEADER];
	struct platform_piece pieces[PLATFORM_PIECES] = { { headers, sizeof headers } };
	struct platform_net_meta meta = { .segment_bytes = packet->segment_bytes };
	size_t limit = packet->segment_bytes ? UINT16_MAX : stack->net->info.mtu;
	struct hop hop;
	int err = choose_hop(stack, &packet->destination, &hop);

	if (err < 0)
		return err;
	if (packet->len > limit - IPV4_HEADER)
		return -EMSGSIZE;
	if (packet->checksum_partial && (stack->net->info.features & PLATFORM_NET_CHECKSUM)) {
		meta.checksum_partial = true;
		meta.checksum_start = sizeof headers;
		meta.checksum_offset = packet->checksum_offset;
	}
	put_header(headers + NET_ETHERNET_HEADER, packet, &hop);
	memcpy(pieces + 1, packet->pieces, packet->count * sizeof *pieces);
	if (hop.neighbour)
		return neighbour_send(stack, hop.neighbour, headers, pieces, packet->count + 1, &meta);
	ethernet_put_header(stack, headers, hop.mac, ETHERNET_IPV4);
	return ethernet_send(stack, pieces, packet->count + 1, &meta);
}
