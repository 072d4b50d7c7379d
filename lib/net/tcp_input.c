/* SPDX-License-Identifier: ISC
 *
 * A segment arrives: RFC 9293, 3.10.7, for every state that has a connection, with RFC 5961 (blind attacks), RFC 7323
 * (PAWS) and RFC 1337 (resets in TIME-WAIT).
 *
 * Transitions made here:
 *	SYN-SENT     -> ESTABLISHED (SYN,ACK), SYN-RECEIVED (SYN), CLOSED (RST)
 *	SYN-RECEIVED -> ESTABLISHED (ACK), CLOSED (RST; a new SYN, if the open was passive)
 *	ESTABLISHED  -> CLOSE-WAIT (FIN)        FIN-WAIT-1 -> FIN-WAIT-2 (our FIN acknowledged), CLOSING (FIN),
 *TIME-WAIT FIN-WAIT-2   -> TIME-WAIT (FIN)         CLOSING    -> TIME-WAIT    LAST-ACK -> CLOSED any but TIME-WAIT ->
 *CLOSED (RST at exactly RCV.NXT; data that nobody will read)
 *
 * Two departures from the letter. A segment whose SYN we know already, in SYN-RECEIVED, is taken without it: by the
 * letter it would be unacceptable, and a simultaneous open, or a lost SYN,ACK, would wait for a time-out. And a segment
 * without timestamps is accepted where they were agreed on (RFC 7323, 3.2 says drop), as Linux does.
 */
#include <errno.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* RFC 5961: the answer to what a blind attacker might have sent, throttled for each connection (7), so that its count
 * says nothing about others. */
static void challenge_ack(struct tcp_connection *c, uint64_t now)
{
	if (now - c->challenge_at >= TCP_CHALLENGE_NS) {
		c->challenge_at = now;
		c->challenge_count = 0;
	}
	if (c->challenge_count < TCP_CHALLENGES_MAX) {
		c->challenge_count++;
		c->config.counters->TcpExtTCPChallengeACK++;
		c->ack_now = true;
	}
}

/* RFC 7323, 4.3: the timestamp to echo is that of the earliest segment which the next ACK acknowledges. */
static void note_timestamp(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	if (!c->timestamps || !segment->options.has_timestamp || seq_after(segment->seq, c->last_ack_sent))
		return;
	if (seq_before(segment->options.timestamp, c->timestamp_recent) &&
		now - c->timestamp_recent_at < TCP_PAWS_STALE_NS)
		return;
	c->timestamp_recent = segment->options.timestamp;
	c->timestamp_recent_at = now;
}

/* RFC 7323, 5.3, R1: an old segment, left over from before the sequence numbers wrapped. */
static bool is_ancient(const struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	return c->timestamps && segment->options.has_timestamp &&
	       seq_before(segment->options.timestamp, c->timestamp_recent) &&
	       now - c->timestamp_recent_at < TCP_PAWS_STALE_NS;
}

/* Both SYNs are acknowledged. */
static void establish(struct tcp_connection *c, uint64_t now)
{
	bool lost = c->timeouts > 0;

	if (!c->syn_resent) /* Karn */
		tcp_rtt_sample(c, now - c->sent_at);
	else if (lost)
		c->rto_ns = TCP_RTO_SYN_LOST_NS;
	if (lost)
		c->cwnd = c->mss; /* RFC 5681, 3.1 */
	c->timeouts = 0;
	c->soft_error = 0;
	c->progress_at = now;
	c->snd_una = c->rtt_seq = c->tx_begin; /* the SYN; what else was sent with it is looked at later */
	c->timers[TCP_TIMER_RETRANSMIT] = c->snd_una == c->snd_nxt ? FOREVER : now + c->rto_ns;
	if (c->config.tuning.keepalive_ns)
		c->timers[TCP_TIMER_KEEPALIVE] = now + c->config.tuning.keepalive_ns;
	tcp_set_state(c, c->fin_queued ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED, now);
}

/* Cuts off what lies outside of the window (RFC 9293, 3.4, table 6). false: nothing is left and it is no segment to
 * look at further. When the window is closed, a segment right at it still counts, without its text: its ACK is good
 * (MUST-66). So does an empty one right after the window, which a peer sends whose full window is on its way. */
