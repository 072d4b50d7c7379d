/* SPDX-License-Identifier: ISC
 *
 * Reading without a copy: tcp_peek and tcp_consume, and what they are on our own stack.
 */
#include <errno.h>

#include <skerry/log.h>

#include "tcp_stack.h"

/* The peer has ended its stream, and all of it was received. */
static bool is_whole(const struct tcp_connection *c)
{
	return c->fin_received || (c->state == TCP_CLOSED && !c->error);
}

ssize_t own_tcp_peek(struct tcp *base, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;
	struct ring *rx = &flow->core.rx;
	struct platform_piece found[2] = { { 0 }, { 0 } };

	if (task_cancelled())
		return -ECANCELED;
	ring_return(rx);
	while (rx->len <= seen && !is_whole(&flow->core)) {
		int err = flow->core.error;

		if (err == 0)
			err = wait_on(&flow->readers, deadline);
		if (err < 0)
			return err;
	}
	ring_lend(rx);
	ring_pieces(rx, 0, rx->len, found);
	for (size_t i = 0; i < TCP_PIECES; i++)
		pieces[i] = (struct tcp_piece){ .data = found[i].data, .len = found[i].len };
	return (ssize_t)rx->len;
}

/* After a reset, nothing is left of what was shown. */
void own_tcp_consume(struct tcp *base, size_t len)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;
	struct ring *rx = &flow->core.rx;

	must(len <= rx->len || flow->core.error); /* more than was shown */
	ring_return(rx);
	if (len == 0 || len > rx->len)
		return;
	ring_consume(rx, (uint32_t)len);
	tcp_core_taken(&flow->core);
	if (flow->core.ack_now && flow->tcp)
		tcp_flow_push(flow);
}

ssize_t tcp_peek(struct tcp *flow, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline)
{
	return seen >= TCP_PEEK_MAX ? -ENOBUFS : flow->ops->peek(flow, pieces, seen, deadline);
}

void tcp_consume(struct tcp *flow, size_t len)
{
	flow->ops->consume(flow, len);
}
