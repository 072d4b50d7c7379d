/* SPDX-License-Identifier: ISC
 *
 * What the parts of a request's head mean, and which of them refuse it: the target's four forms (RFC 9112, 3.2), Host,
 * the body's framing (6), the connection's persistence (9.3) and Expect (RFC 9110, 10.1.1).
 */
#include <string.h>

#include "http_parse.h"
#include "http_text.h"

/* The target --------------------------------------------------------------------------------------------------- */

/* Undoes percent-encoding in place. A NUL would cut the path short for whoever takes it as a string. */
static int decode_path(struct http_request *request, char *path)
{
	char *to = path;

	for (const char *from = path; *from != '\0'; from++) {
		int high, low;

		*to = *from;
		if (*from == '%') {
			high = http_hex_value(from[1]);
			low = high >= 0 ? http_hex_value(from[2]) : -1;
			if (low < 0)
				return http_refuse(request, 400, "a percent sign in the path without two digits");
			if (high + low == 0)
				return http_refuse(request, 400, "a NUL in the path");
			*to = (char)(high << 4 | low);
			from += 2;
		}
		to++;
	}
	*to = '\0';
	return 0;
}

static int split_path(struct http_request *request, char *path)
{
	char *mark = strchr(path, '?');

	if (mark != NULL)
		*mark = '\0';
	request->path = path;
	request->query = mark != NULL ? mark + 1 : "";
	return decode_path(request, path);
}

/* A character of a registered name or an IPv4 address, or of a percent-encoding. */
static bool is_host_char(char c)
{
	return (http_is_token_char(c) && strchr("#^`|", c) == NULL) || (c != '\0' && strchr("(),;=", c) != NULL);
}

/* uri-host [ ":" port ] (RFC 9110, 7.2; RFC 3986, 3.2.2), without user information (4.2.4). May be empty. */
static bool is_authority(const char *text)
{
	const char *at = text, *close;

	if (*at == '[') {
		close = strchr(at, ']');
		for (at++; at < close; at++)
			if (http_hex_value(*at) < 0 && *at != ':' && *at != '.')
				return false;
		if (close == NULL)
			return false;
		at = close + 1;
	} else {
		while (is_host_char(*at))
			at++;
	}
	if (*at == ':')
		for (at++; http_is_digit(*at); at++)
			;
	return *at == '\0';
}

/* scheme "://" authority path: for a proxy, and for any server of HTTP/1.1 (RFC 9112, 3.2.2). */
static int absolute_form(struct http_request *request, char *rest, char **authority)
{
	size_t len = strcspn(rest, "/?");
	char *host = rest - 1, *path = rest + len;
	bool pathless = *path != '/';

	/* One byte down, over the scheme's slashes, to make room for its end. */
	memmove(host, rest, len);
	host[len] = '\0';
	if (len == 0 || !is_authority(host))
		return http_refuse(request, 400, "the target names no valid host");
	*authority = host;
	if (!pathless)
		return split_path(request, path);
	request->query = *path == '?' ? path + 1 : "";
	request->path = strcmp(request->method, "OPTIONS") == 0 && *path == '\0' ? "*" : "/";
	return 0;
}

/* Where the authority begins in a URL of a scheme that this server may be asked for; else NULL. */
static char *after_scheme(char *target)
{
	char *mark = strchr(target, ':');
	size_t len = mark != NULL && mark[1] == '/' && mark[2] == '/' ? (size_t)(mark - target) : 0;

	return http_is_word(target, len, "http") || http_is_word(target, len, "https") ? mark + 3 : NULL;
}

