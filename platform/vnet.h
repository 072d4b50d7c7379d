/* SPDX-License-Identifier: ISC
 *
 * The header of a frame on a link that offers offloads: struct virtio_net_hdr (virtio 1.2, 5.1.6), little-endian, which
 * taps with IFF_VNET_HDR, the tenders' networks with MANIFEST_NET_VNET and virtio-net devices have in common. The last
 * puts two bytes more behind it: in how many buffers a received frame lies.
 */
#ifndef PLATFORM_VNET_H
#define PLATFORM_VNET_H

#include <string.h>

#include <platform.h>

enum {
	VNET_HEADER = 10,
	VNET_FRAME_MAX = 14 + UINT16_MAX, /* Ethernet's header, and the longest IPv4 packet */
};

enum { VNET_FLAGS = 0, VNET_SEGMENT_TYPE = 1, VNET_HEADERS = 2, VNET_SEGMENT = 4, VNET_SUM_START = 6, VNET_SUM_AT = 8 };
enum { VNET_PARTIAL = 1, VNET_VERIFIED = 2 };               /* flags: a checksum is to be completed, or is right */
enum { VNET_TCP4 = 1, VNET_TCP6 = 4, VNET_TCP_ECN = 0x80 }; /* segment types; 0: one ordinary frame */

static inline void vnet_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline uint16_t vnet_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

/* The header of a frame that goes out, and whose first piece is this: its type tells TCP over IPv6 from IPv4. */
static inline void vnet_put(uint8_t header[VNET_HEADER], const struct platform_net_meta *meta, const uint8_t *frame)
{
	memset(header, 0, VNET_HEADER);
	if (meta->checksum_partial) {
		header[VNET_FLAGS] = VNET_PARTIAL;
		vnet_put16(header + VNET_SUM_START, meta->checksum_start);
		vnet_put16(header + VNET_SUM_AT, meta->checksum_offset);
	}
	if (meta->segment_bytes) {
		header[VNET_SEGMENT_TYPE] = frame[12] == 0x86 ? VNET_TCP6 : VNET_TCP4; /* 0x86dd, 0x0800 */
		vnet_put16(header + VNET_HEADERS, meta->header_bytes);
		vnet_put16(header + VNET_SEGMENT, meta->segment_bytes);
	}
}

/* What the header of a frame that came in says of it. */
static inline void vnet_get(const uint8_t header[VNET_HEADER], struct platform_net_meta *meta)
{
	*meta = (struct platform_net_meta){
		.checksum_partial = header[VNET_FLAGS] & VNET_PARTIAL,
		.checksum_verified = header[VNET_FLAGS] & VNET_VERIFIED,
	};
	if (meta->checksum_partial) {
		meta->checksum_start = vnet_get16(header + VNET_SUM_START);
		meta->checksum_offset = vnet_get16(header + VNET_SUM_AT);
	}
	if (header[VNET_SEGMENT_TYPE] != 0) {
		meta->header_bytes = vnet_get16(header + VNET_HEADERS);
		meta->segment_bytes = vnet_get16(header + VNET_SEGMENT);
	}
}

#endif
