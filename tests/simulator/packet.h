/* SPDX-License-Identifier: ISC
 *
 * Frames as bytes: accessors and checksums of the simulator's own, which share nothing with the stack that they check.
 */
#ifndef SIMULATOR_PACKET_H
#define SIMULATOR_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ETHERNET_HEADER = 14,
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IPV6 = 0x86dd,
	IPV4_HEADER_LEAST = 20,
	IPV6_HEADER = 40,
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_ICMP6 = 58,
	ARP_BYTES = 28,
	FRAME_BYTES_MAX = ETHERNET_HEADER + 9000,
};

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, (uint16_t)(value >> 16));
	put16(at + 2, (uint16_t)value);
}

/* The sum of RFC 1071, not complemented: correct data with its checksum in it gives 0xffff. */
uint16_t ones_sum(uint32_t sum, const uint8_t *bytes, size_t len);

/* What of a frame carries an IP packet, or not: the headers were checked if it is true. */
struct packet {
	uint8_t version; /* 4 or 6 */
	uint8_t protocol;
	uint8_t traffic_class, ttl;
	uint8_t *ip;              /* the IP header */
	uint8_t *payload;         /* what follows all IP headers */
	size_t ip_len, len;       /* of the packet, and of payload */
	const uint8_t *from, *to; /* addresses, 4 or 16 bytes */
	uint8_t extension;        /* IPv6: the first extension header's type, or protocol */
	bool fragment, more, unfragmentable;
	size_t offset; /* of the fragment, in bytes */
	uint32_t id;   /* of the datagram that it is a part of */
};

/* NULL, or what is wrong with the IP headers. bytes is the IP packet; a link may have padded it. */
const char *packet_parse(uint8_t *bytes, size_t len, struct packet *packet);
/* The transport's checksum over payload and pseudo-header. */
bool packet_sums_up(const struct packet *packet);
/* Computes the checksum that lies at this offset of the payload, and writes it. */
void packet_put_sum(struct packet *packet, size_t offset);

/* Where a sender's frames come from, and how large they may be. */
struct frame_sender {
	bool ethernet; /* else bare IP */
	uint8_t mac[6];
	uint8_t ipv4[4];
	uint8_t ipv6[16]; /* all zero: it has none */
	uint16_t mtu;
};

/* NULL, or what no host may ever send. */
const char *frame_fault(const struct frame_sender *sender, uint8_t *frame, size_t len);

/* A line that says what is in a frame, in the manner of tcpdump. */
void frame_print(bool ethernet, uint8_t *frame, size_t len);

#endif
