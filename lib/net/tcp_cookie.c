/* SPDX-License-Identifier: ISC
 *
 * SYN cookies (RFC 4987, 3.6): when too many connections are half open, the SYN,ACK itself remembers the next ones. Its
 * sequence number is a keyed hash of the endpoints, the peer's number and the time, with one of eight segment sizes in
 * the lowest bits; the timestamp, if the peer has those, says in its lowest bits what else was agreed on. The ACK
 * brings both back. Who guesses opens one connection in some 2^28 attempts, and only within two minutes of a flood.
 */
#include "tcp_stack.h"

enum {
	PERIOD_S = 64, /* a cookie is good in the period in which it was made, and the next */
	SIZE_MASK = 7,
	SHIFT_NONE = 15, /* window scaling is not agreed on: no shift is above 14 */
	SHIFT_MASK = 15,
	SACK_BIT = 16,
	TICKS_MASK = 31, /* what of a timestamp is taken for that: it is up to 32 ms old */
};
static const uint16_t sizes[SIZE_MASK + 1] = { 64, 536, 1024, 1220, 1360, 1400, 1440, 1460 };

/* All of it but the size. */
static uint32_t cookie(const struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	uint32_t irs, uint64_t period)
{
	return (uint32_t)tcp_number(tcp, TCP_FOR_COOKIE, local, peer, period << 32 | irs) & ~(uint32_t)SIZE_MASK;
}

static uint32_t remember_options(const struct tcp_options *options, uint32_t timestamp)
{
	uint32_t shift = options->window_shift > TCP_SHIFT_MAX ? TCP_SHIFT_MAX : options->window_shift;
	uint32_t bits = (options->has_window_shift ? shift : SHIFT_NONE) | (options->sack_permitted ? SACK_BIT : 0);

	return ((timestamp - TICKS_MASK) & ~(uint32_t)TICKS_MASK) | bits;
}

void tcp_cookie_answer(struct own_listener *listener, const struct tcp_config *config, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *syn)
{
	struct tcp_stack *tcp = listener->tcp;
	const struct tcp_tuning *tuning = &config->tuning;
	struct tcp_options asked = syn->options;
	uint64_t now = tcp_now(tcp);
	uint32_t size = SIZE_MASK;
	struct tcp_segment answer = {
		.flags = TCP_SYN | TCP_ACK,
		.ack = syn->seq + 1,
		.window = TCP_COOKIE_WINDOW,
		.options = { .mss = config->mss },
	};

	asked.has_timestamp = asked.has_timestamp && !tuning->no_timestamps;
	asked.sack_permitted = asked.sack_permitted && !tuning->no_sack;
	asked.has_window_shift = asked.has_window_shift && !tuning->no_window_scaling;
	while (size > 0 && sizes[size] > (asked.mss ? asked.mss : TCP_MSS_DEFAULT))
		size--;
	answer.seq = cookie(tcp, local, peer, syn->seq, now / SECOND(PERIOD_S)) | size;
	if (asked.has_timestamp) {
		answer.options.has_timestamp = true;
		answer.options.timestamp = remember_options(&asked,
			(uint32_t)(now / MSEC(1)) + (uint32_t)tcp_number(tcp, TCP_FOR_TIMESTAMP, local, peer, 0));
		answer.options.timestamp_echo = asked.timestamp;
		answer.options.sack_permitted = asked.sack_permitted;
		answer.options.has_window_shift = asked.has_window_shift;
		answer.options.window_shift = tcp_shift_for(TCP_RING_MAX);
	}
	listener->cookies_until = now + 2 * SECOND(PERIOD_S);
	tcp->own->counters.TcpExtSyncookiesSent++;
	tcp_transmit_or_drop(tcp, tuning, local, peer, &answer);
}

bool tcp_cookie_check(const struct own_listener *listener, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *ack, struct tcp_segment *syn)
{
	uint64_t now = tcp_now(listener->tcp), period = now / SECOND(PERIOD_S);
	uint32_t seq = ack->ack - 1, irs = ack->seq - 1, bits = ack->options.timestamp_echo & TICKS_MASK;

	if (now > listener->cookies_until || (ack->flags & (TCP_ACK | TCP_SYN | TCP_RST)) != TCP_ACK)
		return false;
	if ((seq & ~(uint32_t)SIZE_MASK) != cookie(listener->tcp, local, peer, irs, period) &&
		(seq & ~(uint32_t)SIZE_MASK) != cookie(listener->tcp, local, peer, irs, period - 1)) {
		listener->tcp->own->counters.TcpExtSyncookiesFailed++;
		return false;
	}
	listener->tcp->own->counters.TcpExtSyncookiesRecv++;
	*syn = (struct tcp_segment){ .flags = TCP_SYN, .seq = irs, .window = ack->window };
	syn->options.mss = sizes[seq & SIZE_MASK];
	if (ack->options.has_timestamp) {
		syn->options.has_timestamp = true;
		syn->options.timestamp = ack->options.timestamp;
		syn->options.sack_permitted = bits & SACK_BIT;
		syn->options.has_window_shift = (bits & SHIFT_MASK) != SHIFT_NONE;
		syn->options.window_shift = bits & SHIFT_MASK;
	}
	return true;
}
