/* SPDX-License-Identifier: ISC
 *
 * Working out what the build does, and which files come of it.
 */
#include "tool/configure/plan.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/configure/toolchain.h"
#include "tool/configure/write.h"
#include "tool/start.h"

struct plan plan;

const char *shell_word(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./+=,:@%";
	char *word, *at;

	if (*text && strspn(text, plain) == strlen(text))
		return text;
	word = at = malloc(4 * strlen(text) + 3);
	if (!word)
		config_error("no memory");
	*at++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			at = stpcpy(at, "'\\''");
		else
			*at++ = *text;
	}
	strcpy(at, "'");
	return word;
}

const char *plan_path(const char *path)
{
	for (size_t i = 0; i < model.step_count; i++)
		if (strcmp(model.steps[i].step.output, path) == 0)
			return path;
	return config_path(path);
}

/* Ends with a message if something that config.c names is not there, unless a step makes it. */
static void check_exists(const char *what, const char *path, const struct place *place)
{
	const char *found = plan_path(path);

	if (found != path && access(found, F_OK) < 0)
		config_error_at(place, "%s \"%s\" is not there; put it beside config.c", what, path);
}

static void check_inputs(void)
{
	for (size_t i = 0; i < model.file_count; i++)
		check_exists("file", model.files[i].path, &model.files[i].place);
	for (size_t i = 0; i < model.step_count; i++)
		for (size_t j = 0; j < STEP_INPUTS_MAX && model.steps[i].step.inputs[j]; j++)
			check_exists("input", model.steps[i].step.inputs[j], &model.steps[i].place);
}

/* Compilations --------------------------------------------------------------------------------------------------- */

static void compile(const char *source, const char *object, const char *needs, bool by_user)
{
	config_check_room("sources", plan.compilation_count, COMPILATIONS_MAX);
	for (size_t i = 0; i < plan.compilation_count; i++)
		if (strcmp(plan.compilations[i].object, object) == 0)
			return; /* a source that two devices share */
	plan.compilations[plan.compilation_count++] = (struct compilation){ source, object, needs, by_user };
}

/* A source that is written by configure or by the build, without its ending. */
static void compile_generated(const char *name, const char *needs)
{
	compile(config_text("%s/%s.c", plan.directory, name), config_text("%s/%s.o", plan.directory, name), needs,
		false);
}

/* A path below config.c's directory gives one below objects/; ".." does not lead out. */
static void compile_users(const char *path, const struct place *place)
{
	const char *source = plan_path(path);
	char *object = strdup(path);

	if (!object)
		config_error("no memory");
	for (char *up = object; (up = strstr(up, "..")) != NULL;)
		memcpy(up, "__", 2);
	object[strlen(object) - 2] = '\0';
	check_exists("source", path, place);
	compile(source, config_text("%s/objects/%s.o", plan.directory, object), NULL, true);
}

static const char *const *sources_of(const struct device *device)
{
	static const char *const none[] = { NULL };

	return device->used && device->config ? device->config->sources : none;
}

static void plan_compilations(const struct target *target)
{
	compile_generated("main", NULL);
	if (target->guest)
		compile_generated("manifest", NULL);
	if (model.file_count)
		compile_generated("files", NULL);
	for (size_t i = 0; i < model.device_count; i++) {
		if (!model.devices[i].used)
			continue;
		if (model.devices[i].kind == DEVICE_CRUNCH_KV)
			compile_generated(config_text("files%zu", i), NULL);
		if (model.devices[i].kind == DEVICE_TAR_KV_IN_IMAGE)
			compile_generated(
				config_text("archive%zu", i), config_text("%s/archive%zu.tar", plan.directory, i));
		for (size_t j = 0; j < DEVICE_SOURCES_MAX && sources_of(&model.devices[i])[j]; j++)
			compile_users(model.devices[i].config->sources[j], &model.devices[i].place);
	}
	for (size_t i = 0; i < model.source_count; i++)
		compile_users(model.sources[i].path, &model.sources[i].place);
}

const char *plan_command(const struct compilation *compilation)
{
	const char *beside = *config_directory ? config_directory : ".";

	/* Warnings that are mistakes in any program are errors. */
	return config_text("%s -Wall -Wextra -Werror=implicit-function-declaration -Werror=incompatible-pointer-types "
			   "-Werror=int-conversion -Werror=return-type%s%s -iquote %s -iquote %s%s%s%s%s%s%s",
		plan.compiler, *plan.settings->cflags ? " " : "", plan.settings->cflags, plan.directory,
		shell_word(beside), plan.library_count ? " -isystem " : "", plan.library_count ? plan.directory : "",
		plan.library_count ? "/include" : "", compilation->by_user ? " -include " : "",
		compilation->by_user ? plan.directory : "", compilation->by_user ? "/start.h" : "");
}

