/* SPDX-License-Identifier: ISC
 *
 * `skerry elf gen-manifest`: from the list of devices in JSON to C source that puts the manifest note into an image.
 *
 * The source that comes out needs no header but <stdint.h> and no flag, so that any freestanding compiler takes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool/elf.h"

enum {
	JSON_SIZE_MAX = 65536, /* many times what 63 devices with the longest names take */
};

/* Exactly these members: a misspelt or unknown one is an error. where is "" or "devices[N]: ". */
static int members_check(
	const char *name, const char *where, json_t *object, const char *const *members, struct tender_error *error)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return tender_fail(error, -EINVAL, "%s: %snot an object; expected {...}", name, where);
	for (size_t i = 0; members[i]; i++)
		if (json_object_get(object, members[i]) == NULL)
			return tender_fail(error, -EINVAL, "%s: %sno \"%s\"; expected one", name, where, members[i]);
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (members[i] && strcmp(members[i], key) != 0)
			i++;
		if (members[i] == NULL)
			return tender_fail(error, -EINVAL, "%s: %sunknown member \"%.80s\"", name, where, key);
	}
	return 0;
}

/* A string's text, "" for anything else: no caller accepts that. JSON strings may hold a NUL, which nothing here may.
 */
static const char *text_of(json_t *value)
{
	const char *text = json_string_value(value);

	return text && strlen(text) == json_string_length(value) ? text : "";
}

static uint32_t type_of(const char *text)
{
	static const uint32_t types[] = { MANIFEST_NET_BASIC, MANIFEST_BLOCK_BASIC };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(text, tender_device_type_name(types[i])) == 0)
			return types[i];
	return 0;
}

static int device_parse(
	const char *name, size_t index, json_t *object, struct tender_manifest *manifest, struct tender_error *error)
{
	static const char *const members[] = { "name", "type", NULL };
	struct manifest_entry *entry = &manifest->e[manifest->entries];
	char where[32];
	const char *text;
	int err;

	snprintf(where, sizeof where, "devices[%zu]: ", index);
	err = members_check(name, where, object, members, error);
	if (err < 0)
		return err;
	text = text_of(json_object_get(object, "name"));
	if (!tender_device_name_valid(text))
		return tender_fail(error, -EINVAL, "%s: %sname \"%.80s\"; expected 1 to %d of [A-Za-z0-9]", name, where,
			text, MANIFEST_NAME_SIZE - 1);
	for (uint32_t i = 1; i < manifest->entries; i++)
		if (strcmp(manifest->e[i].name, text) == 0)
			return tender_fail(error, -EINVAL,
				"%s: %sname \"%s\" is there twice; expected one device of it", name, where, text);
	memset(entry, 0, sizeof *entry);
	memcpy(entry->name, text, strlen(text));
	text = text_of(json_object_get(object, "type"));
	entry->type = type_of(text);
	if (entry->type == 0)
		return tender_fail(error, -EINVAL, "%s: %stype \"%.80s\"; expected \"NET_BASIC\" or \"BLOCK_BASIC\"",
			name, where, text);
	manifest->entries++;
	return 0;
}

static int root_parse(const char *name, json_t *root, struct tender_manifest *manifest, struct tender_error *error)
{
	static const char *const members[] = { "type", "version", "devices", NULL };
	json_t *version, *devices;
	int err = members_check(name, "", root, members, error);

	if (err < 0)
		return err;
	if (strcmp(text_of(json_object_get(root, "type")), "solo5.manifest") != 0)
		return tender_fail(error, -EINVAL, "%s: type \"%.80s\"; expected \"solo5.manifest\"", name,
			text_of(json_object_get(root, "type")));
	version = json_object_get(root, "version");
	if (!json_is_integer(version) || json_integer_value(version) != MANIFEST_VERSION)
		return tender_fail(error, -EINVAL, "%s: version %" JSON_INTEGER_FORMAT "; expected %d", name,
			json_integer_value(version), MANIFEST_VERSION);
	devices = json_object_get(root, "devices");
	if (!json_is_array(devices))
		return tender_fail(error, -EINVAL, "%s: devices: not an array; expected [...]", name);
	if (json_array_size(devices) > TENDER_DEVICES_MAX)
		return tender_fail(error, -EINVAL, "%s: %zu devices; expected at most %d", name,
			json_array_size(devices), TENDER_DEVICES_MAX);
	for (size_t i = 0; err == 0 && i < json_array_size(devices); i++)
		err = device_parse(name, i, json_array_get(devices, i), manifest, error);
	return err;
}

