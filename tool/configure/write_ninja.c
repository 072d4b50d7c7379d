/* SPDX-License-Identifier: ISC
 *
 * build.ninja: the plan as ninja reads it (the Ninja manual, "Ninja file reference").
 */
#include <string.h>

#include "tool/configure/plan.h"
#include "tool/configure/target.h"
#include "tool/configure/toolchain.h"

/* A path in a build line, where spaces and colons end one. */
static void write_path(FILE *out, const char *path)
{
	fputc(' ', out);
	for (; *path; path++)
		fprintf(out, strchr("$ :", *path) ? "$%c" : "%c", *path);
}

/* A command: only '$' has a meaning. */
static void write_command(FILE *out, const char *text)
{
	for (; *text; text++)
		fputs(*text == '$' ? "$$" : (char[]){ *text, '\0' }, out);
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* A step's command, in which $in and $out are ninja's. */
static void write_step_command(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (starts_with(text, "$in") || starts_with(text, "$out"))
			fputc('$', out);
		else
			fputs(*text == '$' ? "$$" : (char[]){ *text, '\0' }, out);
	}
}

static void write_steps(FILE *out)
{
	for (size_t i = 0; i < model.step_count; i++) {
		const struct build_step *step = &model.steps[i].step;

		fprintf(out, "\nrule step%zu\n  command = ", i);
		write_step_command(out, step->command);
		fprintf(out, "\n  description = MAKE $out\nbuild");
		write_path(out, step->output);
		fprintf(out, ": step%zu", i);
		for (size_t j = 0; j < STEP_INPUTS_MAX && step->inputs[j]; j++)
			write_path(out, plan_path(step->inputs[j]));
		fputc('\n', out);
	}
}

/* files.c and files.h, of all that unikernel_file() names. */
static void write_files(FILE *out)
{
	if (model.file_count == 0)
		return;
	fprintf(out, "\nrule crunch_files\n  command = $skerry crunch");
	for (size_t i = 0; i < model.file_count; i++) {
		const char *path = model.files[i].path;
		bool is_made = plan_path(path) == path;

		/* The program sees the path that config.c names. */
		write_command(out, config_text(" -C %s -f %s:%s",
					   is_made || !*config_directory ? "." : shell_word(config_directory),
					   model.files[i].symbol, path));
	}
	fprintf(out, " -o $directory/files.c --header $directory/files.h\n  description = CRUNCH $out\n");
	fprintf(out, "build $directory/files.c | $directory/files.h: crunch_files");
	for (size_t i = 0; i < model.file_count; i++)
		write_path(out, plan_path(model.files[i].path));
	fputc('\n', out);
}

static void write_image_of_directory(FILE *out, const char *kind, const char *output, const char *directory)
{
	fprintf(out, "build");
	write_path(out, output);
	fprintf(out, ": make_image");
	write_path(out, config_path(directory));
	fprintf(out, "\n  kind = %s\n", kind);
}

/* What is made from directories. */
static void write_directories(FILE *out)
{
	fprintf(out, "\nrule make_image\n  command = $image $kind $in $out $out.d\n  depfile = $out.d\n  deps = gcc\n"
		     "  description = MAKE $out\n"
		     "rule crunch_directory\n  command = $skerry crunch -d $name:$in -o $out --depfile $out.d\n"
		     "  depfile = $out.d\n  deps = gcc\n  description = CRUNCH $in\n");
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		if (!device->used)
			continue;
		if (device->file == FILE_OF_TAR || device->file == FILE_OF_FAT)
			write_image_of_directory(
				out, device->file == FILE_OF_TAR ? "tar" : "fat", device->path, device->directory);
		if (device->kind == DEVICE_TAR_KV_IN_IMAGE)
			write_image_of_directory(
				out, "tar", config_text("%s/archive%zu.tar", plan.directory, i), device->directory);
		if (device->kind == DEVICE_CRUNCH_KV) {
			fprintf(out, "build $directory/files%zu.c: crunch_directory", i);
			write_path(out, config_path(device->directory));
			fprintf(out, "\n  name = files%zu\n", i);
		}
	}
}

