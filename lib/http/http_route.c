/* SPDX-License-Identifier: ISC
 *
 * From a request to its handler. What no route answers is answered here: 404, 405, and OPTIONS (RFC 9110, 9.3.7).
 */
#include <errno.h>
#include <string.h>

#include "http_exchange.h"
#include "http_text.h"

enum { ALLOW_MAX = 256 };

/* A route's path that ends in '*' stands for all that begin as it does. */
static bool matches(const struct http_route *route, const char *path)
{
	size_t len = strlen(route->path);

	return len > 0 && route->path[len - 1] == '*' ? strncmp(route->path, path, len - 1) == 0
						      : strcmp(route->path, path) == 0;
}

static const struct http_route *find(const struct http_site *site, const char *path, const char *method)
{
	for (size_t i = 0; i < site->route_count; i++)
		if (matches(&site->routes[i], path) && strcmp(site->routes[i].method, method) == 0)
			return &site->routes[i];
	return NULL;
}

/* A method that is known already, or does not fit, is left out. */
static void allow(char list[ALLOW_MAX], const char *method)
{
	size_t len = strlen(list), more = strlen(method);

	if (http_list_has(list, method) || len + 2 + more >= ALLOW_MAX)
		return;
	if (len > 0) {
		memcpy(list + len, ", ", 2);
		len += 2;
	}
	memcpy(list + len, method, more + 1);
}

/* The methods of this path, or of all when it is "*". False: no such path. */
static bool allowed(const struct http_site *site, const char *path, char list[ALLOW_MAX])
{
	list[0] = '\0';
	for (size_t i = 0; i < site->route_count; i++) {
		const struct http_route *route = &site->routes[i];

		if (strcmp(path, "*") != 0 && !matches(route, path))
			continue;
		allow(list, route->method);
		if (strcmp(route->method, "GET") == 0)
			allow(list, "HEAD");
	}
	if (list[0] == '\0')
		return false;
	allow(list, "OPTIONS");
	return true;
}

static int respond_instead(struct http_exchange *exchange)
{
	const struct http_request *request = &exchange->request;
	char list[ALLOW_MAX];
	int err;

	if (!allowed(exchange->server->site, request->path, list))
		return http_respond_text(exchange, 404, "404 Not Found\n");
	err = http_add(exchange, "Allow", list);
	if (err < 0)
		return err;
	if (strcmp(request->method, "OPTIONS") == 0)
		return http_respond(exchange, 204, NULL, NULL, 0);
	return http_respond_text(exchange, 405, "405 Method Not Allowed\n");
}

int http_route(struct http_exchange *exchange)
{
	const struct http_site *site = exchange->server->site;
	const struct http_request *request = &exchange->request;
	const struct http_route *route = find(site, request->path, request->method);

	if (route == NULL && exchange->head_only)
		route = find(site, request->path, "GET");
	return route != NULL ? route->handle(exchange, route->context) : respond_instead(exchange);
}