int http_rule_target(struct http_request *request, char *target, char **authority)
{
	char *rest;

	for (const char *c = target; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~' || *c == '#')
			return http_refuse(request, 400, "a character in the target that no URI has");
	if (strcmp(request->method, "CONNECT") == 0)
		return http_refuse(request, 501, "this server is no proxy");
	if (*target == '/')
		return split_path(request, target);
	rest = after_scheme(target);
	if (rest != NULL)
		return absolute_form(request, rest, authority);
	if (strcmp(target, "*") == 0 && strcmp(request->method, "OPTIONS") == 0) {
		request->path = "*";
		request->query = "";
		return 0;
	}
	return http_refuse(request, 400, "the target is neither a path nor a URL");
}

/* The fields --------------------------------------------------------------------------------------------------- */

/* Exactly one Host in HTTP/1.1 (RFC 9112, 3.2). Two of them are one by now, with a space that no host has. The host of
 * an absolute target replaces it (3.2.2). */
static int rule_host(struct http_request *request, char *authority)
{
	const char *host = http_request_field(request, "Host");

	if (host == NULL && request->minor > 0)
		return http_refuse(request, 400, "no Host field");
	if (host != NULL && !is_authority(host))
		return http_refuse(request, 400, "the Host field is not one valid host");
	for (size_t i = 0; authority != NULL && i < request->line_count; i++)
		if (request->lines[i].value == host)
			request->lines[i].value = authority;
	return 0;
}

/* The only coding known is chunked, once and last (RFC 9112, 6.1 and 7). */
static int rule_transfer_encoding(struct http_request *request, const char *list)
{
	bool unknown = false;
	const char *item;
	size_t len;

	if (request->minor == 0)
		return http_refuse(request, 400, "Transfer-Encoding in HTTP/1.0");
	if (http_request_field(request, "Content-Length") != NULL)
		return http_refuse(request, 400, "both Content-Length and Transfer-Encoding");
	while (http_list_next(&list, &item, &len)) {
		if (!http_is_token(item, len) || request->chunked)
			return http_refuse(request, 400, "Transfer-Encoding is malformed, or chunked is not last");
		if (http_is_word(item, len, "chunked"))
			request->chunked = true;
		else
			unknown = true;
	}
	if (unknown)
		return http_refuse(request, 501, "a transfer coding other than chunked");
	return request->chunked ? 0 : http_refuse(request, 400, "Transfer-Encoding is empty");
}

/* Digits only: no sign, no list, no second field, even if it said the same (RFC 9110, 8.6). */
static int rule_content_length(struct http_request *request, const char *text)
{
	uint64_t length = 0;

	if (!http_is_digit(*text))
		return http_refuse(request, 400, "Content-Length is not one number");
	for (; http_is_digit(*text); text++) {
		if (length > (INT64_MAX - 9) / 10)
			return http_refuse(request, 413, "Content-Length is beyond any limit");
		length = length * 10 + (uint64_t)(*text - '0');
	}
	if (*text != '\0')
		return http_refuse(request, 400, "Content-Length is not one number");
	request->content_length = length;
	return 0;
}

/* What HTTP/1.0 says of it is ignored, as RFC 9110, 10.1.1 asks. */
static int rule_expect(struct http_request *request, const char *list)
{
	const char *item;
	size_t len;

	while (request->minor > 0 && http_list_next(&list, &item, &len)) {
		if (!http_is_word(item, len, "100-continue"))
			return http_refuse(request, 417, "an expectation other than 100-continue");
		request->expects_continue = true;
	}
	return 0;
}

int http_rule_fields(struct http_request *request, char *authority)
{
	const char *transfer = http_request_field(request, "Transfer-Encoding");
	const char *length = http_request_field(request, "Content-Length");
	const char *expect = http_request_field(request, "Expect");
	const char *connection = http_request_field(request, "Connection");
	int status = rule_host(request, authority);

	if (status == 0 && transfer != NULL)
		status = rule_transfer_encoding(request, transfer);
	if (status == 0 && length != NULL)
		status = rule_content_length(request, length);
	if (status == 0 && expect != NULL)
		status = rule_expect(request, expect);
	request->keep_alive = request->minor > 0
				      ? !http_list_has(connection, "close")
				      : http_list_has(connection, "keep-alive") && !http_list_has(connection, "close");
	return status;
}
