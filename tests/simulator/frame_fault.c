/* SPDX-License-Identifier: ISC
 *
 * What every frame that a host sends must keep to: an independent judge of lengths, checksums, addresses and options.
 */
#include <string.h>

#include "packet.h"

enum { TCP_HEADER_LEAST = 20, FIN = 1, SYN = 2, RST = 4, ACK = 16, MINIMUM_ETHERNET = 46 };
enum { OPTION_END, OPTION_NOP, OPTION_MSS, OPTION_SCALE, OPTION_SACK_PERMITTED, OPTION_SACK, OPTION_TIMESTAMPS = 8 };

static bool is_zero(const uint8_t *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] == 0)
		len--;
	return len == 0;
}

static const char *arp_fault(const struct frame_sender *sender, const uint8_t *arp, size_t len)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0 };

	if (len < ARP_BYTES || memcmp(arp, head, sizeof head) != 0 || arp[7] < 1 || arp[7] > 2)
		return "ARP that is neither question nor answer";
	if (memcmp(arp + 8, sender->mac, 6) != 0)
		return "ARP in the name of another";
	if (memcmp(arp + 14, sender->ipv4, 4) != 0 && !is_zero(arp + 14, 4))
		return "ARP for another's address";
	return NULL;
}

static bool sack_is_sound(const uint8_t *option, size_t len)
{
	if (len < 10 || len > 34 || (len - 2) % 8 != 0)
		return false;
	for (size_t i = 2; i < len; i += 8)
		if ((int32_t)(get32(option + i + 4) - get32(option + i)) <= 0)
			return false;
	return true;
}

static bool tcp_option_is_sound(const uint8_t *option, size_t len, bool syn)
{
	switch (option[0]) {
	case OPTION_MSS:
		return syn && len == 4 && get16(option + 2) >= 64;
	case OPTION_SCALE:
		return syn && len == 3 && option[2] <= 14;
	case OPTION_SACK_PERMITTED:
		return syn && len == 2;
	case OPTION_SACK:
		return !syn && sack_is_sound(option, len);
	case OPTION_TIMESTAMPS:
		return len == 10;
	default:
		return false; /* none that we know of */
	}
}

static const char *tcp_fault(const struct packet *packet)
{
	const uint8_t *tcp = packet->payload;
	size_t header = packet->len < TCP_HEADER_LEAST ? 0 : (size_t)(tcp[12] >> 4) * 4;
	uint8_t flags = packet->len < TCP_HEADER_LEAST ? 0 : tcp[13];

	if (header < TCP_HEADER_LEAST || header > packet->len)
		return "a TCP header of a wrong length";
	if (get16(tcp) == 0 || get16(tcp + 2) == 0)
		return "a TCP port 0";
	if ((tcp[12] & 15) != 0)
		return "TCP's reserved bits";
	if (((flags & SYN) != 0) + ((flags & FIN) != 0) + ((flags & RST) != 0) > 1)
		return "TCP flags that exclude each other";
	if (!(flags & (ACK | SYN | RST)) || ((flags & ACK) == 0 && !(flags & RST) && get32(tcp + 8) != 0))
		return "a TCP segment that acknowledges nothing";
	if ((flags & RST) && packet->len != header)
		return "a reset with data";
	for (size_t at = TCP_HEADER_LEAST; at < header && tcp[at] != OPTION_END;) {
		size_t len = tcp[at] == OPTION_NOP ? 1 : at + 1 < header ? tcp[at + 1] : 0;

		if (len == 0 || at + len > header)
			return "TCP options beyond the header";
		if (tcp[at] != OPTION_NOP && !tcp_option_is_sound(tcp + at, len, flags & SYN))
			return "a TCP option that is not sound";
		at += len;
	}
	return NULL;
}

static const char *icmp6_fault(const struct packet *packet)
{
	enum { ROUTER_SOLICITATION = 133, REDIRECT = 137 };
	uint8_t type = packet->payload[0];

	if (type >= ROUTER_SOLICITATION && type <= REDIRECT && packet->ttl != 255)
		return "neighbour discovery from afar (RFC 4861, 7.1: hop limit 255)";
	return NULL;
}

