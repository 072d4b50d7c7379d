/* SPDX-License-Identifier: ISC
 *
 * Frames as lines of text: the trace of a run.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "packet.h"

static void print_address(const struct packet *packet, const uint8_t *address, size_t port_offset)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(packet->version == 4 ? AF_INET : AF_INET6, address, text, sizeof text);
	printf("%s", text);
	if ((packet->protocol == PROTOCOL_TCP || packet->protocol == PROTOCOL_UDP) && packet->offset == 0 &&
		packet->len >= 4)
		printf(".%u", get16(packet->payload + port_offset));
}

static void print_tcp_options(const uint8_t *tcp, size_t header)
{
	for (size_t at = 20; at < header && tcp[at] != 0;) {
		size_t len = tcp[at] == 1 ? 1 : at + 1 < header ? tcp[at + 1] : 0;

		if (len == 0 || at + len > header)
			break;
		if (tcp[at] == 2 && len == 4)
			printf(" mss %u", get16(tcp + at + 2));
		else if (tcp[at] == 3 && len == 3)
			printf(" scale %u", tcp[at + 2]);
		else if (tcp[at] == 8 && len == 10)
			printf(" ts %u/%u", get32(tcp + at + 2), get32(tcp + at + 6));
		for (size_t i = 2; tcp[at] == 5 && i + 8 <= len; i += 8)
			printf(" sack %u:%u", get32(tcp + at + i), get32(tcp + at + i + 4));
		at += len;
	}
}

static void print_tcp(const struct packet *packet)
{
	static const char letters[] = "FSRPAUEC";
	const uint8_t *tcp = packet->payload;
	size_t header = packet->len < 20 ? 0 : (size_t)(tcp[12] >> 4) * 4;

	if (header < 20 || header > packet->len) {
		printf(" tcp, cut short");
		return;
	}
	printf(" ");
	for (size_t i = 0; i < 8; i++)
		if (tcp[13] >> i & 1)
			printf("%c", letters[i]);
	printf(" seq %u:%u ack %u win %u", get32(tcp + 4), get32(tcp + 4) + (uint32_t)(packet->len - header),
		get32(tcp + 8), get16(tcp + 14));
	print_tcp_options(tcp, header);
}

static void print_packet(uint8_t *bytes, size_t len)
{
	struct packet packet;
	const char *fault = packet_parse(bytes, len, &packet);

	if (fault) {
		printf("%s", fault);
		return;
	}
	print_address(&packet, packet.from, 0);
	printf(" > ");
	print_address(&packet, packet.to, 2);
	if (packet.fragment)
		printf(" fragment %u %zu+%zu%s", packet.id, packet.offset, packet.len, packet.more ? " more" : "");
	if (packet.offset > 0)
		return;
	if (packet.protocol == PROTOCOL_TCP)
		print_tcp(&packet);
	else if (packet.protocol == PROTOCOL_UDP)
		printf(" udp %zu", packet.len < 8 ? 0 : packet.len - 8);
	else if ((packet.protocol == PROTOCOL_ICMP || packet.protocol == PROTOCOL_ICMP6) && packet.len >= 8)
		printf(" icmp %u/%u word %u len %zu", packet.payload[0], packet.payload[1], get32(packet.payload + 4),
			packet.len);
	else
		printf(" protocol %u len %zu", packet.protocol, packet.len);
	if (packet.traffic_class & 3)
		printf(" ecn %u", packet.traffic_class & 3);
}

void frame_print(bool ethernet, uint8_t *frame, size_t len)
{
	const uint8_t *arp = frame + ETHERNET_HEADER;
	char sender[INET_ADDRSTRLEN], target[INET_ADDRSTRLEN];

	if (!ethernet) {
		print_packet(frame, len);
	} else if (len >= ETHERNET_HEADER + ARP_BYTES && get16(frame + 12) == TYPE_ARP) {
		inet_ntop(AF_INET, arp + 14, sender, sizeof sender);
		inet_ntop(AF_INET, arp + 24, target, sizeof target);
		printf("arp %s: %s to %s", get16(arp + 6) == 1 ? "who has" : "is at", sender, target);
	} else if (len > ETHERNET_HEADER) {
		print_packet(frame + ETHERNET_HEADER, len - ETHERNET_HEADER);
	}
	printf("\n");
}
