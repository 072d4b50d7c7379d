/* SPDX-License-Identifier: ISC
 *
 * A TCP connection's life: its opening, the user's calls, its end. The theory of operation is in tcp_core.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>

#include "stack_ops.h"
#include "tcp_core.h"
#include "tcp_sequence.h"

const struct tcp_tuning tcp_defaults = {
	.keepalive_interval_ns = SECOND(TCP_KEEPALIVE_INTERVAL_S),
	.keepalive_probes = TCP_KEEPALIVE_PROBES,
	.user_timeout_ns = TCP_PATIENCE_NS,
	.congestion = &tcp_cubic,
	.minimum_rto_ns = TCP_RTO_MIN_NS,
	.delayed_ack_ns = TCP_DELAYED_ACK_NS,
	.time_wait_ns = TCP_TIME_WAIT_NS,
	.initial_window = TCP_INITIAL_SEGMENTS,
};

/* The smallest shift with which 16 bits can say the whole ring. */
uint8_t tcp_shift_for(uint32_t ring_bytes)
{
	uint8_t shift = 0;

	while (shift < TCP_SHIFT_MAX && (uint32_t)UINT16_MAX << shift < ring_bytes)
		shift++;
	return shift;
}

static void init(struct tcp_connection *c, const struct tcp_config *config, uint64_t now)
{
	uint32_t ring_max = config->ring_max ? config->ring_max : TCP_RING_MAX;

	memset(c, 0, sizeof *c);
	c->config = *config;
	ring_init(&c->tx, config->pool, ring_max);
	ring_init(&c->rx, config->pool, ring_max);
	c->snd_una = c->snd_nxt = c->recover = c->rtt_seq = config->iss;
	c->tx_begin = config->iss + 1;
	tcp_flight_init(&c->flight, config->pool, c->tx_begin);
	c->syn_due = true;
	c->quick = TCP_QUICK_SEGMENTS;
	c->rcv_shift = tcp_shift_for(ring_max);
	c->window_scaling = !config->tuning.no_window_scaling;
	c->timestamps = !config->tuning.no_timestamps;
	c->sack = !config->tuning.no_sack;
	c->segment_seen = tcp_mss_default(c);
	c->rto_ns = TCP_RTO_INITIAL_NS;
	c->progress_at = c->heard_at = c->sent_at = c->challenge_at = now;
	for (size_t i = 0; i < TCP_TIMERS; i++)
		c->timers[i] = FOREVER;
	c->peer_mss = tcp_mss_default(c);
	tcp_path_init(c);
}

void tcp_core_connect(struct tcp_connection *c, const struct tcp_config *config, uint64_t now)
{
	init(c, config, now);
	config->counters->TcpActiveOpens++;
	c->active = true;
	c->ecn = config->ecn == STACK_ECN_ASK;
	c->state = TCP_SYN_SENT;
}

void tcp_core_accept(
	struct tcp_connection *c, const struct tcp_config *config, const struct tcp_segment *syn, uint64_t now)
{
	init(c, config, now);
	config->counters->TcpPassiveOpens++;
	c->ecn = config->ecn != STACK_ECN_OFF;
	c->irs = syn->seq;
	c->rcv_nxt = c->last_ack_sent = c->rcv_edge = syn->seq + 1;
	tcp_learn_options(c, syn, now);
	c->state = TCP_SYN_RECEIVED;
}

void tcp_core_accept_cookie(
	struct tcp_connection *c, const struct tcp_config *config, const struct tcp_segment *syn, uint64_t now)
{
	tcp_core_accept(c, config, syn, now);
	c->rcv_edge = c->rcv_nxt + TCP_COOKIE_WINDOW;
	c->snd_nxt = config->iss + 1;
	c->syn_due = false;
	c->syn_resent = true; /* as far as its round trip is known */
	c->ecn = false;
}

void tcp_core_fini(struct tcp_connection *c)
{
	tcp_forget_ranges(c);
	tcp_flight_clear(&c->flight, c->snd_nxt);
	if (c->lent)
		tcp_lent_release(c);
	ring_release(&c->tx);
	ring_release(&c->rx);
	ring_return(&c->rx);
}

/* What the peer's SYN offers is used if we offer it too. */
void tcp_learn_options(struct tcp_connection *c, const struct tcp_segment *syn, uint64_t now)
{
	const struct tcp_options *options = &syn->options;

	c->window_scaling = c->window_scaling && options->has_window_shift;
	c->timestamps = c->timestamps && options->has_timestamp;
	c->sack = c->sack && options->sack_permitted;
	/* RFC 3168, 6.1.1: a SYN asks by both flags, and ECE alone agrees. */
	c->ecn = c->ecn && (syn->flags & (TCP_ECE | TCP_CWR)) == (syn->flags & TCP_ACK ? TCP_ECE : TCP_ECE | TCP_CWR);
	if (c->window_scaling)
		c->snd_shift = options->window_shift > TCP_SHIFT_MAX ? TCP_SHIFT_MAX : options->window_shift;
	else
		c->rcv_shift = 0;
	if (c->timestamps) {
		c->timestamp_recent = options->timestamp;
		c->timestamp_recent_at = now;
	}
	c->peer_mss = options->mss ? options->mss : tcp_mss_default(c);
	tcp_set_mss(c);
	c->snd_wnd = c->snd_wnd_max = syn->window; /* a SYN's window is never shifted */
	c->snd_wl1 = syn->seq;
	c->snd_wl2 = syn->ack;
	tcp_congestion_init(c);
}

