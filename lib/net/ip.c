/* SPDX-License-Identifier: ISC
 *
 * Between the transports and the two families of IP: each call goes to the family of its destination.
 */
#include <errno.h>

#include "own_stack.h"

/* A stack without IPv6 leaves all to IPv4, which has no route to it. */
static bool is_ipv6(const struct own_stack *stack, const struct ip_address *destination)
{
	return stack->ipv6 && !ip_is_v4(destination);
}

int ip_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu)
{
	if (loopback_leads_to(stack, destination)) {
		*source = *destination;
		*mtu = stack->net->info.mtu;
		return 0;
	}
	return is_ipv6(stack, destination) ? stack->ipv6_ops->route(stack, destination, source, mtu)
					   : ipv4_route(stack, destination, source, mtu);
}

int ip_wait_for_route(struct own_stack *stack, const struct ip_address *destination, uint64_t deadline,
	struct ip_address *source, uint16_t *mtu)
{
	int err;

	while ((err = ip_route(stack, destination, source, mtu)) == -EAGAIN) {
		err = wait_on(&stack->resolved, deadline);
		if (err < 0)
			return err;
	}
	return err;
}

int ip_ready(struct own_stack *stack, const struct ip_address *destination)
{
	if (loopback_leads_to(stack, destination))
		return 0;
	return is_ipv6(stack, destination) ? stack->ipv6_ops->ready(stack, destination)
					   : ipv4_ready(stack, destination);
}

int ip_send(struct own_stack *stack, const struct ip_sending *packet)
{
	if (loopback_leads_to(stack, &packet->destination))
		return loopback_send(stack, packet);
	return is_ipv6(stack, &packet->destination) ? stack->ipv6_ops->send(stack, packet) : ipv4_send(stack, packet);
}

void ip_send_or_drop(struct own_stack *stack, const struct ip_sending *packet)
{
	if (ip_send(stack, packet) == -EAGAIN)
		stack_drop(stack, DROP_LINK_NO_ROOM);
}

void ip_confirm(struct own_stack *stack, const struct ip_address *destination)
{
	if (is_ipv6(stack, destination))
		stack->ipv6_ops->confirm(stack, destination);
}

uint32_t ip_link_features(const struct own_stack *stack)
{
	uint32_t features = UINT32_MAX;

	for (const struct interface *interface = stack->interfaces; interface; interface = interface->next)
		features &= interface->net->info.features;
	return features;
}
