/* SPDX-License-Identifier: ISC
 *
 * config.c becomes a shared object, which finds the functions of <skerry/config.h> in this program.
 */
#include "tool/configure/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/command.h"
#include "tool/configure/target.h"
#include "tool/configure/toolchain.h"
#include "tool/start.h"

int run_apart(int (*run)(void *context), void *context)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		fprintf(stderr, "skerry: fork: %s\n", strerror(errno));
		return 1;
	}
	if (pid == 0) {
		status = run(context);
		exit(fflush(stdout) == 0 ? status : 1);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "skerry: configure() of config.c was ended by signal %d, %s\n", WTERMSIG(status),
		strsignal(WTERMSIG(status)));
	return 1;
}

static const char *available_targets(void)
{
	const char *names = "";

	for (const char *word = TARGET_WORDS; *word; word += strspn(word, " ")) {
		int len = (int)strcspn(word, " ");
		const char *name = config_text("%.*s", len, word);

		if (toolchain_has_target(target_find(name)))
			names = config_text("%s%s%s", names, *names ? ", " : "", name);
		word += len;
	}
	return *names ? names : "none";
}

static void check_tools(const struct settings *settings)
{
	struct place here = { settings->config, 0 };

	if (access(settings->config, F_OK) < 0)
		config_error_at(&here, "%s; -f FILE names another, skerry new NAME makes a unikernel", strerror(errno));
	if (!toolchain_has_target(target_find(settings->target)))
		choice_error("target %s: this skerry was built without it; it has %s", settings->target,
			available_targets());
	if (!program_exists("gcc"))
		choice_error("gcc is not there; apt-get install gcc libc6-dev");
}

/* The files that a rule of make lists. Those of skerry itself, which are not below config.c's directory, are left out:
 * they change with skerry. */
static void read_dependencies(const char *path, struct settings *settings)
{
	FILE *in = fopen(path, "r");
	char word[4096];

	settings->config_sources.count = 0;
	paths_add(&settings->config_sources, settings->config);
	while (in && fscanf(in, "%4095s", word) == 1)
		if (strcmp(word, "\\") != 0 && word[strlen(word) - 1] != ':' && *word != '/')
			paths_add(&settings->config_sources, config_text("%s", word));
	if (in)
		fclose(in);
}

/* Compiles config.c into a directory of its own, which is gone again on return. The shared object. */
static void *compile_and_open(struct settings *settings)
{
	const char *place = getenv("TMPDIR");
	char *directory = strdup(config_text("%s/skerry-XXXXXX", place && *place ? place : "/tmp"));
	const char *object, *rule;
	void *handle = NULL;
	int status;

	if (!directory || !mkdtemp(directory))
		config_error_at(&(struct place){ directory, 0 }, "%s", strerror(errno));
	object = config_text("%s/config.so", directory);
	rule = config_text("%s/config.d", directory);
	status = start_program((const char *const[]){ toolchain_find()->compiler, "-t", "host", "-g", "-shared",
		"-Wl,-Bsymbolic", "-MMD", "-MF", rule, "-o", object, settings->config, NULL });
	if (status == 0) {
		read_dependencies(rule, settings);
		handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
	}
	unlink(object);
	unlink(rule);
	rmdir(directory);
	if (status != 0)
		exit(1); /* the compiler has said why */
	return handle;
}

static void check_choices(bool strict)
{
	char words[2048] = "", nearest[64];

	for (size_t i = 0; i < model.key_count; i++)
		snprintf(words + strlen(words), sizeof words - strlen(words), "%s ", model.keys[i].config.name);
	for (size_t i = 0; strict && i < model.choice_count; i++) {
		const struct choice *choice = &model.choices[i];

		if (choice->used)
			continue;
		if (command_nearest(choice->name, words, nearest, sizeof nearest))
			choice_error("--%s: there is no such key; did you mean --%s? skerry help configure lists all",
				choice->name, nearest);
		choice_error("--%s: there is no such key; skerry help configure lists all", choice->name);
	}
}

void load_unikernel(struct settings *settings, bool strict)
{
	const char *slash = strrchr(settings->config, '/');
	void (*run)(struct unikernel *);
	void *handle, *symbol;

	config_place = (struct place){ settings->config, 0 };
	config_directory = slash ? config_text("%.*s", (int)(slash + 1 - settings->config), settings->config) : "";
	check_tools(settings);
	model.target = settings->target;
	memcpy(model.choices, settings->choices, sizeof model.choices);
	model.choice_count = settings->choice_count;
	handle = compile_and_open(settings);
	if (!handle) {
		const char *message = dlerror(), *colon = strstr(message, ": ");

		config_error("%s", colon ? colon + 2 : message);
	}
	symbol = dlsym(handle, "configure");
	if (!symbol)
		config_error("there is no function configure() in it");
	memcpy(&run, &symbol, sizeof run);
	run(&model);
	config_place = (struct place){ settings->config, 0 };
	model_finish();
	check_choices(strict);
}
