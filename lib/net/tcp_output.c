/* SPDX-License-Identifier: ISC
 *
 * What TCP sends, and when: RFC 9293, 3.7.4 (Nagle), 3.8.6 (windows, both sides of silly window avoidance), RFC 7323
 * (scale and timestamps), RFC 2018 (reports of what is held). A segment's payload is never copied here: up to two
 * pieces of the ring go to the sink.
 */
#include <errno.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

enum { SACK_BYTES = 4, SACK_BLOCK_BYTES = 8 };

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Milliseconds, as Linux does: ticks between 1 ms and 1 s are what RFC 7323, 5.4 asks for. */
uint32_t tcp_timestamp(const struct tcp_connection *c, uint64_t now)
{
	return (uint32_t)(now / MSEC(1)) + c->config.timestamp_base;
}

/* The edge to offer: it moves by a segment or half of the buffer at least (MUST-39), and never to the left. */
static uint32_t next_edge(const struct tcp_connection *c)
{
	uint32_t edge = c->rcv_nxt + ring_room(&c->rx);
	uint32_t step = min_u32(c->rx.size_max / 2, c->config.mss);

	return seq_before(edge, c->rcv_edge + step) ? c->rcv_edge : edge;
}

/* The window field that offers that edge, and the edge that it really offers. Rounding up by less than one unit of
 * the scale, where rounding down would take back what was offered. */
static uint16_t window_field(const struct tcp_connection *c, bool syn, uint32_t *edge)
{
	uint32_t shift = syn ? 0 : c->rcv_shift;
	uint32_t field = (next_edge(c) - c->rcv_nxt) >> shift;

	if (seq_before(c->rcv_nxt + (field << shift), c->rcv_edge))
		field++;
	field = min_u32(field, UINT16_MAX);
	*edge = seq_later(c->rcv_nxt + (field << shift), c->rcv_edge);
	return (uint16_t)field;
}

/* A reader has made room: worth a segment of its own when the window at least doubles, and by two segments or half of
 * the buffer. Smaller steps ride on the next ACK. */
bool tcp_window_should_grow(const struct tcp_connection *c)
{
	uint32_t offered = c->rcv_edge - c->rcv_nxt, room = ring_room(&c->rx);
	uint32_t step = min_u32(c->rx.size_max / 2, 2 * (uint32_t)c->config.mss);

	if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2)
		return false;
	return room >= offered + step && room / 2 >= offered;
}

static void add_timestamps(const struct tcp_connection *c, struct tcp_segment *segment, uint64_t now)
{
	if (!c->timestamps)
		return;
	segment->options.has_timestamp = true;
	segment->options.timestamp = tcp_timestamp(c, now);
	segment->options.timestamp_echo = c->timestamp_recent;
}

/* Hands a segment to the sink, acknowledgement and window filled in. Only when it is on its way the state changes. */
int tcp_transmit_segment(struct tcp_connection *c, struct tcp_segment *segment, uint64_t now)
{
	uint32_t edge;
	int err;

	segment->window = window_field(c, segment->flags & TCP_SYN, &edge);
	segment->fragmentable = c->fragmentable;
	if (c->ecn_echo)
		segment->flags |= TCP_ECE;
	if (segment->flags & TCP_ACK)
		segment->ack = c->rcv_nxt;
	add_timestamps(c, segment, now);
	err = c->config.sink->send(c->config.sink, segment);
	if (err == -EAGAIN) {
		c->blocked = true;
		return err;
	}
	if (err < 0)
		c->soft_error = err;
	if (c->state == TCP_SYN_SENT && (err == -ENETUNREACH || err == -EHOSTUNREACH)) {
		tcp_fail(c, err);
		return err;
	}
	c->rcv_edge = edge;
	if (segment->flags & TCP_ACK) {
		c->last_ack_sent = c->rcv_nxt;
		c->ack_now = false;
		c->unacknowledged = 0;
		c->twice = (struct tcp_range){ 0 };
		c->timers[TCP_TIMER_DELAYED_ACK] = FOREVER;
	}
	return 0;
}

static void add_ranges(const struct tcp_connection *c, struct tcp_segment *segment)
{
	struct tcp_options *options = &segment->options;
	uint8_t first = c->twice.begin != c->twice.end;

	if (c->sack && (c->range_count > 0 || first)) {
		options->sack[0] = c->twice;
		options->sack_count =
			(uint8_t)(first + tcp_report_ranges(c, options->sack + first, TCP_SACK_BLOCKS - first));
	}
	/* Full segments have no place for them, and the link that cuts segments would repeat them. */
	while (segment->options.sack_count > 0 &&
		segment->len + SACK_BYTES + SACK_BLOCK_BYTES * (uint32_t)segment->options.sack_count > c->mss)
		segment->options.sack_count--;
}

/* The sequence number of a segment without payload: the RFC's SND.NXT, which never goes back. With ours, while it has
 * gone back, two peers that both retransmit would take each other's ACKs for old segments, and stay there. But not
 * beyond the window, should the peer have shrunk it, where no segment is acceptable. */
