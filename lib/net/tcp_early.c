/* SPDX-License-Identifier: ISC
 *
 * Fast Open (RFC 7413) in the machine: text with the SYN, read and answered before the handshake is over. A file of its
 * own, which only programs that ask for it have.
 *
 * What goes with our SYN is in flight like all that is sent. The SYN,ACK acknowledges it, or the SYN alone; then it
 * goes again, which is no sign of congestion. A SYN that is sent again has neither cookie nor text, so that a path or a
 * peer that drops such SYNs is got through (4.1.3.1).
 */
#include "tcp_core.h"
#include "tcp_sequence.h"

enum { SYN_OPTIONS_MAX = TCP_HEADER_MAX - TCP_HEADER };

void tcp_core_connect_fast(struct tcp_connection *c, const struct tcp_fast_cookie *cookie, uint16_t peer_mss)
{
	c->fast = true;
	c->fast_open = *cookie;
	c->fast_open.present = true;
	c->early = cookie->len > 0;
	if (peer_mss)
		c->peer_mss = peer_mss;
	tcp_set_mss(c);
}

bool tcp_core_accept_fast(
	struct tcp_connection *c, const struct tcp_segment *syn, const struct tcp_fast_cookie *cookie, bool text)
{
	struct tcp_segment rest = *syn;

	if (cookie) {
		c->fast = true;
		c->fast_open = *cookie;
	}
	rest.seq++;
	if (!text || rest.len == 0 || !tcp_reassemble(c, &rest))
		return false;
	c->rcv_edge = c->rcv_nxt;
	c->early = true;
	return true;
}

void tcp_early_syn(struct tcp_connection *c, struct tcp_segment *syn)
{
	uint32_t room = (uint32_t)c->mss + (c->timestamps ? TCP_TIMESTAMP_BYTES : 0) - SYN_OPTIONS_MAX;

	syn->options.fast_open = c->fast_open;
	if (!c->active || !c->early)
		return;
	syn->len = c->tx.len < room ? c->tx.len : room;
	syn->count = ring_pieces(&c->tx, 0, syn->len, syn->pieces);
}

void tcp_early_answer(struct tcp_connection *c, const struct tcp_segment *syn_ack, uint64_t now)
{
	c->fast_open = syn_ack->options.fast_open;
	if (c->snd_una == c->snd_nxt)
		return;
	if (seq_after(syn_ack->ack, c->snd_una))
		tcp_recovery_ack(c, syn_ack, false, now);
	tcp_flight_mark(&c->flight, c->snd_nxt - c->snd_una, TCP_SPAN_SENT, TCP_SPAN_LOST);
}
