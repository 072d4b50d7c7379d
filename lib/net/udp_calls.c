/* SPDX-License-Identifier: ISC
 *
 * The public calls of udp.h: each goes through the table of the stack that its object came from.
 *
 * Whoever calls udp_bind has this file linked, and by the reference below our own UDP, which stack_open
 * then finds; a program that does not has none.
 */
#include <errno.h>

#include <skerry/layers.h>

#include "stack_ops.h"

/* Never read, so it leaves no trace in the program. */
static const struct stack_udp *const needed __attribute__((used)) = &stack_udp;

int udp_bind(struct stack *stack, uint16_t port, struct udp **socket)
{
	return stack->udp ? stack->udp->bind(stack, port, socket) : -EPROTONOSUPPORT;
}

ssize_t udp_receive(struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, uint64_t deadline)
{
	return socket->ops->receive(socket, buf, size, from, NULL, deadline);
}

int udp_send(struct udp *socket, const struct ip_endpoint *to, const void *buf, size_t len, uint64_t deadline)
{
	return socket->ops->send(socket, NULL, to, buf, len, deadline);
}

uint16_t udp_port(const struct udp *socket)
{
	return socket->ops->port(socket);
}

void udp_close(struct udp *socket)
{
	if (socket)
		socket->ops->close(socket);
}

void udp_close_resource(void *socket)
{
	udp_close(socket);
}
