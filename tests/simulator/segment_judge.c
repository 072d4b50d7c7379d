/* SPDX-License-Identifier: ISC
 *
 * What RFC 9293 forbids whatever has happened before: to take back an acknowledgement or a window, to send beyond the
 * peer's window (but for a probe), or more than the peer takes in a segment.
 */
#include "segment_judge.h"

#include <string.h>

#include "memory.h"

enum { HEADER = 20, FIN = 1, SYN = 2, RST = 4, ACK = 16, MSS_DEFAULT = 536, MSS_DEFAULT_6 = 1220, NO_SHIFT = 255 };

/* One side of a connection, by what it said. */
struct said {
	bool syn; /* its SYN was seen, with this number */
	uint32_t isn;
	uint16_t mss;
	uint8_t shift; /* NO_SHIFT: its SYN has no window scale */
	bool acked;    /* has acknowledged up to ack, and offered a window up to edge */
	uint32_t ack, edge;
};

struct judged {
	struct judged *next;
	uint8_t addresses[2][16]; /* the host's, the peer's */
	uint16_t ports[2];
	struct said own, peer;
};

struct segment {
	uint32_t seq, ack, window;
	uint8_t flags, shift;
	uint16_t mss; /* 0: not said */
	size_t options, len;
};

static bool parse(const struct packet *packet, struct segment *segment)
{
	const uint8_t *tcp = packet->payload;
	size_t header = packet->len < HEADER ? 0 : (size_t)(tcp[12] >> 4) * 4;

	if (packet->protocol != PROTOCOL_TCP || packet->offset > 0 || header < HEADER || header > packet->len)
		return false;
	*segment = (struct segment){
		.seq = get32(tcp + 4),
		.ack = get32(tcp + 8),
		.window = get16(tcp + 14),
		.flags = tcp[13],
		.shift = NO_SHIFT,
		.options = header - HEADER,
		.len = packet->len - header,
	};
	for (size_t at = HEADER; at + 1 < header && tcp[at] != 0;) {
		size_t len = tcp[at] == 1 ? 1 : tcp[at + 1];
		if (len == 0 || at + len > header)
			return false;
		if (tcp[at] == 2 && len == 4)
			segment->mss = get16(tcp + at + 2);
		if (tcp[at] == 3 && len == 3)
			segment->shift = tcp[at + 2];
		at += len;
	}
	return true;
}

/* The connection of this packet, which the host has sent or received; a SYN begins one. NULL: unknown. */
static struct judged *find(struct segment_judge *judge, const struct packet *packet, bool sent, bool begins)
{
	uint8_t addresses[2][16] = { { 0 } };
	size_t len = packet->version == 4 ? 4 : 16;
	uint16_t ports[2] = { get16(packet->payload + (sent ? 0 : 2)), get16(packet->payload + (sent ? 2 : 0)) };
	struct judged *judged = judge->connections;

	memcpy(addresses[0], sent ? packet->from : packet->to, len);
	memcpy(addresses[1], sent ? packet->to : packet->from, len);
	while (judged && (memcmp(judged->addresses, addresses, sizeof addresses) != 0 ||
				 memcmp(judged->ports, ports, sizeof ports) != 0))
		judged = judged->next;
	if (judged || !begins)
		return judged;
	judged = memory_own(sizeof *judged);
	memcpy(judged->addresses, addresses, sizeof addresses);
	memcpy(judged->ports, ports, sizeof ports);
	judged->next = judge->connections;
	judge->connections = judged;
	return judged;
}

/* A SYN. Another than before begins another connection of the same name. */
static void begin(struct said *by, struct said *other, const struct packet *packet, const struct segment *segment)
{
	if (by->syn && by->isn != segment->seq && !(segment->flags & ACK))
		memset(other, 0, sizeof *other);
	if (!by->syn || by->isn != segment->seq)
		*by = (struct said){ .syn = true, .isn = segment->seq };
	by->mss = segment->mss ? segment->mss : packet->version == 4 ? MSS_DEFAULT : MSS_DEFAULT_6;
	by->shift = segment->shift;
}

/* The right edge of the window that a segment offers. Scaled if both have said so; in a SYN never. */
static uint32_t edge_of(const struct said *by, const struct said *other, const struct segment *segment)
{
	bool scaled = !(segment->flags & SYN) && by->shift != NO_SHIFT && other->shift != NO_SHIFT;

	return segment->ack + (scaled ? segment->window << by->shift : segment->window);
}

static bool is_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

void segment_judge_received(struct segment_judge *judge, const struct packet *packet)
{
	struct segment segment;
	struct judged *judged;
	uint32_t edge;

	if (!parse(packet, &segment) || (segment.flags & RST))
		return;
	judged = find(judge, packet, false, segment.flags & SYN);
	if (!judged)
		return;
	if (segment.flags & SYN)
		begin(&judged->peer, &judged->own, packet, &segment);
	if (!(segment.flags & ACK) || !judged->peer.syn)
		return;
	edge = edge_of(&judged->peer, &judged->own, &segment);
	if (!judged->peer.acked || is_before(judged->peer.edge, edge))
		judged->peer.edge = edge;
	judged->peer.acked = true;
}

/* Of a segment with data or FIN, that the peer's window and segment size have room for it. */
static const char *judge_data(const struct said *peer, const struct segment *segment)
{
	uint32_t end = segment->seq + (uint32_t)segment->len + (segment->flags & FIN ? 1 : 0);

	if (segment->len + segment->options > peer->mss)
		return "a segment larger than the peer takes";
	if (is_before(peer->edge, end) && !(segment->len <= 1 && segment->seq == peer->edge))
		return "data beyond the peer's window";
	return NULL;
}

const char *segment_judge_sent(struct segment_judge *judge, const struct packet *packet)
{
	struct segment segment;
	struct judged *judged;
	struct said *own;
	uint32_t edge;

	if (!parse(packet, &segment) || (segment.flags & RST))
		return NULL;
	judged = find(judge, packet, true, segment.flags & SYN);
	if (!judged)
		return "a segment of a connection that was never begun";
	own = &judged->own;
	if (segment.flags & SYN)
		begin(own, &judged->peer, packet, &segment);
	if (!(segment.flags & ACK))
		return NULL;
	if (!own->syn || !judged->peer.syn)
		return "an acknowledgement of nothing";
	edge = edge_of(own, &judged->peer, &segment);
	if (own->acked && is_before(segment.ack, own->ack))
		return "an acknowledgement that goes back";
	/* A SYN sent again says no more than 65,535, whatever was said since. */
	if (own->acked && is_before(edge, own->edge) && !(segment.flags & SYN))
		return "a window that is taken back";
	if (!own->acked || is_before(own->edge, edge))
		own->edge = edge;
	own->acked = true;
	own->ack = segment.ack;
	return segment.len > 0 || (segment.flags & FIN) ? judge_data(&judged->peer, &segment) : NULL;
}

void segment_judge_fini(struct segment_judge *judge)
{
	while (judge->connections) {
		struct judged *first = judge->connections;
		judge->connections = first->next;
		memory_free_own(first);
	}
}
