/* SPDX-License-Identifier: ISC
 *
 * The head of a response (RFC 9112, 4; RFC 9110, 5 and 15), built into the caller's buffer.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_head {
	char *buf;
	size_t size, len;
	bool full; /* something did not fit: what is in buf is not to be sent */
};

/* "Not Found"; for a status without a name of its own, that of its class. */
const char *http_reason(int status);

void http_head_status(struct http_head *head, int status);
/* A field whose parts http_field_is_safe has found good, or that are ours. */
void http_head_field(struct http_head *head, const char *name, const char *value);
void http_head_number(struct http_head *head, const char *name, uint64_t value);
void http_head_text(struct http_head *head, const char *text, size_t len);

/* Whether name is a token and value cannot end the field, so that neither can smuggle in another field or a body. */
bool http_field_is_safe(const char *name, const char *value);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7). */
enum { HTTP_DATE_MAX = 30 };
void http_date(uint64_t wall_ns, char text[HTTP_DATE_MAX]);

#endif