/* gcc's command line for the target, from skerry-cc. */
static const char *find_compiler(const struct target *target)
{
	const char *const words[] = { toolchain_find()->compiler, "-t", target->name, "--print", "-c", NULL };
	char *output;
	int status = start_ask(words, false, &output);
	size_t len = output ? strlen(output) : 0;

	if (status != 0 || len < 4)
		exit(1);        /* skerry-cc has said why */
	output[len - 4] = '\0'; /* " -c\n" */
	return output;
}

/* Files ---------------------------------------------------------------------------------------------------------- */

/* The archive becomes bytes of the image by the assembler. */
static size_t archive_number;
static void write_archive(FILE *out)
{
	fprintf(out,
		"/* Written by skerry configure: a tar archive in the image. */\n__asm__(\n"
		"\t\".section .rodata.archive%zu, \\\"a\\\"\\n\\t.balign 16\\n\\t.globl archive%zu, "
		"archive%zu_end\\n\"\n"
		"\t\"archive%zu:\\n\\t.incbin \\\"%s/archive%zu.tar\\\"\\narchive%zu_end:\\n\\t.byte 0\\n\"\n"
		"\t\".text\\n\");\n",
		archive_number, archive_number, archive_number, archive_number, plan.directory, archive_number,
		archive_number);
}

/* What the build makes, and beside it, until ninja has read it, what it depends on. */
static void output_intermediate(const char *path)
{
	output_built(path);
	output_built(config_text("%s.d", path));
}

static void add_device_files(void)
{
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		if (!device->used)
			continue;
		if (device->file == FILE_OF_TAR || device->file == FILE_OF_FAT)
			output_intermediate(device->path);
		if (device->kind == DEVICE_CRUNCH_KV)
			output_intermediate(config_text("%s/files%zu.c", plan.directory, i));
		if (device->kind == DEVICE_TAR_KV_IN_IMAGE) {
			archive_number = i;
			output_file(config_text("%s/archive%zu.c", plan.directory, i), write_archive);
			output_intermediate(config_text("%s/archive%zu.tar", plan.directory, i));
		}
	}
}

static const char *in_directory(const char *name)
{
	return config_text("%s/%s", plan.directory, name);
}

static void add_files(const struct target *target)
{
	output_file(in_directory("keys.h"), write_keys_header);
	output_file(in_directory("start.h"), write_start_header);
	output_file(in_directory("main.c"), write_main);
	output_file(in_directory("manifest.json"), write_manifest);
	output_file(in_directory("build.ninja"), write_ninja);
	output_file("build/compile_commands.json", write_compile_commands);
	output_built(in_directory(".ninja_log"));
	output_built(in_directory(".ninja_deps"));
	output_built(in_directory("image.map"));
	output_built(plan.image);
	if (target->guest)
		output_built(in_directory("manifest.c"));
	if (model.file_count) {
		output_built(in_directory("files.c"));
		output_built(in_directory("files.h"));
	}
	add_device_files();
	for (size_t i = 0; i < plan.compilation_count; i++)
		output_intermediate(plan.compilations[i].object);
	for (size_t i = 0; i < model.step_count; i++)
		output_built(model.steps[i].step.output);
}

void plan_make(const struct settings *settings)
{
	const struct target *target = target_find(settings->target);

	plan.settings = settings;
	plan.directory = settings_build_directory(settings);
	plan.image = settings_image(settings);
	plan.compiler = find_compiler(target);
	check_inputs();
	plan_libraries();
	plan_compilations(target);
	add_files(target);
}

void write_compile_commands(FILE *out)
{
	char *directory = getcwd(NULL, 0);
	json_t *array = json_array();

	for (size_t i = 0; i < plan.compilation_count; i++) {
		const struct compilation *compilation = &plan.compilations[i];

		json_array_append_new(
			array, json_pack("{s:s, s:s, s:s, s:s}", "directory", directory ? directory : ".", "file",
				       compilation->source, "output", compilation->object, "command",
				       config_text("%s -c -o %s %s", plan_command(compilation), compilation->object,
					       shell_word(compilation->source))));
	}
	json_dumpf(array, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(array);
	free(directory);
}
