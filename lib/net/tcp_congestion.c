/* SPDX-License-Identifier: ISC
 *
 * Congestion control: slow start and congestion avoidance (RFC 5681), NewReno fast recovery (RFC 6582), the initial
 * window of ten segments (RFC 6928) and limited transmit (RFC 3042), all in bytes.
 *
 * Slow start grows by what an ACK acknowledges, up to GROWTH_SEGMENTS (RFC 9406, 4.2: L = 8 without pacing), because
 * receivers that merge segments acknowledge many at once. In fast recovery the window is inflated by each duplicate
 * and deflated by each partial acknowledgement; the retransmission timer is restarted by the first partial one only
 * ("Impatient", RFC 6582, 4), so that a window full of losses ends in slow start and not in a hole each round trip.
 */
#include "tcp_core.h"
#include "tcp_sequence.h"

enum { GROWTH_SEGMENTS = 8, INITIAL_SEGMENTS = 10, INITIAL_BYTES = 14600, LIMITED_SEGMENTS = 2 };
#define WINDOW_MAX (1u << 30) /* no peer can offer more (RFC 7323, 2.3) */

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t initial_window(const struct tcp_connection *c)
{
	return min_u32(INITIAL_SEGMENTS * (uint32_t)c->mss, max_u32(2 * (uint32_t)c->mss, INITIAL_BYTES));
}

/* RFC 5681, equation 4 */
static uint32_t half_of(const struct tcp_connection *c, uint32_t flight)
{
	return max_u32(flight / 2, 2 * (uint32_t)c->mss);
}

void tcp_congestion_init(struct tcp_connection *c)
{
	c->cwnd = initial_window(c);
	c->ssthresh = WINDOW_MAX;
}

uint32_t tcp_congestion_window(const struct tcp_connection *c)
{
	if (c->recovering)
		return c->cwnd;
	return c->cwnd + min_u32(c->duplicates, LIMITED_SEGMENTS) * c->mss;
}

static void grow(struct tcp_connection *c, uint32_t acked, uint32_t flight_before)
{
	bool slow_start = c->cwnd < c->ssthresh;

	/* A window that was not used says nothing about the path. */
	if (slow_start ? 2 * flight_before < c->cwnd : flight_before + c->mss < c->cwnd)
		return;
	if (slow_start) {
		c->cwnd += min_u32(acked, GROWTH_SEGMENTS * (uint32_t)c->mss);
	} else {
		c->cwnd_acked += acked;
		if (c->cwnd_acked >= c->cwnd) {
			c->cwnd_acked -= c->cwnd;
			c->cwnd += c->mss;
		}
	}
	c->cwnd = min_u32(c->cwnd, WINDOW_MAX);
}

/* The first segment that is missing, within what the peer's window takes (SHLD-16). */
static void retransmit_first(struct tcp_connection *c, uint64_t now)
{
	if (c->snd_wnd > 0)
		tcp_send_range(c, c->snd_una, min_u32(c->mss, c->snd_wnd), now);
}

/* RFC 6582, 3.2, step 3. snd_una has moved by acked already. */
static void acked_in_recovery(struct tcp_connection *c, uint32_t acked, uint64_t now)
{
	if (!seq_before(c->snd_una, c->recover)) {
		uint32_t flight = c->snd_max - c->snd_una;
		c->cwnd = min_u32(c->ssthresh, max_u32(flight, c->mss) + c->mss);
		c->cwnd_acked = 0;
		c->recovering = c->partial = false;
		return;
	}
	c->partial = true;
	c->cwnd = c->cwnd > acked + c->mss ? c->cwnd - acked : c->mss;
	if (acked >= c->mss)
		c->cwnd += c->mss;
	retransmit_first(c, now);
}

void tcp_congestion_acked(struct tcp_connection *c, uint32_t acked, uint32_t flight_before, uint64_t now)
{
	c->duplicates = 0;
	if (c->recovering)
		acked_in_recovery(c, acked, now);
	else
		grow(c, acked, flight_before);
}

/* RFC 5681, 3.2, and RFC 6582, 3.2, step 2: a second recovery from one window of losses is not begun. */
void tcp_congestion_duplicate(struct tcp_connection *c, uint64_t now)
{
	if (c->recovering) {
		c->cwnd = min_u32(c->cwnd + c->mss, WINDOW_MAX);
		return;
	}
	if (c->duplicates < TCP_DUPLICATES)
		c->duplicates++;
	if (c->duplicates < TCP_DUPLICATES || !seq_after(c->snd_una, c->recover))
		return;
	/* What limited transmit has sent is not counted (RFC 5681, 3.2): it lies beyond the window. */
	c->ssthresh = half_of(c, min_u32(c->snd_max - c->snd_una, c->cwnd));
	c->recover = c->snd_max;
	c->loss_timestamp = tcp_timestamp(c, now);
	c->recovering = true;
	c->partial = false;
	c->duplicates = 0;
	c->cwnd = c->ssthresh + TCP_DUPLICATES * c->mss;
	retransmit_first(c, now);
}

/* RFC 5681, 3.1: the threshold falls once for a segment, however often it is lost again. */
void tcp_congestion_timeout(struct tcp_connection *c, uint64_t now)
{
	if (!c->timed_out)
		c->ssthresh = half_of(c, c->snd_max - c->snd_una);
	c->cwnd = c->mss;
	c->cwnd_acked = 0;
	c->recover = c->snd_max;
	c->loss_timestamp = tcp_timestamp(c, now);
	c->recovering = c->partial = false;
	c->duplicates = 0;
}

/* RFC 5681, 4.1: after a pause as long as the time-out, the window starts again. */
void tcp_congestion_idle(struct tcp_connection *c, uint64_t now)
{
	if (c->snd_una == c->snd_max && now - c->sent_at > c->rto_ns)
		c->cwnd = min_u32(c->cwnd, initial_window(c));
}
