/* SPDX-License-Identifier: ISC
 *
 * Between the parts of `skerry crunch`: its command line (crunch.c), what it makes of a file (crunch_file.c) and how
 * it writes C (crunch_write.c).
 */
#ifndef CRUNCH_TOOL_H
#define CRUNCH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CRUNCH_NAME_MAX = 255, CRUNCH_ETAG_SIZE = 2 + 64 + 1 };

struct crunch_file {
	const char *path; /* as given */
	char name[CRUNCH_NAME_MAX + 1];
	const char *content_type;
	char etag[CRUNCH_ETAG_SIZE];
	uint8_t *data, *gzip; /* gzip: NULL when it would not be smaller */
	size_t len, gzip_len;
};

/* Prints "skerry crunch: SUBJECT: PROBLEM" and returns -1. */
int crunch_complain(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Names the file after its path's last component, when name is NULL, or name. 0, or -1 after a complaint. */
int crunch_set_name(struct crunch_file *file, const char *name);
/* Reads the file and works out all that is known of it. 0, or -1 after a complaint. */
int crunch_load(struct crunch_file *file, bool with_gzip);
void crunch_unload(struct crunch_file *file);

/* Write the definitions, or the declarations for the header of this path. */
void crunch_write_source(FILE *out, const struct crunch_file *files, size_t count);
void crunch_write_header(FILE *out, const char *path, const struct crunch_file *files, size_t count);

#endif
