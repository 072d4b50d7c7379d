/* SPDX-License-Identifier: ISC
 *
 * Offloads as virtio 1.2, 5.1.6.2 has them, for frames that were handed over.
 */
#include "offload.h"

#include <string.h>

enum { TCP_SEQUENCE = 4, TCP_FLAGS = 13, TCP_SUM = 16, UDP_SUM = 6, FIN = 1, PUSH = 8, CWR = 0x80, TCP_LEAST = 20 };

static size_t header_before(bool ethernet)
{
	return ethernet ? ETHERNET_HEADER : 0;
}

/* Where the checksum of its transport lies in the payload; 0: it has none that a link knows. */
static size_t sum_offset(const struct packet *packet)
{
	if (packet->fragment)
		return 0;
	if (packet->protocol == PROTOCOL_TCP)
		return packet->len >= TCP_LEAST ? TCP_SUM : 0;
	return packet->protocol == PROTOCOL_UDP && packet->len >= UDP_SUM + 2 ? UDP_SUM : 0;
}

static uint16_t pseudo_sum(const struct packet *packet)
{
	size_t address = packet->version == 4 ? 4 : 16;
	uint32_t sum = ones_sum(packet->protocol, packet->from, address);

	return ones_sum(ones_sum(sum, packet->to, address) + (uint32_t)packet->len, NULL, 0);
}

const char *offload_fault(
	uint32_t features, bool ethernet, uint8_t *frame, size_t len, const struct platform_net_meta *meta)
{
	size_t before = header_before(ethernet);
	struct packet packet;

	if (!meta->checksum_partial)
		return meta->segment_bytes ? "segments for the link to cut whose sums are in place" : NULL;
	if (!(features & PLATFORM_NET_CHECKSUM))
		return "a sum for a link that makes none";
	if (len <= before || packet_parse(frame + before, len - before, &packet))
		return "a sum for the link in what is no packet";
	if (meta->checksum_start != packet.payload - frame || sum_offset(&packet) == 0 ||
		meta->checksum_offset != sum_offset(&packet))
		return "a sum for the link in a wrong place";
	/* Of many segments the link knows the lengths, so that only the addresses and the protocol count. */
	if (meta->segment_bytes == 0)
		return get16(packet.payload + meta->checksum_offset) == pseudo_sum(&packet)
			       ? NULL
			       : "no pseudo-header's sum where it is to be";
	if (!(features & (packet.version == 4 ? PLATFORM_NET_TSO4 : PLATFORM_NET_TSO6)) ||
		packet.protocol != PROTOCOL_TCP)
		return "segments for a link that cuts none";
	if (packet.version == 4 && !packet.unfragmentable)
		return "segments for the link that the path may fragment: they would have one identification";
	if (meta->header_bytes != (size_t)(packet.payload - frame) + (size_t)(packet.payload[12] >> 4) * 4 ||
		meta->header_bytes >= len)
		return "segments for the link with a wrong header";
	return NULL;
}

/* One segment of a large frame: its bytes are in place behind the header. */
static void finish_segment(uint8_t *frame, size_t before, size_t len, size_t at, bool first, bool last)
{
	uint8_t *ip = frame + before, *tcp;
	struct packet packet;

	if (ip[0] >> 4 == 4) {
		put16(ip + 2, (uint16_t)(len - before));
		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)~ones_sum(0, ip, (size_t)(ip[0] & 15) * 4));
	} else {
		put16(ip + 4, (uint16_t)(len - before - IPV6_HEADER));
	}
	if (packet_parse(ip, len - before, &packet))
		return;
	tcp = packet.payload;
	put32(tcp + TCP_SEQUENCE, get32(tcp + TCP_SEQUENCE) + (uint32_t)at);
	if (!first)
		tcp[TCP_FLAGS] &= (uint8_t)~CWR;
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t) ~(FIN | PUSH);
	packet_put_sum(&packet, TCP_SUM);
}

void offload_send(bool ethernet, uint8_t *frame, size_t len, const struct platform_net_meta *meta, offload_sink *sink,
	void *context)
{
	static uint8_t segment[LARGE_FRAME_MAX];
	size_t header = meta->header_bytes, each = meta->segment_bytes, part;
	struct packet packet;

	if (meta->checksum_partial && each == 0 &&
		!packet_parse(frame + header_before(ethernet), len - header_before(ethernet), &packet)) {
		packet_put_sum(&packet, meta->checksum_offset);
		if (packet.protocol == PROTOCOL_UDP && get16(packet.payload + UDP_SUM) == 0)
			put16(packet.payload + UDP_SUM, UINT16_MAX); /* RFC 768 */
	}
	if (each == 0) {
		sink(context, frame, len);
		return;
	}
	for (size_t at = 0; at < len - header; at += part) {
		part = len - header - at < each ? len - header - at : each;
		memcpy(segment, frame, header);
		memcpy(segment + header, frame + header + at, part);
		finish_segment(segment, header_before(ethernet), header + part, at, at == 0, at + part == len - header);
		sink(context, segment, header + part);
	}
}

bool offload_leave(bool ethernet, uint8_t *frame, size_t len, struct platform_net_meta *meta)
{
	size_t before = header_before(ethernet), offset;
	struct packet packet;

	if (len <= before || packet_parse(frame + before, len - before, &packet) || !packet_sums_up(&packet))
		return false;
	offset = sum_offset(&packet);
	if (offset == 0)
		return false;
	put16(packet.payload + offset, pseudo_sum(&packet));
	*meta = (struct platform_net_meta){
		.checksum_start = (uint16_t)(packet.payload - frame),
		.checksum_offset = (uint16_t)offset,
		.checksum_partial = true,
	};
	return true;
}
