/* SPDX-License-Identifier: ISC
 *
 * The chunked transfer coding taken off (RFC 9112, 7.1), without I/O or copy: data is found where it lies in the
 * caller's buffer. Extensions and trailers are skipped, within limits. Line ends are CR LF only: a lenient decoder here
 * is how requests get smuggled.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_CHUNK_LINE_MAX = 1024,        /* of a chunk's size and extensions, with the line end */
	HTTP_CHUNK_EXTENSIONS_MAX = 16384, /* of all chunks of one body */
	HTTP_TRAILERS_MAX = 4096,
};

enum http_chunked_event {
	HTTP_CHUNKED_MORE, /* all input is consumed */
	HTTP_CHUNKED_DATA, /* a piece of the body: data, data_len > 0 */
	HTTP_CHUNKED_END,  /* the body and its trailers are complete; what is left of the input follows them */
	HTTP_CHUNKED_ERROR /* malformed or over a limit. Final. */
};

/* All zero is the beginning of a body. */
struct http_chunked {
	const char *data;
	size_t data_len;
	uint64_t left; /* bytes of the current chunk that the input has not brought yet */

	/* The decoder's own. */
	int state;
	uint64_t size;           /* of the chunk, while its digits come */
	unsigned line_len;       /* of the line with the size; of all trailers, later */
	unsigned trailer_line;   /* bytes in the current line of the trailers */
	unsigned extensions_len; /* of all chunks so far */
};

/* Consumes from *input (moving it forward and *len down) until something happens. Any segmentation gives the same body
 * and the same end. */
enum http_chunked_event http_chunked_next(struct http_chunked *chunked, const char **input, size_t *len);

/* The caller has read count bytes of the current chunk, at most left, by itself: to a place that it wanted them. */
void http_chunked_skip(struct http_chunked *chunked, uint64_t count);

#endif
