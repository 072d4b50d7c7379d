/* SPDX-License-Identifier: ISC
 *
 * `skerry configure`: runs config.c and writes the directory build/.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool/configure/configure.h"
#include "tool/configure/load.h"
#include "tool/configure/plan.h"
#include "tool/configure/target.h"
#include "tool/tool.h"

/* Shared with other subcommands ---------------------------------------------------------------------------------- */

static int check_target(const struct command *command, const char *name)
{
	char nearest[16];

	if (target_find(name))
		return 0;
	if (command_nearest(name, TARGET_WORDS, nearest, sizeof nearest))
		return command_fail(
			command, "unknown target \"%s\"; did you mean %s? known are " TARGET_NAMES, name, nearest);
	return command_fail(command, "unknown target \"%s\"; known are " TARGET_NAMES, name);
}

int settings_take(struct settings *settings, const struct command *command, int option, const char *value)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	if (settings->configured)
		settings_init(settings);
	switch (option) {
	case OPTION_TARGET:
		settings->target = value;
		return check_target(command, value);
	case OPTION_CONFIG:
		settings->config = value;
		return 0;
	case OPTION_OUTPUT:
		settings->output = value;
		if (strspn(value, plain) != strlen(value) || *value == '.')
			return command_fail(
				command, "-o \"%s\": expected a name of letters, digits, -, _ and .", value);
		return 0;
	case COMMAND_KEY:
		settings_choose(settings, value);
		return 0;
	default:
		return command_fail(command, "\"%s\": expected no argument", value);
	}
}

/* What the help calls a key's value; NULL: it takes none. */
static const char *key_value(const struct key_config *key)
{
	const char *placeholder = key_kinds[key->kind].type->placeholder;

	if (!*placeholder)
		return NULL;
	return key->choices ? key->choices : placeholder + 1;
}

static int print_keys(void *context)
{
	struct settings settings;
	struct command_option options[MODEL_KEYS_MAX + 1] = { 0 };
	size_t count = 0;

	settings_read(&settings);
	load_unikernel(&settings, false);
	for (size_t i = 0; i < model.key_count; i++) {
		const struct key_config *key = &model.keys[i].config;

		if (key->stage == KEY_AT_BOOT)
			continue;
		options[count++] = (struct command_option){
			.id = COMMAND_FIRST_OPTION,
			.name = key->name,
			.value = key_value(key),
			.doc = config_text("%s%s%s%s", key->doc ? key->doc : "", key->initial ? " Default: " : "",
				key->initial ? key->initial : "", key->stage == KEY_ALWAYS ? " (At boot, too.)" : ""),
		};
	}
	if (count)
		command_print_options(context, config_text("Keys of %s", model.name), options);
	return 0;
}

void settings_help(FILE *out)
{
	struct settings settings;
	struct stat status;

	settings_read(&settings);
	if (stat(settings.config, &status) == 0)
		run_apart(print_keys, out);
}

void configure_evaluate(struct settings *settings, bool strict)
{
	load_unikernel(settings, strict);
	settings_written = settings;
	settings->image = settings_image(settings);
	plan_make(settings);
}

/* Configuring ---------------------------------------------------------------------------------------------------- */

struct job {
	struct settings *settings;
	bool strict, dry;
};

static int configure_apart(void *context)
{
	struct job *job = context;
	struct settings *settings = job->settings;
	struct paths record = settings->made;

	configure_evaluate(settings, job->strict);
	for (size_t i = 0; i < outputs_paths()->count; i++)
		paths_add(&settings->made, outputs_paths()->items[i]);
	paths_add(&settings->made, SETTINGS_FILE);
	/* First, so that what is written is on record whatever happens. */
	output_file_first(SETTINGS_FILE, settings_write);
	outputs_check(&record);
	if (job->dry) {
		outputs_tell();
		return 0;
	}
	outputs_write();
	/* `skerry build` looks at this file's time to see whether config.c has changed since. */
	if (utimensat(AT_FDCWD, config_text("%s/build.ninja", plan.directory), NULL, 0) < 0)
		config_error_at(&(struct place){ plan.directory, 0 }, "%s", strerror(errno));
	return 0;
}

int configure_run(struct settings *settings, bool strict, bool dry)
{
	struct job job = { settings, strict, dry };

	return run_apart(configure_apart, &job);
}

static int run(struct command_line *line)
{
	enum { OPTION_DRY_RUN = OPTION_OWN };
	struct settings settings, remembered;
	const char *value, *cflags = getenv("CFLAGS");
	bool dry = false;
	int option;

	settings_init(&settings);
	while ((option = command_next(line, &value)) >= 0) {
		if (option == OPTION_DRY_RUN)
			dry = true;
		else if (settings_take(&settings, line->command, option, value) != 0)
			return COMMAND_FAILED;
	}
	if (option == COMMAND_STOP)
		return line->status;
	settings.cflags = cflags ? cflags : "";
	settings_read(&remembered);
	settings.made = remembered.made;
	if (configure_run(&settings, true, dry) != 0)
		return COMMAND_FAILED;
	if (!dry && settings_read(&settings))
		printf("configured for %s; skerry build makes %s\n", settings.target, settings.image);
	return COMMAND_OK;
}

static const struct command_option options[] = {
	SETTINGS_OPTIONS,
	{ OPTION_OWN, 0, "dry-run", NULL, "Print which files would be written, and write none.", NULL },
	{ 0 },
};
static const char *const synopses[] = { "[-t TARGET] [-f FILE] [-o NAME] [--dry-run] [--KEY=VALUE]...", NULL };
static const char *const description[] = {
	"Compiles config.c and runs it, which says what the unikernel in this directory is made of, and writes into "
	"build/ what building it takes: main.c, keys.h, the manifest and build.ninja in a directory of the target's "
	"name, "
	"compile_commands.json for editors, and unikernel.json, which remembers these choices for the commands that "
	"follow.",
	"Files that are there and were not written by skerry are never touched. The environment's CFLAGS are added to "
	"the "
	"compiler's flags.",
	NULL,
};
static const struct command_note examples[] = {
	{ "skerry configure -t spt", "Configure for the sandbox." },
	{ "skerry configure --hello='Hola, mundo!'", "Give a key of the unikernel another default." },
	{ "skerry configure --help", "List the keys of the unikernel in this directory as well." },
	{ NULL },
};

const struct command command_configure = {
	.name = "configure",
	.summary = "run config.c and write what the build needs",
	.synopses = synopses,
	.description = description,
	.options = options,
	.examples = examples,
	.takes_keys = true,
	.help_append = settings_help,
	.run = run,
};
