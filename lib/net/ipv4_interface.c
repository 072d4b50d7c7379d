/* SPDX-License-Identifier: ISC
 *
 * Which of our links an IPv4 address belongs to.
 */
#include "own_stack.h"

struct interface *ipv4_interface_of(const struct own_stack *stack, uint32_t address)
{
	struct interface *interface = stack->interfaces;

	while (interface && !ipv4_local_find(&interface->ipv4, address))
		interface = interface->next;
	return interface;
}

const struct ipv4_local *ipv4_find_near(const struct own_stack *stack, uint32_t address, struct interface **interface)
{
	const struct ipv4_local *best = NULL;

	*interface = NULL;
	for (struct interface *each = stack->interfaces; each; each = each->next) {
		const struct ipv4_local *near = ipv4_local_near(&each->ipv4, address);

		if (near && (!best || near->mask > best->mask)) {
			best = near;
			*interface = each;
		}
	}
	return best;
}

bool ipv4_is_broadcast(const struct own_stack *stack, uint32_t address)
{
	struct interface *interface;
	const struct ipv4_local *near = ipv4_find_near(stack, address, &interface);

	return address == UINT32_MAX || (near && ipv4_local_is_broadcast(near, address));
}