/* Headers that the build makes are made before anything is compiled; which source reads them is known after that. */
static void write_order(FILE *out)
{
	if (model.file_count || model.step_count)
		fprintf(out, " ||");
	if (model.file_count)
		fprintf(out, " $directory/files.h");
	for (size_t i = 0; i < model.step_count; i++)
		write_path(out, model.steps[i].step.output);
}

static void write_compilations(FILE *out)
{
	for (int by_user = 0; by_user < 2; by_user++) {
		const struct compilation like = { .by_user = by_user };

		fprintf(out, "\nrule %s\n  command = ", by_user ? "compile" : "compile_generated");
		write_command(out, plan_command(&like));
		fprintf(out, " -MMD -MF $out.d -c -o $out $in\n  depfile = $out.d\n  deps = gcc\n"
			     "  description = CC $in\n");
	}
	for (size_t i = 0; i < plan.compilation_count; i++) {
		const struct compilation *compilation = &plan.compilations[i];

		fprintf(out, "build");
		write_path(out, compilation->object);
		fprintf(out, ": %s", compilation->by_user ? "compile" : "compile_generated");
		write_path(out, compilation->source);
		if (compilation->needs) {
			fprintf(out, " |");
			write_path(out, compilation->needs);
		}
		write_order(out);
		fputc('\n', out);
	}
}

static void write_link(FILE *out)
{
	const char *library = config_text("%s/%s/libskerry.a", toolchain_find()->libraries, model.target);

	fprintf(out, "\nrule link\n  command = $compiler -t $target --map $directory/image.map -o $out $in");
	for (size_t i = 0; i < plan.library_count; i++) {
		fputc(' ', out);
		write_command(out, shell_word(plan.libraries[i].file));
	}
	fprintf(out, " && $skerry elf gen-sbom $directory/image.map $out");
	for (size_t i = 0; i < plan.library_count; i++) {
		fputc(' ', out);
		write_command(out, shell_word(config_text("%s=%s", plan.libraries[i].file, plan.libraries[i].package)));
	}
	fprintf(out, "\n  depfile = $directory/image.map.d\n  deps = gcc\n  description = LINK $out\nbuild");
	write_path(out, plan.image);
	fprintf(out, ": link");
	for (size_t i = 0; i < plan.compilation_count; i++)
		write_path(out, plan.compilations[i].object);
	fprintf(out, " |");
	write_path(out, library);
	write_path(out, toolchain_find()->compiler);
	fputc('\n', out);
}

void write_ninja(FILE *out)
{
	const struct toolchain *tools = toolchain_find();

	fprintf(out, "# Written by skerry configure: how %s is built.\nninja_required_version = 1.8\n", plan.image);
	fprintf(out, "builddir = %s\ndirectory = %s\ntarget = %s\n", plan.directory, plan.directory, model.target);
	fprintf(out, "skerry = ");
	write_command(out, shell_word(tools->skerry));
	fprintf(out, "\ncompiler = ");
	write_command(out, shell_word(tools->compiler));
	fprintf(out, "\nimage = ");
	write_command(out, shell_word(tools->image));
	fputc('\n', out);
	if (target_find(model.target)->guest)
		fprintf(out, "\nrule manifest\n  command = $skerry elf gen-manifest $in $out\n"
			     "build $directory/manifest.c: manifest $directory/manifest.json\n");
	write_files(out);
	write_directories(out);
	write_steps(out);
	write_compilations(out);
	write_link(out);
	fprintf(out, "\nbuild all: phony");
	write_path(out, plan.image);
	for (size_t i = 0; i < model.device_count; i++)
		if (model.devices[i].used &&
			(model.devices[i].file == FILE_OF_TAR || model.devices[i].file == FILE_OF_FAT))
			write_path(out, model.devices[i].path);
	for (size_t i = 0; i < model.step_count; i++)
		write_path(out, model.steps[i].step.output);
	fprintf(out, "\ndefault all\n");
}
