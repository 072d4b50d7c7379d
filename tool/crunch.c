/* SPDX-License-Identifier: ISC
 *
 * `skerry crunch`: files become C constants, to be linked into a unikernel. This part is the command line.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crunch.h"
#include "tool.h"

static const char help[] =
	"usage: skerry crunch [-f NAME:FILE]... [FILE]... [-o OUT.c] [--header OUT.h]\n"
	"\n"
	"Turns each file into a constant `const struct crunched_file NAME` (<skerry/crunch.h>): its bytes, its\n"
	"content type by its ending, its SHA-256 as an entity tag, and the same bytes compressed with gzip.\n"
	"\n"
	"  FILE            named after its last component: index.html becomes index_html\n"
	"  -f NAME:FILE    named NAME\n"
	"  -o OUT.c        where to write the definitions; -, the default, is standard output\n"
	"  --header OUT.h  where to write declarations\n"
	"  --no-gzip       without compressed variants; otherwise a file has one if that is smaller\n"
	"  --help          print this\n";

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

/* NAME:FILE, which is cut in place. */
static int add_named_file(struct job *job, char *argument)
{
	char *colon = strchr(argument, ':');

	if (!colon || !colon[1])
		return crunch_complain(argument, "expected NAME:FILE");
	*colon = 0;
	return add_file(job, argument, colon + 1);
}

/* 0 to go on, 1 after printing the help, -1 after a complaint. */
static int parse_command_line(struct job *job, int argc, char **argv)
{
	enum { HEADER = 256, NO_GZIP, HELP };
	static const struct option options[] = {
		{ "header", required_argument, NULL, HEADER },
		{ "no-gzip", no_argument, NULL, NO_GZIP },
		{ "help", no_argument, NULL, HELP },
		{ 0 },
	};
	int option, status = 0;
	const char *word = argv[0]; /* the one that getopt is in */

	opterr = 0;
	while (status == 0) {
		word = argv[optind];
		/* The "-" makes getopt give other words in their order, as option 1. */
		option = getopt_long(argc, argv, "-:f:o:", options, NULL);
		if (option < 0)
			break;
		switch (option) {
		case 1:
			status = add_file(job, NULL, optarg);
			break;
		case 'f':
			status = add_named_file(job, optarg);
			break;
		case 'o':
			job->source = optarg;
			break;
		case HEADER:
			job->header = optarg;
			break;
		case NO_GZIP:
			job->without_gzip = true;
			break;
		case HELP:
			fputs(help, stdout);
			return 1;
		case ':':
			return crunch_complain(word, "expected an argument");
		default:
			return crunch_complain(word, "unknown option; --help lists them");
		}
	}
	/* What follows "--". */
	while (status == 0 && optind < argc)
		status = add_file(job, NULL, argv[optind++]);
	if (status == 0 && job->count == 0)
		return crunch_complain("", "expected a FILE, or -f NAME:FILE; --help says more");
	return status;
}

static int run(struct job *job)
{
	/* All is read before anything is written. */
	for (size_t i = 0; i < job->count; i++)
		if (crunch_load(&job->files[i], !job->without_gzip) < 0)
			return -1;
	if (write_output(job->source, job, false) < 0)
		return -1;
	return job->header ? write_output(job->header, job, true) : 0;
}

int cmd_crunch(int argc, char **argv)
{
	struct job job = { .source = "-" };
	int status;

	job.files = calloc((size_t)argc, sizeof *job.files); /* no argument adds more than one */
	if (!job.files)
		return crunch_complain("", "%s", strerror(errno)) < 0;
	status = parse_command_line(&job, argc, argv);
	if (status == 0)
		status = run(&job);
	for (size_t i = 0; i < job.count; i++)
		crunch_unload(&job.files[i]);
	free(job.files);
	return status < 0;
}
