/* SPDX-License-Identifier: ISC
 *
 * Fields of MIME headers, between the parser of bodies (multipart.c) and that of fields (fields.c).
 */
#ifndef MULTIPART_FIELDS_H
#define MULTIPART_FIELDS_H

#include <stdbool.h>

struct mime_parameter {
	const char *name;
	char *value; /* unquoted */
};

/* Cuts "value; name=text; name=\"text\"" in place. mime_value ends the value and moves *text to the parameters;
 * mime_parameter takes the next of them: 1, 0 after the last, -EINVAL when it is malformed. */
char *mime_value(char **text);
int mime_parameter(char **text, struct mime_parameter *parameter);

/* Fills the part's name, filename and content_type from its header lines (NUL-terminated text, each line ended by
 * CR LF), in place. NULL, or what is wrong. */
struct multipart;
const char *mime_part_headers(struct multipart *m, char *lines);

#endif
