/* SPDX-License-Identifier: ISC
 *
 * Which representation a client wants, and whether it has it already: Accept-Encoding (RFC 9110, 12.5.3) and
 * If-None-Match (13.1.2).
 */
#ifndef HTTP_CONDITIONAL_H
#define HTTP_CONDITIONAL_H

#include <stdbool.h>

/* Whether gzip is welcome, by the value of Accept-Encoding: named or covered by "*", not with a weight of 0, and not
 * with a lower one than identity. NULL (no such field): no, for a client that does not ask may not understand. */
bool http_accepts_gzip(const char *accept_encoding);

/* The entity tag of a file's gzip variant: "\"abc\"" gives "\"abc-gzip\"". Another representation needs another tag
 * (RFC 9110, 8.8.3). */
enum { HTTP_ETAG_MAX = 128 };
void http_gzip_etag(const char *etag, char gzip_etag[HTTP_ETAG_MAX]);

/* Whether If-None-Match has this entity tag, weakly compared (8.8.3.2). A malformed list matches up to where it is
 * well-formed. "*" matches any. NULL matches none. */
bool http_etag_matches(const char *if_none_match, const char *etag);

#endif
