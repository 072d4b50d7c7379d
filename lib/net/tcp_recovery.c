/* SPDX-License-Identifier: ISC
 *
 * Loss: what acknowledgements and time say is lost, and how the sender recovers.
 *
 * With SACK, losses are found by time: RACK-TLP (RFC 8985), of whose reordering window duplicates in the number of RFC
 * 6675 make an end. Without, by the third duplicate ACK and by partial ACKs (RFC 6582); there a duplicate stands for a
 * segment that has arrived, nobody knows which, so that the pipe is counted alike and limited transmit (RFC 3042)
 * comes of itself. In recovery the window shrinks as data arrives (RFC 9937). A retransmission that was not needed
 * shows when the ACK of what it repeats echoes an older timestamp (RFC 3522), or later, when the peer reports all that
 * was retransmitted as received twice (RFC 2883); what it cost is then given back (RFC 4015).
 *
 * The rescue retransmission of RFC 6675 has no place beside these: the tail of a window with a hole is found lost when
 * the hole's retransmission arrives, having been sent before it, and the tail of what was sent during recovery by the
 * probe after it.
 */
#include "tcp_core.h"
#include "tcp_sequence.h"

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static bool echoes(const struct tcp_connection *c, const struct tcp_segment *segment)
{
	return c->timestamps && segment->options.has_timestamp;
}

/* Time is taken once a round trip, from what was sent once (Karn); or, after a loss, from the echo of our timestamp
 * (RFC 7323, 4.1), if that says the segment left after the loss was noticed: an older echo may tell of an ACK that was
 * lost, and would take a time-out for a round trip. */
static void measure(
	struct tcp_connection *c, const struct tcp_segment *segment, const struct tcp_delivery *delivery, uint64_t now)
{
	uint32_t rtt_ms;

	if (!delivery->resent) {
		if (seq_after(segment->ack, c->rtt_seq)) {
			c->rtt_seq = c->snd_nxt;
			tcp_rtt_sample(c, now - delivery->first_sent_at);
		}
		return;
	}
	if (!echoes(c, segment) || seq_before(segment->options.timestamp_echo, c->loss_timestamp))
		return;
	rtt_ms = tcp_timestamp(c, now) - segment->options.timestamp_echo;
	if (rtt_ms < TCP_PATIENCE_NS / MSEC(1)) /* else it is no echo of ours */
		tcp_rtt_sample(c, rtt_ms ? MSEC(rtt_ms) : TCP_GRANULARITY_NS);
}

/* RFC 8985, 6.2, steps 2 to 4: the latest sent of what has arrived, and whether something came late. */
static void note_arrival(struct tcp_connection *c, const struct tcp_delivery *delivery, uint64_t now)
{
	uint64_t rtt = now - delivery->sent_at;

	if (delivery->sent_at == 0)
		return;
	if (c->min_rtt_ns == 0 || rtt <= c->min_rtt_ns || now - c->min_rtt_at > TCP_MIN_RTT_NS) {
		c->min_rtt_ns = rtt ? rtt : 1;
		c->min_rtt_at = now;
	}
	c->rack_rtt_ns = rtt;
	if (delivery->sent_at > c->rack_sent_at ||
		(delivery->sent_at == c->rack_sent_at && seq_after(delivery->end, c->rack_end))) {
		c->rack_sent_at = delivery->sent_at;
		c->rack_end = delivery->end;
	}
}

/* The blocks of RFC 2018. Whether the first of them says that something came twice (RFC 2883, 4). */
static bool take_blocks(struct tcp_connection *c, const struct tcp_segment *segment, struct tcp_delivery *delivery)
{
	const struct tcp_range *blocks = segment->options.sack;
	uint8_t count = segment->options.sack_count;
	bool twice = count > 0 && (!seq_after(blocks[0].end, segment->ack) ||
					  (count > 1 && !seq_before(blocks[0].begin, blocks[1].begin) &&
						  !seq_after(blocks[0].end, blocks[1].end)));

	for (uint8_t i = twice; i < count; i++) {
		if (seq_after(blocks[i].begin, segment->ack) && seq_before(blocks[i].begin, blocks[i].end) &&
			!seq_after(blocks[i].end, c->snd_nxt))
			tcp_flight_sack(&c->flight, blocks[i].begin, blocks[i].end, delivery);
	}
	return twice;
}

