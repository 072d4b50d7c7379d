/* SPDX-License-Identifier: ISC
 *
 * The head of a request: its end is looked for as bytes come (one look at each byte), then it is cut into lines, and
 * these into their parts, in one pass and in place. Lines end with CR LF and with nothing else: a lone LF, a lone CR,
 * other control characters and folded lines (RFC 9112, 2.2 and 5.2) are refused at the first byte that shows them, so
 * that a client that speaks another protocol is not waited for.
 */
#include <string.h>

#include "http_parse.h"
#include "http_text.h"

void http_request_init(struct http_request *request, size_t head_bytes_max)
{
	*request = (struct http_request){ .limit = head_bytes_max };
}

int http_refuse(struct http_request *request, int status, const char *reason)
{
	request->reason = reason;
	return status;
}

/* The end of the head ------------------------------------------------------------------------------------------ */

/* A line has ended behind byte at. Empty lines before the request line are skipped (RFC 9112, 2.2). */
static int scan_line_end(struct http_request *request, size_t at)
{
	bool empty = at - request->line_begin == 1, first = request->line_begin == request->begin;

	request->line_begin = at + 1;
	if (first && empty)
		request->begin = at + 1;
	return empty && !first ? HTTP_HEAD_COMPLETE : HTTP_HEAD_MORE;
}

static int scan_byte(struct http_request *request, char c, size_t at)
{
	if (at >= request->limit)
		return request->line_begin == request->begin ? http_refuse(request, 414, "the request line is too long")
							     : http_refuse(request, 431, "the header is too large");
	if (request->after_cr) {
		request->after_cr = false;
		return c == '\n' ? scan_line_end(request, at) : http_refuse(request, 400, "a CR without LF");
	}
	if (c == '\r')
		request->after_cr = true;
	else if (c == '\n')
		return http_refuse(request, 400, "a line ends without CR");
	else if (!http_is_value_char(c))
		return http_refuse(request, 400, "a control character in the header");
	return HTTP_HEAD_MORE;
}

/* Its parts ---------------------------------------------------------------------------------------------------- */

/* Ends the line that begins here, and returns where the next one begins. The scan has shown that it has an end. */
static char *cut_line(char *line)
{
	char *end = strchr(line, '\r');

	*end = '\0';
	return end + 2;
}

static int parse_version(struct http_request *request, const char *text)
{
	if (strncmp(text, "HTTP/", 5) != 0 || !http_is_digit(text[5]) || text[6] != '.' || !http_is_digit(text[7]) ||
		text[8] != '\0')
		return http_refuse(request, 400, "the request line does not end with a version of HTTP");
	if (text[5] != '1')
		return http_refuse(request, 505, "this server speaks HTTP/1.1");
	request->minor = text[7] == '0' ? 0 : 1;
	return 0;
}

/* method SP request-target SP HTTP-version (RFC 9112, 3), with exactly these spaces. */
static int parse_request_line(struct http_request *request, char *line, char **authority)
{
	char *target = strchr(line, ' '), *version = target != NULL ? strchr(target + 1, ' ') : NULL;
	int status;

	if (version == NULL)
		return http_refuse(request, 400, "the request line has no method, target and version");
	*target++ = '\0';
	*version++ = '\0';
	if (!http_is_token(line, strlen(line)))
		return http_refuse(request, 400, "the method is not a token");
	request->method = line;
	status = parse_version(request, version);
	return status != 0 ? status : http_rule_target(request, target, authority);
}

static int parse_field_line(struct http_request *request, char *text)
{
	char *colon = strchr(text, ':'), *value, *end;

	if (http_is_space(*text))
		return http_refuse(request, 400, "a folded header line");
	if (colon == NULL || !http_is_token(text, (size_t)(colon - text)))
		return http_refuse(request, 400, "a header line does not begin with a name and a colon");
	if (request->line_count == HTTP_FIELDS_MAX)
		return http_refuse(request, 431, "too many header fields");
	*colon = '\0';
	for (value = colon + 1; http_is_space(*value); value++)
		;
	for (end = value + strlen(value); end > value && http_is_space(end[-1]); end--)
		;
	*end = '\0';
	request->lines[request->line_count++] = (struct http_line){ text, value };
	return 0;
}

/* Fields of one name ------------------------------------------------------------------------------------------- */

static void reverse(char *begin, char *end)
{
	while (begin < end) {
		char swap = *begin;

		*begin++ = *--end;
		*end = swap;
	}
}

/* Exchanges [begin, middle) and [middle, end). */
static void rotate(char *begin, char *middle, char *end)
{
	reverse(begin, middle);
	reverse(middle, end);
	reverse(begin, end);
}

/* Moves the value of a later line behind that of an earlier one of the same name, and what lies between them up. The
 * ", " takes the place of the later name and its colon, which have two bytes at least, so this needs no memory. */
static void join_lines(struct http_request *request, size_t earlier, size_t later)
{
	struct http_line *lines = request->lines;
	char *gap = lines[earlier].value + strlen(lines[earlier].value);
	char *piece = lines[later].value - 2, *end = lines[later].value + strlen(lines[later].value);

	piece[0] = ',';
	piece[1] = ' ';
	rotate(gap, piece, end);
	for (size_t i = earlier + 1; i < later; i++) {
		lines[i].name += end - piece;
		lines[i].value += end - piece;
	}
	memmove(&lines[later], &lines[later + 1], (request->line_count - later - 1) * sizeof *lines);
	request->line_count--;
}

/* RFC 9110, 5.3. At most HTTP_FIELDS_MAX joins, each of which moves a head at most. */
static void join_fields(struct http_request *request)
{
	struct http_line *lines = request->lines;

	for (size_t i = 0; i < request->line_count; i++)
		for (size_t k = i + 1; k < request->line_count;)
			if (http_is_word(lines[k].name, strlen(lines[k].name), lines[i].name))
				join_lines(request, i, k);
			else
				k++;
}

static int parse_head(struct http_request *request, char *buf)
{
	char *line = buf + request->begin, *end = buf + request->head_len - 2, *authority = NULL;
	char *next = cut_line(line);
	int status = parse_request_line(request, line, &authority);

	for (line = next; status == 0 && line < end; line = next) {
		next = cut_line(line);
		status = parse_field_line(request, line);
	}
	if (status != 0)
		return status;
	join_fields(request);
	status = http_rule_fields(request, authority);
	return status != 0 ? status : HTTP_HEAD_COMPLETE;
}

int http_request_feed(struct http_request *request, char *buf, size_t len)
{
	int status = HTTP_HEAD_MORE;

	while (status == HTTP_HEAD_MORE && request->scanned < len) {
		status = scan_byte(request, buf[request->scanned], request->scanned);
		request->scanned++;
	}
	if (status != HTTP_HEAD_COMPLETE)
		return status;
	request->head_len = request->scanned;
	return parse_head(request, buf);
}

const char *http_request_field(const struct http_request *request, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < request->line_count; i++)
		if (http_is_word(name, len, request->lines[i].name))
			return request->lines[i].value;
	return NULL;
}
