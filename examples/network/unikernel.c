/* SPDX-License-Identifier: ISC
 *
 * Listens on a TCP port, tells who connects and what they send first, and closes the connection. Asked by SIGUSR1 what
 * it is doing, it tells about its network stack, too.
 */
#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "keys.h"

LOG_SOURCE(application);

static int listen_to(void *arg)
{
	struct tcp *flow = arg;
	struct ip_endpoint peer;
	char address[IP_TEXT_MAX], buf[256];
	ssize_t len;

	tcp_peer(flow, &peer);
	log_info("new tcp connection from IP %s on port %u", ip_format(&peer.address, address), peer.port);
	len = tcp_read(flow, buf, sizeof buf, FOREVER);
	if (len < 0)
		return (int)len;
	if (len == 0)
		log_info("Closing connection!");
	else
		log_debug("read: %zd \"%.*s\"", len, (int)len, buf);
	return 0;
}

int start(struct stack *stack)
{
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(stack, (uint16_t)keys.port, &listener);

	if (err < 0)
		return err;
	err = task_spawn(task_orphans(), stack_print_when_asked, stack, NULL);
	while (err == 0 && (err = tcp_accept(listener, &flow, FOREVER)) == 0)
		if (task_spawn_with(task_orphans(), listen_to, flow, tcp_close_resource, NULL) < 0)
			tcp_abort(flow);
	task_group_cancel(task_orphans());
	tcp_unlisten(listener);
	return err;
}