/* RFC 8985, 6.2, step 4: a needless retransmission widens the reordering window, once a round trip. */
static void widen_window(struct tcp_connection *c)
{
	if (seq_before(c->snd_una, c->reorder_round))
		return;
	c->reorder_round = c->snd_nxt;
	if (c->reorder_steps < UINT8_MAX)
		c->reorder_steps++;
	c->reorder_persist = TCP_REORDERINGS;
	c->reordering = true;
}

/* Counts what the peer has had twice of what was retransmitted since congestion was last noticed. Whether that is all
 * of it: nothing was lost (RFC 2883, 5; RFC 3708). */
static bool all_needless(struct tcp_connection *c, const struct tcp_range *twice)
{
	if (c->undo_bytes == 0 || seq_before(twice->begin, c->undo_una) || seq_after(twice->end, c->recover))
		return false;
	c->undo_bytes -= min_u32(c->undo_bytes, twice->end - twice->begin);
	return c->undo_bytes == 0;
}

static uint64_t reorder_window(const struct tcp_connection *c)
{
	uint64_t window = c->min_rtt_ns / 4 * (1 + c->reorder_steps);

	if (!c->reordering && (c->loss != TCP_LOSS_NONE ||
				      c->flight.bytes[TCP_SPAN_SACKED] > (TCP_DUPLICATES - 1) * (uint32_t)c->mss))
		return 0;
	return window < c->srtt_ns ? window : c->srtt_ns;
}

/* RFC 8985, 6.2, step 5 */
static void detect_by_time(struct tcp_connection *c, uint64_t now)
{
	uint64_t age = c->rack_rtt_ns + reorder_window(c);
	uint64_t youngest = tcp_flight_expire(&c->flight, c->rack_sent_at, c->rack_end, now > age ? now - age : 0);

	c->timers[TCP_TIMER_REORDER] = youngest ? youngest + age : FOREVER;
}

static void lose_first(struct tcp_connection *c)
{
	uint32_t left;

	tcp_flight_mark(&c->flight, c->mss, TCP_SPAN_SENT, TCP_SPAN_LOST);
	left = c->snd_nxt - c->snd_una - c->flight.bytes[TCP_SPAN_LOST];
	if (!c->sack)
		c->flight.bytes[TCP_SPAN_SACKED] = min_u32(c->flight.bytes[TCP_SPAN_SACKED], left);
}

/* RFC 5681, 3.2, step 2, and RFC 6582, 3.2: the third duplicate, but no second recovery from one window of losses;
 * or what is first after a partial acknowledgement. */
static void detect_by_count(struct tcp_connection *c, bool advanced)
{
	bool third = c->flight.bytes[TCP_SPAN_SACKED] >= TCP_DUPLICATES * (uint32_t)c->mss;
	bool lost = c->loss == TCP_LOSS_NONE     ? third && seq_after(c->snd_una, c->recover)
		    : c->loss == TCP_LOSS_MARKED ? third
						 : advanced;

	if (lost && c->flight.count > 0 && c->flight.spans[0].state == TCP_SPAN_SENT && !c->flight.spans[0].resent)
		lose_first(c);
}

/* Without SACK: counts a duplicate as a segment's arrival, and takes back what was so counted and is now acknowledged,
 * which is all but the segment that was missing. */
static void count_duplicates(struct tcp_connection *c, uint32_t acked, bool duplicate, struct tcp_delivery *delivery)
{
	uint32_t *held = &c->flight.bytes[TCP_SPAN_SACKED],
		 left = c->snd_nxt - c->snd_una - c->flight.bytes[TCP_SPAN_LOST], counted;

	if (duplicate && *held + c->mss < left) {
		*held += c->mss;
		delivery->bytes += c->mss;
	}
	if (acked == 0)
		return;
	counted = min_u32(*held, acked > c->mss ? acked - c->mss : 0);
	delivery->bytes -= min_u32(counted, delivery->bytes);
	*held = c->loss == TCP_LOSS_NONE ? 0 : min_u32(*held - counted, left);
}

