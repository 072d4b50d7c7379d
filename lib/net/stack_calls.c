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
