/* SPDX-License-Identifier: ISC
 *
 * `skerry crunch`: files become C constants, to be linked into a unikernel. This part is the command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/crunch.h"
#include "tool/tool.h"

enum {
	OPTION_FILE = COMMAND_FIRST_OPTION,
	OPTION_OUTPUT,
	OPTION_HEADER,
	OPTION_NO_GZIP,
	OPTION_FROM,
	OPTION_DIRECTORY,
	OPTION_RULE
};

struct job {
	struct crunch_file *files;
	size_t count;
	const char *source, *header, *rule;
	const char *from;                /* the directory that paths are relative to; NULL: the current one */
	char table[CRUNCH_NAME_MAX + 1]; /* of a directory's files; "": there is no directory */
	struct crunch_tree tree;
	bool without_gzip;
};

int crunch_complain(const char *subject, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "skerry crunch: %s%s", subject, *subject ? ": " : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

/* Output ------------------------------------------------------------------------------------------------------- */

static void write_to(FILE *out, const struct job *job, bool header)
{
	if (header)
		crunch_write_header(out, job->header, job->files, job->count);
	else
		crunch_write_source(out, job->files, job->count);
	if (!header && *job->table)
		crunch_write_table(out, job->table, job->files, job->count);
}

/* Ends the writing of out, to the thing of this name. 0, or -1 after a complaint. */
static int finish(FILE *out, const char *path)
{
	bool failed = fflush(out) != 0 || ferror(out);
	int err = errno;

	if (out != stdout && fclose(out) != 0 && !failed) {
		failed = true;
		err = errno;
	}
	return failed ? crunch_complain(path, "%s", strerror(err)) : 0;
}

/* Writes a file beside path and then puts it in path's place, so that no one sees half a file. */
static int write_replacing(const char *path, const struct job *job, bool header)
{
	size_t size = strlen(path) + sizeof ".XXXXXX";
	char *temporary = malloc(size);
	mode_t mask = umask(0);
	FILE *out = NULL;
	int fd, status = -1;

	umask(mask);
	if (!temporary)
		return crunch_complain(path, "%s", strerror(errno));
	snprintf(temporary, size, "%s.XXXXXX", path);
	fd = mkstemp(temporary);
	if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0)
		out = fdopen(fd, "w");
	if (!out) {
		crunch_complain(path, "%s", strerror(errno));
	} else {
		write_to(out, job, header);
		status = finish(out, path);
		fd = -1;
	}
	if (status == 0 && rename(temporary, path) < 0)
		status = crunch_complain(path, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (status < 0)
		unlink(temporary);
	free(temporary);
	return status;
}

static int write_output(const char *path, const struct job *job, bool header)
{
	struct stat status;
	FILE *out = stdout;

	if (strcmp(path, "-") == 0) {
		write_to(out, job, header);
		return finish(out, "standard output");
	}
	/* A device or a pipe is written to; only a file may be replaced. */
	if (stat(path, &status) < 0 || S_ISREG(status.st_mode))
		return write_replacing(path, job, header);
	out = fopen(path, "w");
	if (!out)
		return crunch_complain(path, "%s", strerror(errno));
	write_to(out, job, header);
	return finish(out, path);
}

/* Command line ------------------------------------------------------------------------------------------------- */

/* Text that lives for ever: its size is a path's. */
static const char *join(const char *directory, const char *path)
{
	char *joined;

	return asprintf(&joined, "%s/%s", directory, path) < 0 ? NULL : joined;
}

static int add_file(struct job *job, const char *name, const char *path)
{
	struct crunch_file *file = &job->files[job->count];

	file->path = job->from ? join(job->from, path) : path;
	if (!file->path)
		return crunch_complain(path, "%s", strerror(ENOMEM));
	file->label = path;
	if (crunch_set_name(file, name) < 0)
		return -1;
	for (size_t i = 0; i < job->count; i++)
		if (strcmp(job->files[i].name, file->name) == 0)
			return crunch_complain(path, "would be named %s, as %s is; name it with -f NAME:FILE",
				file->name, job->files[i].path);
	job->count++;
	return 0;
}

/* NAME:FILE. A NAME that is too long stays too long. */
static int add_named_file(struct job *job, const char *argument)
{
	const char *colon = strchr(argument, ':');
	char name[CRUNCH_NAME_MAX + 2];

	if (!colon || !colon[1])
		return crunch_complain(argument, "expected NAME:FILE");
	snprintf(name, sizeof name, "%.*s", (int)(colon - argument), argument);
	return add_file(job, name, colon + 1);
}

/* NAME:DIRECTORY, alone: all files in it, named NAME_0 and so on, with labels relative to it. */
static int add_directory(struct job *job, const char *argument)
{
	const char *colon = strchr(argument, ':'), *directory = colon ? colon + 1 : "";
	char name[CRUNCH_NAME_MAX + 1];

	if (job->count || !colon || !*directory || colon - argument > CRUNCH_NAME_MAX / 2)
		return crunch_complain(argument, "expected one NAME:DIRECTORY and no other file");
	if (crunch_tree_read(directory, &job->tree) < 0)
		return -1;
	snprintf(job->table, sizeof job->table, "%.*s", (int)(colon - argument), argument);
	free(job->files);
	job->files = calloc(job->tree.file_count + 1, sizeof *job->files);
	if (!job->files)
		return crunch_complain(directory, "%s", strerror(errno));
	for (size_t i = 0; i < job->tree.file_count; i++) {
		struct crunch_file *file = &job->files[job->count++];

		snprintf(name, sizeof name, "%.100s_%zu", job->table, i);
		file->path = job->tree.files[i];
		file->label = file->path + strlen(directory) + (directory[strlen(directory) - 1] != '/');
		if (crunch_set_name(file, name) < 0)
			return -1;
	}
	return 0;
}

/* 0 to go on, -1 after a complaint or the help. */
static int parse_command_line(struct job *job, struct command_line *line)
{
	const char *value;
	int option, status = 0;

	while (status == 0 && (option = command_next(line, &value)) != COMMAND_END) {
		switch (option) {
		case COMMAND_OPERAND:
			status = add_file(job, NULL, value);
			break;
		case OPTION_FILE:
			status = add_named_file(job, value);
			break;
		case OPTION_OUTPUT:
			job->source = value;
			break;
		case OPTION_HEADER:
			job->header = value;
			break;
		case OPTION_NO_GZIP:
			job->without_gzip = true;
			break;
		case OPTION_FROM:
			job->from = value;
			break;
		case OPTION_DIRECTORY:
			status = add_directory(job, value);
			break;
		case OPTION_RULE:
			job->rule = value;
			break;
		default:
			return -1;
		}
	}
	if (status == 0 && job->count == 0 && !*job->table)
		return crunch_complain("", "expected a FILE, or -f NAME:FILE; --help says more");
	return status;
}

static int write_files(struct job *job)
{
	/* All is read before anything is written. */
	for (size_t i = 0; i < job->count; i++)
		if (crunch_load(&job->files[i], !job->without_gzip) < 0)
			return -1;
	if (write_output(job->source, job, false) < 0)
		return -1;
	if (job->rule && crunch_tree_write_rule(job->rule, job->source, &job->tree) < 0)
		return -1;
	return job->header ? write_output(job->header, job, true) : 0;
}

static int run(struct command_line *line)
{
	struct job job = { .source = "-" };
	size_t words = 0;
	int status;

	while (line->words[words])
		words++;
	line->status = COMMAND_FAILED;                    /* unless it was the help that ended it */
	job.files = calloc(words + 1, sizeof *job.files); /* no word adds more than one */
	if (!job.files)
		return crunch_complain("", "%s", strerror(errno)) < 0;
	status = parse_command_line(&job, line);
	if (status == 0)
		line->status = write_files(&job) < 0 ? COMMAND_FAILED : COMMAND_OK;
	for (size_t i = 0; i < job.count; i++)
		crunch_unload(&job.files[i]);
	crunch_tree_free(&job.tree);
	free(job.files);
	return line->status;
}

static const struct command_option options[] = {
	{ OPTION_FILE, 'f', "file", "NAME:FILE", "A file, to be named NAME.", NULL },
	{ OPTION_OUTPUT, 'o', "output", "OUT.c", "Where to write the definitions; -, the default, is standard output.",
		NULL },
	{ OPTION_HEADER, 0, "header", "OUT.h", "Where to write declarations.", NULL },
	{ OPTION_NO_GZIP, 0, "no-gzip", NULL,
		"Without compressed variants; otherwise a file has one if that is smaller.", NULL },
	{ OPTION_FROM, 'C', "from", "DIRECTORY", "The paths of the files that follow are relative to this.", NULL },
	{ OPTION_DIRECTORY, 'd', "directory", "NAME:DIRECTORY",
		"All files in a directory, at any depth, and a table of them, named NAME.", NULL },
	{ OPTION_RULE, 0, "depfile", "OUT.d", "Where to write, for make or ninja, what the output depends on.", NULL },
	{ 0 },
};

static const struct command_note examples[] = {
	{ "skerry crunch index.html -o files.c --header files.h", "Two files that make a constant, index_html." },
	{ NULL, NULL },
};

const struct command command_crunch = {
	.name = "crunch",
	.summary = "turn files into C constants, to be linked into a unikernel",
	.synopses = (const char *const[]){ "[-C DIRECTORY] [-f NAME:FILE]... [FILE]... [-o OUT.c] [--header=OUT.h]",
		"-d NAME:DIRECTORY [-o OUT.c] [--depfile=OUT.d]", NULL },
	.description =
		(const char *const[]){
			"Turns each file into a constant `const struct crunched_file NAME` (<skerry/crunch.h>): its "
			"bytes, its content type by its ending, its SHA-256 as an entity tag, and the same bytes "
			"compressed with gzip. A FILE is named after its last component: index.html becomes "
			"index_html.",
			NULL,
		},
	.options = options,
	.examples = examples,
	.run = run,
};