/* snd_una moves on to ack. */
static void advance(struct tcp_connection *c, uint32_t ack, struct tcp_delivery *delivery, uint64_t now)
{
	uint32_t bytes = min_u32(ack - c->tx_begin, tcp_queued(c)); /* and the FIN */

	tcp_flight_ack(&c->flight, ack, delivery);
	if (c->flight.count > 0 && c->flight.spans[0].state == TCP_SPAN_SACKED) /* the peer has dropped it after all */
		tcp_flight_mark(&c->flight, c->snd_nxt - ack, TCP_SPAN_SACKED, TCP_SPAN_LOST);
	c->snd_una = ack;
	if (c->lent)
		tcp_lent_consume(c, bytes);
	else
		ring_consume(&c->tx, bytes);
	c->tx_begin += bytes;
	if (c->tx.len == 0)
		ring_release(&c->tx);
	c->progress_at = now;
	c->timeouts = 0;
	c->soft_error = 0;
}

/* Congestion: RFC 5681, 3.1 and 3.2; once for a window of data, and for a segment however often it is lost. Of the
 * flight, held bytes were known to have arrived before: they will not be delivered again (RFC 9937, 6.2). */
static void begin(struct tcp_connection *c, enum tcp_loss_state loss, uint32_t flight, uint32_t held, uint64_t now)
{
	bool known = c->loss >= TCP_LOSS_MARKED || (c->loss == TCP_LOSS_TIMEOUT && c->timeouts != 1);

	if (loss == TCP_LOSS_RECOVERY && known) {
		if (c->loss == TCP_LOSS_MARKED) /* a mark was none the less */
			c->undo_cwnd = c->undo_ssthresh = 0;
		c->loss = loss;
		return;
	}
	if (!known) {
		c->undo_cwnd = c->cwnd;
		c->undo_ssthresh = c->ssthresh;
		c->undo_cubic = c->cubic;
		/* What limited transmit has sent is not counted: it lies beyond the window. */
		c->ssthresh = c->config.tuning.congestion->reduced(c, min_u32(flight, c->cwnd));
		c->prr_delivered = c->prr_sent = 0;
		c->prr_flight = max_u32(flight - held, c->mss);
		c->undo_bytes = 0;
		c->undo_una = c->snd_una;
		if (c->reorder_persist > 0 && --c->reorder_persist == 0)
			c->reorder_steps = 0;
	}
	c->undo_ready = false;
	c->ecn_reduced = c->ecn;
	c->loss = loss;
	c->recover = c->snd_nxt;
	c->loss_timestamp = tcp_timestamp(c, now);
}

static void leave(struct tcp_connection *c)
{
	if (c->loss >= TCP_LOSS_MARKED)
		c->cwnd = c->ssthresh;
	if (!c->sack)
		c->flight.bytes[TCP_SPAN_SACKED] = 0;
	c->loss = TCP_LOSS_NONE;
}

/* RFC 4015: as if nothing had been thought lost; and the time-out learns how long the round trip took, if it was the
 * answer to what was sent before that came late. Where the peer has had something twice, an ACK may have been lost: the
 * echo then tells how long the time-out was. */
static void undo(struct tcp_connection *c, const struct tcp_segment *segment, bool twice, uint64_t now)
{
	uint64_t rtt =
		echoes(c, segment) && !twice ? MSEC(tcp_timestamp(c, now) - segment->options.timestamp_echo) : FOREVER;

	c->config.counters->TcpExtTCPFullUndo++;
	c->reordering |= c->loss == TCP_LOSS_RECOVERY;
	tcp_flight_mark(&c->flight, c->snd_nxt - c->snd_una, TCP_SPAN_LOST, TCP_SPAN_SENT);
	leave(c);
	c->cwnd = max_u32(c->cwnd, c->undo_cwnd);
	c->ssthresh = max_u32(c->ssthresh, c->undo_ssthresh);
	c->cubic = c->undo_cubic;
	c->undo_ready = false;
	if (rtt < TCP_PATIENCE_NS)
		tcp_rtt_sample(c, rtt);
}

/* RFC 9937, 6.2 (6937, 3.1), with the slow start bound. good: snd_una has moved and nothing more was lost. */
static void reduce_proportionally(struct tcp_connection *c, uint32_t delivered, bool good, uint32_t least)
{
	uint32_t pipe = tcp_pipe(c), count;

	c->prr_delivered += delivered;
	if (pipe > c->ssthresh) {
		uint64_t due = ((uint64_t)c->prr_delivered * c->ssthresh + c->prr_flight - 1) / c->prr_flight;
		count = due > c->prr_sent ? (uint32_t)due - c->prr_sent : 0;
	} else {
		count = c->prr_delivered > c->prr_sent ? c->prr_delivered - c->prr_sent : 0;
		count = max_u32(count, delivered) + (good ? c->mss : 0);
		count = min_u32(count, c->ssthresh - pipe);
	}
	c->cwnd = pipe + max_u32(count, least);
}

