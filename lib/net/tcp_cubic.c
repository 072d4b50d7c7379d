/* SPDX-License-Identifier: ISC
 *
 * CUBIC congestion avoidance (RFC 9438) in integers: the window is a cubic function of the time since the last loss,
 *
 *	W(t) = C * (t - K)^3 + W_max    K = cbrt((W_max - cwnd_epoch) / C)    C = 0.4 segments/s^3, beta = 0.7
 *
 * flat where the loss was, and never below what Reno would have. Bytes and milliseconds throughout, so that C is
 * mss * 4 / 10^10.
 */
#include "tcp_core.h"

#define C_INVERSE UINT64_C(2500000000) /* 10^10 / 4 */
#define REACH_MS  100000               /* from K: the function is cut off there; (10^5)^3 * 65535 * 4 fits 64 bits */
enum { BETA_TENTHS = 7, CONVERGENCE_NUMERATOR = 17, CONVERGENCE_DENOMINATOR = 20 };
/* Reno's growth that beta = 0.7 makes fair: 3 * (1 - beta) / (1 + beta). RFC 9438, 4.3. */
enum { FRIENDLY_NUMERATOR = 9, FRIENDLY_DENOMINATOR = 17 };

/* The cube root, a bit at a time from the top: the result of 64 bits has 22. */
static uint32_t cube_root(uint64_t value)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 20; bit > 0; bit >>= 1) {
		uint64_t next = root | bit;
		if (next * next * next <= value)
			root = next;
	}
	return (uint32_t)root;
}

static int64_t window_at(const struct tcp_connection *c, uint64_t time_ns)
{
	int64_t distance = (int64_t)(time_ns / MSEC(1)) - c->cubic.k_ms;

	if (distance > REACH_MS)
		distance = REACH_MS;
	if (distance < -REACH_MS)
		distance = -REACH_MS;
	return (int64_t)c->cubic.w_max +
	       distance * distance * distance / (int64_t)1000 * c->mss / (int64_t)(C_INVERSE / 1000);
}

static void begin_epoch(struct tcp_connection *c, uint64_t now)
{
	struct tcp_cubic_state *cubic = &c->cubic;

	cubic->epoch_at = now;
	cubic->w_est = c->cwnd;
	cubic->k_ms = 0;
	if (c->cwnd < cubic->w_max)
		cubic->k_ms = cube_root((cubic->w_max - c->cwnd) * C_INVERSE / c->mss);
	else
		cubic->w_max = c->cwnd;
}

/* Fractions of a byte are dropped: of a growth of several bytes an ACK, where Reno's or the cubic part matters. */
static void cubic_acked(struct tcp_connection *c, uint32_t acked, uint64_t now)
{
	struct tcp_cubic_state *cubic = &c->cubic;
	uint64_t reno = (uint64_t)acked * c->mss;
	int64_t target, most = c->cwnd + c->cwnd / 2;

	if (cubic->epoch_at == 0)
		begin_epoch(c, now);
	if (cubic->w_est < cubic->w_before) /* from there on, growth is Reno's own */
		reno = reno * FRIENDLY_NUMERATOR / FRIENDLY_DENOMINATOR;
	cubic->w_est += (uint32_t)(reno / c->cwnd);
	target = window_at(c, now - cubic->epoch_at);
	if (target < cubic->w_est) {
		c->cwnd = cubic->w_est > c->cwnd ? cubic->w_est : c->cwnd;
		return;
	}
	target = window_at(c, now - cubic->epoch_at + c->srtt_ns);
	target = target < most ? target : most;
	if (target > c->cwnd)
		c->cwnd += 1 + (uint32_t)((uint64_t)(target - c->cwnd) * acked / c->cwnd);
}

/* RFC 9438, 4.6 and 4.7: a window that fell short of the last maximum leaves room to others. */
static uint32_t cubic_reduced(struct tcp_connection *c, uint32_t flight)
{
	struct tcp_cubic_state *cubic = &c->cubic;
	uint32_t ssthresh = (uint32_t)((uint64_t)flight * BETA_TENTHS / 10), least = 2 * (uint32_t)c->mss;

	if (c->cwnd < cubic->w_max)
		cubic->w_max = (uint32_t)((uint64_t)c->cwnd * CONVERGENCE_NUMERATOR / CONVERGENCE_DENOMINATOR);
	else
		cubic->w_max = c->cwnd;
	cubic->w_before = c->cwnd;
	cubic->epoch_at = 0;
	return ssthresh > least ? ssthresh : least;
}

const struct tcp_congestion tcp_cubic = { .name = "cubic", .acked = cubic_acked, .reduced = cubic_reduced };
