/* SPDX-License-Identifier: ISC
 *
 * `skerry build`: runs ninja on what `configure` wrote, after configuring again if config.c has changed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/configure/configure.h"
#include "tool/configure/target.h"
#include "tool/configure/toolchain.h"
#include "tool/start.h"
#include "tool/tool.h"

static bool is_newer(const struct stat *status, const struct stat *than)
{
	if (status->st_mtim.tv_sec != than->st_mtim.tv_sec)
		return status->st_mtim.tv_sec > than->st_mtim.tv_sec;
	return status->st_mtim.tv_nsec > than->st_mtim.tv_nsec;
}

/* Whether what was configured is older than config.c, or than this program, or not there. */
static bool is_stale(const struct settings *settings)
{
	static const char *const written[] = { "main.c", "keys.h", "start.h", "manifest.json" };
	struct stat status, configured;

	for (size_t i = 0; i < sizeof written / sizeof *written; i++)
		if (stat(config_text("%s/%s", settings_build_directory(settings), written[i]), &status) < 0)
			return true;
	if (stat(config_text("%s/build.ninja", settings_build_directory(settings)), &configured) < 0)
		return true;
	if (stat("/proc/self/exe", &status) == 0 && is_newer(&status, &configured))
		return true;
	for (size_t i = 0; i < settings->config_sources.count; i++)
		if (stat(settings->config_sources.items[i], &status) < 0 || is_newer(&status, &configured))
			return true;
	return false;
}

/* Configures if that was never done, or not since config.c changed. */
static int bring_up_to_date(struct settings *settings)
{
	bool configured = settings_read(settings);

	if (configured && !is_stale(settings))
		return COMMAND_OK;
	if (!configured)
		printf("not configured yet; configuring for %s\n", settings->target);
	if (configure_run(settings, false, false) != 0 || !settings_read(settings))
		return COMMAND_FAILED;
	return COMMAND_OK;
}

/* Passes on what the compiler says, without what ninja says around it. */
static void pass_on(FILE *in, bool verbose)
{
	char *line = NULL;
	size_t size = 0;
	bool command_follows = false;

	while (getline(&line, &size, in) > 0) {
		bool failed = strncmp(line, "FAILED: ", 8) == 0;

		if (verbose)
			fputs(line, stdout);
		else if (strncmp(line, "ninja: error: ", 14) == 0)
			fprintf(stderr, "skerry build: %s", line + 14);
		else if (!failed && !command_follows && strncmp(line, "ninja: ", 7) != 0)
			fputs(line, stderr);
		command_follows = failed;
	}
	free(line);
}

static int run_ninja(const struct command *command, const struct settings *settings, const char *jobs, bool verbose)
{
	const char *words[8] = { "ninja", "-f", config_text("%s/build.ninja", settings_build_directory(settings)),
		verbose ? "-v" : "--quiet" };
	int status;
	pid_t child;
	FILE *in;

	if (jobs)
		words[4] = config_text("-j%s", jobs);
	child = start_reading(words, &in);
	if (child < 0)
		return command_fail(command, "ninja: %s", strerror(errno));
	pass_on(in, verbose);
	fclose(in);
	status = start_wait(child);
	if (status < 0)
		return command_fail(command, "ninja: %s", strerror(errno));
	return status == 0 ? COMMAND_OK : COMMAND_FAILED;
}

static int build(const struct command *command, const char *jobs, bool verbose)
{
	struct settings settings;
	struct stat status;

	if (bring_up_to_date(&settings) != COMMAND_OK)
		return COMMAND_FAILED;
	if (!program_exists("ninja"))
		return command_fail(command, "ninja is not there; apt-get install ninja-build");
	fflush(stdout);
	if (run_ninja(command, &settings, jobs, verbose) != COMMAND_OK)
		return COMMAND_FAILED;
	if (stat(settings.image, &status) < 0)
		return command_fail(command, "%s: %s", settings.image, strerror(errno));
	printf("%s\n", settings.image);
	return COMMAND_OK;
}

static int run(struct command_line *line)
{
	enum { OPTION_JOBS = COMMAND_FIRST_OPTION, OPTION_VERBOSE };
	const char *value, *jobs = NULL;
	bool verbose = false;
	int option;

	while ((option = command_next(line, &value)) >= 0) {
		if (option == OPTION_VERBOSE) {
			verbose = true;
		} else if (option == OPTION_JOBS && strspn(value, "0123456789") == strlen(value)) {
			jobs = value;
		} else {
			return command_fail(line->command,
				option == OPTION_JOBS ? "-j \"%s\": expected a number" : "\"%s\": expected no argument",
				value);
		}
	}
	return option == COMMAND_STOP ? line->status : build(line->command, jobs, verbose);
}

static const struct command_option options[] = {
	{ COMMAND_FIRST_OPTION, 'j', "jobs", "N", "Run N compilations at a time.", NULL },
	{ COMMAND_FIRST_OPTION + 1, 'v', "verbose", NULL, "Show the commands.", NULL },
	{ 0 },
};
static const char *const synopses[] = { "[-j N] [-v]", NULL };
static const char *const description[] = {
	"Builds what was configured, or configures for unix first if nothing was: dist/NAME, an ordinary program, for "
	"unix; "
	"dist/NAME.spt and the like for other targets. Only what has changed is compiled again. When config.c has "
	"changed, "
	"it is run again with the choices that were made.",
	NULL,
};
static const struct command_note examples[] = {
	{ "skerry configure -t spt && skerry build", "Build for the sandbox." },
	{ NULL },
};

const struct command command_build = {
	.name = "build",
	.summary = "compile and link what was configured",
	.synopses = synopses,
	.description = description,
	.options = options,
	.examples = examples,
	.run = run,
};
