/* SPDX-License-Identifier: ISC
 *
 * build/unikernel.json: the contract with `skerry run` and the memory of `configure`.
 */
#include "tool/configure/settings.h"

#include <glob.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "tool/configure/target.h"
#include "tool/configure/write.h"

const struct settings *settings_written;

void settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof *settings);
	settings->config = "config.c";
	settings->target = "unix";
	settings->cflags = "";
}

void settings_choose(struct settings *settings, const char *word)
{
	const char *equals = strchr(word, '=');
	int len = (int)(equals ? equals - word : (long)strlen(word)) - 2;

	config_check_room("keys", settings->choice_count, CHOICES_MAX);
	settings->choices[settings->choice_count++] = (struct choice){
		.name = config_text("%.*s", len, word + 2),
		.value = equals ? equals + 1 : NULL,
	};
}

const char *settings_build_directory(const struct settings *settings)
{
	return config_text("build/%s", settings->target);
}

const char *settings_image(const struct settings *settings)
{
	return config_text(
		"dist/%s%s", settings->output ? settings->output : model.name, target_find(settings->target)->suffix);
}

/* Reading -------------------------------------------------------------------------------------------------------- */

static const char *member_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? config_text("%s", text) : NULL;
}

static void read_paths(const json_t *array, struct paths *paths)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (json_is_string(json_array_get(array, i)))
			paths_add(paths, config_text("%s", json_string_value(json_array_get(array, i))));
}

static void read_choices(json_t *object, struct settings *settings)
{
	const char *name;
	json_t *value;

	json_object_foreach(object, name, value)
	{
		if (settings->choice_count == CHOICES_MAX)
			return;
		settings->choices[settings->choice_count++] = (struct choice){
			.name = config_text("%s", name),
			.value = json_is_string(value) ? config_text("%s", json_string_value(value)) : NULL,
		};
	}
}

bool settings_read(struct settings *settings)
{
	struct place here = { SETTINGS_FILE, 0 };
	json_error_t error;
	json_t *root;

	settings_init(settings);
	if (access(SETTINGS_FILE, F_OK) < 0)
		return false;
	root = json_load_file(SETTINGS_FILE, 0, &error);
	settings->target = member_text(root, "target");
	settings->config = member_text(root, "config");
	settings->cflags = member_text(root, "cflags");
	settings->image = member_text(root, "image");
	if (!settings->target || !target_find(settings->target) || !settings->config || !settings->cflags ||
		!json_is_array(json_object_get(root, "made")))
		config_error_at(&here, "was not written by skerry configure; move it away");
	settings->output = member_text(root, "output");
	read_choices(json_object_get(root, "choices"), settings);
	read_paths(json_object_get(root, "config_sources"), &settings->config_sources);
	read_paths(json_object_get(root, "made"), &settings->made);
	settings->configured = true;
	json_decref(root);
	return true;
}

/* Writing -------------------------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *devices_array(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];
		json_t *entry;

		if (!device->used || !device_in_manifest(device))
			continue;
		entry = json_pack("{s:s, s:s}", "name", device->name, "type",
			device->kind == DEVICE_BLOCK ? "BLOCK_BASIC" : "NET_BASIC");
		if (device->file != FILE_NONE)
			json_object_set_new(entry, "file", json_string(device->path));
		json_array_append_new(array, entry);
	}
	return array;
}

/* Of the keys that can be given at boot. */
static json_t *keys_array(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < model.key_count; i++)
		if (model.keys[i].config.stage != KEY_AT_CONFIGURE)
			json_array_append_new(array, json_string(model.keys[i].config.name));
	return array;
}

static bool uses_host_sockets(void)
{
	for (size_t i = 0; i < model.device_count; i++)
		if (model.devices[i].used && model.devices[i].kind == DEVICE_HOST_STACK)
			return true;
	return false;
}

static json_t *paths_array(const struct paths *paths)
{
	json_t *array = json_array();

	for (size_t i = 0; i < paths->count; i++)
		json_array_append_new(array, json_string(paths->items[i]));
	return array;
}

static json_t *choices_object(const struct settings *settings)
{
	json_t *object = json_object();

	for (size_t i = 0; i < settings->choice_count; i++)
		json_object_set_new(object, settings->choices[i].name, text_or_null(settings->choices[i].value));
	return object;
}

static void add_headers(struct paths *paths)
{
	glob_t found = { 0 };

	if (glob(config_path("*.h"), 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			paths_add(paths, config_text("%s", found.gl_pathv[i]));
	globfree(&found);
}

/* What a change of which asks for another build. Of a header only that it lies beside config.c is known. */
static json_t *sources_array(const struct settings *settings)
{
	struct paths paths = settings->config_sources;

	for (size_t i = 0; i < model.source_count; i++)
		paths_add(&paths, config_path(model.sources[i].path));
	for (size_t i = 0; i < model.file_count; i++)
		paths_add(&paths, config_path(model.files[i].path));
	for (size_t i = 0; i < model.step_count; i++)
		for (size_t j = 0; j < STEP_INPUTS_MAX && model.steps[i].step.inputs[j]; j++)
			paths_add(&paths, config_path(model.steps[i].step.inputs[j]));
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device_config *config = model.devices[i].config;

		if (model.devices[i].used && model.devices[i].directory)
			paths_add(&paths, config_path(model.devices[i].directory));
		for (size_t j = 0; config && model.devices[i].used && j < DEVICE_SOURCES_MAX && config->sources[j]; j++)
			paths_add(&paths, config_path(config->sources[j]));
	}
	add_headers(&paths);
	return paths_array(&paths);
}

void settings_write(FILE *out)
{
	const struct settings *settings = settings_written;
	json_t *root = json_object();

	json_object_set_new(root, "name", json_string(model.name));
	json_object_set_new(root, "target", json_string(settings->target));
	json_object_set_new(root, "image", json_string(settings_image(settings)));
	json_object_set_new(root, "config", json_string(settings->config));
	json_object_set_new(root, "devices", devices_array());
	json_object_set_new(root, "keys", keys_array());
	json_object_set_new(root, "host_sockets", json_boolean(uses_host_sockets()));
	json_object_set_new(root, "sources", sources_array(settings));
	json_object_set_new(root, "output", text_or_null(settings->output));
	json_object_set_new(root, "cflags", json_string(settings->cflags));
	json_object_set_new(root, "choices", choices_object(settings));
	json_object_set_new(root, "config_sources", paths_array(&settings->config_sources));
	json_object_set_new(root, "made", paths_array(&settings->made));
	if (json_dumpf(root, out, JSON_INDENT(1)) < 0)
		config_error("no memory");
	fputc('\n', out);
	json_decref(root);
}
