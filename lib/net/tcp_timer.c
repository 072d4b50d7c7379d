/* SPDX-License-Identifier: ISC
 *
 * TCP's timers: round-trip time and retransmission (RFC 6298), the probing of closed windows (RFC 9293, 3.8.6.1),
 * delayed acknowledgement, TIME-WAIT, and giving up (RFC 9293, 3.8.3). Deadlines are exact to the nanosecond in the
 * caller's clock.
 */
#include <errno.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

/* RFC 6298, 2.3 to 2.5 */
void tcp_rto_without_backoff(struct tcp_connection *c)
{
	uint64_t variance = 4 * c->rttvar_ns;
	uint64_t rto = c->srtt_ns + (variance > TCP_GRANULARITY_NS ? variance : TCP_GRANULARITY_NS);

	if (rto < c->config.tuning.minimum_rto_ns)
		rto = c->config.tuning.minimum_rto_ns;
	if (c->srtt_ns == 0)
		rto = TCP_RTO_SYN_LOST_NS;
	c->rto_ns = rto > TCP_RTO_MAX_NS ? TCP_RTO_MAX_NS : rto;
}

/* RFC 6298, 2.2 and 2.3; the deviation is taken before the average moves. */
void tcp_rtt_sample(struct tcp_connection *c, uint64_t rtt_ns)
{
	if (c->srtt_ns == 0) {
		c->srtt_ns = rtt_ns ? rtt_ns : 1;
		c->rttvar_ns = rtt_ns / 2;
	} else {
		uint64_t deviation = c->srtt_ns > rtt_ns ? c->srtt_ns - rtt_ns : rtt_ns - c->srtt_ns;
		c->rttvar_ns = c->rttvar_ns - c->rttvar_ns / 4 + deviation / 4;
		c->srtt_ns = c->srtt_ns - c->srtt_ns / 8 + rtt_ns / 8;
	}
	tcp_rto_without_backoff(c);
}

void tcp_rto_back_off(struct tcp_connection *c)
{
	c->rto_ns = c->rto_ns > TCP_RTO_MAX_NS / 2 ? TCP_RTO_MAX_NS : c->rto_ns * 2;
}

uint64_t tcp_patience_ns(const struct tcp_connection *c)
{
	if (c->state == TCP_SYN_RECEIVED && !c->active)
		return TCP_PATIENCE_HALF_NS;
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
		return TCP_PATIENCE_SYN_NS;
	if (c->orphan)
		return TCP_PATIENCE_LAST_NS;
	return c->config.tuning.user_timeout_ns;
}

/* The peer may be there after all, and only our segments lost: a reset tells it, as the silence never would. */
void tcp_give_up(struct tcp_connection *c)
{
	if (tcp_is_synchronized(c->state))
		tcp_send_reset(c, tcp_empty_seq(c));
	tcp_fail(c, c->soft_error ? c->soft_error : -ETIME);
}

/* RFC 6298, 5.4 to 5.6 */
static void retransmission_timeout(struct tcp_connection *c, uint64_t now)
{
	if (c->snd_una == c->snd_nxt)
		return;
	if (now - c->progress_at >= tcp_patience_ns(c)) {
		tcp_give_up(c);
		return;
	}
	c->config.counters->TcpExtTCPTimeouts++;
	tcp_rto_back_off(c);
	if (c->timeouts < UINT8_MAX)
		c->timeouts++;
	if (tcp_is_synchronized(c->state))
		tcp_recovery_timeout(c, now);
	else
		c->syn_due = true;
}

/* The window is closed, or too small for a whole segment and has stayed so: sends what it takes, or one byte (or the
 * FIN) beyond it. A probe's answer says the window; unanswered probes end the connection, answered ones do not, unless
 * nobody holds it any more (MUST-37). */
static void probe(struct tcp_connection *c, uint64_t now)
{
	uint32_t left = tcp_send_end(c) - c->snd_una;

	if (left == 0)
		return;
	if (now - (c->orphan ? c->progress_at : c->heard_at) >= tcp_patience_ns(c)) {
		tcp_give_up(c);
		return;
	}
	if (c->snd_wnd > 0) {
		left = left < c->snd_wnd ? left : c->snd_wnd;
		tcp_send_range(c, c->snd_una, left < c->mss ? left : c->mss, now);
		return;
	}
	tcp_send_range(c, c->snd_una, 1, now);
	/* It did not get in: it goes again with what follows it, when the window opens. */
	tcp_flight_mark(&c->flight, c->snd_nxt - c->snd_una, TCP_SPAN_SENT, TCP_SPAN_LOST);
	c->timers[TCP_TIMER_RETRANSMIT] = c->timers[TCP_TIMER_PROBE] = FOREVER;
	c->persist_ns = c->persist_ns > TCP_RTO_MAX_NS / 2 ? TCP_RTO_MAX_NS : c->persist_ns * 2;
	c->timers[TCP_TIMER_PERSIST] = now + c->persist_ns;
}

uint64_t tcp_core_deadline(const struct tcp_connection *c)
{
	uint64_t deadline = FOREVER;

	for (size_t i = 0; i < TCP_TIMERS; i++) {
		if (c->timers[i] < deadline)
			deadline = c->timers[i];
	}
	return deadline;
}

static bool due(struct tcp_connection *c, enum tcp_timer timer, uint64_t now)
{
	if (c->timers[timer] > now)
		return false;
	c->timers[timer] = FOREVER;
	return true;
}

void tcp_core_expire(struct tcp_connection *c, uint64_t now)
{
	if (due(c, TCP_TIMER_LINGER, now))
		tcp_set_state(c, TCP_CLOSED, now);
	if (due(c, TCP_TIMER_DELAYED_ACK, now)) {
		c->config.counters->TcpExtDelayedACKs++;
		c->ack_now = true;
	}
	if (due(c, TCP_TIMER_KEEPALIVE, now))
		tcp_keepalive_timeout(c, now);
	if (due(c, TCP_TIMER_REORDER, now))
		tcp_recovery_reorder_timeout(c, now);
	if (due(c, TCP_TIMER_PROBE, now))
		tcp_send_probe(c, now);
	if (due(c, TCP_TIMER_RETRANSMIT, now))
		retransmission_timeout(c, now);
	if (due(c, TCP_TIMER_PERSIST, now))
		probe(c, now);
	tcp_core_output(c, now);
}
