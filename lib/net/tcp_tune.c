/* SPDX-License-Identifier: ISC
 *
 * How a connection behaves, and how it fares: tcp_tune and tcp_statistics, and what they are on our own stack.
 */
#include <errno.h>

#include "tcp_stack.h"

const char *const tcp_state_names[TCP_STATES] = { "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
	"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT" };

int own_tcp_tune(struct tcp *base, const struct tcp_tuning *tuning)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;
	uint64_t interval = tuning->keepalive_interval_ns;

	if (!flow->tcp)
		return -ECONNRESET;
	tcp_core_keep_alive(&flow->core, tuning->keepalive_ns, interval ? interval : SECOND(TCP_KEEPALIVE_INTERVAL_S),
		(uint8_t)(tuning->keepalive_probes ? tuning->keepalive_probes : TCP_KEEPALIVE_PROBES));
	flow->core.patience_ns = tuning->user_timeout_ns;
	flow->core.congestion = tuning->congestion ? tuning->congestion : &tcp_cubic;
	tcp_flow_push(flow);
	return 0;
}

void own_tcp_statistics(const struct tcp *base, struct tcp_statistics *statistics)
{
	const struct tcp_connection *c = &((const struct tcp_flow *)(const void *)base)->core;

	*statistics = (struct tcp_statistics){
		.state = tcp_state_names[c->state],
		.round_trip_ns = c->srtt_ns,
		.round_trip_deviation_ns = c->rttvar_ns,
		.retransmission_timeout_ns = c->rto_ns,
		.congestion_window = c->cwnd,
		.slow_start_threshold = c->ssthresh,
		.peer_window = c->snd_wnd,
		.segment_size = c->mss,
		.in_flight = c->snd_nxt - c->snd_una,
		.retransmissions = c->retransmissions,
	};
}

int tcp_tune(struct tcp *flow, const struct tcp_tuning *tuning)
{
	return tuning->keepalive_probes > UINT8_MAX ? -EINVAL : flow->ops->tune(flow, tuning);
}

void tcp_statistics(const struct tcp *flow, struct tcp_statistics *statistics)
{
	flow->ops->statistics(flow, statistics);
}
