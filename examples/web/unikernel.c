/* SPDX-License-Identifier: ISC
 *
 * A web server with one page of plain text.
 */
#include <skerry/http.h>
#include <skerry/task.h>

#include "keys.h"

/* A connection uses at most 3 KiB of it in a guest, and 5 KiB in a process: the less it has, the more can wait. */
const size_t task_stack_bytes = 12 << 10;

static int hello(struct http_exchange *exchange, void *context)
{
	(void)context;
	return http_respond_text(exchange, 200, "Hello World!\n");
}

int start(struct stack *stack)
{
	static const struct http_route routes[] = { { "GET", "/", hello, NULL } };
	const struct http_site site = { .routes = routes, .route_count = 1 };

	return http_serve(stack, (uint16_t)keys.port, &site);
}
