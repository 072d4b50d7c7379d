/* SPDX-License-Identifier: ISC
 *
 * For load tests: an echo server on port 9000 that can be asked on port 9001 what it holds. The answer is one line,
 * "used=BYTES peak=BYTES flows=COUNT", and closes the connection.
 */
#include <stdio.h>

#include <platform.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

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
	struct stack *stack = arg;
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(stack, 9000, &listener);

	if (err < 0)
		return err;
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0)
		if (task_spawn_with(task_orphans(), echo, flow, tcp_close_resource, NULL) < 0)
			tcp_abort(flow);
	task_group_cancel(task_orphans());
	tcp_unlisten(listener);
	return err;
}

static void report(struct stack *stack, struct tcp *flow)
{
	struct platform_memory memory;
	struct stack_counters counters;
	char text[128];
	int len;

	platform_memory(&memory);
	stack_counters(stack, &counters);
	len = snprintf(text, sizeof text, "used=%zu peak=%zu flows=%u\n", memory.used_bytes, memory.peak_bytes,
		(unsigned)counters.tcp_flows);
	if (tcp_write(flow, text, (size_t)len, clock_deadline(SECOND(5))) < 0)
		tcp_abort(flow);
	else
		tcp_close(flow);
}

int start(struct stack *stack)
{
	struct tcp_listener *listener;
	struct task *server;
	struct tcp *flow;
	int err = task_spawn(NULL, echo_server, stack, &server);

	if (err < 0)
		return err;
	err = tcp_listen(stack, 9001, &listener);
	while (err == 0 && (err = tcp_accept(listener, &flow, FOREVER)) == 0)
		report(stack, flow);
	task_cancel(server);
	return err;
}