void tcp_set_state(struct tcp_connection *c, enum tcp_state state, uint64_t now)
{
	c->state = state;
	if (state == TCP_FIN_WAIT_2 && c->orphan)
		c->timers[TCP_TIMER_LINGER] = now + TCP_FIN_WAIT_2_NS;
	if (state != TCP_TIME_WAIT && state != TCP_CLOSED)
		return;
	for (size_t i = 0; i < TCP_TIMERS; i++)
		c->timers[i] = FOREVER;
	if (state == TCP_TIME_WAIT)
		c->timers[TCP_TIMER_LINGER] = now + c->config.tuning.time_wait_ns;
	else
		c->ack_now = c->blocked = false;
	tcp_forget_ranges(c);
	tcp_flight_clear(&c->flight, c->snd_nxt);
	if (c->lent)
		tcp_lent_release(c);
	ring_release(&c->tx);
}

/* The peer's stream stays readable if it was complete; else what is left of it is dropped (RFC 9293, 3.10.7.4: "all
 * segment queues should be flushed"), so that a part is never taken for the whole. */
void tcp_fail(struct tcp_connection *c, int error)
{
	struct stack_counters *counters = c->config.counters;

	counters->TcpAttemptFails += c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
	counters->TcpEstabResets += c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT;
	c->error = error;
	tcp_set_state(c, TCP_CLOSED, 0);
	if (!c->fin_received)
		ring_release(&c->rx);
}

enum tcp_verdict tcp_listen_verdict(const struct tcp_segment *segment)
{
	if (segment->flags & TCP_RST)
		return TCP_IGNORE;
	if (segment->flags & TCP_ACK)
		return TCP_REFUSE;
	return (segment->flags & (TCP_SYN | TCP_FIN)) == TCP_SYN ? TCP_ACCEPT : TCP_IGNORE;
}

bool tcp_core_replaceable(const struct tcp_connection *c, const struct tcp_segment *syn)
{
	if (c->state != TCP_TIME_WAIT || tcp_listen_verdict(syn) != TCP_ACCEPT)
		return false;
	if (c->timestamps && syn->options.has_timestamp && syn->options.timestamp != c->timestamp_recent)
		return seq_after(syn->options.timestamp, c->timestamp_recent);
	return seq_after(syn->seq, c->rcv_nxt);
}

/* Before the handshake is over, the user has the connection already. */
static bool is_early(const struct tcp_connection *c)
{
	return c->early && (c->state == TCP_SYN_RECEIVED || c->state == TCP_SYN_SENT);
}

int tcp_may_write(const struct tcp_connection *c)
{
	if (c->error)
		return c->error;
	if (c->fin_queued || (c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT && !is_early(c)))
		return -EPIPE;
	return 0;
}

ssize_t tcp_core_write(struct tcp_connection *c, const void *bytes, size_t len)
{
	int err = tcp_may_write(c);

	return err < 0 ? err : ring_append(&c->tx, bytes, len);
}

bool tcp_core_writable(const struct tcp_connection *c)
{
	return c->error || c->fin_queued || c->state == TCP_CLOSED || c->tx.size_max - c->tx.len >= c->tx.size_max / 4;
}

void tcp_core_taken(struct tcp_connection *c)
{
	if (c->rx.len == 0 && c->range_count == 0)
		ring_release(&c->rx);
	if (tcp_window_should_grow(c))
		c->ack_now = true;
}

ssize_t tcp_core_read(struct tcp_connection *c, void *buf, size_t size)
{
	size_t len = ring_take(&c->rx, buf, size);

	if (len > 0) {
		tcp_core_taken(c);
		return (ssize_t)len;
	}
	if (c->rx.len > 0 || c->fin_received) /* a size of 0 reads nothing */
		return 0;
	if (c->error)
		return c->error;
	return c->state == TCP_CLOSED ? 0 : -EAGAIN;
}

bool tcp_core_readable(const struct tcp_connection *c)
{
	return c->rx.len > 0 || c->fin_received || c->error || c->state == TCP_CLOSED;
}

int tcp_core_finish(struct tcp_connection *c)
{
	if (c->fin_queued)
		return 0;
	if (is_early(c)) { /* establishing goes on from there */
		c->fin_queued = true;
		return 0;
	}
	if (c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT)
		return -ENOTCONN;
	c->fin_queued = true;
	c->state = c->state == TCP_ESTABLISHED ? TCP_FIN_WAIT_1 : TCP_LAST_ACK;
	return 0;
}

void tcp_core_close(struct tcp_connection *c, uint64_t now)
{
	bool unread = c->rx.len > 0 || c->range_count > 0; /* SHLD-3 */

	if (c->state == TCP_TIME_WAIT) {
		ring_release(&c->rx);
	} else if (((c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) && !is_early(c)) || unread) {
		tcp_core_abort(c, -ECONNRESET);
		return;
	}
	c->orphan = true;
	c->progress_at = now;
	tcp_core_finish(c);
	if (c->state == TCP_FIN_WAIT_2)
		tcp_set_state(c, TCP_FIN_WAIT_2, now);
}

/* RFC 9293, 3.10.5: <SEQ=SND.NXT><CTL=RST> where the peer may hold a connection that is not ending by itself. */
void tcp_core_abort(struct tcp_connection *c, int error)
{
	static const bool tells[TCP_STATES] = { [TCP_SYN_RECEIVED] = true,
		[TCP_ESTABLISHED] = true,
		[TCP_FIN_WAIT_1] = true,
		[TCP_FIN_WAIT_2] = true,
		[TCP_CLOSE_WAIT] = true };

	if (tells[c->state])
		tcp_send_reset(c, tcp_empty_seq(c));
	c->fin_received = false;
	tcp_fail(c, error);
}
