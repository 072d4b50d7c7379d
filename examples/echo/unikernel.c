/* SPDX-License-Identifier: ISC
 *
 * An echo server (RFC 862, on TCP port 9000): one task for each connection writes back what it reads.
 */
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "keys.h"

static int echo(void *arg)
{
	struct tcp *flow = arg;
	char buf[2048];
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, FOREVER)) > 0)
		if (tcp_write(flow, buf, (size_t)len, FOREVER) < 0)
			break;
	return 0; /* whatever the client did: tasks that fail are logged, and clients must not fill the log */
}

int start(struct stack *stack)
{
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(stack, (uint16_t)keys.port, &listener);

	if (err < 0)
		return err;
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0)
		if (task_spawn_with(task_orphans(), echo, flow, tcp_close_resource, NULL) < 0)
			tcp_abort(flow); /* no memory for another client: this one is told, the others go on */
	task_group_cancel(task_orphans());
	tcp_unlisten(listener);
	return err;
}