/* RFC 8985, 7.4: whether the probe has repaired a loss, which nothing else would tell. */
static void judge_probe(struct tcp_connection *c, const struct tcp_segment *segment, bool twice, bool duplicate)
{
	if (!c->probing || seq_before(segment->ack, c->probe_end))
		return;
	if (!c->probe_resent || twice || duplicate) {
		c->probing = false;
	} else if (seq_after(segment->ack, c->probe_end)) {
		c->probing = false;
		if (c->loss == TCP_LOSS_NONE) {
			c->cwnd = c->ssthresh = c->config.tuning.congestion->reduced(c, c->cwnd);
			c->ecn_reduced = c->ecn;
		}
	}
}

static void rearm(struct tcp_connection *c, uint64_t now)
{
	if (tcp_pipe(c) == 0) { /* what is lost and sent again starts it */
		c->timers[TCP_TIMER_RETRANSMIT] = FOREVER;
		return;
	}
	c->timers[TCP_TIMER_RETRANSMIT] = now + c->rto_ns; /* RFC 6298, 5.3 */
	c->timers[TCP_TIMER_PERSIST] = FOREVER;
}

void tcp_recovery_ack(struct tcp_connection *c, const struct tcp_segment *segment, bool duplicate, uint64_t now)
{
	/* What was sent again less than the least round trip ago has arrived as sent before: RFC 8985, 6.2, step 1. */
	struct tcp_delivery delivery = { .certain = now - c->min_rtt_ns, .reach = c->flight.reach };
	uint32_t acked = segment->ack - c->snd_una, flight = c->snd_nxt - c->snd_una, lost;
	uint32_t held = c->flight.bytes[TCP_SPAN_SACKED];
	enum tcp_loss_state before = c->loss;
	bool twice = c->sack && take_blocks(c, segment, &delivery), needless;

	if (acked > 0) {
		advance(c, segment->ack, &delivery, now);
		measure(c, segment, &delivery, now);
	}
	if (!c->sack)
		count_duplicates(c, acked, duplicate, &delivery);
	c->reordering |= delivery.late;
	if (twice) {
		c->config.counters->TcpExtTCPDSACKRecv++;
		widen_window(c);
	}
	needless = twice && all_needless(c, &segment->options.sack[0]);
	/* RFC 3522: the first ACK after a retransmission answers what was sent before it. */
	if (needless || (acked > 0 && c->undo_ready && echoes(c, segment) &&
				seq_before(segment->options.timestamp_echo, c->undo_stamp))) {
		undo(c, segment, twice, now);
	} else {
		note_arrival(c, &delivery, now);
		if (c->loss != TCP_LOSS_NONE && !seq_before(c->snd_una, c->recover))
			leave(c);
	}
	c->undo_ready &= acked == 0;
	lost = c->flight.bytes[TCP_SPAN_LOST];
	if (c->sack)
		detect_by_time(c, now);
	else
		detect_by_count(c, acked > 0);
	judge_probe(c, segment, twice, duplicate && segment->options.sack_count == 0);
	if (!tcp_path_judge(c, now) && c->flight.bytes[TCP_SPAN_LOST] > lost && c->loss != TCP_LOSS_TIMEOUT)
		begin(c, TCP_LOSS_RECOVERY, flight, held, now);
	else if (c->ecn && (segment->flags & TCP_ECE) && c->loss == TCP_LOSS_NONE)
		begin(c, TCP_LOSS_MARKED, flight, held,
			now); /* RFC 3168, 6.1.2: heeded as a loss is, once a round trip */
	if (c->loss >= TCP_LOSS_MARKED)
		reduce_proportionally(c, delivery.bytes, acked > 0 && c->flight.bytes[TCP_SPAN_LOST] <= lost,
			c->flight.bytes[TCP_SPAN_LOST] > lost && (before < TCP_LOSS_MARKED || !c->sack) ? c->mss : 0);
	else if (acked > 0 && before < TCP_LOSS_MARKED)
		tcp_congestion_grow(c, acked, now);
	if (acked > 0)
		rearm(c, now);
	if (acked > 0 || c->flight.bytes[TCP_SPAN_SACKED] > 0)
		tcp_arm_probe(c, now);
}

