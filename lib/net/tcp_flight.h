/* SPDX-License-Identifier: ISC
 *
 * What was sent and not acknowledged, and what is known of it: the scoreboard of RFC 2018 and 6675, with the times that
 * RFC 8985 asks for.
 *
 * The sequence space in flight is a row of spans without gaps. What left at the same time and shares its fate is one
 * span, so a flight without losses has few however many its segments; SACK blocks and retransmission split them. The
 * first spans lie in the flight itself; more take memory, out of the pool, for as long as they are needed. Without
 * memory a split is refused, which makes what is known less exact and never wrong: less is known to have arrived.
 */
#ifndef NET_TCP_FLIGHT_H
#define NET_TCP_FLIGHT_H

#include "ring.h"
#include "tcp_segment.h"

enum tcp_span_state {
	TCP_SPAN_SENT,   /* on its way */
	TCP_SPAN_LOST,   /* to be sent again */
	TCP_SPAN_SACKED, /* arrived, out of order */
	TCP_SPAN_STATES,
};

struct tcp_span {
	uint64_t sent_at; /* the last time */
	uint32_t begin;   /* its end is where the next one begins */
	uint8_t state;
	bool resent;
};

enum { TCP_SPANS_OWN = 2, TCP_SPANS_MAX = 1024 };

struct tcp_flight {
	struct pool *pool;      /* borrowed */
	struct tcp_span *spans; /* own, or memory for room of them */
	struct tcp_span own[TCP_SPANS_OWN];
	uint16_t room, count;
	uint32_t end;                    /* of the last span: SND.NXT */
	uint32_t reach;                  /* how far what has arrived reaches: no further than end, or old */
	uint32_t bytes[TCP_SPAN_STATES]; /* in each state */
};

/* What one acknowledgement says has newly arrived. */
struct tcp_delivery {
	uint64_t certain; /* given: what was sent again after this may have arrived as sent before */
	uint32_t reach;   /* given: the flight's, before the acknowledgement */
	uint32_t bytes;
	bool resent;            /* some of what is acknowledged in order was sent twice: no time can be told from it */
	uint64_t first_sent_at; /* of what is acknowledged in order, the earliest */
	uint64_t sent_at;       /* the latest sent of all, and its end: RFC 8985, 6.2, step 2. 0: none */
	uint32_t end;
	bool late; /* something that was sent once lies below reach: reordering */
};

void tcp_flight_init(struct tcp_flight *flight, struct pool *pool, uint32_t begin);
/* Forgets all: nothing is in flight. Frees the memory. */
void tcp_flight_clear(struct tcp_flight *flight, uint32_t begin);

/* begin to end was sent: new, from flight->end on, or again, within one span that is LOST or SENT. */
void tcp_flight_sent(struct tcp_flight *flight, uint32_t begin, uint32_t end, uint64_t now);
/* All before ack, which lies in the flight or at its end, is acknowledged. */
void tcp_flight_ack(struct tcp_flight *flight, uint32_t ack, struct tcp_delivery *delivery);
/* begin to end, which lies in the flight, has arrived. */
void tcp_flight_sack(struct tcp_flight *flight, uint32_t begin, uint32_t end, struct tcp_delivery *delivery);
/* Changes the state of those of len bytes from the flight's begin on that are in the state from. */
void tcp_flight_mark(struct tcp_flight *flight, uint32_t len, enum tcp_span_state from, enum tcp_span_state to);
/* What was sent before this time, or then and ends at or before end, is LOST if it is SENT and left before `latest`.
 * Returns when the last of the others did leave: 0 if there are none. */
uint64_t tcp_flight_expire(struct tcp_flight *flight, uint64_t sent_at, uint32_t end, uint64_t latest);
/* Whether all that is LOST, if anything, lies between begin and end. */
bool tcp_flight_lost_within(const struct tcp_flight *flight, uint32_t begin, uint32_t end);
/* The first span that is LOST; NULL: none. */
const struct tcp_span *tcp_flight_lost(const struct tcp_flight *flight);

static inline uint32_t tcp_span_end(const struct tcp_flight *flight, const struct tcp_span *span)
{
	return span + 1 == flight->spans + flight->count ? flight->end : span[1].begin;
}
static inline uint32_t tcp_flight_begin(const struct tcp_flight *flight)
{
	return flight->count ? flight->spans[0].begin : flight->end;
}

#endif
