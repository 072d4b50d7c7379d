/* SPDX-License-Identifier: ISC
 *
 * The calls of tcp.h on our own stack: each does what it can with the machine, sends, and waits for the rest.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/log.h>

#include "tcp_stack.h"

enum { MEMORY_RETRY_NS = 10 * 1000 * 1000 };

static struct tcp_flow *flow_of(struct tcp *flow)
{
	return (struct tcp_flow *)(void *)flow;
}

static const struct tcp_flow *const_flow_of(const struct tcp *flow)
{
	return (const struct tcp_flow *)(const void *)flow;
}

static struct own_listener *listener_of(struct tcp_listener *listener)
{
	return (struct own_listener *)(void *)listener;
}

/* After the user has done something. A flow whose stack is gone has nobody to send to. */
static void push(struct tcp_flow *flow)
{
	if (flow->tcp)
		tcp_flow_push(flow);
}

static int own_tcp_listen(
	struct stack *stack, uint16_t port, const struct tcp_listening *listening, struct tcp_listener **result)
{
	struct tcp_stack *tcp = ((struct own_stack *)(void *)stack)->tcp;
	const struct ip_endpoint local = { listening->address, port };
	struct own_listener *listener = tcp_find_listener(tcp, &local);

	if (listener && ip_equal(&listener->address, &local.address))
		return -EADDRINUSE;
	if (!ip_equal(&local.address, &ip_unspecified) && !loopback_leads_to(tcp->own, &local.address))
		return -EADDRNOTAVAIL;
	listener = calloc(1, sizeof *listener);
	if (!listener)
		return -ENOMEM;
	listener->base.ops = stack->tcp;
	listener->tcp = tcp;
	listener->port = port;
	listener->address = local.address;
	listener->tuning = tcp->tuning;
	listener->backlog = listening->backlog ? listening->backlog : TCP_BACKLOG;
	listener->refuse = listening->refuse;
	listener->next = tcp->listeners;
	tcp->listeners = listener;
	*result = &listener->base;
	return 0;
}

static int own_tcp_accept(struct tcp_listener *base, struct tcp **result, uint64_t deadline)
{
	struct own_listener *listener = listener_of(base);
	struct tcp_flow *flow;

	if (task_cancelled())
		return -ECANCELED;
	while (!listener->ready.first) {
		int err = listener->tcp ? wait_on(&listener->acceptors, deadline) : -ECONNRESET;
		if (err < 0)
			return err;
	}
	flow = listener->ready.first->flow;
	tcp_list_remove(&flow->place);
	flow->listener = NULL;
	flow->held = true;
	*result = &flow->base;
	return 0;
}

static void own_tcp_unlisten(struct tcp_listener *base)
{
	struct own_listener *listener = listener_of(base), **at;

	must(!listener->acceptors.first); /* a task of the user's still accepts */
	if (listener->tcp) {
		for (at = &listener->tcp->listeners; *at != listener; at = &(*at)->next)
			;
		*at = listener->next;
		while (listener->half_open.first)
			tcp_flow_kill(listener->half_open.first->flow);
		while (listener->ready.first)
			tcp_flow_kill(listener->ready.first->flow);
	}
	free(listener);
}

static ssize_t own_tcp_read(struct tcp *base, void *buf, size_t size, uint64_t deadline)
{
	struct tcp_flow *flow = flow_of(base);
	ssize_t len;
	int err;

	if (task_cancelled())
		return -ECANCELED;
	if (size == 0)
		return 0;
	while ((len = tcp_core_read(&flow->core, buf, size)) == -EAGAIN) {
		err = wait_on(&flow->readers, deadline);
		if (err < 0)
			return err;
	}
	if (flow->core.ack_now)
		push(flow);
	return len;
}

/* Waits until the flow may take more. Its own acknowledgements say when it has room; memory comes back from other
 * flows, which know nothing of it: that is looked for again and again. */
static int wait_to_write(struct tcp_flow *flow, bool no_memory, uint64_t deadline)
{
	uint64_t look_again = tcp_now(flow->tcp) + MEMORY_RETRY_NS;
	int err;

	if (!no_memory || deadline <= look_again)
		return wait_on(&flow->writers, deadline);
	err = wait_on(&flow->writers, look_again);
	return err == -ETIMEDOUT ? 0 : err;
}

