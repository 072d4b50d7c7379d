/* SPDX-License-Identifier: ISC
 *
 * Connecting: the public calls, and what they are on our own stack. Only programs that connect take it out of the
 * library.
 */
#include <errno.h>

#include "tcp_stack.h"

/* An address that one peer can have (MUST-46). */
static bool is_unicast(const struct own_stack *own, const struct ip_address *address)
{
	const uint8_t *last = address->bytes + 12;

	if (!ip_is_v4(address))
		return !ip_equal(address, &ip_unspecified) && address->bytes[0] != 0xff;
	return last[0] != 0 && last[0] < 224 && !ipv4_is_broadcast(own, ipv4_number(address));
}

/* Weak: only programs that tune have it. */
__attribute__((weak)) void tcp_tuning_fill(struct tcp_tuning *filled, const struct tcp_tuning *tuning);

int tcp_connect_prepare(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp_flow **result, struct tcp_config *config, uint64_t deadline)
{
	struct own_stack *own = (struct own_stack *)(void *)stack;
	const struct ip_address *chosen = tuning ? &tuning->local : &own->tcp->tuning.local;
	struct ip_endpoint local;
	struct tcp_flow *flow;
	uint16_t mtu;
	int err;

	if (task_cancelled())
		return -ECANCELED;
	if (peer->port == 0 || !is_unicast(own, &peer->address))
		return -EINVAL;
	err = ip_wait_for_route(own, &peer->address, deadline, &local.address, &mtu);
	if (err < 0)
		return err;
	if (!ip_equal(chosen, &ip_unspecified)) {
		if (!ip_may_send_from(own, chosen, &peer->address))
			return -EADDRNOTAVAIL;
		local.address = *chosen;
	}
	local.port = tcp_choose_port(own->tcp, &local.address, peer);
	if (local.port == 0)
		return -EADDRNOTAVAIL;
	tcp_flow_make_room(own->tcp, NULL);
	flow = tcp_flow_new(own->tcp, &local, peer, mtu, config);
	if (!flow)
		return -ENOMEM;
	flow->held = true;
	if (tuning)
		tcp_tuning_fill(&config->tuning, tuning);
	*result = flow;
	return 0;
}

int own_tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **result, uint64_t deadline)
{
	struct tcp_config config;
	struct tcp_flow *flow;
	int err = tcp_connect_prepare(stack, peer, tuning, &flow, &config, deadline);

	if (err < 0)
		return err;
	tcp_core_connect(&flow->core, &config, tcp_now(flow->tcp));
	tcp_flow_push(flow);
	*result = &flow->base;
	return 0;
}

int own_tcp_connected(struct tcp *base, uint64_t deadline)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;
	int err;

	if (task_cancelled())
		return -ECANCELED;
	while (flow->core.state == TCP_SYN_SENT || flow->core.state == TCP_SYN_RECEIVED) {
		err = wait_on(&flow->writers, deadline);
		if (err < 0)
			return err;
	}
	return flow->core.error;
}

int tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow)
{
	return stack->tcp ? stack->tcp->connect_begin(stack, peer, NULL, flow, AT_ONCE) : -EPROTONOSUPPORT;
}

int tcp_connected(struct tcp *flow, uint64_t deadline)
{
	return flow->ops->connected(flow, deadline);
}

int tcp_connect_with(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **result, uint64_t deadline)
{
	struct tcp *flow;
	int err = stack->tcp ? stack->tcp->connect_begin(stack, peer, tuning, &flow, deadline) : -EPROTONOSUPPORT;

	if (err < 0)
		return err;
	err = tcp_connected(flow, deadline);
	if (err < 0)
		tcp_close(flow);
	else
		*result = flow;
	return err;
}

int tcp_connect(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow, uint64_t deadline)
{
	return tcp_connect_with(stack, peer, NULL, flow, deadline);
}
