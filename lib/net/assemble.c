/* SPDX-License-Identifier: ISC
 *
 * Our own stack on a device of the unikernel's: opening it waits, as a task, for an address; and the turn of a ready
 * device: up to STACK_BATCH frames are read and handled, one after the other in one buffer, and then the transports
 * acknowledge and send once. What is left is read in the next turn, since devices are level-triggered, after tasks have
 * had theirs.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/random.h>

#include "own_stack.h"

void interface_receive(void *context)
{
	struct interface *interface = context;
	struct own_stack *stack = interface->stack;
	struct net *net = interface->net;

	for (int i = 0; i < STACK_BATCH; i++) {
		struct platform_net_meta meta;
		ssize_t len = net->ops->receive(net, stack->frame, NET_FRAME_MAX, &meta);

		if (len == -EMSGSIZE) {
			stack_drop(stack, DROP_LINK_LENGTH);
			continue;
		}
		if (len < 0)
			break;
		stack_receive_frame(interface, stack->frame, (size_t)len, &meta);
	}
	transport_flush(stack);
}

/* The device is served meanwhile. */
static int wait_for_address(struct own_stack *stack)
{
	int err;

	if (stack->dhcp)
		return stack->dhcp->wait(stack);
	while ((err = stack_is_configured(stack)) == -EAGAIN) {
		err = wait_on(&stack->configured, FOREVER);
		if (err < 0)
			return err;
	}
	return err;
}

int stack_assemble(
	struct net *net, const struct stack_config *config, const struct stack_layers *layers, struct stack **result)
{
	struct own_stack *stack;
	int err = random_init();

	if (err < 0)
		return err;
	stack = calloc(1, sizeof *stack);
	if (stack)
		stack->frame = malloc(NET_FRAME_MAX);
	if (!stack || !stack->frame) {
		free(stack);
		return -ENOMEM;
	}
	stack->net = net;
	net->ready = interface_receive;
	net->ready_context = &stack->first;
	err = own_stack_open(stack, config, layers);
	if (err < 0)
		return err;
	err = wait_for_address(stack);
	if (err < 0)
		stack_close(&stack->base);
	else
		*result = &stack->base;
	return err;
}
