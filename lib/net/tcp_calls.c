/* SPDX-License-Identifier: ISC
 *
 * The public calls of tcp.h: each goes through the table of the stack that its object came from.
 *
 * Whoever calls one of them has this file linked, and by the reference below our own TCP, which
 * stack_open then finds; a program that does not has none.
 */
#include <errno.h>

#include <skerry/layers.h>

#include "stack_ops.h"

/* Never read, so it leaves no trace in the program. */
static const struct stack_tcp *const needed __attribute__((used)) = &stack_tcp;

int tcp_listen(struct stack *stack, uint16_t port, struct tcp_listener **listener)
{
	const struct tcp_listening usual = { .backlog = TCP_BACKLOG };

	return tcp_listen_with(stack, port, &usual, listener);
}

int tcp_listen_with(
	struct stack *stack, uint16_t port, const struct tcp_listening *listening, struct tcp_listener **listener)
{
	if (port == 0 || listening->backlog > TCP_BACKLOG_MAX)
		return -EINVAL;
	return stack->tcp ? stack->tcp->listen(stack, port, listening, listener) : -EPROTONOSUPPORT;
}

int tcp_accept(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline)
{
	return listener->ops->accept(listener, flow, deadline);
}

void tcp_unlisten(struct tcp_listener *listener)
{
	if (listener)
		listener->ops->unlisten(listener);
}

void tcp_unlisten_resource(void *listener)
{
	tcp_unlisten(listener);
}

ssize_t tcp_read(struct tcp *flow, void *buf, size_t size, uint64_t deadline)
{
	return flow->ops->read(flow, buf, size, deadline);
}

ssize_t tcp_write(struct tcp *flow, const void *buf, size_t len, uint64_t deadline)
{
	return flow->ops->write(flow, buf, len, deadline);
}

size_t tcp_undelivered(const struct tcp *flow)
{
	return flow->ops->undelivered(flow);
}

int tcp_shutdown(struct tcp *flow)
{
	return flow->ops->shutdown(flow);
}

void tcp_close(struct tcp *flow)
{
	if (flow)
		flow->ops->close(flow);
}

void tcp_close_resource(void *flow)
{
	tcp_close(flow);
}

void tcp_abort(struct tcp *flow)
{
	if (flow)
		flow->ops->abort(flow);
}

void tcp_peer(const struct tcp *flow, struct ip_endpoint *peer)
{
	flow->ops->peer(flow, peer);
}

void tcp_local(const struct tcp *flow, struct ip_endpoint *local)
{
	flow->ops->local(flow, local);
}

void tcp_set_nodelay(struct tcp *flow, bool nodelay)
{
	flow->ops->set_nodelay(flow, nodelay);
}
