/* SPDX-License-Identifier: ISC
 *
 * `skerry crunch`: files become C constants, to be linked into a unikernel. This part is the command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/crunch.h"
#include "tool/tool.h"

enum { OPTION_FILE = COMMAND_FIRST_OPTION, OPTION_OUTPUT, OPTION_HEADER, OPTION_NO_GZIP };

struct job {
	struct crunch_file *files;
	size_t count;
	const char *source, *header;
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

static int add_file(struct job *job, const char *name, const char *path)
{
	struct crunch_file *file = &job->files[job->count];

	file->path = path;
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
		default:
			return -1;
		}
	}
	if (status == 0 && job->count == 0)
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
	{ 0 },
};

static const struct command_note examples[] = {
	{ "skerry crunch index.html -o files.c --header files.h", "Two files that make a constant, index_html." },
	{ NULL, NULL },
};

const struct command command_crunch = {
	.name = "crunch",
	.summary = "turn files into C constants, to be linked into a unikernel",
	.synopses = (const char *const[]){ "[-f NAME:FILE]... [FILE]... [-o OUT.c] [--header=OUT.h]", NULL },
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