int elf_manifest_parse(
	const char *name, const char *text, size_t len, struct tender_manifest *manifest, struct tender_error *error)
{
	json_error_t json_error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &json_error);
	struct tender_manifest parsed = { .version = MANIFEST_VERSION, .entries = 1 };
	int err;

	if (root == NULL)
		return tender_fail(
			error, -EINVAL, "%s:%d:%d: %s", name, json_error.line, json_error.column, json_error.text);
	parsed.e[0].type = MANIFEST_RESERVED_FIRST;
	err = root_parse(name, root, &parsed, error);
	json_decref(root);
	if (err == 0)
		*manifest = parsed;
	return err;
}

void elf_manifest_print(FILE *out, const struct tender_manifest *manifest)
{
	size_t payload = sizeof(struct manifest) + manifest->entries * sizeof *manifest->e;

	fprintf(out,
		"/* Made by skerry elf gen-manifest: the note that lists the image's devices. */\n"
		"#include <stdint.h>\n\n"
		"static const struct {\n"
		"\tuint32_t name_size, descriptor_size, type;\n"
		"\tchar name[8];\n"
		"\tuint32_t padding; /* belongs to the descriptor: the manifest is 8-byte aligned */\n"
		"\tuint32_t version, entries;\n"
		"\tstruct {\n"
		"\t\tchar name[%d];\n"
		"\t\tuint32_t type;\n"
		"\t\tuint64_t properties[2], device, attached; /* the tender's to fill in */\n"
		"\t} entry[%" PRIu32 "];\n"
		"} manifest_note __attribute__((used, section(\".note.solo5.manifest\"), aligned(8))) = {\n"
		"\t%zu, %zu, 0x%x, \"%s\", 0, %" PRIu32 ", %" PRIu32 ",\n\t{\n",
		MANIFEST_NAME_SIZE, manifest->entries, sizeof NOTE_NAME, sizeof(uint32_t) + payload, NOTE_MFT1,
		NOTE_NAME, manifest->version, manifest->entries);
	for (uint32_t i = 0; i < manifest->entries; i++)
		fprintf(out, "\t\t{ \"%s\", 0x%" PRIx32 ", { 0, 0 }, 0, 0 },\n", manifest->e[i].name,
			manifest->e[i].type);
	fputs("\t},\n};\n", out);
}

static int text_read(const char *path, char *text, size_t size, size_t *len, struct tender_error *error)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	int err = 0;

	if (in == NULL)
		return tender_fail(error, -errno, "%s: %s", path, strerror(errno));
	*len = fread(text, 1, size, in);
	if (ferror(in))
		err = tender_fail(error, -EIO, "%s: %s", path, strerror(errno));
	else if (*len == size)
		err = tender_fail(error, -EINVAL, "%s: too long; expected fewer than %zu bytes", path, size);
	if (in != stdin)
		fclose(in);
	return err;
}

static int source_write(const char *path, const struct tender_manifest *manifest, struct tender_error *error)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	bool failed;

	if (out == NULL)
		return tender_fail(error, -errno, "%s: %s", path, strerror(errno));
	elf_manifest_print(out, manifest);
	failed = fflush(out) != 0 || ferror(out);
	if (out == stdout)
		return failed ? tender_fail(error, -EIO, "standard output: %s", strerror(errno)) : 0;
	failed |= fclose(out) != 0;
	if (!failed)
		return 0;
	tender_fail(error, -EIO, "%s: %s", path, strerror(errno));
	elf_remove(path);
	return -EIO;
}

int elf_manifest_generate(const char *json_path, const char *source_path, struct tender_error *error)
{
	struct tender_manifest manifest;
	char *text = malloc(JSON_SIZE_MAX);
	size_t len = 0;
	int err;

	if (text == NULL)
		return tender_fail(error, -ENOMEM, "%s: out of memory", json_path);
	err = text_read(json_path, text, JSON_SIZE_MAX, &len, error);
	if (err == 0)
		err = elf_manifest_parse(json_path, text, len, &manifest, error);
	if (err == 0)
		err = source_write(source_path, &manifest, error);
	free(text);
	return err;
}
