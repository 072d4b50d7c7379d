/* SPDX-License-Identifier: ISC
 *
 * Congestion control, in bytes: the initial window of ten segments (RFC 6928), slow start, and what a pause means, for
 * all; and NewReno's congestion avoidance (RFC 5681). CUBIC's is tcp_cubic.c.
 *
 * Slow start grows by what an ACK acknowledges, up to GROWTH_SEGMENTS (RFC 9406, 4.2: L = 8 without pacing), because
 * receivers that merge segments acknowledge many at once.
 */
#include "stack_ops.h"
#include "tcp_core.h"
#include "tcp_sequence.h"

enum { GROWTH_SEGMENTS = 8, INITIAL_BYTES = 14600 };
enum { FEW_SEGMENTS = 4, SMSS_OF_3 = 1095, SMSS_OF_2 = 2190 }; /* RFC 5681, 3.1 */
#define WINDOW_MAX (1u << 30)                                  /* no peer can offer more (RFC 7323, 2.3) */

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* RFC 6928, 2; or, if it is to be no more than RFC 5681 allows, as many segments as are allowed of this size. */
static uint32_t initial_window(const struct tcp_connection *c)
{
	uint32_t segments = c->config.tuning.initial_window, mss = c->mss;

	if (segments > FEW_SEGMENTS)
		return min_u32(segments * mss, max_u32(2 * mss, INITIAL_BYTES));
	return min_u32(segments, FEW_SEGMENTS - (uint32_t)(mss > SMSS_OF_3) - (mss > SMSS_OF_2)) * mss;
}

const char *tcp_congestion_name(const struct tcp_congestion *congestion)
{
	return congestion->name;
}

void tcp_congestion_init(struct tcp_connection *c)
{
	c->cwnd = initial_window(c);
	c->ssthresh = WINDOW_MAX;
}

/* A window that was not used says nothing about the path, and does not grow (RFC 7661). */
void tcp_congestion_grow(struct tcp_connection *c, uint32_t acked, uint64_t now)
{
	bool slow_start = c->cwnd < c->ssthresh;

	if (slow_start ? 2 * c->flight_sent < c->cwnd : c->flight_sent + c->mss < c->cwnd)
		return;
	if (slow_start)
		c->cwnd += min_u32(acked, GROWTH_SEGMENTS * (uint32_t)c->mss);
	else
		c->config.tuning.congestion->acked(c, acked, now);
	c->cwnd = min_u32(c->cwnd, WINDOW_MAX);
}

/* RFC 5681, 4.1: after a pause as long as the time-out, the window starts again; and a pause is no time in which CUBIC
 * would have grown (RFC 9438, 5.8). */
void tcp_congestion_idle(struct tcp_connection *c, uint64_t now)
{
	if (c->snd_una != c->snd_nxt || now - c->sent_at <= c->rto_ns)
		return;
	c->cwnd = min_u32(c->cwnd, initial_window(c));
	c->cubic.epoch_at = 0;
}

static void newreno_acked(struct tcp_connection *c, uint32_t acked, uint64_t now)
{
	(void)now;
	c->cwnd_acked += acked;
	if (c->cwnd_acked >= c->cwnd) {
		c->cwnd_acked -= c->cwnd;
		c->cwnd += c->mss;
	}
}

/* RFC 5681, equation 4 */
static uint32_t newreno_reduced(struct tcp_connection *c, uint32_t flight)
{
	c->cwnd_acked = 0;
	return max_u32(flight / 2, 2 * (uint32_t)c->mss);
}

const struct tcp_congestion tcp_newreno = { .name = "newreno", .acked = newreno_acked, .reduced = newreno_reduced };
