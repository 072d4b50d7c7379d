/* SPDX-License-Identifier: ISC
 *
 * `skerry describe`: what a unikernel is made of, for people, or its devices as a graph for dot(1).
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/configure/configure.h"
#include "tool/configure/load.h"
#include "tool/configure/write.h"
#include "tool/elf.h"
#include "tool/tool.h"

struct job {
	struct settings settings;
	bool dot;
};

static void print_keys(void)
{
	static const char *const stages[] = {
		[KEY_ALWAYS] = "when configured and at boot",
		[KEY_AT_CONFIGURE] = "when configured",
		[KEY_AT_BOOT] = "at boot",
	};

	printf("Keys:%s\n", model.key_count ? "" : " none");
	for (size_t i = 0; i < model.key_count; i++) {
		const struct model_key *key = &model.keys[i];
		const char *value = key_default(key);

		printf("  --%s%s%s%s, %s\n", key->config.name, value ? "=" : "", value ? value : "",
			key->chosen            ? ""
			: value                ? " (default)"
			: key->config.required ? " (required)"
					       : " (not set)",
			stages[key->config.stage]);
	}
}

static void print_device(const struct device *device)
{
	printf("%s \"%s\"", device_kind_name(device), device->name);
}

/* In the order in which they are opened, each with what it is opened on. */
static void print_devices(void)
{
	printf("Devices:\n");
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		if (!device->used)
			continue;
		printf("  ");
		print_device(device);
		for (size_t j = 0; j < DEVICE_NEEDS_MAX && device->needs[j]; j++) {
			printf("%s", j ? ", " : " on ");
			print_device(device->needs[j]);
		}
		if (device->path)
			printf(", %s", device->path);
		printf(" (%s:%d)\n", device->place.file, device->place.line);
	}
	printf("  start(");
	for (size_t i = 0; i < model.argument_count; i++) {
		printf("%s", i ? ", " : "");
		print_device(model.arguments[i].device);
	}
	printf(")\n");
}

/* As the built image lists them. */
static void print_libraries(const char *image)
{
	struct tender_error error;
	char *text = access(image, F_OK) == 0 ? elf_sbom_read(image, &error) : NULL, *rest;

	printf("Libraries:%s\n", text ? "" : " not built yet; skerry build finds them out");
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
		printf("  %s\n", line);
	free(text);
}

static void print_dot(void)
{
	printf("digraph \"%s\" {\n\tstart [label=\"start()\", shape=box];\n", model.name);
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		if (!device->used)
			continue;
		printf("\tdevice%zu [label=\"%s\\n%s\", shape=%s];\n", i, device_kind_name(device), device->name,
			device_in_manifest(device) ? "ellipse" : "box");
		for (size_t j = 0; j < DEVICE_NEEDS_MAX && device->needs[j]; j++)
			printf("\tdevice%zu -> device%td;\n", i, device->needs[j] - model.devices);
	}
	for (size_t i = 0; i < model.argument_count; i++)
		printf("\tstart -> device%td;\n", model.arguments[i].device - model.devices);
	printf("}\n");
}

static int describe(void *context)
{
	struct job *job = context;

	load_unikernel(&job->settings, !job->settings.configured);
	if (job->dot) {
		print_dot();
		return COMMAND_OK;
	}
	printf("Name: %s\nTarget: %s\nImage: %s\n", model.name, model.target, settings_image(&job->settings));
	print_keys();
	print_devices();
	printf("Manifest: ");
	write_manifest(stdout);
	print_libraries(settings_image(&job->settings));
	return COMMAND_OK;
}

static int run(struct command_line *line)
{
	struct job job = { .dot = false };
	const char *value;
	int option;

	settings_read(&job.settings);
	while ((option = command_next(line, &value)) >= 0) {
		if (option == OPTION_OWN)
			job.dot = true;
		else if (settings_take(&job.settings, line->command, option, value) != 0)
			return COMMAND_FAILED;
	}
	return option == COMMAND_STOP ? line->status : run_apart(describe, &job);
}

static const struct command_option options[] = {
	SETTINGS_OPTIONS,
	{ OPTION_OWN, 0, "dot", NULL, "Print the graph of the devices for dot(1).", NULL },
	{ 0 },
};
static const char *const synopses[] = { "[-t TARGET] [-f FILE] [-o NAME] [--dot] [--KEY=VALUE]...", NULL };
static const char *const description[] = {
	"Prints the unikernel's name, its keys with their values, its devices and what each is opened on, its "
	"manifest, and, "
	"once it is built, the libraries that it is linked from, with their versions. Without options it is as it was "
	"configured; nothing is written.",
	NULL,
};
static const struct command_note examples[] = {
	{ "skerry describe --dot | dot -Tsvg >devices.svg", "Draw the devices." },
	{ "skerry describe -t spt", "Say what another target would have." },
	{ NULL },
};

const struct command command_describe = {
	.name = "describe",
	.summary = "tell what a unikernel is made of",
	.synopses = synopses,
	.description = description,
	.options = options,
	.examples = examples,
	.takes_keys = true,
	.help_append = settings_help,
	.run = run,
};