static bool trim(struct tcp_connection *c, struct tcp_segment *segment)
{
	uint32_t window = c->rcv_edge - c->rcv_nxt, space = tcp_segment_space(segment), excess, ahead;

	if (seq_before(segment->seq, c->rcv_nxt)) {
		uint32_t old = c->rcv_nxt - segment->seq;
		if (segment->len > 0)
			c->twice = (struct tcp_range){ segment->seq, segment->seq + min_u32(old, segment->len) };
		if (old >= space)
			return false;
		segment->pieces[0].data = (const uint8_t *)segment->pieces[0].data + old;
		segment->len -= old;
		segment->seq = c->rcv_nxt;
		space -= old;
		c->ack_now = true; /* a part of it was sent twice: the peer missed our ACK */
	}
	ahead = segment->seq - c->rcv_nxt;
	if (space == 0 ? ahead > window : ahead >= window && ahead > 0)
		return false;
	if (space <= window - ahead)
		return true;
	excess = space - (window - ahead);
	if (segment->flags & TCP_FIN) {
		segment->flags &= (uint8_t)~TCP_FIN;
		excess--;
	}
	segment->len -= excess;
	c->ack_now = true;
	return true;
}

static void unacceptable(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	bool fin = segment->flags & TCP_FIN;

	if (c->state == TCP_TIME_WAIT && fin && segment->seq + tcp_segment_space(segment) == c->rcv_nxt)
		c->timers[TCP_TIMER_LINGER] = now + c->config.tuning.time_wait_ns;
	if (segment->len > 0 || fin)
		c->ack_now = true; /* sent again because our ACK was lost, or a probe of our window */
	else
		challenge_ack(c, now); /* two peers that disagree would otherwise answer each other for ever */
}

/* RFC 5961, 3.2; RFC 1337 */
static void input_reset(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	if (segment->seq == c->rcv_nxt && c->state != TCP_TIME_WAIT) {
		tcp_fail(c, c->state == TCP_SYN_RECEIVED && c->active ? -ECONNREFUSED : -ECONNRESET);
		return;
	}
	tcp_drop(c, DROP_TCP_BAD_RESET);
	if (c->state != TCP_TIME_WAIT && seq_within(segment->seq, c->rcv_nxt, c->rcv_edge - c->rcv_nxt))
		challenge_ack(c, now);
}

/* RFC 5961, 4.2. A passive open in SYN-RECEIVED goes back to LISTEN: its peer has started anew, and will ask again. */
static void input_syn(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	if (c->state == TCP_SYN_RECEIVED && !c->active &&
		seq_within(segment->seq, c->rcv_nxt, c->rcv_edge - c->rcv_nxt))
		tcp_fail(c, -ECONNRESET);
	else
		challenge_ack(c, now);
	tcp_drop(c, DROP_TCP_BAD_SYN);
}

/* RFC 9293, 3.10.7.4, and as Linux: what acknowledges more was sent later, even if it carries older bytes. With the
 * window of the one before, we would send beyond it. */
static void update_window(struct tcp_connection *c, const struct tcp_segment *segment)
{
	if (!seq_after(segment->ack, c->snd_wl2) && !seq_before(c->snd_wl1, segment->seq) &&
		(c->snd_wl1 != segment->seq || seq_before(segment->ack, c->snd_wl2)))
		return;
	c->snd_wnd = (uint32_t)segment->window << c->snd_shift;
	c->snd_wl1 = segment->seq;
	c->snd_wl2 = segment->ack;
	if (c->snd_wnd > c->snd_wnd_max)
		c->snd_wnd_max = c->snd_wnd;
}

static void our_fin_acknowledged(struct tcp_connection *c, uint64_t now)
{
	if (c->state == TCP_FIN_WAIT_1)
		tcp_set_state(c, TCP_FIN_WAIT_2, now);
	else if (c->state == TCP_CLOSING)
		tcp_set_state(c, TCP_TIME_WAIT, now);
	else if (c->state == TCP_LAST_ACK)
		tcp_set_state(c, TCP_CLOSED, now);
}

/* "Fifth, check the ACK field." bare: nothing but an acknowledgement, so it may be a duplicate one. false: drop. */
static bool input_ack(struct tcp_connection *c, const struct tcp_segment *segment, bool bare, uint64_t now)
{
	if (c->state == TCP_SYN_RECEIVED) {
		if (!seq_after(segment->ack, c->snd_una) || seq_after(segment->ack, c->snd_nxt)) {
			tcp_drop(c, DROP_TCP_BAD_ACK);
			tcp_send_reset(c, segment->ack);
			return false;
		}
		establish(c, now);
		bare = false;
		c->snd_wl1 = segment->seq - 1; /* the SYN's window was not shifted: take this one */
	} else if (seq_after(segment->ack, c->snd_nxt) || seq_before(segment->ack, c->snd_una - c->snd_wnd_max)) {
		tcp_drop(c, DROP_TCP_BAD_ACK);
		challenge_ack(c, now); /* RFC 5961, 5.2 */
		return false;
	}
	c->heard_at = now;
	if ((c->snd_una != c->snd_nxt || c->probing || c->undo_bytes > 0) && !seq_before(segment->ack, c->snd_una))
		tcp_recovery_ack(c, segment,
			bare && segment->ack == c->snd_una && (uint32_t)segment->window << c->snd_shift == c->snd_wnd,
			now);
	if (!seq_before(segment->ack, c->snd_una))
		update_window(c, segment);
	if (c->fin_queued && c->snd_una == tcp_send_end(c))
		our_fin_acknowledged(c, now);
	return c->state != TCP_CLOSED;
}

