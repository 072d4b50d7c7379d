/* SPDX-License-Identifier: ISC
 *
 * The chunked decoder: a state machine over single bytes, but for the data of a chunk, which is taken at once.
 *
 *	SIZE_FIRST -> SIZE -> [SPACE] -> [EXTENSION] -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE_FIRST
 *	                                                       \-> TRAILER <-> TRAILER_LF -> END
 *
 * Any byte that a state does not name leads to FAILED, where it stays. left is not 0 in DATA only.
 */
#include <stdbool.h>

#include "http_chunked.h"
#include "http_text.h"

enum { SIZE_FIRST, SIZE, SPACE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER, TRAILER_LF, END, FAILED };

/* Behind the digits of a chunk's size (RFC 9112, 7.1.1; space there is bad, but must be understood). */
static int after_size(char c)
{
	if (http_is_space(c))
		return SPACE;
	if (c == ';')
		return EXTENSION;
	return FAILED;
}

static int size_digit(struct http_chunked *chunked, char c)
{
	int digit = http_hex_value(c);

	if (digit < 0)
		return c == '\r' ? SIZE_LF : after_size(c);
	if (chunked->size > UINT64_MAX >> 5) /* one bit is left, so that sums of sizes are far from overflow */
		return FAILED;
	chunked->size = chunked->size << 4 | (unsigned)digit;
	return SIZE;
}

static int size_complete(struct http_chunked *chunked)
{
	chunked->left = chunked->size;
	chunked->size = 0;
	chunked->line_len = 0;
	return chunked->left > 0 ? DATA : TRAILER;
}

static int trailer_byte(struct http_chunked *chunked, char c)
{
	if (c == '\r')
		return TRAILER_LF;
	chunked->trailer_line++;
	return http_is_value_char(c) ? TRAILER : FAILED;
}

static int trailer_complete(struct http_chunked *chunked)
{
	bool empty = chunked->trailer_line == 0;

	chunked->trailer_line = 0;
	return empty ? END : TRAILER;
}

static int extension_byte(struct http_chunked *chunked, char c)
{
	if (c == '\r')
		return SIZE_LF;
	return http_is_value_char(c) && ++chunked->extensions_len <= HTTP_CHUNK_EXTENSIONS_MAX ? EXTENSION : FAILED;
}

static int framing_byte(struct http_chunked *chunked, char c)
{
	switch (chunked->state) {
	case SIZE_FIRST:
		return http_hex_value(c) >= 0 ? size_digit(chunked, c) : FAILED;
	case SIZE:
		return size_digit(chunked, c);
	case SPACE:
		return after_size(c);
	case EXTENSION:
		return extension_byte(chunked, c);
	case SIZE_LF:
		return c == '\n' ? size_complete(chunked) : FAILED;
	case DATA_CR:
		return c == '\r' ? DATA_LF : FAILED;
	case DATA_LF:
		return c == '\n' ? SIZE_FIRST : FAILED;
	case TRAILER:
		return trailer_byte(chunked, c);
	case TRAILER_LF:
		return c == '\n' ? trailer_complete(chunked) : FAILED;
	default:
		return FAILED;
	}
}

/* Limits on what is not data. Between chunks there are two bytes of it, which need none. */
static bool over_limit(struct http_chunked *chunked)
{
	switch (chunked->state) {
	case DATA_CR:
	case DATA_LF:
		return false;
	case TRAILER:
	case TRAILER_LF:
		return ++chunked->line_len > HTTP_TRAILERS_MAX;
	default:
		return ++chunked->line_len > HTTP_CHUNK_LINE_MAX;
	}
}

void http_chunked_skip(struct http_chunked *chunked, uint64_t count)
{
	chunked->left -= count;
	if (chunked->state == DATA && chunked->left == 0)
		chunked->state = DATA_CR;
}

static enum http_chunked_event take_data(struct http_chunked *chunked, const char **input, size_t *len)
{
	chunked->data = *input;
	chunked->data_len = *len < chunked->left ? *len : (size_t)chunked->left;
	*input += chunked->data_len;
	*len -= chunked->data_len;
	http_chunked_skip(chunked, chunked->data_len);
	return HTTP_CHUNKED_DATA;
}

enum http_chunked_event http_chunked_next(struct http_chunked *chunked, const char **input, size_t *len)
{
	while (chunked->state != END && chunked->state != FAILED && *len > 0) {
		if (chunked->state == DATA)
			return take_data(chunked, input, len);
		chunked->state = over_limit(chunked) ? FAILED : framing_byte(chunked, **input);
		++*input;
		--*len;
	}
	if (chunked->state == END)
		return HTTP_CHUNKED_END;
	return chunked->state == FAILED ? HTTP_CHUNKED_ERROR : HTTP_CHUNKED_MORE;
}
