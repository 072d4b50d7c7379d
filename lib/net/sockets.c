/* SPDX-License-Identifier: ISC
 *
 * The public calls of stack.h, tcp.h and udp.h: each goes through the table of the stack that its object came from.
 */
#include "stack_ops.h"

void stack_close(struct stack *stack)
{
	if (stack)
		stack->ops->close(stack);
}

void stack_address(const struct stack *stack, struct ip_address *address)
{
	stack->ops->address(stack, address);
}

const struct dhcp_lease *stack_lease(const struct stack *stack)
{
	return stack->ops->lease(stack);
}

size_t stack_addresses(const struct stack *stack, struct ip_address *addresses, size_t max)
{
	return stack->ops->addresses(stack, addresses, max);
}

size_t stack_advertised_resolvers(const struct stack *stack, struct ip_address *addresses, size_t max)
{
	return stack->ops->advertised_resolvers(stack, addresses, max);
}

int stack_set_neighbour(struct stack *stack, const struct ip_address *address, const uint8_t mac[6])
{
	return stack->ops->set_neighbour(stack, address, mac);
}

void stack_counters(const struct stack *stack, struct stack_counters *counters)
{
	stack->ops->counters(stack, counters);
}

int tcp_listen(struct stack *stack, uint16_t port, struct tcp_listener **listener)
{
	return stack->ops->tcp_listen(stack, port, listener);
}

int tcp_accept(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline)
{
	return listener->ops->tcp_accept(listener, flow, deadline);
}

void tcp_unlisten(struct tcp_listener *listener)
{
	if (listener)
		listener->ops->tcp_unlisten(listener);
}

void tcp_unlisten_resource(void *listener)
{
	tcp_unlisten(listener);
}

int tcp_connect(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow, uint64_t deadline)
{
	return stack->ops->tcp_connect(stack, peer, flow, deadline);
}

ssize_t tcp_read(struct tcp *flow, void *buf, size_t size, uint64_t deadline)
{
	return flow->ops->tcp_read(flow, buf, size, deadline);
}

ssize_t tcp_write(struct tcp *flow, const void *buf, size_t len, uint64_t deadline)
{
	return flow->ops->tcp_write(flow, buf, len, deadline);
}

size_t tcp_undelivered(const struct tcp *flow)
{
	return flow->ops->tcp_undelivered(flow);
}

int tcp_shutdown(struct tcp *flow)
{
	return flow->ops->tcp_shutdown(flow);
}

void tcp_close(struct tcp *flow)
{
	if (flow)
		flow->ops->tcp_close(flow);
}

void tcp_close_resource(void *flow)
{
	tcp_close(flow);
}

void tcp_abort(struct tcp *flow)
{
	if (flow)
		flow->ops->tcp_abort(flow);
}

void tcp_peer(const struct tcp *flow, struct ip_endpoint *peer)
{
	flow->ops->tcp_peer(flow, peer);
}

void tcp_local(const struct tcp *flow, struct ip_endpoint *local)
{
	flow->ops->tcp_local(flow, local);
}

void tcp_set_nodelay(struct tcp *flow, bool nodelay)
{
	flow->ops->tcp_set_nodelay(flow, nodelay);
}

int udp_bind(struct stack *stack, uint16_t port, struct udp **socket)
{
	return stack->ops->udp_bind(stack, port, socket);
}

ssize_t udp_receive(struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, uint64_t deadline)
{
	return socket->ops->udp_receive(socket, buf, size, from, deadline);
}

int udp_send(struct udp *socket, const struct ip_endpoint *to, const void *buf, size_t len, uint64_t deadline)
{
	return socket->ops->udp_send(socket, to, buf, len, deadline);
}

uint16_t udp_port(const struct udp *socket)
{
	return socket->ops->udp_port(socket);
}

void udp_close(struct udp *socket)
{
	if (socket)
		socket->ops->udp_close(socket);
}

void udp_close_resource(void *socket)
{
	udp_close(socket);
}