/* Acknowledges at once what the peer must know at once (RFC 5681, 4.2): a gap, for which every segment gets an ACK of
 * its own, a gap filled, and every second full segment. The rest waits for the timer or for data to ride on. */
static void schedule_ack(struct tcp_connection *c, uint32_t moved, bool gap, bool filled, uint64_t now)
{
	if (gap) {
		if (tcp_send_ack(c, now) < 0)
			c->ack_now = true;
		return;
	}
	c->unacknowledged += moved;
	if (moved >= c->segment_seen && c->quick > 0) {
		c->quick--;
		c->ack_now = true;
	}
	if (filled || c->unacknowledged >= 2 * c->segment_seen || c->config.tuning.prompt_ack)
		c->ack_now = true;
	else if (c->timers[TCP_TIMER_DELAYED_ACK] == FOREVER)
		c->timers[TCP_TIMER_DELAYED_ACK] = now + c->config.tuning.delayed_ack_ns;
}

/* "Seventh, process the segment text. What finds no memory is as if it had not come: it is not acknowledged. */
static void input_text(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	uint32_t before = c->rcv_nxt;
	bool gap = segment->seq != before, had_ranges = c->range_count > 0;
	if (c->orphan) { /* RFC 9293, 3.6.1: nobody will read it, and the peer should know */
		tcp_drop(c, DROP_TCP_CLOSED_READER);
		tcp_send_reset(c, tcp_empty_seq(c));
		tcp_fail(c, -ECONNRESET);
		return;
	}
	if (!tcp_reassemble(c, segment) && !gap)
		return;
	if (segment->flags & TCP_CWR)
		c->ecn_echo = false;
	if (c->ecn && segment->congested) /* RFC 3168, 6.1.3: said in each ACK until the peer has heard it */
		c->ecn_echo = c->ack_now = true;
	if (segment->len > c->segment_seen && segment->len <= c->config.mss)
		c->segment_seen = segment->len;
	if (c->urgent)
		tcp_urgent_forget(c);
	schedule_ack(c, c->rcv_nxt - before, gap, had_ranges, now);
}

/* "Eighth, check the FIN bit." It counts once all bytes before it are there. */
static void input_fin(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	if (segment->flags & TCP_FIN) {
		c->fin_held = true;
		c->fin_seq = segment->seq + segment->len;
		c->ack_now |= segment->len == 0; /* also when it is early; text is acknowledged already */
	}
	if (!c->fin_held || c->rcv_nxt != c->fin_seq)
		return;
	c->rcv_nxt++;
	c->rcv_edge = seq_later(c->rcv_edge, c->rcv_nxt);
	c->fin_held = false;
	c->fin_received = true;
	tcp_forget_ranges(c); /* nothing can lie beyond a FIN */
	if (c->rx.len == 0)
		ring_release(&c->rx);
	c->ack_now = true;
	if (c->state == TCP_ESTABLISHED)
		tcp_set_state(c, TCP_CLOSE_WAIT, now);
	else if (c->state == TCP_FIN_WAIT_1)
		tcp_set_state(c, TCP_CLOSING, now);
	else if (c->state == TCP_FIN_WAIT_2)
		tcp_set_state(c, TCP_TIME_WAIT, now);
}

static void input_stream(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2) {
		if (segment->len > 0)
			tcp_drop(c, DROP_TCP_AFTER_FIN);
		return;
	}
	if (segment->len > 0)
		input_text(c, segment, now);
	if (c->state != TCP_CLOSED)
		input_fin(c, segment, now);
}

