/* SPDX-License-Identifier: ISC
 *
 * ICMP redirects (RFC 792; RFC 1122, 3.2.2.2), for programs that want them obeyed.
 */
#include <errno.h>

#include "ipv4_routes.h"
#include "wire.h"

#define REDIRECT_NS SECOND(600)
enum { REDIRECT_GATEWAY = 4, REDIRECT_QUOTE = 8 };

/* RFC 1122, 3.2.2.2: from the first hop that we use now, about what we sent there, to a gateway on the same link. All
 * are for one host: those for a network do not tell its prefix. */
static void hear_redirect(struct own_stack *stack, const struct ip_received *packet)
{
	const uint8_t *quoted = packet->payload + REDIRECT_QUOTE;
	uint32_t gateway = wire_get32(packet->payload + REDIRECT_GATEWAY);
	struct ip_address source, destination;
	struct ipv4_hop hop;

	if (packet->len < REDIRECT_QUOTE + IPV4_HEADER) {
		stack_drop(stack, DROP_ICMP_QUOTE);
		return;
	}
	source = ipv4_address(wire_get32(quoted + IPV4_SOURCE));
	destination = ipv4_address(wire_get32(quoted + IPV4_DESTINATION));
	if (!ipv4_interface_of(stack, ipv4_number(&source)) ||
		ipv4_choose_hop(stack, &destination, &source, &hop) < 0 || hop.neighbour == 0 ||
		hop.neighbour != ipv4_number(&packet->source) || !ipv4_is_gateway(stack, gateway) ||
		!ipv4_local_near(&hop.interface->ipv4, gateway)) {
		stack_drop(stack, DROP_ICMP_QUOTE);
		return;
	}
	stack->routes->all[IPV4_FIRST_REDIRECT + stack->routes->next_redirect++ % STACK_REDIRECTS_MAX] =
		(struct ipv4_route){ hop.interface, ipv4_number(&destination), UINT32_MAX, gateway, 0,
			stack_now(stack) + REDIRECT_NS };
}

int stack_obey_redirects(struct stack *base, bool obey)
{
	struct own_stack *stack = ipv4_own_stack(base);

	if (!stack)
		return -ENOTSUP;
	if (ipv4_have_routes(stack) < 0)
		return -ENOMEM;
	stack->redirected = obey ? hear_redirect : NULL;
	for (size_t i = IPV4_FIRST_REDIRECT; i < IPV4_ROUTES; i++)
		stack->routes->all[i] = (struct ipv4_route){ 0 };
	return 0;
}
