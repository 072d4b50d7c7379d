/* SPDX-License-Identifier: ISC
 *
 * How large segments may be: what the peer takes, and what the path carries. That is told by ICMP (RFC 1191), believed
 * only for what is in flight (RFC 5927). Or it shows when nothing large gets through and nobody says why, a black hole:
 * then small segments are sent, and the stream itself searches for the largest that arrive (RFC 4821, 7).
 *
 * All sizes here are payloads without options. path_mss is what is known to arrive (search_low), path_high what may yet
 * (search_high). While they are apart, one segment of a size between them is sent now and then, full of new data: a
 * probe. It arrives, and path_mss is its size; or it alone is lost, and path_high lies below it, and its bytes go again
 * in small segments; or more is lost, which says nothing of it. After TCP_PATH_NS all that is known to be too large is
 * forgotten, and the largest is probed first.
 *
 * Only SACK tells that a probe alone was lost: without, path_high is believed when the time is over.
 */
#include <errno.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

enum { FOLLOWERS = 2 }; /* segments that must wait behind a probe, so that its loss shows without a time-out */

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t overhead(const struct tcp_connection *c)
{
	return c->timestamps ? TCP_TIMESTAMP_BYTES : 0;
}

void tcp_set_mss(struct tcp_connection *c)
{
	uint32_t payload = min_u32(c->peer_mss, c->path_mss);

	if (payload < TCP_MSS_MIN)
		payload = TCP_MSS_MIN;
	c->mss = (uint16_t)(payload - overhead(c));
}

void tcp_path_init(struct tcp_connection *c)
{
	c->path_mss = c->path_high = c->config.mss;
	c->path_until = FOREVER;
	tcp_set_mss(c);
}

static void forget_probe(struct tcp_connection *c)
{
	c->path_probe = (struct tcp_range){ 0 };
}

/* What was too big is sent again, smaller; that is no sign of congestion (RFC 1191, 6.5). */
static void shrink(struct tcp_connection *c, uint32_t mss, uint32_t high, uint64_t now)
{
	c->path_mss = (uint16_t)mss;
	c->path_high = (uint16_t)high;
	c->path_until = now + TCP_PATH_NS;
	forget_probe(c);
	tcp_set_mss(c);
	tcp_flight_mark(&c->flight, c->snd_nxt - c->snd_una, TCP_SPAN_SENT, TCP_SPAN_LOST);
}

void tcp_path_expire(struct tcp_connection *c)
{
	c->path_high = (uint16_t)min_u32(c->config.mss, c->peer_mss);
	c->path_top = true;
	c->path_until = FOREVER;
	if (c->sack)
		return;
	c->path_mss = c->path_high;
	c->fragmentable = false;
	tcp_set_mss(c);
}

/* RFC 4821, 7.3 and 7.4. While a probe waits for room in the congestion window, so does all else: the next
 * acknowledgements make it. */
bool tcp_path_probe(struct tcp_connection *c, uint64_t now)
{
	uint32_t room = c->path_high - c->path_mss, left = tcp_send_end(c) - c->snd_nxt, payload;
	uint16_t mss = c->mss;
	bool fragmentable = c->fragmentable;
	int err;

	if (c->path_high < c->path_mss + TCP_PATH_STEP || !c->sack || c->path_probe.begin != c->path_probe.end ||
		c->loss != TCP_LOSS_NONE || c->flight.bytes[TCP_SPAN_SACKED] > 0 || c->probing)
		return false;
	payload = c->path_mss + (c->path_top ? room : room / 2) - overhead(c);
	if (left <= payload + FOLLOWERS * c->mss || c->cwnd < payload ||
		c->snd_una + c->snd_wnd - c->snd_nxt < payload || seq_before(c->snd_una + c->snd_wnd, c->snd_nxt))
		return false;
	if (tcp_pipe(c) + payload > c->cwnd)
		return true;
	c->mss = (uint16_t)payload;
	c->fragmentable = false;
	c->path_probe = (struct tcp_range){ c->snd_nxt, c->snd_nxt + payload };
	err = tcp_send_range(c, c->snd_nxt, payload, now);
	if (err < 0)
		forget_probe(c);
	c->mss = mss;
	c->fragmentable = fragmentable;
	return err < 0;
}

/* RFC 4821, 7.6.2 and 7.6.3 */
static void probe_failed(struct tcp_connection *c, uint64_t now)
{
	uint32_t size = c->path_probe.end - c->path_probe.begin + overhead(c);

	if (c->path_high >= size) { /* no router has told yet */
		c->path_high = (uint16_t)(size - 1);
		c->path_top = false;
	}
	c->path_until = now + TCP_PATH_NS;
	forget_probe(c);
}

bool tcp_path_judge(struct tcp_connection *c, uint64_t now)
{
	struct tcp_range *probe = &c->path_probe;

	if (probe->begin == probe->end)
		return false;
	if (!seq_before(c->snd_una, probe->end)) {
		c->path_mss = (uint16_t)(probe->end - probe->begin + overhead(c));
		c->path_top = c->fragmentable = false;
		tcp_set_mss(c);
		forget_probe(c);
	} else if (c->flight.bytes[TCP_SPAN_LOST] > 0) {
		if (tcp_flight_lost_within(&c->flight, probe->begin, probe->end)) {
			probe_failed(c, now);
			return true;
		}
		forget_probe(c); /* RFC 4821, 7.6.4: inconclusive */
	}
	return false;
}

/* After every third time-out in a row, if what is lost is larger than what we go down to. The next three need not wait
 * as long as if the path were congested. */
void tcp_path_timeout(struct tcp_connection *c, uint64_t now)
{
	uint32_t size = min_u32(c->snd_nxt - c->snd_una, c->mss) + overhead(c);
	uint32_t mss = size > TCP_MSS_PROBE ? TCP_MSS_PROBE : tcp_mss_default(c);

	if (mss < tcp_mss_default(c))
		mss = tcp_mss_default(c);
	if (c->path_probe.begin != c->path_probe.end && c->path_probe.begin == c->snd_una)
		probe_failed(c, now);
	forget_probe(c);
	if (c->timeouts % TCP_BLACK_HOLE == 0 && mss < size) {
		shrink(c, mss, size - 1, now);
		c->path_top = false;
		tcp_rto_without_backoff(c);
	}
}

static void too_big(struct tcp_connection *c, uint32_t seq, uint32_t mss, uint64_t now)
{
	if (mss >= c->path_mss) { /* the probe was, and this is what to probe next */
		if (c->path_probe.begin == seq && c->path_probe.end != seq && mss < c->path_high) {
			c->path_high = (uint16_t)mss;
			c->path_top = true;
		}
		return;
	}
	if (mss < TCP_MSS_PATH_MIN) { /* smaller segments would be mostly headers: the path cuts ours instead */
		mss = TCP_MSS_PATH_MIN;
		c->fragmentable = true;
	}
	shrink(c, mss, mss, now);
	tcp_core_output(c, now);
}

void tcp_core_undelivered(struct tcp_connection *c, uint32_t seq, int error, uint16_t mss, uint64_t now)
{
	if (c->state == TCP_CLOSED || !seq_within(seq, c->snd_una, c->snd_nxt - c->snd_una))
		return;
	if (error == -EMSGSIZE) {
		if (tcp_is_synchronized(c->state))
			too_big(c, seq, mss, now);
		return;
	}
	c->soft_error = error;
	if (c->state == TCP_SYN_SENT && error == -ECONNREFUSED)
		tcp_fail(c, error);
}
