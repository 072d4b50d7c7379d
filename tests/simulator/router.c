/* SPDX-License-Identifier: ISC
 *
 * The router between the subnets: IPv4 (RFC 1812) with fragmentation, IPv6, the ICMP errors about what is too big or
 * cannot be delivered, and the answers of ARP and neighbour discovery about its own addresses.
 */
#include <string.h>

#include "failure.h"
#include "network.h"

enum { QUOTE_MAX = 548, ICMP_HEADER = 8, ICMP6_ERROR_MAX = 1280 };

static uint16_t mtu_into(const struct subnet *subnet, bool *silent)
{
	const struct mtu_step *step = NULL;

	for (size_t i = 0; i < subnet->step_count && subnet->steps[i].at <= subnet->network->events.now; i++)
		step = &subnet->steps[i];
	*silent = step && step->silent;
	return step && step->mtu < subnet->mtu ? step->mtu : subnet->mtu;
}

/* The subnet that an address belongs to; NULL: none. */
static struct subnet *subnet_of(struct network *network, const struct packet *packet)
{
	size_t prefix = packet->version == 4 ? 3 : 8;

	for (size_t i = 0; i < network->subnet_count; i++) {
		const struct node *router = &network->subnets[i].router;
		if (memcmp(packet->to, packet->version == 4 ? router->ipv4 : router->ipv6, prefix) == 0)
			return &network->subnets[i];
	}
	return NULL;
}

/* Sends an IP packet into a subnet: to this MAC address, or (NULL) to the host that has its destination. */
static void send_into(struct subnet *subnet, const uint8_t *mac, const uint8_t *packet, size_t len, bool corrupted)
{
	uint8_t frame[FRAME_BYTES_MAX];
	size_t header = subnet->ethernet ? ETHERNET_HEADER : 0, address = packet[0] >> 4 == 4 ? 4 : 16;
	const uint8_t *to = packet + (address == 4 ? 16 : 24);

	for (size_t i = 0; i < subnet->count && !mac; i++)
		if (memcmp(to, address == 4 ? subnet->nodes[i]->ipv4 : subnet->nodes[i]->ipv6, address) == 0)
			mac = subnet->nodes[i]->mac;
	if (!mac) {
		subnet->network->counters.unroutable++;
		return;
	}
	if (subnet->ethernet) {
		memcpy(frame, mac, 6);
		memcpy(frame + 6, subnet->router.mac, 6);
		put16(frame + 12, address == 4 ? TYPE_IPV4 : TYPE_IPV6);
	}
	memcpy(frame + header, packet, len);
	node_send(&subnet->router, frame, header + len, corrupted);
}

/* A header of the router's own; the payload follows it. */
static void put_ip(uint8_t *packet, bool v4, uint8_t protocol, const uint8_t *from, const uint8_t *to, size_t payload)
{
	if (v4) {
		memset(packet, 0, IPV4_HEADER_LEAST);
		packet[0] = 0x45;
		put16(packet + 2, (uint16_t)(IPV4_HEADER_LEAST + payload));
		packet[6] = 0x40;
		packet[8] = 64;
		packet[9] = protocol;
		memcpy(packet + 12, from, 4);
		memcpy(packet + 16, to, 4);
		put16(packet + 10, (uint16_t)~ones_sum(0, packet, IPV4_HEADER_LEAST));
	} else {
		memset(packet, 0, IPV6_HEADER);
		packet[0] = 0x60;
		put16(packet + 4, (uint16_t)payload);
		packet[6] = protocol;
		packet[7] = 255;
		memcpy(packet + 8, from, 16);
		memcpy(packet + 24, to, 16);
	}
}

/* Sends an ICMP message into a subnet, to this MAC address or NULL: rest is the second word of its header. */
static void send_icmp(struct subnet *subnet, bool v4, const uint8_t *mac, const uint8_t *to, uint16_t type_code,
	uint32_t rest, const uint8_t *data, size_t len)
{
	uint8_t bytes[FRAME_BYTES_MAX], *icmp = bytes + (v4 ? IPV4_HEADER_LEAST : IPV6_HEADER);
	size_t total = (size_t)(icmp - bytes) + ICMP_HEADER + len;
	struct packet packet;

	put_ip(bytes, v4, v4 ? PROTOCOL_ICMP : PROTOCOL_ICMP6, v4 ? subnet->router.ipv4 : subnet->router.ipv6, to,
		ICMP_HEADER + len);
	put16(icmp, type_code);
	put32(icmp + 4, rest);
	memcpy(icmp + ICMP_HEADER, data, len);
	check(!packet_parse(bytes, total, &packet), "the router's own packet");
	packet_put_sum(&packet, 2);
	send_into(subnet, mac, bytes, total, false);
}

/* Tells the sender of a packet, which came from this subnet, about it. */
static void send_error(struct subnet *subnet, const struct packet *about, uint16_t type_code, uint32_t rest)
{
	bool v4 = about->version == 4;
	size_t most = v4 ? QUOTE_MAX : (size_t)ICMP6_ERROR_MAX - IPV6_HEADER - ICMP_HEADER;

	if (about->offset > 0 || about->protocol == PROTOCOL_ICMP || about->protocol == PROTOCOL_ICMP6)
		return;
	send_icmp(
		subnet, v4, NULL, about->from, type_code, rest, about->ip, about->ip_len < most ? about->ip_len : most);
}

