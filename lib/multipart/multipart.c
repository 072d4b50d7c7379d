/* SPDX-License-Identifier: ISC
 *
 * The body of a multipart/form-data message, as a stream (RFC 2046, 5.1.1; RFC 7578).
 *
 * Theory of operation. A part ends where CR LF "--" boundary stands: the delimiter. A boundary holds no CR, so the
 * delimiter holds one only at its first byte, and that makes partial matches simple: when the bytes after a matched
 * prefix go another way, no later byte of the prefix can begin a delimiter; the prefix as a whole is content. So the
 * parser remembers one number over inputs, `matched`, and gives the bytes back from its own copy of the delimiter.
 *
 *	PREAMBLE   skipped up to the first delimiter                      -> LINE
 *	LINE       the rest of a delimiter's line: "--" | padding CR LF   -> EPILOGUE | HEADERS
 *	HEADERS    header lines up to the empty one                       -> CONTENT (emits PART)
 *	CONTENT    handed out (DATA) up to the next delimiter             -> LINE    (emits PART_END)
 *	EPILOGUE   skipped (END was emitted)
 *	FAILED     for ever (ERROR)
 *
 * The CR LF of a delimiter may be the one that ended the line before: at the very start of the body, and after the
 * empty line of headers when the part has no content at all. There `matched` starts at 2, with these two bytes unsent.
 *
 * Content is searched with Horspool's algorithm ("Practical fast searching in strings", 1980): one probe per 20 to 74
 * bytes on ordinary data, no copy. Because only one CR can begin a match, comparisons never overlap, and the worst
 * input costs one probe a byte.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <skerry/multipart.h>

#include "fields.h"

enum { PREAMBLE, LINE, LINE_DASH, LINE_PADDING, LINE_LF, HEADERS, CONTENT, EPILOGUE, FAILED };

enum { CRLF_LEN = 2, GO_ON = -1 };

static bool boundary_character(char c, bool last)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("'()+_,-./:=?", c) != NULL) || (c == ' ' && !last);
}

static int set_boundary(struct multipart *m, const char *boundary)
{
	size_t len = strlen(boundary);
	if (len == 0 || len > MULTIPART_BOUNDARY_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!boundary_character(boundary[i], i == len - 1))
			return -EINVAL;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary, len);
	m->delimiter_len = 4 + len;
	memset(m->skip, (int)m->delimiter_len, sizeof m->skip);
	for (size_t i = 0; i < m->delimiter_len - 1; i++)
		m->skip[m->delimiter[i]] = (uint8_t)(m->delimiter_len - 1 - i);
	return 0;
}

int multipart_init(struct multipart *m, const char *content_type)
{
	struct mime_parameter parameter;
	char *text = m->headers;
	int more;
	if (content_type == NULL || strlen(content_type) > MULTIPART_HEADERS_MAX)
		return -EINVAL;
	memset(m, 0, sizeof *m); /* not by assignment: that may build a second one on a small stack */
	m->state = PREAMBLE;
	m->matched = m->unsent = CRLF_LEN;
	memcpy(m->headers, content_type, strlen(content_type) + 1);
	if (strcasecmp(mime_value(&text), "multipart/form-data") != 0)
		return -EINVAL;
	while ((more = mime_parameter(&text, &parameter)) > 0) {
		if (strcasecmp(parameter.name, "boundary") != 0)
			continue;
		if (m->delimiter_len > 0 || set_boundary(m, parameter.value) < 0)
			return -EINVAL;
	}
	return more == 0 && m->delimiter_len > 0 ? 0 : -EINVAL;
}

static enum multipart_event fail(struct multipart *m, const char *error)
{
	m->state = FAILED;
	m->error = error;
	return MULTIPART_ERROR;
}

static void consume(const unsigned char **input, size_t *len, size_t count)
{
	*input += count;
	*len -= count;
}

/* Where the delimiter begins, or that prefix of it which the input ends with; len when there is neither. */
static size_t find_delimiter(const struct multipart *m, const unsigned char *input, size_t len)
{
	const size_t size = m->delimiter_len;
	const unsigned char last = m->delimiter[size - 1];
	size_t at = 0;
	while (at + size <= len) {
		unsigned char under = input[at + size - 1];
		if (under == last && input[at] == '\r' && memcmp(input + at, m->delimiter, size) == 0)
			return at;
		at += m->skip[under];
	}
	/* No delimiter begins before `at`. Only the last CR can begin one that goes on in the next input. */
	for (size_t cr = len; cr > at; cr--)
		if (input[cr - 1] == '\r')
			return memcmp(input + cr - 1, m->delimiter, len - (cr - 1)) == 0 ? cr - 1 : len;
	return len;
}

