/* SPDX-License-Identifier: ISC
 *
 * An HTTP/1.1 server (RFC 9110, 9112): routes, streamed request and response bodies, keep-alive, limits.
 *
 * Each connection is a task; a handler runs in it and talks to its client through a struct http_exchange. Reading the
 * body and writing the response may be interleaved, so an answer can be computed from a body of any size in constant
 * memory. What a handler leaves is finished for it: an unread body is skipped (or the connection closed), a missing
 * response becomes 500. If it fails after the response has begun, the connection is reset, so that the client can see
 * that the body is not whole.
 *
 * When there is no room for a new connection, neither by number nor in memory, the one is reset that has waited longest
 * for a request or for the rest of its head, or else one that hardly moves its body. So idle and slow clients, however
 * many, keep nobody out.
 */
#ifndef SKERRY_HTTP_H
#define SKERRY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skerry/crunch.h>
#include <skerry/stack.h>

struct http_exchange;

struct http_route {
	const char *method; /* "GET" (answers HEAD too), "POST", ... */
	/* "/style.css": matched whole, against the decoded path without query; or "/css/" and a '*': all paths that
	 * begin so. The first route that matches is taken. */
	const char *path;
	/* 0, or a negative errno that ends the exchange as said above. */
	int (*handle)(struct http_exchange *exchange, void *context);
	void *context;
};

/* Limits, all with defaults for 0. */
struct http_limits {
	size_t header_bytes;  /* request line and header together; 8192. Over it: 431 */
	uint64_t header_ns;   /* from first byte to end of header; 10 s. Over it: 408 and close */
	uint64_t idle_ns;     /* between requests; while no byte comes; while a reader takes less than 16 KiB; 60 s */
	uint64_t body_bytes;  /* of one request; no limit. Over it: 413 */
	unsigned connections; /* at once; 4096. Over it, one that waits makes room; if none does: 503 and close */
};

struct http_site {
	const struct http_route *routes; /* unknown path: 404; known path, other method: 405 with Allow */
	size_t route_count;
	struct http_limits limits;
	const char *server_name; /* the Server field; NULL: none */
};

/* Serves until the listener fails or the task is cancelled; then cancels all connections, which are the only members
 * that the calling task's orphans may have, and returns the error. tcp_listen's errors, -ECANCELED. */
int http_serve(struct stack *stack, uint16_t port, const struct http_site *site);

/* One task at a time may read the request's body and one, the same or another, write the response. Both are done with
 * the exchange when the handler returns. */

/* The request -------------------------------------------------------------------------------------------------- */

/* Strings live as long as the exchange. */
const char *http_method(const struct http_exchange *exchange);
const char *http_path(const struct http_exchange *exchange);  /* percent-decoded, begins with '/', without query */
const char *http_query(const struct http_exchange *exchange); /* as sent, without '?'; "" when there is none */
/* The field's value, names compared without case; several fields of one name are joined by ", ". NULL: none. */
const char *http_field(const struct http_exchange *exchange, const char *name);
void http_client(const struct http_exchange *exchange, struct ip_endpoint *peer);

/* Reads the next bytes of the body, chunked coding taken off, sending 100 Continue first if it is awaited. Blocks. 0:
 * the body is complete. -ECONNRESET: it was cut off; -EBADMSG: malformed chunks; -EFBIG: over body_bytes; -ETIMEDOUT.
 */
ssize_t http_read(struct http_exchange *exchange, void *buf, size_t size);

/* The response ------------------------------------------------------------------------------------------------- */

/* Adds a field to the response, before it begins. Both are copied. -EINVAL: a name or value that would break the
 * message (control characters), or a field that is the server's own: Connection, Content-Length, Date, Keep-Alive,
 * Trailer, Transfer-Encoding, Upgrade; -EALREADY; -ENOMEM: all added fields together take more than 1 KiB. */
int http_add(struct http_exchange *exchange, const char *name, const char *value);

/* A whole response: status 200 to 599. content_type may be NULL. The body is left out for HEAD, 204 and 304. -EINVAL:
 * no such status, or a control character in the type; -EALREADY after a response has begun; -ENOMEM: the response's
 * head takes more than 2 KiB; else tcp_write's errors. */
int http_respond(struct http_exchange *exchange, int status, const char *content_type, const void *body, size_t len);
int http_respond_text(struct http_exchange *exchange, int status, const char *text);
/* An embedded file with its type and entity tag: answers If-None-Match with 304, and Accept-Encoding: gzip with the
 * precompressed variant (Vary: Accept-Encoding). */
int http_respond_file(struct http_exchange *exchange, const struct crunched_file *file);

/* A streamed response of unknown length: chunked to HTTP/1.1 clients, ended by close to HTTP/1.0 ones. http_write
 * copies what it is given into a buffer of 16 KiB, which is sent when it is full, and blocks while the client is slow;
 * http_flush sends what is there already. http_end completes the response; a handler that returns 0 has it called for
 * it. http_begin: as http_respond, and -ENOMEM. The others: -EPROTO when no streamed response has begun, or it has
 * ended; else tcp_write's errors, the first of which stays. */
int http_begin(struct http_exchange *exchange, int status, const char *content_type);
int http_write(struct http_exchange *exchange, const void *data, size_t len);
int http_flush(struct http_exchange *exchange);
int http_end(struct http_exchange *exchange);

#endif