/* RFC 9293, 3.10.7.3 */
static void input_syn_sent(struct tcp_connection *c, struct tcp_segment *segment, uint64_t now)
{
	bool acks = segment->flags & TCP_ACK;

	if (acks && (!seq_after(segment->ack, c->config.iss) || seq_after(segment->ack, c->snd_nxt))) {
		tcp_drop(c, DROP_TCP_BAD_ACK);
		if (!(segment->flags & TCP_RST))
			tcp_send_reset(c, segment->ack);
		return;
	}
	if ((segment->flags & TCP_RST) && acks) {
		tcp_fail(c, -ECONNREFUSED);
		return;
	}
	if ((segment->flags & TCP_RST) || !(segment->flags & TCP_SYN)) {
		tcp_drop(c, DROP_TCP_FLAGS);
		return;
	}
	c->irs = segment->seq;
	c->rcv_nxt = c->last_ack_sent = segment->seq + 1;
	c->rcv_edge += c->rcv_nxt; /* our SYN has said how much */
	tcp_learn_options(c, segment, now);
	c->heard_at = now;
	if (!acks) { /* simultaneous open: the SYN goes again, now with an ACK */
		c->state = TCP_SYN_RECEIVED;
		c->syn_due = true;
		return;
	}
	establish(c, now);
	if (c->fast)
		tcp_early_answer(c, segment, now);
	c->ack_now = true;
	segment->flags &= (uint8_t)~TCP_SYN;
	segment->seq++;
	if (trim(c, segment))
		input_stream(c, segment, now);
}

/* SYN-RECEIVED sees the peer's SYN again: with an ACK it completes a simultaneous open, without one our SYN,ACK was
 * lost, and goes again. Whether anything is left to process. */
static bool known_syn(struct tcp_connection *c, struct tcp_segment *segment)
{
	if (c->state != TCP_SYN_RECEIVED || !(segment->flags & TCP_SYN) || segment->seq != c->irs ||
		(segment->flags & TCP_RST))
		return true;
	if (!(segment->flags & TCP_ACK)) {
		c->syn_due = true;
		return false;
	}
	segment->flags &= (uint8_t)~TCP_SYN;
	segment->seq++;
	c->ack_now = true;
	return true;
}

/* RFC 9293, 3.10.7.4 */
static void input_other(struct tcp_connection *c, struct tcp_segment *segment, uint64_t now)
{
	bool bare = segment->len == 0 && !(segment->flags & TCP_FIN), ancient;
	uint32_t urgent_end = segment->seq + segment->urgent_pointer;

	if (!known_syn(c, segment))
		return;
	if (segment->flags & TCP_RST) {
		input_reset(c, segment, now);
		return;
	}
	if (segment->flags & TCP_SYN) {
		input_syn(c, segment, now);
		return;
	}
	ancient = is_ancient(c, segment, now);
	if (ancient || !trim(c, segment)) {
		if (ancient)
			tcp_drop(c, DROP_TCP_OLD_TIMESTAMP);
		else
			tcp_drop(c,
				seq_before(segment->seq, c->rcv_nxt) ? DROP_TCP_OLD_SEGMENT : DROP_TCP_BEYOND_WINDOW);
		unacceptable(c, segment, now);
		return;
	}
	note_timestamp(c, segment, now);
	if (!(segment->flags & TCP_ACK))
		tcp_drop(c, DROP_TCP_FLAGS);
	else if (input_ack(c, segment, bare, now)) {
		if ((segment->flags & TCP_URG) && tcp_urgent_input) /* "Sixth, check the URG bit." */
			tcp_urgent_input(c, urgent_end);
		input_stream(c, segment, now);
	}
}

/* Header prediction (Jacobson 1990): the next segment of a stream that flows towards us, and nothing else to do. */
static bool predicted(struct tcp_connection *c, const struct tcp_segment *segment, uint64_t now)
{
	if (c->state != TCP_ESTABLISHED || (segment->flags & ~TCP_PSH) != TCP_ACK || segment->seq != c->rcv_nxt ||
		segment->len == 0 || segment->len > c->rcv_edge - c->rcv_nxt || c->range_count > 0 || c->fin_held ||
		segment->ack != c->snd_una || (uint32_t)segment->window << c->snd_shift != c->snd_wnd ||
		is_ancient(c, segment, now))
		return false;
	note_timestamp(c, segment, now);
	c->heard_at = now;
	c->snd_wl1 = segment->seq;
	c->snd_wl2 = segment->ack;
	input_text(c, segment, now);
	return true;
}

void tcp_core_input(struct tcp_connection *c, struct tcp_segment *segment, uint64_t now)
{
	if (c->state == TCP_CLOSED || c->state == TCP_LISTEN)
		return;
	if (c->state == TCP_SYN_SENT)
		input_syn_sent(c, segment, now);
	else if (!predicted(c, segment, now))
		input_other(c, segment, now);
}