/* Hands out bytes of the content; in the preamble they are nobody's. */
static int hand_out(struct multipart *m, const unsigned char *data, size_t len)
{
	if (m->state == PREAMBLE || len == 0)
		return GO_ON;
	m->data = data;
	m->data_len = len;
	return MULTIPART_DATA;
}

/* Goes on with a delimiter of which m->matched bytes were seen. */
static int match_delimiter(struct multipart *m, const unsigned char **input, size_t *len)
{
	size_t rest = m->delimiter_len - m->matched;
	size_t count = *len < rest ? *len : rest;
	if (memcmp(*input, m->delimiter + m->matched, count) != 0) {
		size_t matched = m->matched, unsent = m->unsent;
		m->matched = m->unsent = 0;
		return hand_out(m, m->delimiter + unsent, matched - unsent);
	}
	consume(input, len, count);
	m->matched += count;
	if (m->matched < m->delimiter_len)
		return GO_ON;
	int event = m->state == CONTENT ? (int)MULTIPART_PART_END : GO_ON;
	m->matched = m->unsent = 0;
	m->state = LINE;
	return event;
}

static int read_content(struct multipart *m, const unsigned char **input, size_t *len)
{
	if (m->matched > 0)
		return match_delimiter(m, input, len);
	const unsigned char *data = *input;
	size_t count = find_delimiter(m, data, *len);
	if (count == 0)
		return match_delimiter(m, input, len);
	consume(input, len, count);
	return hand_out(m, data, count);
}

/* After a delimiter: "--" closes the body; else padding and CR LF end the line, and a part's headers follow. */
static int read_line(struct multipart *m, const unsigned char **input, size_t *len)
{
	unsigned char c = **input;
	consume(input, len, 1);
	if (m->state == LINE_DASH && c == '-') {
		m->state = EPILOGUE;
		return MULTIPART_END;
	}
	if (m->state == LINE_LF && c == '\n') {
		m->state = HEADERS;
		m->headers_len = m->line_start = 0;
		if (++m->part_count > MULTIPART_PARTS_MAX)
			return fail(m, "the form has too many parts");
		return GO_ON;
	}
	if (m->state == LINE && c == '-')
		m->state = LINE_DASH;
	else if ((m->state == LINE || m->state == LINE_PADDING) && (c == ' ' || c == '\t'))
		m->state = LINE_PADDING;
	else if ((m->state == LINE || m->state == LINE_PADDING) && c == '\r')
		m->state = LINE_LF;
	else
		return fail(m, "a boundary is followed by something else than a line's end");
	return GO_ON;
}

/* All header lines are there: the part begins. */
static int begin_part(struct multipart *m)
{
	m->headers[m->line_start] = '\0';
	const char *error = mime_part_headers(m, m->headers);
	if (error != NULL)
		return fail(m, error);
	m->state = CONTENT;
	m->matched = m->unsent = CRLF_LEN;
	return MULTIPART_PART;
}

/* Collects header lines: takes the input up to the end of a line, or all of it. */
static int read_headers(struct multipart *m, const unsigned char **input, size_t *len)
{
	const unsigned char *lf = memchr(*input, '\n', *len);
	size_t count = lf != NULL ? (size_t)(lf - *input) + 1 : *len;
	if (count > MULTIPART_HEADERS_MAX - m->headers_len)
		return fail(m, "the header of a part is too long");
	memcpy(m->headers + m->headers_len, *input, count);
	m->headers_len += count;
	consume(input, len, count);
	if (lf == NULL)
		return GO_ON;
	size_t line_len = m->headers_len - m->line_start;
	if (line_len < CRLF_LEN || m->headers[m->headers_len - CRLF_LEN] != '\r')
		return fail(m, "a header line of a part does not end with CR LF");
	if (line_len == CRLF_LEN)
		return begin_part(m);
	m->line_start = m->headers_len;
	return GO_ON;
}

static int advance(struct multipart *m, const unsigned char **input, size_t *len)
{
	switch (m->state) {
	case PREAMBLE:
	case CONTENT:
		return read_content(m, input, len);
	case HEADERS:
		return read_headers(m, input, len);
	case EPILOGUE:
		consume(input, len, *len);
		return GO_ON;
	default:
		return read_line(m, input, len);
	}
}

enum multipart_event multipart_next(struct multipart *m, const unsigned char **input, size_t *len)
{
	int event = GO_ON;
	if (m->state == FAILED)
		return MULTIPART_ERROR;
	while (event == GO_ON && *len > 0)
		event = advance(m, input, len);
	return event == GO_ON ? MULTIPART_MORE : (enum multipart_event)event;
}

enum multipart_event multipart_finish(struct multipart *m)
{
	if (m->state == EPILOGUE)
		return MULTIPART_END;
	return m->state == FAILED ? MULTIPART_ERROR : fail(m, "the form ends before its closing boundary");
}
