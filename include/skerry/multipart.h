/* SPDX-License-Identifier: ISC
 *
 * multipart/form-data (RFC 7578, on RFC 2046) parsed as a stream: bytes in, events out, no I/O, no allocation, constant
 * memory whatever the body's size. Data is handed out where it lies in the caller's buffer.
 */
#ifndef SKERRY_MULTIPART_H
#define SKERRY_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

enum {
	MULTIPART_BOUNDARY_MAX = 70,  /* RFC 2046, 5.1.1 */
	MULTIPART_HEADERS_MAX = 4096, /* all header lines of one part */
	MULTIPART_NAME_MAX = 255,     /* bytes of a field's name, of a file name and of a content type; longer is cut */
	MULTIPART_PARTS_MAX = 1024,
};

enum multipart_event {
	MULTIPART_MORE,     /* all input is consumed: give the next bytes, or call multipart_finish at the body's end */
	MULTIPART_PART,     /* a part begins: name, filename, content_type are set */
	MULTIPART_DATA,     /* a piece of the part's content: data, data_len; valid until the input is reused */
	MULTIPART_PART_END, /* the part is complete */
	MULTIPART_END,      /* the closing boundary was read: the body is complete; what follows is skipped */
	MULTIPART_ERROR,    /* the body is malformed or over a limit; error says how. Final. */
};

struct multipart {
	/* Results of the latest event. Strings are NUL-terminated, hold no NUL byte of the input, and are as sent: a
	 * filename may contain a path or any other byte. */
	char name[MULTIPART_NAME_MAX + 1];
	char filename[MULTIPART_NAME_MAX + 1];
	char content_type[MULTIPART_NAME_MAX + 1];
	bool has_filename;
	const unsigned char *data;
	size_t data_len;
	const char *error;

	/* The parser's own. */
	int state;
	char delimiter[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CR LF - - boundary */
	size_t delimiter_len;
	size_t matched;   /* how many of the delimiter's bytes the input's end has matched */
	size_t replaying; /* matched bytes that turned out to be data and are being handed out */
	char headers[MULTIPART_HEADERS_MAX];
	size_t headers_len;
	unsigned part_count;
};

/* Takes the boundary from a Content-Type value (multipart/form-data; boundary=..., token or quoted). 0; -EINVAL: not
 * multipart/form-data, or the boundary is missing, empty, too long or has characters that RFC 2046 does not allow. */
int multipart_init(struct multipart *m, const char *content_type);

/* Consumes from *input (moving it forward and *len down) until something happens. */
enum multipart_event multipart_next(struct multipart *m, const unsigned char **input, size_t *len);

/* The body has ended: MULTIPART_END if the closing boundary was seen, else MULTIPART_ERROR: the body was cut off. */
enum multipart_event multipart_finish(struct multipart *m);

#endif
