/* SPDX-License-Identifier: ISC
 *
 * The head of a request (RFC 9112, 2 to 7), parsed without I/O, allocation or copy: what is found points into the
 * caller's buffer, which is changed in place (strings get ended, escapes undone).
 *
 * The parser is strict, because a lenient one that stands behind or before another is how requests are smuggled: two
 * programs must never disagree on where a message ends. It leaves no choice that RFC 9112 allows to be left out.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_FIELDS_MAX = 64 };

struct http_line {
	char *name;
	char *value;
};

struct http_request {
	/* Valid after HTTP_HEAD_COMPLETE. */
	size_t head_len; /* bytes of the buffer that are used up; the body follows */
	const char *method;
	const char *path;  /* decoded; begins with '/', or is "*" (of OPTIONS only) */
	const char *query; /* as sent; "" when there is none */
	int minor;         /* HTTP/1.0: 0, HTTP/1.1 and later: 1 */
	bool keep_alive;
	bool expects_continue;
	bool chunked;
	uint64_t content_length; /* 0 when there is no body, or it is chunked */
	size_t line_count;
	struct http_line lines[HTTP_FIELDS_MAX]; /* each name once: values of one name are joined by ", " */

	const char *reason; /* of a refusal: a constant, fit to be shown to the client */

	/* The parser's own: how far the end of the head was looked for. */
	size_t limit;
	size_t scanned;
	size_t line_begin;
	size_t begin; /* of the request line: after empty lines */
	bool after_cr;
};

void http_request_init(struct http_request *request, size_t head_bytes_max);

/* Looks at a buffer that holds all bytes from the request's first one on, as many as have come: call it again with
 * the same bytes and more behind them until it answers something else than HTTP_HEAD_MORE. Any segmentation gives the
 * same answer. */
enum { HTTP_HEAD_MORE = 0, HTTP_HEAD_COMPLETE = 1 }; /* else: the status (400 to 505) to refuse with, see reason */
int http_request_feed(struct http_request *request, char *buf, size_t len);

/* The value of a field, the name compared without case; NULL: none. */
const char *http_request_field(const struct http_request *request, const char *name);

/* Between http_parse.c, which finds the parts, and http_rules.c, which judges them. Each returns 0 or a status. */
int http_refuse(struct http_request *request, int status, const char *reason);
int http_rule_target(struct http_request *request, char *target, char **authority);
int http_rule_fields(struct http_request *request, char *authority);

#endif