static const char *transport_fault(const struct packet *packet)
{
	if (packet->fragment)
		return NULL;
	switch (packet->protocol) {
	case PROTOCOL_TCP:
		return packet_sums_up(packet) ? tcp_fault(packet) : "a wrong TCP checksum";
	case PROTOCOL_UDP:
		if (packet->len < 8 || get16(packet->payload + 4) != packet->len)
			return "a UDP datagram of a wrong length";
		if (get16(packet->payload) == 0 || get16(packet->payload + 2) == 0)
			return "a UDP port 0";
		return packet_sums_up(packet) && get16(packet->payload + 6) ? NULL : "a wrong UDP checksum";
	case PROTOCOL_ICMP:
		if (packet->len < 8 || packet->version != 4)
			return "ICMP that is too short";
		return packet_sums_up(packet) ? NULL : "a wrong ICMP checksum";
	case PROTOCOL_ICMP6:
		if (packet->len < 8 || packet->version != 6)
			return "ICMPv6 that is too short";
		return packet_sums_up(packet) ? icmp6_fault(packet) : "a wrong ICMPv6 checksum";
	default:
		return "a protocol that the stack does not speak";
	}
}

static const char *source_fault(const struct frame_sender *sender, const struct packet *packet)
{
	static const uint8_t link_local[] = { 0xfe, 0x80 };

	if (packet->version == 4)
		return memcmp(packet->from, sender->ipv4, 4) == 0 ? NULL : "another's IPv4 address as source";
	if (memcmp(packet->from, sender->ipv6, 16) == 0 || memcmp(packet->from, link_local, 2) == 0)
		return NULL;
	/* Before it has an address a host may ask whether it is free. */
	return packet->protocol == PROTOCOL_ICMP6 && is_zero(packet->from, 16) ? NULL
									       : "another's IPv6 address as source";
}

static const char *ip_fault(const struct frame_sender *sender, uint8_t *bytes, size_t len)
{
	struct packet packet;
	const char *fault = packet_parse(bytes, len, &packet);

	if (fault)
		return fault;
	if (packet.ip_len > sender->mtu)
		return "a packet over the MTU";
	if (packet.ip_len != len && (!sender->ethernet || len > MINIMUM_ETHERNET))
		return "bytes behind the packet";
	if (packet.ttl == 0)
		return "a packet that may not live";
	if (packet.version == 4 && (bytes[6] & 0x80))
		return "IPv4's reserved flag";
	if (packet.version == 4 && packet.fragment && packet.unfragmentable)
		return "a fragment that may not be one";
	if (packet.fragment && packet.more && packet.len % 8 != 0)
		return "a fragment that is not a multiple of 8 bytes";
	if (packet.fragment && packet.offset + packet.len > UINT16_MAX)
		return "a fragment beyond 65,535 bytes";
	fault = source_fault(sender, &packet);
	return fault ? fault : transport_fault(&packet);
}

const char *frame_fault(const struct frame_sender *sender, uint8_t *frame, size_t len)
{
	uint16_t type;

	if (!sender->ethernet)
		return ip_fault(sender, frame, len);
	if (len < ETHERNET_HEADER)
		return "a frame without a header";
	if (memcmp(frame + 6, sender->mac, 6) != 0)
		return "a frame in the name of another";
	if (memcmp(frame, sender->mac, 6) == 0)
		return "a frame to its own sender";
	type = get16(frame + 12);
	if (type == TYPE_ARP)
		return arp_fault(sender, frame + ETHERNET_HEADER, len - ETHERNET_HEADER);
	if (type != TYPE_IPV4 && type != TYPE_IPV6)
		return "an Ethernet type that the stack does not speak";
	if (len == ETHERNET_HEADER || (frame[ETHERNET_HEADER] >> 4 == 4) != (type == TYPE_IPV4))
		return "an Ethernet type that is not the packet's";
	return ip_fault(sender, frame + ETHERNET_HEADER, len - ETHERNET_HEADER);
}
