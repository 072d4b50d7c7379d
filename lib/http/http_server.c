/* SPDX-License-Identifier: ISC
 *
 * The server: takes connections and gives each a task.
 */
#include <errno.h>
#include <stddef.h>

#include <platform.h>
#include <skerry/log.h>
#include <skerry/task.h>

#include "http_exchange.h"

LOG_SOURCE(http);

static const struct http_limits defaults = {
	.header_bytes = 8192,
	.header_ns = SECOND(10),
	.idle_ns = SECOND(60),
	.body_bytes = UINT64_MAX,
	.connections = 4096,
};

/* Fires when the last of them has had its time. */
static void close_parting(struct timer *timer)
{
	struct http_server *server =
		(struct http_server *)((char *)timer - offsetof(struct http_server, parting_timer));

	while (server->parting_count > 0)
		tcp_close(server->parting[--server->parting_count]);
}

static void server_init(struct http_server *server, const struct http_site *site)
{
	struct http_limits limits = site->limits;
	struct platform_memory memory;

	platform_memory(&memory);
	limits.header_bytes = limits.header_bytes != 0 ? limits.header_bytes : defaults.header_bytes;
	limits.header_ns = limits.header_ns != 0 ? limits.header_ns : defaults.header_ns;
	limits.idle_ns = limits.idle_ns != 0 ? limits.idle_ns : defaults.idle_ns;
	limits.body_bytes = limits.body_bytes != 0 ? limits.body_bytes : defaults.body_bytes;
	limits.connections = limits.connections != 0 ? limits.connections : defaults.connections;
	*server = (struct http_server){ .site = site,
		.limits = limits,
		.memory_bytes = memory.total_bytes,
		.parting_timer = TIMER_INIT(close_parting) };
}

/* Clients decide how often memory is short, so they must not decide how much is logged. */
static void warn_of_memory(struct http_server *server)
{
	if (task_now() < server->warn_at)
		return;
	server->warn_at = http_deadline(HTTP_WARN_NS);
	log_warn("no memory for more connections");
}

int http_refuse_without_memory(struct http_server *server, struct tcp *flow)
{
	static const char response[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
				       "Connection: close\r\n\r\n";

	warn_of_memory(server);
	return (int)tcp_write(flow, response, sizeof response - 1, task_now());
}

/* There is no memory for a connection. To close it at once could reset it before the client has read why, if its
 * request is here already. */
static void part(struct http_server *server, struct tcp *flow)
{
	if (server->parting_count == HTTP_PARTING_MAX || http_refuse_without_memory(server, flow) < 0 ||
		tcp_shutdown(flow) < 0) {
		tcp_abort(flow);
		return;
	}
	server->parting[server->parting_count++] = flow;
	timer_set(&server->parting_timer, http_deadline(HTTP_PARTING_NS));
}

/* 0 or -ENOMEM, and then the flow is the caller's. */
static int begin(struct http_server *server, struct tcp *flow, bool refused)
{
	struct http_exchange *exchange = http_connection_new(server, flow, refused);
	int err;

	if (exchange == NULL)
		return -ENOMEM;
	err = task_spawn_with(task_orphans(), http_connection_serve, exchange, http_connection_free, NULL);
	if (err < 0) {
		exchange->flow = NULL;
		http_connection_free(exchange);
	}
	return err;
}

static void admit(struct http_server *server, struct tcp *flow)
{
	bool refused = http_is_crowded(server) && !http_make_room(server) &&
		       server->connection_count >= server->limits.connections;
	int err;

	if (refused && server->refusal_count >= HTTP_REFUSALS_MAX) {
		tcp_abort(flow);
		return;
	}
	err = begin(server, flow, refused);
	if (err < 0 && http_make_room(server))
		err = begin(server, flow, refused);
	if (err < 0)
		part(server, flow);
}

int http_serve(struct stack *stack, uint16_t port, const struct http_site *site)
{
	struct http_server server;
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(stack, port, &listener);

	if (err < 0)
		return err;
	server_init(&server, site);
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0)
		admit(&server, flow);
	tcp_unlisten(listener);
	task_group_cancel(task_orphans());
	timer_cancel(&server.parting_timer);
	close_parting(&server.parting_timer);
	return err;
}
