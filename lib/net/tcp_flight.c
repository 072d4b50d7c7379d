/* SPDX-License-Identifier: ISC
 *
 * The scoreboard of what is in flight: a sorted row of spans. Looking one up and changing the row is linear in their
 * number, which is small (one for each moment of sending, and those that losses split off) and has a bound.
 */
#include <stdlib.h>
#include <string.h>

#include "tcp_flight.h"
#include "tcp_sequence.h"

void tcp_flight_init(struct tcp_flight *flight, struct pool *pool, uint32_t begin)
{
	*flight = (struct tcp_flight){ .pool = pool, .room = TCP_SPANS_OWN, .end = begin, .reach = begin };
	flight->spans = flight->own;
}

static void release(struct tcp_flight *flight)
{
	if (flight->room <= TCP_SPANS_OWN)
		return;
	pool_free(flight->pool, flight->spans, flight->room * sizeof flight->spans[0]);
	flight->spans = flight->own;
	flight->room = TCP_SPANS_OWN;
}

void tcp_flight_clear(struct tcp_flight *flight, uint32_t begin)
{
	release(flight);
	tcp_flight_init(flight, flight->pool, begin);
}

static bool make_room(struct tcp_flight *flight)
{
	uint16_t room = flight->room == TCP_SPANS_OWN ? 16 : (uint16_t)(flight->room * 2);
	size_t bytes = room * sizeof flight->spans[0];
	struct tcp_span *spans;

	if (flight->count < flight->room)
		return true;
	spans = room > TCP_SPANS_MAX ? NULL : pool_alloc(flight->pool, bytes);
	if (!spans)
		return false;
	memcpy(spans, flight->spans, flight->count * sizeof spans[0]);
	release(flight);
	flight->spans = spans;
	flight->room = room;
	return true;
}

static void set_state(struct tcp_flight *flight, struct tcp_span *span, enum tcp_span_state state)
{
	uint32_t len = tcp_span_end(flight, span) - span->begin;

	flight->bytes[span->state] -= len;
	flight->bytes[state] += len;
	span->state = (uint8_t)state;
}

/* Lets a span begin at seq, if there is memory. */
static void split(struct tcp_flight *flight, uint32_t seq)
{
	uint16_t i = 0;

	while (i < flight->count && seq_before(flight->spans[i].begin, seq))
		i++;
	if (i == 0 || seq == flight->end || (i < flight->count && flight->spans[i].begin == seq) || !make_room(flight))
		return;
	memmove(flight->spans + i + 1, flight->spans + i, (flight->count - i) * sizeof flight->spans[0]);
	flight->spans[i] = flight->spans[i - 1];
	flight->spans[i].begin = seq;
	flight->count++;
}

/* Joins neighbours that share their fate; when it was sent matters only of what is on its way. */
static void join(struct tcp_flight *flight)
{
	struct tcp_span *last = flight->spans;

	for (struct tcp_span *span = last + 1; span < flight->spans + flight->count; span++) {
		bool differs = span->sent_at != last->sent_at || span->resent != last->resent;
		if (span->state != last->state || (span->state == TCP_SPAN_SENT && differs)) {
			*++last = *span;
			continue;
		}
		last->resent |= span->resent;
		if (span->sent_at > last->sent_at)
			last->sent_at = span->sent_at;
	}
	if (flight->count > 0)
		flight->count = (uint16_t)(last + 1 - flight->spans);
}

/* Without memory it joins the span before it, which counts as sent as late. */
static void sent_new(struct tcp_flight *flight, uint32_t end, uint64_t now)
{
	if (flight->count == 0 || make_room(flight))
		flight->spans[flight->count++].begin = flight->end;
	else
		set_state(flight, &flight->spans[flight->count - 1], TCP_SPAN_SENT);
	flight->spans[flight->count - 1].sent_at = now;
	flight->spans[flight->count - 1].state = TCP_SPAN_SENT;
	flight->spans[flight->count - 1].resent = false;
	flight->bytes[TCP_SPAN_SENT] += end - flight->end;
	flight->end = end;
}

