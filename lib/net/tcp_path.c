/* SPDX-License-Identifier: ISC
 *
 * How large segments may be: what the peer takes, and what the path carries. That is told by ICMP (RFC 1191), believed
 * only for what is in flight (RFC 5927); or shows when nothing large gets through and nobody says why: then smaller
 * ones are tried (RFC 4821, in its simplest form: down step by step, and up at once when the time of RFC 1191 is over).
 */
#include <errno.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

void tcp_set_mss(struct tcp_connection *c)
{
	uint32_t payload = c->peer_mss < c->path_mss ? c->peer_mss : c->path_mss;

	if (payload < TCP_MSS_MIN)
		payload = TCP_MSS_MIN;
	if (c->timestamps)
		payload -= TCP_TIMESTAMP_BYTES;
	c->mss = (uint16_t)payload;
}

/* What was too big is sent again, smaller; that is no sign of congestion (RFC 1191, 6.5). */
static void shrink(struct tcp_connection *c, uint16_t mss, uint64_t now)
{
	c->path_mss = mss;
	c->path_until = now + TCP_PATH_NS;
	tcp_set_mss(c);
	tcp_flight_mark(&c->flight, c->snd_nxt - c->snd_una, TCP_SPAN_SENT, TCP_SPAN_LOST);
}

void tcp_path_expire(struct tcp_connection *c)
{
	c->path_mss = c->config.mss;
	c->path_until = FOREVER;
	c->fragmentable = false;
	tcp_set_mss(c);
}

/* After every third time-out in a row, if what is lost is larger than what we go down to. The next three need not wait
 * as long as if the path were congested. */
void tcp_path_timeout(struct tcp_connection *c, uint64_t now)
{
	uint32_t flight = c->snd_nxt - c->snd_una, size = flight < c->mss ? flight : c->mss;
	uint16_t mss = size > TCP_MSS_PROBE ? TCP_MSS_PROBE : tcp_mss_default(c);

	if (mss < tcp_mss_default(c))
		mss = tcp_mss_default(c);
	if (c->timeouts % TCP_BLACK_HOLE == 0 && mss < size) {
		shrink(c, mss, now);
		tcp_rto_without_backoff(c);
	}
}

void tcp_core_undelivered(struct tcp_connection *c, uint32_t seq, int error, uint16_t mss, uint64_t now)
{
	if (c->state == TCP_CLOSED || !seq_within(seq, c->snd_una, c->snd_nxt - c->snd_una))
		return;
	if (error != -EMSGSIZE) {
		c->soft_error = error;
		if (c->state == TCP_SYN_SENT && error == -ECONNREFUSED)
			tcp_fail(c, error);
		return;
	}
	if (mss >= c->path_mss || !tcp_is_synchronized(c->state))
		return;
	if (mss < TCP_MSS_PATH_MIN) { /* smaller segments would be mostly headers: the path cuts ours instead */
		mss = TCP_MSS_PATH_MIN;
		c->fragmentable = true;
	}
	shrink(c, mss, now);
	tcp_core_output(c, now);
}
