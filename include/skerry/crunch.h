/* SPDX-License-Identifier: ISC
 *
 * A file that `skerry crunch` put into the image. The tool writes one constant of this type per file.
 */
#ifndef SKERRY_CRUNCH_H
#define SKERRY_CRUNCH_H

#include <stddef.h>
#include <stdint.h>

struct crunched_file {
	const char *name;         /* the file's path as given to the tool */
	const char *content_type; /* "text/html; charset=utf-8", by the name's ending */
	const char *etag;         /* the content's SHA-256 as a quoted entity tag: "\"9f86d0…\"" */
	const uint8_t *data;
	size_t len;
	const uint8_t *gzip; /* the same content as a gzip stream (RFC 1952), or NULL when that would not be smaller */
	size_t gzip_len;
};

#endif
