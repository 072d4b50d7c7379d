/* SPDX-License-Identifier: ISC
 *
 * `skerry query`: prints one of the things that configuring would write or use, and writes nothing.
 */
#include <string.h>

#include "tool/configure/configure.h"
#include "tool/configure/load.h"
#include "tool/configure/plan.h"
#include "tool/configure/target.h"
#include "tool/tool.h"

#define KINDS "name target image packages files manifest main.c keys.h start.h build.ninja compile_commands.json"

struct job {
	struct settings settings;
	const char *kind;
};

static bool uses_fat(void)
{
	for (size_t i = 0; i < model.device_count; i++)
		if (model.devices[i].used && model.devices[i].file == FILE_OF_FAT)
			return true;
	return false;
}

/* Debian's, that building takes. */
static void print_packages(void)
{
	printf("binutils\ngcc\nlibbearssl-dev\nlibc6-dev\nninja-build\nzlib1g-dev\n");
	if (target_find(model.target)->guest)
		printf("musl-dev\n");
	if (uses_fat())
		printf("dosfstools\nmtools\n");
	for (size_t i = 0; i < model.library_count; i++)
		printf("%s\n", model.libraries[i].package);
}

static void print_files(void)
{
	for (size_t i = 0; i < outputs_paths()->count; i++)
		if (outputs_text(outputs_paths()->items[i]))
			printf("%s\n", outputs_paths()->items[i]);
	printf("%s\n", SETTINGS_FILE);
}

static int query(void *context)
{
	struct job *job = context;
	const char *path;

	configure_evaluate(&job->settings, !job->settings.configured);
	if (strcmp(job->kind, "name") == 0) {
		printf("%s\n", model.name);
	} else if (strcmp(job->kind, "target") == 0) {
		printf("%s\n", model.target);
	} else if (strcmp(job->kind, "image") == 0) {
		printf("%s\n", plan.image);
	} else if (strcmp(job->kind, "packages") == 0) {
		print_packages();
	} else if (strcmp(job->kind, "files") == 0) {
		print_files();
	} else {
		path = strcmp(job->kind, "compile_commands.json") == 0
			       ? config_text("build/%s", job->kind)
			       : config_text("%s/%s%s", plan.directory, job->kind,
					 strcmp(job->kind, "manifest") == 0 ? ".json" : "");
		fputs(outputs_text(path), stdout);
	}
	return COMMAND_OK;
}

static bool is_kind(const char *kind)
{
	size_t len = strlen(kind);

	for (const char *at = KINDS; *at; at += strspn(at, " ")) {
		size_t word_len = strcspn(at, " ");

		if (word_len == len && memcmp(at, kind, len) == 0)
			return true;
		at += word_len;
	}
	return false;
}

static int run(struct command_line *line)
{
	struct job job = { .kind = NULL };
	const char *value;
	int option;

	settings_read(&job.settings);
	while ((option = command_next(line, &value)) >= 0) {
		if (option == COMMAND_OPERAND && !job.kind)
			job.kind = value;
		else if (settings_take(&job.settings, line->command, option, value) != 0)
			return COMMAND_FAILED;
	}
	if (option == COMMAND_STOP)
		return line->status;
	if (!job.kind)
		return command_fail(line->command, "expected one of: " KINDS);
	if (!is_kind(job.kind))
		return command_fail(line->command, "\"%s\": expected one of: " KINDS, job.kind);
	return run_apart(query, &job);
}

static const struct command_option options[] = { SETTINGS_OPTIONS, { 0 } };
static const char *const synopses[] = { "KIND [-t TARGET] [-f FILE] [-o NAME] [--KEY=VALUE]...", NULL };
static const char *const description[] = {
	"Prints one thing of the unikernel in this directory and writes nothing. KIND is name; target; image, the path "
	"of "
	"the result; packages, Debian's that building takes; files, those that configure writes; manifest, main.c, "
	"keys.h, "
	"start.h, build.ninja or compile_commands.json, the content of one of these.",
	NULL,
};
static const struct command_note examples[] = {
	{ "skerry query packages | xargs apt-get install", "Install what building takes." },
	{ NULL },
};

const struct command command_query = {
	.name = "query",
	.summary = "print one thing that configuring makes",
	.synopses = synopses,
	.description = description,
	.options = options,
	.examples = examples,
	.words = KINDS,
	.takes_keys = true,
	.run = run,
};
