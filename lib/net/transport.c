/* SPDX-License-Identifier: ISC
 *
 * The transports of a stack, which may lack one: each is called through its table.
 */
#include "own_stack.h"

int transport_open(struct own_stack *stack, const struct stack_layers *layers)
{
	int err = 0;

	stack->tcp_ops = layers->tcp;
	stack->udp_ops = layers->udp;
	stack->listener = layers->listener;
	if (stack->tcp_ops) {
		stack->base.tcp = stack->tcp_ops->calls;
		err = stack->tcp_ops->open(stack, &stack->tcp);
	}
	if (err == 0 && stack->udp_ops) {
		stack->base.udp = stack->udp_ops->calls;
		err = stack->udp_ops->open(stack, &stack->udp);
	}
	return err;
}

enum transport_answer transport_receive(struct own_stack *stack, const struct ip_received *packet, uint8_t protocol)
{
	struct stack_listener *listener = stack->listener;

	if (protocol == IP_PROTOCOL_TCP && stack->tcp) {
		stack->tcp_ops->receive(stack->tcp, packet);
		return TRANSPORT_TOOK;
	}
	if (protocol == IP_PROTOCOL_UDP && stack->udp)
		return stack->udp_ops->receive(stack->udp, packet) ? TRANSPORT_TOOK : TRANSPORT_NO_PORT;
	if (listener && listener->packet &&
		listener->packet(
			listener, protocol, &packet->source, &packet->destination, packet->payload, packet->len))
		return TRANSPORT_TOOK;
	return TRANSPORT_NO_PROTOCOL;
}

bool transport_icmp_error(struct own_stack *stack, uint8_t protocol, const struct ip_address *source,
	const struct ip_address *destination, const uint8_t *quoted, size_t len, int error, uint16_t mtu)
{
	if (protocol == IP_PROTOCOL_TCP && stack->tcp)
		return stack->tcp_ops->icmp_error(stack->tcp, source, destination, quoted, len, error, mtu);
	if (protocol == IP_PROTOCOL_UDP && stack->udp)
		return stack->udp_ops->icmp_error(stack->udp, destination, quoted, len, error);
	return false;
}

void transport_lose_address(struct own_stack *stack, const struct ip_address *address)
{
	if (stack->tcp)
		stack->tcp_ops->lose_address(stack->tcp, address);
}

void transport_flush(struct own_stack *stack)
{
	if (stack->tcp)
		stack->tcp_ops->flush(stack->tcp);
}

void transport_close_tcp(struct own_stack *stack)
{
	if (stack->tcp)
		stack->tcp_ops->close(stack->tcp);
	stack->tcp = NULL;
}

void transport_close_udp(struct own_stack *stack)
{
	if (stack->udp)
		stack->udp_ops->close(stack->udp);
	stack->udp = NULL;
}
