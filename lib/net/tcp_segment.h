/* SPDX-License-Identifier: ISC
 *
 * A TCP segment, parsed: what the wire format (RFC 9293, 3.1) says, with options from RFC 9293, 7323 and 2018.
 */
#ifndef NET_TCP_SEGMENT_H
#define NET_TCP_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <platform.h>

enum {
	TCP_FIN = 1u << 0,
	TCP_SYN = 1u << 1,
	TCP_RST = 1u << 2,
	TCP_PSH = 1u << 3,
	TCP_ACK = 1u << 4,
	TCP_URG = 1u << 5,
	TCP_ECE = 1u << 6,
	TCP_CWR = 1u << 7,
};

enum {
	TCP_HEADER = 20,          /* without options */
	TCP_HEADER_MAX = 60,      /* a data offset of 15 words */
	TCP_CHECKSUM_OFFSET = 16, /* where the checksum lies in the header */
	TCP_SACK_BLOCKS = 4,      /* as many as fit into 40 bytes of options */
	TCP_TIMESTAMP_BYTES = 12, /* the timestamps option with its padding */
	TCP_FAST_COOKIE_MIN = 4,  /* RFC 7413, 4.1.1 */
	TCP_FAST_COOKIE_MAX = 16,
};

/* Sequence numbers from begin up to, but not with, end. */
struct tcp_range {
	uint32_t begin, end;
};

/* The Fast Open option (RFC 7413, 4.1.1): without bytes it asks for a cookie. */
struct tcp_fast_cookie {
	bool present;
	uint8_t len;
	uint8_t bytes[TCP_FAST_COOKIE_MAX];
};

struct tcp_options {
	uint32_t timestamp, timestamp_echo;
	uint16_t mss;         /* 0: absent, or the peer said 0 */
	uint8_t window_shift; /* as sent: may exceed the 14 that RFC 7323 allows */
	uint8_t sack_count;
	bool has_window_shift, has_timestamp, sack_permitted;
	struct tcp_range sack[TCP_SACK_BLOCKS];
	struct tcp_fast_cookie fast_open; /* on SYNs */
};

struct tcp_segment {
	uint16_t source_port, destination_port;
	uint16_t window; /* as on the wire: not shifted */
	uint16_t urgent_pointer;
	uint32_t seq, ack;
	uint8_t flags; /* TCP_FIN ... TCP_CWR */
	struct tcp_options options;
	/* The payload, borrowed: one piece when received; up to two, from the send ring, when sent. */
	struct platform_piece pieces[2];
	size_t count;
	uint32_t len;
	/* Sending only. */
	uint16_t segment_bytes; /* payload is to be cut into segments of this size by the link; 0: it is one segment */
	bool retransmission;    /* for the counters */
	bool fragmentable;      /* IPv4 without DF: the path may cut it */
	bool ecn_capable;       /* ECT(0) in the IP header: routers may mark it instead of dropping it */
	/* Receiving only. */
	bool congested; /* a router has marked it: CE in the IP header */
};

/* How much sequence space the segment takes: its payload, and one each for SYN and FIN. */
static inline uint32_t tcp_segment_space(const struct tcp_segment *segment)
{
	return segment->len + ((segment->flags & TCP_SYN) != 0) + ((segment->flags & TCP_FIN) != 0);
}

/* Parses len bytes from the header on. The checksum is not looked at. 0; -EBADMSG: too short, a data offset below 5
 * or past the end, or an option whose length is 0, 1 or past the header (RFC 9293, MUST-7). Unknown options, and known
 * ones of the wrong length, are skipped. */
int tcp_segment_parse(const uint8_t *bytes, size_t len, struct tcp_segment *segment);

/* Writes the header with the options of the segment, and a checksum of 0. Returns its length, a multiple of 4. SYNs
 * have their options in the order of Linux: MSS, SACK permitted, timestamps, NOP, window scale, Fast Open. SACK blocks
 * that do not fit are left out. */
size_t tcp_segment_build(const struct tcp_segment *segment, uint8_t header[TCP_HEADER_MAX]);

/* What CLOSED answers to a segment (RFC 9293, 3.10.7.1): fills in reset and returns true, or false if it was a reset
 * itself. LISTEN answers the same to an ACK. */
bool tcp_segment_refuse(const struct tcp_segment *segment, struct tcp_segment *reset);

#endif
