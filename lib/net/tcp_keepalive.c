/* SPDX-License-Identifier: ISC
 *
 * Keep-alive: RFC 9293, 3.8.4. A file of its own, which only programs that switch it on have in them.
 */
#include "tcp_core.h"

void tcp_core_keep_alive(struct tcp_connection *c, uint64_t idle_ns, uint64_t interval_ns, unsigned probes)
{
	c->config.tuning.keepalive_ns = idle_ns;
	c->config.tuning.keepalive_interval_ns = interval_ns;
	c->config.tuning.keepalive_probes = probes;
	c->keepalive_sent = 0;
	if (tcp_is_synchronized(c->state) && c->state != TCP_TIME_WAIT)
		c->timers[TCP_TIMER_KEEPALIVE] = idle_ns ? c->heard_at + idle_ns : FOREVER;
}

/* The timer is not moved with each segment: when it fires it looks how long the silence has been. While our data is in
 * flight, its retransmission asks whether the peer is there. */
void tcp_keepalive_timeout(struct tcp_connection *c, uint64_t now)
{
	struct tcp_segment probe = { .flags = TCP_ACK, .seq = c->snd_una - 1 };
	const struct tcp_tuning *tuning = &c->config.tuning;
	uint64_t *timer = &c->timers[TCP_TIMER_KEEPALIVE];

	if (now - c->heard_at < tuning->keepalive_ns || c->snd_una != c->snd_nxt) {
		c->keepalive_sent = 0;
		*timer = (c->snd_una != c->snd_nxt ? now : c->heard_at) + tuning->keepalive_ns;
	} else if (c->keepalive_sent >= tuning->keepalive_probes) {
		tcp_give_up(c);
	} else {
		c->keepalive_sent++;
		c->config.counters->TcpExtTCPKeepAlive++;
		*timer = now + tuning->keepalive_interval_ns;
		(void)tcp_transmit_segment(c, &probe, now);
	}
}
