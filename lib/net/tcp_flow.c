/* SPDX-License-Identifier: ISC
 *
 * A flow's life around its machine: made, marked, settled after each event, timed, and freed.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/log.h>

#include "tcp_stack.h"

static int flow_send(struct tcp_sink *sink, const struct tcp_segment *segment)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)((char *)sink - offsetof(struct tcp_flow, sink));

	return tcp_transmit(flow->tcp, &flow->core.config.tuning, &flow->local, &flow->peer, segment);
}

static void flow_fire(struct timer *timer)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)((char *)timer - offsetof(struct tcp_flow, timer));

	tcp_core_expire(&flow->core, tcp_now(flow->tcp));
	tcp_flow_push(flow);
}

/* The largest payload that the link cuts into segments: none if it does not; an IP packet's 65535 bytes at most. */
static uint32_t burst_bytes(const struct tcp_stack *tcp, const struct ip_endpoint *peer)
{
	uint32_t feature = ip_is_v4(&peer->address) ? PLATFORM_NET_TSO4 : PLATFORM_NET_TSO6;

	return ip_link_features(tcp->own) & feature ? UINT16_MAX - TCP_IP_HEADERS_6 - TCP_HEADER_MAX : 0;
}

void tcp_flow_config(struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	uint16_t mtu, struct tcp_config *config)
{
	*config = (struct tcp_config){
		.pool = &tcp->own->pool,
		.counters = &tcp->own->counters,
		/* RFC 6528: a clock of 4 microseconds and a secret function of the endpoints. */
		.iss = (uint32_t)(tcp_now(tcp) / USEC(4)) + (uint32_t)tcp_number(tcp, TCP_FOR_SEQUENCE, local, peer, 0),
		.timestamp_base = (uint32_t)tcp_number(tcp, TCP_FOR_TIMESTAMP, local, peer, 0),
		.ecn = tcp->own->ecn,
		.tuning = tcp->tuning,
		.burst_bytes = burst_bytes(tcp, peer),
		.mss = (uint16_t)(mtu - tcp_ip_headers(peer)),
		.ipv6 = !ip_is_v4(&peer->address),
	};
}

/* Whether there may be one more: connections take half of the pool, and what data leave. */
static bool has_place(const struct tcp_stack *tcp)
{
	const struct pool *pool = &tcp->own->pool;
	size_t bytes = pool->flow_bytes + TCP_FLOW_BYTES;

	return tcp->all.count < tcp->flows_max && bytes <= pool->limit_bytes / 2 &&
	       bytes + pool->used_bytes <= pool->limit_bytes;
}

void tcp_flow_make_room(struct tcp_stack *tcp, const struct own_listener *listener)
{
	if (has_place(tcp))
		return;
	if (tcp->time_wait.first)
		tcp_flow_forget(tcp->time_wait.first->flow);
	else if (listener && listener->half_open.first)
		tcp_flow_forget(listener->half_open.first->flow);
	else if (tcp->orphans.first)
		tcp_flow_kill(tcp->orphans.first->flow);
}

struct tcp_flow *tcp_flow_new(struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	uint16_t mtu, struct tcp_config *config)
{
	struct stack_counters *counters = &tcp->own->counters;
	struct tcp_flow *flow = has_place(tcp) ? calloc(1, sizeof *flow) : NULL;

	if (!flow)
		return NULL;
	tcp->own->pool.flow_bytes += TCP_FLOW_BYTES;
	flow->base.ops = tcp->own->base.tcp;
	flow->tcp = tcp;
	flow->sink.send = flow_send;
	flow->local = *local;
	flow->peer = *peer;
	flow->timer.fire = flow_fire;
	tcp_table_add(tcp, flow);
	tcp_list_append(&tcp->all, &flow->all, flow);
	if (++counters->tcp_flows > counters->tcp_flows_peak)
		counters->tcp_flows_peak = counters->tcp_flows;
	tcp_flow_config(tcp, local, peer, mtu, config);
	config->sink = &flow->sink;
	return flow;
}

