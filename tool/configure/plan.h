/* SPDX-License-Identifier: ISC
 *
 * What the build does: the compilations, and what the linker gets, as worked out of the model.
 */
#ifndef CONFIGURE_PLAN_H
#define CONFIGURE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tool/configure/settings.h"

enum { COMPILATIONS_MAX = SOURCES_MAX + DEVICES_MAX + 8 };

struct compilation {
	const char *source, *object;
	const char *needs; /* a file that must be there, and whose change counts; NULL: none */
	bool by_user;      /* it sees the prototype of start() */
};

struct plan {
	const struct settings *settings;
	const char *directory; /* build/TARGET */
	const char *image;     /* dist/NAME.TARGET */
	const char *compiler;  /* gcc with its flags, as the shell takes it */
	struct compilation compilations[COMPILATIONS_MAX];
	size_t compilation_count;
	struct plan_library {
		const char *file; /* libNAME.a, with its path */
		const char *package;
	} libraries[LIBRARIES_MAX];
	size_t library_count;
};
extern struct plan plan;

/* Works out the plan, and adds all its files to the outputs. Exits with a message for what is missing. */
void plan_make(const struct settings *settings);

/* The paths of unikernel_library(), and for guests, which see no header of the host, links to theirs. */
void plan_libraries(void);

/* The shell's command for a compilation; as the shell takes a word. */
const char *plan_command(const struct compilation *compilation);
const char *shell_word(const char *text);

/* Where something that config.c names lies: beside config.c; what a step makes, in the current directory, and then it
 * is `path` itself that comes back. */
const char *plan_path(const char *path);

void write_ninja(FILE *out);
void write_compile_commands(FILE *out);

#endif