uint32_t tcp_empty_seq(const struct tcp_connection *c)
{
	uint32_t edge = c->snd_una + c->snd_wnd;

	return tcp_is_synchronized(c->state) && seq_after(c->snd_nxt, edge) ? edge : c->snd_nxt;
}

int tcp_send_ack(struct tcp_connection *c, uint64_t now)
{
	struct tcp_segment segment = { .flags = TCP_ACK, .seq = tcp_empty_seq(c) };

	add_ranges(c, &segment);
	return tcp_transmit_segment(c, &segment, now);
}

void tcp_send_reset(struct tcp_connection *c, uint32_t seq)
{
	struct tcp_segment segment = { .flags = TCP_RST, .seq = seq };

	if (c->config.sink->send(c->config.sink, &segment) == -EAGAIN)
		tcp_drop(c, DROP_LINK_NO_ROOM);
}

/* Sequence space up to end has been sent at this time. */
static void note_sent(struct tcp_connection *c, uint32_t end, uint64_t now)
{
	/* After a closed window, which may have been for longer than we are patient, patience begins anew. */
	if (c->snd_una == c->snd_nxt || (c->timers[TCP_TIMER_PERSIST] != FOREVER && !c->orphan))
		c->progress_at = now;
	c->snd_nxt = seq_later(c->snd_nxt, end);
	c->flight_sent = c->snd_nxt - c->snd_una;
	c->sent_at = now;
	if (c->timers[TCP_TIMER_RETRANSMIT] == FOREVER)
		c->timers[TCP_TIMER_RETRANSMIT] = now + c->rto_ns;
	c->timers[TCP_TIMER_PERSIST] = FOREVER;
}

static void send_syn(struct tcp_connection *c, uint64_t now)
{
	struct tcp_segment segment = {
		.flags = TCP_SYN,
		.seq = c->config.iss,
		.retransmission = c->snd_nxt != c->config.iss,
		.options = {
			.mss = c->config.mss,
			.sack_permitted = c->sack,
			.has_window_shift = c->window_scaling,
			.window_shift = c->rcv_shift,
		},
	};

	if (c->state == TCP_SYN_RECEIVED)
		segment.flags |= TCP_ACK;
	c->ecn = c->ecn && !segment.retransmission; /* RFC 3168, 6.1.1.1: a path that drops such SYNs is got through */
	if (c->ecn)
		segment.flags |= segment.flags & TCP_ACK ? TCP_ECE : TCP_ECE | TCP_CWR;
	if (c->fast && !segment.retransmission)
		tcp_early_syn(c, &segment);
	if (tcp_transmit_segment(c, &segment, now) < 0)
		return;
	c->syn_due = false;
	c->syn_resent = segment.retransmission;
	note_sent(c, c->tx_begin + segment.len, now);
	if (segment.len > 0)
		tcp_flight_sent(&c->flight, c->tx_begin, c->snd_nxt, now);
}

/* Lets the segment carry up to len bytes of the stream, offset after tx_begin. */
static void fill(const struct tcp_connection *c, uint32_t offset, uint32_t len, struct tcp_segment *segment)
{
	segment->len = min_u32(len, tcp_queued(c) - offset);
	if (c->lent)
		segment->len = tcp_lent_pieces(c, offset, segment->len, segment);
	else
		segment->count = ring_pieces(&c->tx, offset, segment->len, segment->pieces);
	segment->segment_bytes = segment->len > c->mss ? c->mss : 0;
	if (segment->len > 0 && offset + segment->len == tcp_queued(c))
		segment->flags |= TCP_PSH; /* the last of what is buffered (MUST-61) */
}

int tcp_send_range(struct tcp_connection *c, uint32_t seq, uint32_t len, uint64_t now)
{
	struct tcp_segment segment = { .flags = TCP_ACK, .seq = seq, .retransmission = seq_before(seq, c->snd_nxt) };
	uint32_t payload;
	bool reduced, fin;
	int err;

	fill(c, seq - c->tx_begin, len, &segment);
	payload = segment.len;
	reduced = c->ecn_reduced && payload > 0 && !segment.retransmission;
	fin = c->fin_queued && seq - c->tx_begin + payload == tcp_queued(c) && len > payload;
	if (fin)
		segment.flags |= TCP_FIN;
	segment.ecn_capable = c->ecn && payload > 0 && !segment.retransmission; /* RFC 3168, 6.1.5 */
	if (reduced)
		segment.flags |= TCP_CWR;
	add_ranges(c, &segment);
	err = tcp_transmit_segment(c, &segment, now);
	if (err < 0)
		return err;
	c->ecn_reduced &= !reduced;
	c->retransmissions += segment.retransmission;
	note_sent(c, seq + payload + fin, now);
	tcp_flight_sent(&c->flight, seq, seq + payload + fin, now);
	tcp_recovery_sent(c, payload, segment.retransmission, now);
	return 0;
}

