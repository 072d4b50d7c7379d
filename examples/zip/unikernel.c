/* SPDX-License-Identifier: ISC
 *
 * A web page that takes files and gives back a zip archive of them, packed while they arrive.
 */
#include <skerry/http.h>
#include <skerry/task.h>

#include "files.h"
#include "keys.h"
#include "upload.h"

/* A connection uses at most 3 KiB of it in a guest, and 5 KiB in a process: the less it has, the more can wait. */
const size_t task_stack_bytes = 12 << 10;

/* Nothing but this site's own files may run, load or be sent to. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
	"frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

struct page {
	const struct crunched_file *file;
};

static int show(struct http_exchange *exchange, void *context)
{
	const struct page *page = context;
	int err = http_add(exchange, "Content-Security-Policy", policy);
	if (err == 0)
		err = http_add(exchange, "X-Content-Type-Options", "nosniff");
	if (err == 0)
		err = http_add(exchange, "Referrer-Policy", "no-referrer");
	return err < 0 ? err : http_respond_file(exchange, page->file);
}

int start(struct stack *stack)
{
	struct page index = { &index_html }, style = { &style_css }, script = { &script_js };
	const struct http_route routes[] = {
		{ "GET", "/", show, &index },
		{ "GET", "/style.css", show, &style },
		{ "GET", "/script.js", show, &script },
		{ "POST", "/upload", upload, NULL },
		{ "GET", "/archive", download, NULL },
	};
	const struct http_site site = { .routes = routes, .route_count = sizeof routes / sizeof *routes };

	return http_serve(stack, (uint16_t)keys.port, &site);
}
