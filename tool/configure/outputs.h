/* SPDX-License-Identifier: ISC
 *
 * The files that configuring writes and building makes. What is there and was not made by skerry is never touched: the
 * paths of all that it made are on record, in build/unikernel.json.
 */
#ifndef CONFIGURE_OUTPUTS_H
#define CONFIGURE_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PATHS_MAX = 4096 };

struct paths {
	const char *items[PATHS_MAX];
	size_t count;
};
void paths_add(struct paths *paths, const char *path); /* once each */
bool paths_has(const struct paths *paths, const char *path);

/* Adds a file with what the writer writes, behind or before the others; a symbolic link to a path; a file that only
 * building makes. */
void output_file(const char *path, void (*write)(FILE *out));
void output_file_first(const char *path, void (*write)(FILE *out));
void output_link(const char *path, const char *to);
void output_built(const char *path);

/* All that was added. */
const struct paths *outputs_paths(void);

/* What the file of this path will hold; NULL: there is none. */
const char *outputs_text(const char *path);

/* Exits with a message if a file is there that is not on record. */
void outputs_check(const struct paths *record);

/* Writes what differs from what is there; what is the same keeps its time. Exits with a message if it cannot. */
void outputs_write(void);

/* Tells what outputs_write() would do, a line for each file. */
void outputs_tell(void);

/* Removes all on record, and the directories that are empty then. Exits with a message if it cannot. */
void outputs_remove(const struct paths *record);

#endif