/* RFC 791, 3.2: in as few pieces as there can be. */
static void send_fragments(struct subnet *subnet, const struct packet *packet, uint16_t mtu, bool corrupted)
{
	uint8_t bytes[FRAME_BYTES_MAX];
	size_t header = (size_t)(packet->payload - packet->ip), most = (mtu - header) / 8 * 8, len;

	subnet->network->counters.fragmented++;
	memcpy(bytes, packet->ip, header);
	for (size_t at = 0; at < packet->len; at += len) {
		bool last = packet->len - at <= most;
		len = last ? packet->len - at : most;
		memcpy(bytes + header, packet->payload + at, len);
		put16(bytes + 2, (uint16_t)(header + len));
		put16(bytes + 6, (uint16_t)((last && !packet->more ? 0 : 0x2000) | (packet->offset + at) / 8));
		put16(bytes + 10, 0);
		put16(bytes + 10, (uint16_t)~ones_sum(0, bytes, header));
		send_into(subnet, NULL, bytes, header + len, corrupted);
	}
}

static void forward(struct subnet *from, struct packet *packet, bool corrupted)
{
	enum { UNREACHABLE_4 = 3 << 8, FRAGMENTATION_NEEDED = 3 << 8 | 4, NO_ROUTE_6 = 1 << 8, TOO_BIG_6 = 2 << 8 };
	struct network *network = from->network;
	struct subnet *into = subnet_of(network, packet);
	bool silent, v4 = packet->version == 4;
	uint16_t mtu;

	if (!into) {
		network->counters.unroutable++;
		send_error(from, packet, v4 ? UNREACHABLE_4 : NO_ROUTE_6, 0);
		return;
	}
	packet->ip[v4 ? 8 : 7]--;
	if (v4) {
		put16(packet->ip + 10, 0);
		put16(packet->ip + 10, (uint16_t)~ones_sum(0, packet->ip, (size_t)(packet->payload - packet->ip)));
	}
	mtu = mtu_into(into, &silent);
	if (packet->ip_len > mtu && !packet->unfragmentable) {
		send_fragments(into, packet, mtu, corrupted);
	} else if (packet->ip_len > mtu) {
		network->counters.too_big++;
		if (!silent)
			send_error(from, packet, v4 ? FRAGMENTATION_NEEDED : TOO_BIG_6, mtu);
	} else {
		network->counters.forwarded++;
		send_into(into, NULL, packet->ip, packet->ip_len, corrupted);
	}
}

static void answer_arp(struct node *router, const uint8_t *arp, size_t len)
{
	uint8_t frame[ETHERNET_HEADER + ARP_BYTES];

	if (len < ARP_BYTES || get16(arp + 6) != 1 || memcmp(arp + 24, router->ipv4, 4) != 0)
		return;
	memcpy(frame, arp + 8, 6);
	memcpy(frame + 6, router->mac, 6);
	put16(frame + 12, TYPE_ARP);
	memcpy(frame + 14, arp, 6);
	put16(frame + 20, 2);
	memcpy(frame + 22, router->mac, 6);
	memcpy(frame + 28, router->ipv4, 4);
	memcpy(frame + 32, arp + 8, 10);
	node_send(router, frame, sizeof frame, false);
}

/* RFC 4861, 7.2.4: an advertisement answers a solicitation for the router's address. */
static void answer_solicitation(struct node *router, const uint8_t *mac, const struct packet *packet)
{
	enum { SOLICITATION = 135, ADVERTISEMENT = 136 << 8, TARGET = 8, BYTES = 24 };
	uint8_t body[BYTES] = { 0 };

	if (packet->len < BYTES || packet->payload[0] != SOLICITATION || !packet_sums_up(packet) ||
		memcmp(packet->payload + TARGET, router->ipv6, 16) != 0)
		return;
	memcpy(body, router->ipv6, 16);
	body[16] = 2; /* target link-layer address, of 8 bytes */
	body[17] = 1;
	memcpy(body + 18, router->mac, 6);
	send_icmp(router->subnet, false, mac, packet->from, ADVERTISEMENT, 0xe0000000, body, sizeof body);
}

static bool is_to_many(const struct packet *packet)
{
	return packet->version == 4 ? packet->to[0] >= 224 : packet->to[0] == 0xff;
}

void router_receive(void *context, const struct frame *received)
{
	struct node *router = context;
	uint8_t copy[FRAME_BYTES_MAX], *bytes = copy;
	size_t len = received->len;
	struct packet packet;

	memcpy(copy, received->bytes, len);
	if (router->subnet->ethernet) {
		bytes += ETHERNET_HEADER;
		len -= ETHERNET_HEADER;
		if (get16(copy + 12) == TYPE_ARP) {
			answer_arp(router, bytes, len);
			return;
		}
	}
	if (packet_parse(bytes, len, &packet))
		return;
	if (router->subnet->ethernet && packet.protocol == PROTOCOL_ICMP6 && packet.ttl == 255)
		answer_solicitation(router, copy + 6, &packet);
	if (is_to_many(&packet) || packet.ttl < 2 || packet.to[0] == 0xfe)
		return;
	if (memcmp(packet.to, packet.version == 4 ? router->ipv4 : router->ipv6, packet.version == 4 ? 4 : 16) != 0)
		forward(router->subnet, &packet, received->corrupted);
}
