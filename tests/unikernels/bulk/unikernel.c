/* SPDX-License-Identifier: ISC
 *
 * For tests and measurements of throughput: port 7 gives back what it gets, port 9 throws it away, and port 19 sends
 * zeros until the peer has enough (the services of RFC 862, 863 and 864).
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/task.h>
#include <skerry/tcp.h>

enum { CHUNK = 65536 };

struct service {
	uint16_t port;
	int (*talk)(void *flow);
	struct stack *stack;
};

/* Memory until the task ends. */
static char *chunk_new(void)
{
	char *chunk = calloc(1, CHUNK);

	if (chunk)
		task_defer(free, chunk);
	return chunk;
}

static int echo(void *arg)
{
	struct tcp *flow = arg;
	char *chunk = chunk_new();
	ssize_t len;

	while (chunk && (len = tcp_read(flow, chunk, CHUNK, FOREVER)) > 0 &&
		tcp_write(flow, chunk, (size_t)len, FOREVER) == len)
		;
	return 0;
}

static int discard(void *arg)
{
	struct tcp *flow = arg;
	char *chunk = chunk_new();

	while (chunk && tcp_read(flow, chunk, CHUNK, FOREVER) > 0)
		;
	return 0;
}

static int generate(void *arg)
{
	struct tcp *flow = arg;
	char *chunk = chunk_new();

	while (chunk && tcp_write(flow, chunk, CHUNK, FOREVER) == CHUNK)
		;
	return 0;
}

static int serve(void *arg)
{
	const struct service *service = arg;
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(service->stack, service->port, &listener);

	while (err == 0 && (err = tcp_accept(listener, &flow, FOREVER)) == 0)
		if (task_spawn_with(task_orphans(), service->talk, flow, tcp_close_resource, NULL) < 0)
			tcp_close(flow);
	return err;
}

int start(struct stack *stack)
{
	static struct service services[] = { { 7, echo, NULL }, { 9, discard, NULL }, { 19, generate, NULL } };

	for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
		services[i].stack = stack;
		if (task_spawn(task_orphans(), serve, &services[i], NULL) < 0)
			return -ENOMEM;
	}
	return task_sleep(FOREVER);
}