void tcp_flow_free(struct tcp_flow *flow)
{
	must(!flow->readers.first && !flow->writers.first); /* closed while a task of the user's waits */
	tcp_list_remove(&flow->all);
	tcp_core_fini(&flow->core);
	if (flow->tcp)
		flow->tcp->own->pool.flow_bytes -= TCP_FLOW_BYTES;
	free(flow);
}

void tcp_flow_mark(struct tcp_flow *flow)
{
	if (!flow->dirty.list)
		tcp_list_append(&flow->tcp->dirty, &flow->dirty, flow);
}

/* Its machine is CLOSED: nothing finds it any more but the user's handle. */
static void retire(struct tcp_flow *flow)
{
	struct tcp_stack *tcp = flow->tcp;

	if (flow->all.list == &tcp->all) {
		tcp_table_remove(tcp, flow);
		tcp_list_remove(&flow->dirty);
		tcp_list_remove(&flow->place);
		tcp_list_remove(&flow->all);
		tcp_list_append(&tcp->closed, &flow->all, flow);
		tcp->own->counters.tcp_flows--;
		stack_timer_cancel(tcp->own, &flow->timer);
		wake_all(&flow->readers);
		wake_all(&flow->writers);
		wake_all(&tcp->drained);
	}
	if (!flow->held)
		tcp_flow_free(flow);
}

/* The oldest in TIME-WAIT gives way. What it guarded against, old duplicates, timestamps and unpredictable sequence
 * numbers guard against too. */
static void enter_time_wait(struct tcp_flow *flow)
{
	struct tcp_list *list = &flow->tcp->time_wait;
	bool full = list->first && list->count >= flow->tcp->time_wait_max;
	struct tcp_flow *oldest = full ? list->first->flow : NULL;

	tcp_list_remove(&flow->place);
	tcp_list_append(list, &flow->place, flow);
	wake_all(&flow->tcp->drained);
	if (oldest) {
		flow->tcp->own->counters.TcpExtTCPTimeWaitOverflow++;
		tcp_flow_forget(oldest);
	}
}

void tcp_flow_settle(struct tcp_flow *flow)
{
	struct own_listener *listener = flow->listener;

	if (flow->fast_pending && flow->core.state != TCP_SYN_RECEIVED)
		tcp_fast_end(flow);
	if (flow->core.state == TCP_CLOSED) {
		retire(flow);
		return;
	}
	if (listener && flow->place.list == &listener->half_open &&
		(tcp_is_synchronized(flow->core.state) || flow->core.early)) {
		tcp_list_remove(&flow->place);
		tcp_list_append(&listener->ready, &flow->place, flow);
		wake_one(&listener->acceptors);
	}
	if (flow->core.state == TCP_TIME_WAIT && flow->place.list != &flow->tcp->time_wait)
		enter_time_wait(flow);
	else if (!flow->held && !flow->place.list)
		tcp_list_append(&flow->tcp->orphans, &flow->place, flow);
	if (tcp_core_readable(&flow->core))
		wake_one(&flow->readers);
	if (tcp_core_writable(&flow->core))
		wake_one(&flow->writers);
}

/* The timer is moved only to come earlier. One that fires too early finds nothing due and is set anew: cheaper than
 * moving it for each segment. */
static void arm(struct tcp_flow *flow)
{
	uint64_t deadline = tcp_core_deadline(&flow->core);

	if (deadline != FOREVER && (!flow->timer.armed || deadline < flow->timer.deadline))
		stack_timer_set(flow->tcp->own, &flow->timer, deadline);
}

void tcp_flow_push(struct tcp_flow *flow)
{
	tcp_core_output(&flow->core, tcp_now(flow->tcp));
	if (flow->core.state != TCP_CLOSED) {
		arm(flow);
		if (flow->core.blocked)
			tcp_flow_mark(flow);
	}
	tcp_flow_settle(flow);
}

void tcp_flow_forget(struct tcp_flow *flow)
{
	tcp_set_state(&flow->core, TCP_CLOSED, 0);
	tcp_flow_settle(flow);
}

void tcp_flow_kill(struct tcp_flow *flow)
{
	flow->listener = NULL;
	flow->held = false;
	tcp_core_abort(&flow->core, -ECONNRESET);
	tcp_flow_settle(flow);
}
