/* SPDX-License-Identifier: ISC
 *
 * IP headers (RFC 791, RFC 8200) and checksums (RFC 1071), read from the RFCs and not from the stack.
 */
#include "packet.h"

#include <string.h>

uint16_t ones_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2) {
		sum += get16(bytes + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (i < len)
		sum += (uint32_t)bytes[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static const char *parse_ipv4(uint8_t *bytes, size_t len, struct packet *packet)
{
	size_t header = (size_t)(bytes[0] & 15) * 4;

	if (len < IPV4_HEADER_LEAST || header < IPV4_HEADER_LEAST || header > len)
		return "an IPv4 header of a wrong length";
	if (get16(bytes + 2) < header || get16(bytes + 2) > len)
		return "an IPv4 packet longer than its frame";
	if (ones_sum(0, bytes, header) != 0xffff)
		return "a wrong IPv4 header checksum";
	*packet = (struct packet){
		.version = 4,
		.protocol = bytes[9],
		.extension = bytes[9],
		.traffic_class = bytes[1],
		.ttl = bytes[8],
		.ip = bytes,
		.payload = bytes + header,
		.ip_len = get16(bytes + 2),
		.len = get16(bytes + 2) - header,
		.from = bytes + 12,
		.to = bytes + 16,
		.unfragmentable = bytes[6] & 0x40,
		.more = bytes[6] & 0x20,
		.offset = (size_t)(get16(bytes + 6) & 0x1fff) * 8,
		.id = get16(bytes + 4),
	};
	packet->fragment = packet->more || packet->offset > 0;
	return NULL;
}

static const char *parse_ipv6(uint8_t *bytes, size_t len, struct packet *packet)
{
	if (len < IPV6_HEADER || get16(bytes + 4) > len - IPV6_HEADER)
		return "an IPv6 packet longer than its frame";
	*packet = (struct packet){
		.version = 6,
		.protocol = bytes[6],
		.extension = bytes[6],
		.traffic_class = (uint8_t)(bytes[0] << 4 | bytes[1] >> 4),
		.ttl = bytes[7],
		.ip = bytes,
		.payload = bytes + IPV6_HEADER,
		.ip_len = (size_t)get16(bytes + 4) + IPV6_HEADER,
		.len = get16(bytes + 4),
		.from = bytes + 8,
		.to = bytes + 24,
		.unfragmentable = true, /* on the way */
	};
	while (packet->protocol == PROTOCOL_HOP_BY_HOP || packet->protocol == PROTOCOL_FRAGMENT) {
		const uint8_t *header = packet->payload;
		size_t size = packet->len >= 8 && packet->protocol != PROTOCOL_FRAGMENT ? (header[1] + 1u) * 8 : 8;

		if (packet->len < size)
			return "an IPv6 extension header longer than its packet";
		if (packet->protocol == PROTOCOL_FRAGMENT) {
			packet->fragment = true;
			packet->more = header[3] & 1;
			packet->offset = get16(header + 2) & 0xfff8;
			packet->id = get32(header + 4);
		}
		packet->protocol = header[0];
		packet->payload += size;
		packet->len -= size;
		if (packet->offset > 0)
			break;
	}
	return NULL;
}

const char *packet_parse(uint8_t *bytes, size_t len, struct packet *packet)
{
	if (len == 0)
		return "an empty packet";
	if (bytes[0] >> 4 == 4)
		return parse_ipv4(bytes, len, packet);
	if (bytes[0] >> 4 == 6)
		return parse_ipv6(bytes, len, packet);
	return "an IP version that is not";
}

static uint16_t transport_sum(const struct packet *packet)
{
	size_t address = packet->version == 4 ? 4 : 16;
	uint32_t sum = 0;

	if (packet->version == 6 || packet->protocol != PROTOCOL_ICMP) {
		sum = ones_sum(packet->protocol, packet->from, address);
		sum = ones_sum(sum, packet->to, address);
		sum += (uint32_t)packet->len;
	}
	return ones_sum(sum, packet->payload, packet->len);
}

bool packet_sums_up(const struct packet *packet)
{
	return transport_sum(packet) == 0xffff;
}

void packet_put_sum(struct packet *packet, size_t offset)
{
	put16(packet->payload + offset, 0);
	put16(packet->payload + offset, (uint16_t)~transport_sum(packet));
}
