/* SPDX-License-Identifier: ISC
 *
 * Between the parts of `skerry crunch`: its command line (crunch.c), the files of a directory (crunch_directory.c),
 * what it makes of a file (crunch_file.c) and how it writes C (crunch_write.c).
 */
#ifndef CRUNCH_TOOL_H
#define CRUNCH_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CRUNCH_NAME_MAX = 255, CRUNCH_ETAG_SIZE = 2 + 64 + 1 };

struct crunch_file {
	const char *path;  /* to open it */
	const char *label; /* what the program sees as its name: the path as given */
	char name[CRUNCH_NAME_MAX + 1];
	const char *content_type;
	char etag[CRUNCH_ETAG_SIZE];
	uint8_t *data, *gzip; /* gzip: NULL when it would not be smaller */
	size_t len, gzip_len;
};

/* Prints "skerry crunch: SUBJECT: PROBLEM" and returns -1. */
int crunch_complain(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a name has a meaning in C, so that nothing can be called so. */
bool crunch_is_reserved(const char *name);

/* Names the file after its path's last component, when name is NULL, or name. 0, or -1 after a complaint. */
int crunch_set_name(struct crunch_file *file, const char *name);
/* Reads the file and works out all that is known of it. 0, or -1 after a complaint. */
int crunch_load(struct crunch_file *file, bool with_gzip);
void crunch_unload(struct crunch_file *file);

/* Write the definitions, or the declarations for the header of this path. */
void crunch_write_source(FILE *out, const struct crunch_file *files, size_t count);
/* Behind the definitions: `const struct crunched_file *const TABLE[]` of all, and `const size_t TABLE_count`. */
void crunch_write_table(FILE *out, const char *table, const struct crunch_file *files, size_t count);
void crunch_write_header(FILE *out, const char *path, const struct crunch_file *files, size_t count);

/* What lies in a directory, at any depth: paths that begin with the directory's. Links are followed. */
struct crunch_tree {
	char **files; /* in order */
	size_t file_count;
	char **directories;
	size_t directory_count;
};
/* 0, or -1 after a complaint; crunch_tree_free() is due in any case. */
int crunch_tree_read(const char *directory, struct crunch_tree *tree);
void crunch_tree_free(struct crunch_tree *tree);
/* Writes a rule of make to a path: the target depends on all of the tree. 0, or -1 after a complaint. */
int crunch_tree_write_rule(const char *path, const char *target, const struct crunch_tree *tree);

#endif