/* How much of what is lost may be sent again from *seq on, at most a segment: what follows for the first time fills it
 * up. The peer's window limits it too (SHLD-16). */
static uint32_t resendable(const struct tcp_connection *c, uint32_t *seq)
{
	const struct tcp_span *span = tcp_flight_lost(&c->flight);
	uint32_t edge = c->snd_una + c->snd_wnd, end, len;

	if (!span || !seq_before(span->begin, edge))
		return 0;
	*seq = span->begin;
	end = tcp_span_end(&c->flight, span);
	if (end == c->snd_nxt)
		end = tcp_send_end(c);
	len = min_u32(min_u32(end - *seq, edge - *seq), c->mss);
	return tcp_pipe(c) > 0 && tcp_pipe(c) + len > c->cwnd ? 0 : len;
}

/* How much sequence space may be sent next from snd_nxt: 0, or up to what the link takes at once. The rules are those
 * of RFC 9293, 3.8.6.2.1: a full segment; or all there is, if Nagle lets it; or half of the largest window. */
static uint32_t sendable(const struct tcp_connection *c)
{
	uint32_t left = tcp_send_end(c) - c->snd_nxt;
	uint32_t data = left > 0 && c->fin_queued ? left - 1 : left;
	uint32_t edge = c->snd_una + c->snd_wnd, pipe = tcp_pipe(c);
	uint32_t usable =
		min_u32(seq_after(edge, c->snd_nxt) ? edge - c->snd_nxt : 0, c->cwnd > pipe ? c->cwnd - pipe : 0);
	/* A link that cuts segments would repeat CWR, and the identification of packets that the path may cut. */
	uint32_t most = c->config.burst_bytes > c->mss && !c->ecn_reduced && !c->fragmentable
				? c->config.burst_bytes - c->config.burst_bytes % c->mss
				: c->mss;
	uint32_t payload = min_u32(min_u32(data, usable), most);
	uint32_t fin = c->fin_queued && left > 0 && payload == data && usable > payload;
	bool prompt = c->nodelay || c->snd_nxt == c->tx_begin;

	if (payload >= c->mss) {
		payload -= payload % c->mss;
		return payload + (payload == data ? fin : 0);
	}
	if (payload == data && (fin || prompt))
		return payload + fin;
	if (prompt && payload > 0 && payload >= c->snd_wnd_max / 2)
		return payload;
	return 0;
}

/* Nothing is in the pipe and yet something waits: the window is closed, or a silly one. No ACK will come to change that
 * by itself, so a timer must (RFC 9293, 3.8.6.1; the first probe after one time-out: SHLD-29). */
static void watch_window(struct tcp_connection *c, uint64_t now)
{
	uint64_t *persist = &c->timers[TCP_TIMER_PERSIST];

	if (tcp_send_end(c) == c->snd_una || tcp_pipe(c) > 0 || c->timers[TCP_TIMER_RETRANSMIT] != FOREVER) {
		*persist = FOREVER;
		c->persist_ns = 0;
		return;
	}
	if (c->persist_ns == 0) {
		c->persist_ns = c->rto_ns;
		c->heard_at = now;
		*persist = now + c->persist_ns;
	}
	if (c->snd_wnd > 0 && *persist > now + TCP_OVERRIDE_NS)
		*persist = now + TCP_OVERRIDE_NS;
}

static void send_stream(struct tcp_connection *c, uint64_t now)
{
	uint32_t take, seq;

	tcp_congestion_idle(c, now);
	while ((take = resendable(c, &seq)) > 0) {
		if (tcp_send_range(c, seq, take, now) < 0)
			return;
	}
	while (c->flight.bytes[TCP_SPAN_LOST] == 0 && !tcp_path_probe(c, now) && (take = sendable(c)) > 0) {
		if (tcp_send_range(c, c->snd_nxt, take, now) < 0)
			return;
	}
	watch_window(c, now);
}

void tcp_core_output(struct tcp_connection *c, uint64_t now)
{
	if (c->state == TCP_CLOSED || c->state == TCP_LISTEN)
		return;
	c->blocked = false;
	if (now >= c->path_until)
		tcp_path_expire(c);
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
		if (c->syn_due)
			send_syn(c, now);
		else if (c->ack_now)
			tcp_send_ack(c, now);
		if (c->early && !c->active && !c->syn_due)
			send_stream(c, now);
	} else {
		send_stream(c, now);
		if (c->ack_now && !c->blocked)
			tcp_send_ack(c, now);
	}
	/* Whoever owns the sink will call again; should he forget, the timer will. And what was sent shortly before a
	 * time-out is still on its way, even if the peer's window now forbids to send what is lost. */
	if ((c->blocked || tcp_pipe(c) > 0) && c->timers[TCP_TIMER_RETRANSMIT] == FOREVER &&
		c->timers[TCP_TIMER_PERSIST] == FOREVER)
		c->timers[TCP_TIMER_RETRANSMIT] = now + c->rto_ns;
}
