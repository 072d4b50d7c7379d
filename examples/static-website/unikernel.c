/* SPDX-License-Identifier: ISC
 *
 * A web site of files: each path is a key of the store, whichever store it was configured with.
 */
#include <errno.h>
#include <string.h>

#include <skerry/http_stream.h>
#include <skerry/kv_stream.h>
#include <skerry/log.h>

#include "keys.h"

LOG_SOURCE(application);

static const char *content_type(const char *path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".txt", "text/plain; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".jpg", "image/jpeg" },
	};
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending && i < sizeof types / sizeof *types; i++)
		if (strcmp(ending, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}

static int serve(struct http_exchange *exchange, void *context)
{
	const char *path = http_path(exchange);
	struct source_kv file;
	struct sink_http response;
	enum kv_kind kind;
	int err;

	if (strcmp(path, "/") == 0)
		path = "/index.html";
	log_info("%s %s", http_method(exchange), path);
	if (kv_exists(context, path, &kind) < 0 || kind != KV_VALUE)
		return http_respond_text(exchange, 404, "There is no such page.\n");
	err = http_begin(exchange, 200, content_type(path));
	if (err == 0)
		err = stream_run(source_kv(&file, context, path), sink_http(&response, exchange), FOREVER);
	return err;
}

int start(struct stack *stack, struct kv *htdocs)
{
	const struct http_route routes[] = { { "GET", "/*", serve, htdocs } };
	const struct http_site site = { .routes = routes, .route_count = 1 };

	return http_serve(stack, (uint16_t)keys.port, &site);
}
