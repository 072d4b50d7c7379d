/* SPDX-License-Identifier: ISC
 *
 * multipart/form-data (RFC 7578, on RFC 2046) parsed as a stream: bytes in, events out, no I/O, no allocation, constant
 * memory whatever the body's size. Data is handed out where it lies in the caller's buffer.
 *
 *	multipart_init(&m, http_field(exchange, "Content-Type"))
 *	loop over the body's pieces:
 *		while ((event = multipart_next(&m, &input, &len)) != MULTIPART_MORE)
 *			act on it, leave on MULTIPART_ERROR
 *	multipart_finish(&m) == MULTIPART_END, or the body was cut off
 */
#ifndef SKERRY_MULTIPART_H
#define SKERRY_MULTIPART_H

#include <stddef.h>
#include <stdint.h>

enum {
	MULTIPART_BOUNDARY_MAX = 70,  /* RFC 2046, 5.1.1 */
	MULTIPART_HEADERS_MAX = 4096, /* all header lines of one part, and the Content-Type of the whole */
	MULTIPART_PARTS_MAX = 10000,  /* they take no memory here, but their receiver may keep something of each */
};

enum multipart_event {
	MULTIPART_MORE,     /* all input is consumed: give the next bytes, or call multipart_finish at the body's end */
	MULTIPART_PART,     /* a part begins: name, filename and content_type are set */
	MULTIPART_DATA,     /* a piece of the part's content: data, data_len > 0; valid until the input is reused */
	MULTIPART_PART_END, /* the part is complete */
	MULTIPART_END,      /* the closing boundary was read: the body is complete; what follows it is skipped */
	MULTIPART_ERROR,    /* the body is malformed or over a limit; error says how. Final. */
};

struct multipart {
	/* Of the current part, from MULTIPART_PART to the call after MULTIPART_PART_END. NUL-terminated, without a NUL
	 * byte of the input, otherwise any bytes: a filename may hold a path, line ends, or what is no UTF-8. Quoting
	 * is undone as the Fetch standard says (%22, %0D and %0A, and no other escape), and so are \" and \\, which
	 * older clients send; a backslash before any other byte stands for itself. */
	const char *name;
	const char *filename;     /* NULL: an ordinary field. filename* (RFC 8187, UTF-8) wins over filename */
	const char *content_type; /* "text/plain" when the part has none (RFC 7578, 4.4) */

	const unsigned char *data; /* of MULTIPART_DATA */
	size_t data_len;
	const char *error; /* of MULTIPART_ERROR: a constant, fit to be shown to the client */

	/* The parser's own. */
	int state;
	unsigned part_count;
	unsigned char delimiter[4 + MULTIPART_BOUNDARY_MAX]; /* CR LF - - boundary */
	size_t delimiter_len;
	size_t matched;     /* how many bytes of the delimiter the input has ended with so far */
	size_t unsent;      /* how many of these are not content, should they turn out not to be a delimiter */
	uint8_t skip[256];  /* Horspool's table: how far to go on when a byte lies under the delimiter's last one */
	size_t headers_len; /* bytes in headers */
	size_t line_start;  /* where its last line begins */
	char headers[MULTIPART_HEADERS_MAX + 1];
};

/* Takes the boundary from a Content-Type value (multipart/form-data; boundary=..., bare or quoted). 0; -EINVAL: it is
 * NULL, not multipart/form-data, or the boundary is missing, doubled, empty, too long or has characters that RFC 2046
 * does not allow. */
int multipart_init(struct multipart *m, const char *content_type);

/* Consumes from *input (moving it forward and *len down) until something happens. Any segmentation of a body gives
 * the same events, but for where MULTIPART_DATA is cut. */
enum multipart_event multipart_next(struct multipart *m, const unsigned char **input, size_t *len);

/* The body has ended: MULTIPART_END if the closing boundary was seen, else MULTIPART_ERROR: the body was cut off. */
enum multipart_event multipart_finish(struct multipart *m);

#endif
