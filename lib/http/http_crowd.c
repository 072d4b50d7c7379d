/* SPDX-License-Identifier: ISC
 *
 * A crowd: who leaves when a new connection has no room, by number or by memory. So clients that do nothing, however
 * many, keep nobody out.
 *
 * First leaves the connection that has waited longest between exchanges: for a request, for the rest of its head,
 * whatever trickles in meanwhile. Without any such, the one that has been slowest with a body, if that took less than
 * HTTP_STALL_BYTES in HTTP_STALL_NS. Who is served is never asked to leave, nor who has still to receive the end of its
 * response.
 *
 * It leaves by cancellation, and with a reset: that gives back all of its memory at once.
 */
#include <stddef.h>

#include <platform.h>
#include <skerry/log.h>
#include <skerry/task.h>

#include "http_exchange.h"

LOG_SOURCE(http);

void http_wait_begin(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;

	exchange->waits = true;
	exchange->waits_since = task_now();
	exchange->waits_next = NULL;
	exchange->waits_previous = server->waiting_last;
	if (server->waiting_last != NULL)
		server->waiting_last->waits_next = exchange;
	else
		server->waiting = exchange;
	server->waiting_last = exchange;
}

void http_wait_end(struct http_exchange *exchange)
{
	struct http_server *server = exchange->server;

	if (!exchange->waits)
		return;
	exchange->waits = false;
	if (exchange->waits_previous != NULL)
		exchange->waits_previous->waits_next = exchange->waits_next;
	else
		server->waiting = exchange->waits_next;
	if (exchange->waits_next != NULL)
		exchange->waits_next->waits_previous = exchange->waits_previous;
	else
		server->waiting_last = exchange->waits_previous;
}

void http_moved(struct http_exchange *exchange, size_t len)
{
	exchange->moved += len;
	if (exchange->moved < HTTP_STALL_BYTES)
		return;
	exchange->moved = 0;
	exchange->moved_at = task_now();
}

/* Not while the last response is still on its way, if that is not too slow. */
static struct http_exchange *longest_waiting(const struct http_server *server)
{
	struct http_exchange *one = server->waiting;

	while (one != NULL && tcp_undelivered(one->flow) > 0 && task_now() - one->waits_since < HTTP_STALL_NS)
		one = one->waits_next;
	return one;
}

/* NULL: nobody is too slow. */
static struct http_exchange *slowest(const struct http_server *server)
{
	struct http_exchange *found = NULL;

	for (struct http_exchange *one = server->connections; one != NULL; one = one->next)
		if (one->moving > 0 && (found == NULL || one->moved_at < found->moved_at))
			found = one;
	return found != NULL && task_now() - found->moved_at >= HTTP_STALL_NS ? found : NULL;
}

bool http_is_crowded(const struct http_server *server)
{
	struct platform_memory memory;

	if (server->connection_count >= server->limits.connections)
		return true;
	if (server->memory_bytes == 0)
		return false;
	platform_memory(&memory);
	return memory.total_bytes - memory.used_bytes < memory.total_bytes / HTTP_RESERVE_SHARE;
}

bool http_make_room(struct http_server *server)
{
	struct http_exchange *leaves = longest_waiting(server);
	char client[IP_ENDPOINT_TEXT_MAX];

	if (leaves == NULL)
		leaves = slowest(server);
	if (leaves == NULL)
		return false;
	log_debug("%s makes room for another", ip_endpoint_format(&leaves->client, client));
	leaves->evicted = true;
	task_cancel(leaves->task);
	return true;
}
