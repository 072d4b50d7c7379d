/* SPDX-License-Identifier: ISC
 *
 * What `skerry configure` was told, and what else of it build/unikernel.json remembers for the commands that follow.
 */
#ifndef CONFIGURE_SETTINGS_H
#define CONFIGURE_SETTINGS_H

#include <stdbool.h>
#include <stdio.h>

#include "tool/configure/model.h"
#include "tool/configure/outputs.h"

#define SETTINGS_FILE "build/unikernel.json"

struct settings {
	const char *config; /* the path of config.c */
	const char *target;
	const char *output; /* the name of the result; NULL: the unikernel's */
	const char *cflags; /* more of the compiler's flags */
	struct choice choices[CHOICES_MAX];
	size_t choice_count;

	/* Remembered only. */
	bool configured;             /* there is anything to remember */
	struct paths config_sources; /* config.c, and what it includes */
	struct paths made;           /* all that skerry has made here: see outputs.h */
	const char *image;           /* the path of the result */
};

/* Settings of nothing: config.c, for unix. */
void settings_init(struct settings *settings);

/* Adds --KEY=VALUE or --KEY. */
void settings_choose(struct settings *settings, const char *word);

/* Reads what is remembered; false: nothing is. Exits with a message if it was not written by skerry. */
bool settings_read(struct settings *settings);

/* Writes the settings, and what the model says for `skerry run`. */
void settings_write(FILE *out);
/* Whose. */
extern const struct settings *settings_written;

/* The path of the result, and that of the directory in which it is built. */
const char *settings_image(const struct settings *settings);
const char *settings_build_directory(const struct settings *settings);

#endif
