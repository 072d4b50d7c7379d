/* SPDX-License-Identifier: ISC
 *
 * The configuration language's functions for the unikernel itself: name, sources, files, libraries, steps.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/configure/model.h"
#include "tool/configure/target.h"

struct unikernel model;
struct place config_place = { "config.c", 0 };
const char *config_directory = "";

void config_at(const char *file, int line)
{
	config_place = (struct place){ file, line };
}

__attribute__((format(printf, 2, 0))) static _Noreturn void fail_at(
	const struct place *place, const char *format, va_list args)
{
	fflush(stdout);
	if (place->line)
		fprintf(stderr, "%s:%d: ", place->file, place->line);
	else
		fprintf(stderr, "%s: ", place->file);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

void config_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail_at(&config_place, format, args);
}

void config_error_at(const struct place *place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail_at(place, format, args);
}

void choice_error(const char *format, ...)
{
	static const struct place command = { "skerry configure", 0 };
	va_list args;

	va_start(args, format);
	fail_at(&command, format, args);
}

const char *config_text(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		config_error("no memory");
	va_end(args);
	return text;
}

const char *config_path(const char *path)
{
	return config_text("%s%s", config_directory, path);
}

void config_check_name(const char *what, const char *name, const char *punctuation, size_t max)
{
	if (!name || !*name || strlen(name) > max)
		config_error("%s \"%s\": expected a name of 1 to %zu characters", what, name ? name : "", max);
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(punctuation, *c))
			config_error("%s \"%s\": expected only letters, digits%s%s in the name", what, name,
				*punctuation ? " and " : "", punctuation);
}

void config_check_path(const char *what, const char *path)
{
	enum { PATH_LEN_MAX = 255 };

	config_check_name(what, path, "-_./+", PATH_LEN_MAX);
	if (*path == '/')
		config_error("%s \"%s\": expected a path relative to config.c", what, path);
}

void config_check_directory(const char *path)
{
	struct stat status;

	config_check_path("directory", path);
	if (stat(config_path(path), &status) < 0)
		config_error("directory \"%s\" is not there; make it beside config.c", path);
	if (!S_ISDIR(status.st_mode))
		config_error("\"%s\" is no directory", path);
}

void config_check_room(const char *what, size_t count, size_t max)
{
	if (count >= max)
		config_error("more than %zu %s", max, what);
}

bool target_is(const struct unikernel *u, const char *target)
{
	if (!target_find(target))
		config_error("unknown target \"%s\"; known are %s", target, TARGET_NAMES);
	return strcmp(u->target, target) == 0;
}

void unikernel_name(struct unikernel *u, const char *name)
{
	enum { NAME_LEN_MAX = 63 };

	config_check_name("unikernel", name, "-_", NAME_LEN_MAX);
	if (u->name)
		config_error("the unikernel has a name, \"%s\", already", u->name);
	u->name = name;
}

void unikernel_source(struct unikernel *u, const char *path)
{
	size_t len;

	config_check_room("sources", u->source_count, SOURCES_MAX);
	config_check_path("source", path);
	len = strlen(path);
	if (len < 3 || strcmp(path + len - 2, ".c") != 0)
		config_error("source \"%s\": expected a file in C, NAME.c", path);
	for (size_t i = 0; i < u->source_count; i++)
		if (strcmp(u->sources[i].path, path) == 0)
			config_error("source \"%s\" is there twice", path);
	u->sources[u->source_count].path = path;
	u->sources[u->source_count++].place = config_place;
}

void unikernel_file(struct unikernel *u, const char *symbol, const char *path)
{
	enum { SYMBOL_LEN_MAX = 63 };

	config_check_room("files", u->file_count, FILES_MAX);
	config_check_name("file symbol", symbol, "_", SYMBOL_LEN_MAX);
	config_check_path("file", path);
	u->files[u->file_count].symbol = symbol;
	u->files[u->file_count].path = path;
	u->files[u->file_count++].place = config_place;
}

void unikernel_library(struct unikernel *u, const char *package, const char *library)
{
	enum { PACKAGE_LEN_MAX = 100 };

	config_check_room("libraries", u->library_count, LIBRARIES_MAX);
	config_check_name("package", package, "-+.", PACKAGE_LEN_MAX);
	config_check_name("library", library, "-+._", PACKAGE_LEN_MAX);
	u->libraries[u->library_count++] = (struct model_library){ package, library, config_place };
}

void unikernel_step(struct unikernel *u, const struct build_step *step)
{
	config_check_room("steps", u->step_count, STEPS_MAX);
	config_check_path("output", step->output);
	if (!step->command || !*step->command)
		config_error("the step that makes \"%s\" has no command", step->output);
	if (strpbrk(step->command, "\n"))
		config_error("the command that makes \"%s\": expected one line", step->output);
	for (size_t i = 0; i < STEP_INPUTS_MAX && step->inputs[i]; i++)
		config_check_path("input", step->inputs[i]);
	for (size_t i = 0; i < u->step_count; i++)
		if (strcmp(u->steps[i].step.output, step->output) == 0)
			config_error("two steps make \"%s\"", step->output);
	u->steps[u->step_count].step = *step;
	u->steps[u->step_count++].place = config_place;
}
