/* SPDX-License-Identifier: ISC
 *
 * An echo server on port 9000 whose network is captured: who connects to port 9001 gets the record, of all but itself,
 * up to the moment in which he ends his side.
 */
#include <errno.h>

#include <skerry/capture.h>
#include <skerry/stack.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "keys.h"

enum { ECHO_PORT = 9000, RECORD_PORT = 9001, IPV4_HEADER = 14, IPV4_PROTOCOL = 23, TCP = 6 };

static struct net *captured;

static bool has_port(const uint8_t *port)
{
	return (port[0] << 8 | port[1]) == RECORD_PORT;
}

static bool is_not_the_record(void *context, bool outgoing, const uint8_t *head, size_t len)
{
	const uint8_t *ports = head + IPV4_HEADER + 4 * (len > IPV4_HEADER ? head[IPV4_HEADER] & 15 : 0);

	(void)context;
	(void)outgoing;
	if (len <= IPV4_PROTOCOL || head[12] != 8 || head[13] != 0 || head[IPV4_PROTOCOL] != TCP)
		return true;
	return ports + 4 > head + len || !(has_port(ports) || has_port(ports + 2));
}

static int echo(void *arg)
{
	struct tcp *flow = arg;
	char buf[2048];
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, FOREVER)) > 0)
		if (tcp_write(flow, buf, (size_t)len, FOREVER) < 0)
			break;
	return 0;
}

static int echo_server(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(arg, ECHO_PORT, &listener);

	if (err < 0)
		return err;
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0)
		if (task_spawn_with(task_orphans(), echo, flow, tcp_close_resource, NULL) < 0)
			tcp_abort(flow);
	task_group_cancel(task_orphans());
	tcp_unlisten(listener);
	return err;
}

/* What is there, now and then, until the reader has ended its side. */
static void send_record(struct tcp *flow)
{
	char buf[4096], end;
	ssize_t len, ended;

	do {
		ended = tcp_read(flow, &end, 1, clock_deadline(MSEC(10)));
		while ((len = net_capture_read(captured, buf, sizeof buf, AT_ONCE)) > 0)
			if (tcp_write(flow, buf, (size_t)len, FOREVER) < 0)
				return;
	} while (ended == -ETIMEDOUT);
}

int start(struct net *net)
{
	const struct capture_config capture = { .wants = is_not_the_record };
	const struct stack_config config = { .ipv4 = keys.ipv4 };
	struct tcp_listener *listener;
	struct stack *stack;
	struct task *server;
	struct tcp *flow;
	int err = net_capture(net, &capture, &captured);

	if (err == 0)
		err = stack_open(captured, &config, &stack);
	if (err == 0)
		err = task_spawn(NULL, echo_server, stack, &server);
	if (err == 0)
		err = tcp_listen(stack, RECORD_PORT, &listener);
	while (err == 0 && (err = tcp_accept(listener, &flow, FOREVER)) == 0) {
		send_record(flow);
		tcp_close(flow);
	}
	return err;
}