void tcp_flight_sent(struct tcp_flight *flight, uint32_t begin, uint32_t end, uint64_t now)
{
	struct tcp_span *last = flight->spans + flight->count - 1;
	uint32_t old_end = flight->end;

	if (begin == old_end && flight->count > 0 && last->state == TCP_SPAN_SENT && last->sent_at == now &&
		!last->resent) {
		flight->bytes[TCP_SPAN_SENT] += end - old_end;
		flight->end = end;
		return;
	}
	if (seq_after(end, old_end))
		sent_new(flight, end, now);
	if (begin == old_end)
		return;
	split(flight, begin);
	split(flight, seq_earlier(end, old_end));
	for (struct tcp_span *span = flight->spans; span < flight->spans + flight->count; span++) {
		if (seq_before(begin, tcp_span_end(flight, span)) &&
			seq_before(span->begin, seq_earlier(end, old_end))) {
			set_state(flight, span, TCP_SPAN_SENT);
			span->sent_at = now;
			span->resent = true;
		}
	}
	join(flight);
}

static void deliver(const struct tcp_span *span, uint32_t end, struct tcp_delivery *delivery)
{
	delivery->bytes += end - span->begin;
	delivery->late |= !span->resent && seq_before(span->begin, delivery->reach);
	if (span->resent && span->sent_at > delivery->certain)
		return;
	if (span->sent_at > delivery->sent_at ||
		(span->sent_at == delivery->sent_at && seq_after(end, delivery->end))) {
		delivery->sent_at = span->sent_at;
		delivery->end = end;
	}
}

void tcp_flight_ack(struct tcp_flight *flight, uint32_t ack, struct tcp_delivery *delivery)
{
	struct tcp_span *first = flight->spans, *span = first, *last = first + flight->count;

	delivery->first_sent_at = first->sent_at;
	for (; span < last && seq_before(span->begin, ack); span++) {
		uint32_t end = seq_earlier(tcp_span_end(flight, span), ack);
		delivery->resent |= span->resent;
		if (span->state != TCP_SPAN_SACKED)
			deliver(span, end, delivery);
		flight->bytes[span->state] -= end - span->begin;
	}
	if (span > first && seq_after(tcp_span_end(flight, span - 1), ack))
		(--span)->begin = ack;
	flight->count = (uint16_t)(last - span);
	memmove(first, span, flight->count * sizeof *span);
	if (flight->count == 0)
		release(flight);
}

void tcp_flight_sack(struct tcp_flight *flight, uint32_t begin, uint32_t end, struct tcp_delivery *delivery)
{
	split(flight, begin);
	split(flight, end);
	for (struct tcp_span *span = flight->spans; span < flight->spans + flight->count; span++) {
		if (seq_before(span->begin, begin) || seq_after(tcp_span_end(flight, span), end) ||
			span->state == TCP_SPAN_SACKED)
			continue;
		deliver(span, tcp_span_end(flight, span), delivery);
		set_state(flight, span, TCP_SPAN_SACKED);
		flight->reach = seq_later(flight->reach, tcp_span_end(flight, span));
	}
	join(flight);
}

void tcp_flight_mark(struct tcp_flight *flight, uint32_t len, enum tcp_span_state from, enum tcp_span_state to)
{
	uint32_t end = tcp_flight_begin(flight) + len;

	if (seq_before(end, flight->end))
		split(flight, end);
	for (struct tcp_span *span = flight->spans; span < flight->spans + flight->count; span++) {
		if (span->state == from && seq_before(span->begin, end))
			set_state(flight, span, to);
	}
	join(flight);
}

uint64_t tcp_flight_expire(struct tcp_flight *flight, uint64_t sent_at, uint32_t end, uint64_t latest)
{
	uint64_t youngest = 0;

	for (struct tcp_span *span = flight->spans; span < flight->spans + flight->count; span++) {
		bool older = span->sent_at < sent_at ||
			     (span->sent_at == sent_at && !seq_after(tcp_span_end(flight, span), end));
		if (span->state != TCP_SPAN_SENT || !older)
			continue;
		if (span->sent_at <= latest)
			set_state(flight, span, TCP_SPAN_LOST);
		else if (span->sent_at > youngest)
			youngest = span->sent_at;
	}
	join(flight);
	return youngest;
}

bool tcp_flight_lost_within(const struct tcp_flight *flight, uint32_t begin, uint32_t end)
{
	for (const struct tcp_span *span = flight->spans; span < flight->spans + flight->count; span++) {
		bool within = !seq_before(span->begin, begin) && !seq_after(tcp_span_end(flight, span), end);
		if (span->state == TCP_SPAN_LOST && !within)
			return false;
	}
	return true;
}

const struct tcp_span *tcp_flight_lost(const struct tcp_flight *flight)
{
	for (uint16_t i = 0; flight->bytes[TCP_SPAN_LOST] > 0 && i < flight->count; i++) {
		if (flight->spans[i].state == TCP_SPAN_LOST)
			return &flight->spans[i];
	}
	return NULL;
}
