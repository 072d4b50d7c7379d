/* SPDX-License-Identifier: ISC
 *
 * Which addresses a stack has, who tells names, and where a neighbour is: the public calls, and what they are on our
 * own stack. Only programs that call them take it out of the library.
 */
#include <errno.h>

#include "own_stack.h"

size_t own_addresses(const struct stack *stack, struct ip_address *addresses, size_t max)
{
	const struct own_stack *own = (const struct own_stack *)stack;
	size_t count = 0;

	for (const struct interface *interface = own->interfaces; interface; interface = interface->next)
		for (size_t i = 0; i < IPV4_LOCALS && count < max; i++)
			if (interface->ipv4.all[i].address != 0)
				addresses[count++] = ipv4_address(interface->ipv4.all[i].address);
	if (own->ipv6)
		count += own->ipv6_ops->addresses(own, addresses + count, max - count);
	return count;
}

size_t own_advertised_resolvers(const struct stack *stack, struct ip_address *addresses, size_t max)
{
	const struct own_stack *own = (const struct own_stack *)stack;

	return own->ipv6 ? own->ipv6_ops->resolvers(own, addresses, max) : 0;
}

/* On the link with its subnet. */
int own_set_neighbour(struct stack *stack, const struct ip_address *address, const uint8_t mac[6])
{
	struct own_stack *own = (struct own_stack *)stack;
	struct interface *interface = own->interfaces;

	while (interface && !ipv4_local_near(&interface->ipv4, ipv4_number(address)))
		interface = interface->next;
	if (!own->first.arp)
		return -ENOTSUP;
	if (interface)
		arp_learn(interface->arp, ipv4_number(address), mac, stack_now(own));
	return 0;
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
