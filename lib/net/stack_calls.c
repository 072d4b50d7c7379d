/* SPDX-License-Identifier: ISC
 *
 * The public calls of stack.h: each goes through the table of the stack.
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
