/* SPDX-License-Identifier: ISC
 *
 * Reading ahead on the host's sockets: the flow has a buffer while bytes were shown that are not taken yet.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>

#include "hostnet.h"

/* Reads once behind what is there: what recv() returned, with its errors as they are. */
static ssize_t read_ahead(struct host_flow *flow)
{
	ssize_t len = recv(flow->socket.fd, flow->ahead + flow->ahead_len, TCP_PEEK_MAX - flow->ahead_len, 0);

	if (len > 0)
		flow->ahead_len += (size_t)len;
	return len;
}

static void drop_ahead(struct host_flow *flow, size_t len)
{
	flow->ahead_start += len;
	flow->ahead_len -= len;
	if (flow->ahead_len > 0)
		return;
	free(flow->ahead);
	flow->ahead = NULL;
	flow->ahead_start = 0;
}

size_t host_flow_take(struct host_flow *flow, void *buf, size_t size)
{
	size_t len = size < flow->ahead_len ? size : flow->ahead_len;

	memcpy(buf, flow->ahead + flow->ahead_start, len);
	drop_ahead(flow, len);
	return len;
}

ssize_t host_tcp_peek(struct tcp *base, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline)
{
	struct host_flow *flow = (struct host_flow *)base;
	ssize_t len = 1;
	int err = host_flow_enter(flow);

	if (err == 0 && !flow->ahead && !(flow->ahead = malloc(TCP_PEEK_MAX)))
		err = -ENOMEM;
	if (err < 0)
		return err;
	if (flow->ahead_start > 0)
		memmove(flow->ahead, flow->ahead + flow->ahead_start, flow->ahead_len);
	flow->ahead_start = 0;
	while (err == 0 && len != 0 && flow->ahead_len <= seen) {
		len = read_ahead(flow);
		if (len < 0)
			err = host_flow_retry(flow, &flow->socket.readable, deadline);
	}
	pieces[0] = (struct tcp_piece){ .data = flow->ahead, .len = flow->ahead_len };
	pieces[1] = (struct tcp_piece){ .len = 0 };
	len = (ssize_t)flow->ahead_len;
	drop_ahead(flow, 0);
	return err < 0 ? err : len;
}

void host_tcp_consume(struct tcp *base, size_t len)
{
	struct host_flow *flow = (struct host_flow *)base;

	must(len <= flow->ahead_len); /* more than was shown */
	if (flow->ahead)
		drop_ahead(flow, len);
}