static ssize_t own_tcp_write(struct tcp *base, const void *buf, size_t len, uint64_t deadline)
{
	struct tcp_flow *flow = flow_of(base);
	const uint8_t *bytes = buf;
	size_t done = 0;

	if (task_cancelled())
		return -ECANCELED;
	for (;;) {
		ssize_t taken = tcp_core_write(&flow->core, bytes + done, len - done);
		int err;
		if (taken < 0 && taken != -ENOMEM)
			return taken;
		if (taken > 0)
			done += (size_t)taken;
		push(flow);
		if (done == len)
			return (ssize_t)len;
		err = wait_to_write(flow, taken == -ENOMEM, deadline);
		if (err < 0)
			return err == -EAGAIN && done > 0 ? (ssize_t)done : err;
	}
}

static size_t own_tcp_undelivered(const struct tcp *flow)
{
	return const_flow_of(flow)->core.tx.len + const_flow_of(flow)->core.lent_bytes;
}

static int own_tcp_shutdown(struct tcp *base)
{
	struct tcp_flow *flow = flow_of(base);
	int err = tcp_core_finish(&flow->core);

	if (err == 0)
		push(flow);
	return err;
}

static void own_tcp_close(struct tcp *base)
{
	struct tcp_flow *flow = flow_of(base);

	flow->held = false;
	if (!flow->tcp) {
		tcp_flow_free(flow);
		return;
	}
	tcp_core_close(&flow->core, tcp_now(flow->tcp));
	tcp_flow_push(flow);
}

static void own_tcp_abort(struct tcp *base)
{
	struct tcp_flow *flow = flow_of(base);

	if (flow->tcp) {
		tcp_flow_kill(flow);
		return;
	}
	tcp_flow_free(flow);
}

static void own_tcp_peer(const struct tcp *flow, struct ip_endpoint *peer)
{
	*peer = const_flow_of(flow)->peer;
}

static void own_tcp_local(const struct tcp *flow, struct ip_endpoint *local)
{
	*local = const_flow_of(flow)->local;
}

static void own_tcp_set_nodelay(struct tcp *base, bool nodelay)
{
	struct tcp_flow *flow = flow_of(base);

	flow->core.nodelay = nodelay;
	push(flow);
}

/* Weak: only programs that peek take tcp_peek.c out of the library, and so on. */
__attribute__((weak)) ssize_t own_tcp_peek(
	struct tcp *flow, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline);
__attribute__((weak)) void own_tcp_consume(struct tcp *flow, size_t len);
__attribute__((weak)) int own_tcp_source(
	struct stack *stack, const struct ip_address *destination, struct ip_address *source);
__attribute__((weak)) int own_tcp_lend(struct tcp *flow, struct tcp_loan *loan, uint64_t deadline);
__attribute__((weak)) void own_tcp_reset(struct tcp *flow);
__attribute__((weak)) int own_tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer,
	const struct tcp_tuning *tuning, struct tcp **flow, uint64_t deadline);
__attribute__((weak)) int own_tcp_connected(struct tcp *flow, uint64_t deadline);
__attribute__((weak)) int own_tcp_fast_open(struct tcp_listener *listener, unsigned pending);
__attribute__((weak)) int own_tcp_connect_fast(struct stack *stack, const struct ip_endpoint *peer, const void *buf,
	size_t len, size_t *taken, struct tcp **flow, uint64_t deadline);
__attribute__((weak)) int own_tcp_tune(struct tcp *flow, const struct tcp_tuning *tuning);
__attribute__((weak)) int own_tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning);
__attribute__((weak)) int own_tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning);
__attribute__((weak)) void own_tcp_statistics(const struct tcp *flow, struct tcp_statistics *statistics);

const struct tcp_ops tcp_calls = {
	.listen = own_tcp_listen,
	.accept = own_tcp_accept,
	.unlisten = own_tcp_unlisten,
	.connect_begin = own_tcp_connect_begin,
	.connected = own_tcp_connected,
	.fast_open = own_tcp_fast_open,
	.connect_fast = own_tcp_connect_fast,
	.source = own_tcp_source,
	.read = own_tcp_read,
	.peek = own_tcp_peek,
	.consume = own_tcp_consume,
	.write = own_tcp_write,
	.lend = own_tcp_lend,
	.reset = own_tcp_reset,
	.undelivered = own_tcp_undelivered,
	.shutdown = own_tcp_shutdown,
	.close = own_tcp_close,
	.abort = own_tcp_abort,
	.peer = own_tcp_peer,
	.local = own_tcp_local,
	.set_nodelay = own_tcp_set_nodelay,
	.tune = own_tcp_tune,
	.tune_stack = own_tcp_tune_stack,
	.tune_listener = own_tcp_tune_listener,
	.statistics = own_tcp_statistics,
};
