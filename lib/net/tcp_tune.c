/* SPDX-License-Identifier: ISC
 *
 * How connections behave, and how one fares: tcp_tune, its relatives, and tcp_statistics, and what they are on our own
 * stack.
 */
#include <errno.h>

#include "tcp_stack.h"

static uint64_t or_else(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

void tcp_tuning_fill(struct tcp_tuning *filled, const struct tcp_tuning *tuning)
{
	const struct tcp_tuning *defaults = &tcp_defaults;

	*filled = *tuning;
	filled->keepalive_interval_ns = or_else(tuning->keepalive_interval_ns, defaults->keepalive_interval_ns);
	filled->keepalive_probes = (unsigned)or_else(tuning->keepalive_probes, defaults->keepalive_probes);
	filled->user_timeout_ns = or_else(tuning->user_timeout_ns, defaults->user_timeout_ns);
	filled->minimum_rto_ns = or_else(tuning->minimum_rto_ns, defaults->minimum_rto_ns);
	filled->delayed_ack_ns = or_else(tuning->delayed_ack_ns, defaults->delayed_ack_ns);
	filled->time_wait_ns = or_else(tuning->time_wait_ns, defaults->time_wait_ns);
	filled->initial_window = (unsigned)or_else(tuning->initial_window, defaults->initial_window);
	if (!filled->congestion)
		filled->congestion = defaults->congestion;
}

int own_tcp_tune(struct tcp *base, const struct tcp_tuning *tuning)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;
	struct tcp_tuning *filled = &flow->core.config.tuning;

	if (!flow->tcp)
		return -ECONNRESET;
	tcp_tuning_fill(filled, tuning);
	tcp_core_keep_alive(&flow->core, filled->keepalive_ns, filled->keepalive_interval_ns, filled->keepalive_probes);
	tcp_flow_push(flow);
	return 0;
}

int own_tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning)
{
	tcp_tuning_fill(&((struct own_stack *)(void *)stack)->tcp->tuning, tuning);
	return 0;
}

int own_tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning)
{
	tcp_tuning_fill(&((struct own_listener *)(void *)listener)->tuning, tuning);
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
		.time_outs = c->timeouts,
		.soft_error = c->soft_error,
		.urgent = tcp_core_urgent(c),
	};
}

static int check(const struct tcp_tuning *tuning)
{
	bool valid = tuning->keepalive_probes <= UINT8_MAX && tuning->minimum_rto_ns <= TCP_RTO_MAX_NS &&
		     tuning->delayed_ack_ns <= TCP_DELAYED_ACK_MAX && tuning->initial_window <= TCP_INITIAL_SEGMENTS &&
		     tuning->dscp <= IP_DSCP_MAX;

	return valid ? 0 : -EINVAL;
}

int tcp_tune(struct tcp *flow, const struct tcp_tuning *tuning)
{
	int err = check(tuning);

	return err < 0 ? err : flow->ops->tune(flow, tuning);
}

int tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning)
{
	int err = stack->tcp ? check(tuning) : -EPROTONOSUPPORT;

	return err < 0 ? err : stack->tcp->tune_stack(stack, tuning);
}

int tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning)
{
	int err = check(tuning);

	return err < 0 ? err : listener->ops->tune_listener(listener, tuning);
}

int tcp_connect_tuned(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **flow, uint64_t deadline)
{
	int err = check(tuning);

	return err < 0 ? err : tcp_connect_with(stack, peer, tuning, flow, deadline);
}

void tcp_statistics(const struct tcp *flow, struct tcp_statistics *statistics)
{
	flow->ops->statistics(flow, statistics);
}