/* All that has been on its way for longer than a round trip is lost (RFC 8985, 6.3), what is first in any case. The
 * window is one segment more than the pipe: one segment, but for what was sent lately (RFC 5681, 3.1). */
void tcp_recovery_timeout(struct tcp_connection *c, uint64_t now)
{
	uint64_t age = c->rack_rtt_ns + reorder_window(c);

	begin(c, TCP_LOSS_TIMEOUT, c->snd_nxt - c->snd_una, 0, now);
	if (!c->sack) {
		c->flight.bytes[TCP_SPAN_SACKED] = 0;
		age = 0;
	}
	tcp_flight_expire(&c->flight, FOREVER, 0, now - age);
	lose_first(c);
	tcp_path_timeout(c, now);
	c->cwnd = tcp_pipe(c) + c->mss;
	c->cwnd_acked = 0;
	c->probing = false;
	c->prr_sent = 0;
	c->timers[TCP_TIMER_PROBE] = c->timers[TCP_TIMER_REORDER] = FOREVER;
}

void tcp_recovery_reorder_timeout(struct tcp_connection *c, uint64_t now)
{
	uint32_t lost = c->flight.bytes[TCP_SPAN_LOST];

	detect_by_time(c, now);
	if (tcp_path_judge(c, now) || c->flight.bytes[TCP_SPAN_LOST] == lost || c->loss == TCP_LOSS_TIMEOUT)
		return;
	begin(c, TCP_LOSS_RECOVERY, c->snd_nxt - c->snd_una, c->flight.bytes[TCP_SPAN_SACKED], now);
	reduce_proportionally(c, 0, false, c->mss);
}

void tcp_recovery_sent(struct tcp_connection *c, uint32_t len, bool again, uint64_t now)
{
	if (again && c->loss != TCP_LOSS_NONE && c->prr_sent == 0) {
		c->undo_ready = c->timestamps;
		c->undo_stamp = tcp_timestamp(c, now);
	}
	if (again && c->loss != TCP_LOSS_NONE)
		c->undo_bytes += len;
	c->prr_sent += len;
	if (!again)
		tcp_arm_probe(c, now);
}

/* RFC 8985, 7.2 */
void tcp_arm_probe(struct tcp_connection *c, uint64_t now)
{
	uint64_t wait = c->srtt_ns ? 2 * c->srtt_ns + TCP_PROBE_SLACK_NS : TCP_RTO_INITIAL_NS;

	c->timers[TCP_TIMER_PROBE] = FOREVER;
	if (!c->sack || c->loss != TCP_LOSS_NONE || c->flight.bytes[TCP_SPAN_SACKED] > 0 || c->probing ||
		tcp_pipe(c) == 0)
		return;
	if (c->srtt_ns && c->snd_nxt - c->snd_una <= c->mss)
		wait += TCP_PROBE_DELAY_NS;
	if (c->timers[TCP_TIMER_RETRANSMIT] != FOREVER && now + wait < c->timers[TCP_TIMER_RETRANSMIT])
		c->timers[TCP_TIMER_PROBE] = now + wait;
}

/* RFC 8985, 7.3: what is next, if the peer's window takes it, else the last segment again. */
void tcp_send_probe(struct tcp_connection *c, uint64_t now)
{
	uint32_t left = tcp_send_end(c) - c->snd_nxt, flight = c->snd_nxt - c->snd_una, len = min_u32(left, c->mss);
	int err;

	if (tcp_pipe(c) == 0)
		return;
	c->config.counters->TcpExtTCPLossProbes++;
	c->probe_resent = left == 0 || flight + len > c->snd_wnd;
	c->probing = true;
	if (c->probe_resent)
		len = min_u32(flight, c->mss);
	err = tcp_send_range(c, c->probe_resent ? c->snd_nxt - len : c->snd_nxt, len, now);
	c->probing = err == 0;
	c->probe_end = c->snd_nxt;
	c->timers[TCP_TIMER_RETRANSMIT] = now + c->rto_ns;
}
