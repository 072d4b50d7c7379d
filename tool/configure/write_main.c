/* SPDX-License-Identifier: ISC
 *
 * The generated C: the prototype of start(), and main.c, which opens the devices, calls start() with them and closes
 * them.
 */
#include <stdlib.h>
#include <string.h>

#include "tool/configure/model.h"
#include "tool/configure/target.h"
#include "tool/configure/write.h"

/* start() -------------------------------------------------------------------------------------------------------- */

/* What the types of custom devices need: a structure is only named, for its header may not be made to be read twice. */
static void write_types(FILE *out)
{
	fprintf(out, "struct block;\nstruct kv;\nstruct net;\nstruct stack;\n");
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];
		char name[128];

		if (!device->used || !device->config)
			continue;
		if (sscanf(device->type, "struct %127[A-Za-z0-9_]", name) == 1)
			fprintf(out, "struct %s;\n", name);
		else
			fprintf(out, "#include \"%s\"\n", device->config->header);
	}
}

/* Each argument in the line of config.c that adds it, which is so what the compiler names. */
void write_start_header(FILE *out)
{
	fprintf(out, GENERATED "what start() takes, as config.c says. */\n#ifndef START_H\n#define START_H\n\n");
	write_types(out);
	fputc('\n', out);
	if (model.argument_count == 0)
		fprintf(out, "int start(void);\n");
	for (size_t i = 0; i < model.argument_count; i++) {
		const struct place *place = &model.arguments[i].place;

		fprintf(out, "#line %d ", place->line);
		write_literal(out, place->file);
		fprintf(out, "\n%s%s%s\n", i ? "\t" : "int start(", model.arguments[i].device->type,
			i + 1 < model.argument_count ? "," : ");");
	}
	fprintf(out, "\n#endif\n");
}

/* Devices -------------------------------------------------------------------------------------------------------- */

static size_t index_of(const struct device *device)
{
	return (size_t)(device - model.devices);
}

static void write_open_stack(FILE *out, const struct device *device)
{
	fprintf(out, "stack_open(device%zu, &(struct stack_config){ ", index_of(device->needs[0]));
	for (size_t i = 0; i < stack_key_count; i++)
		if (device->ipv6 || !stack_keys[i].ipv6)
			fprintf(out, "%s.%s = keys.%s", i ? ", " : "", stack_keys[i].member,
				field_name(config_text("%s%s", device->prefix, stack_keys[i].config.name)));
	if (device->dhcp) {
		const char *hostname = field_name(config_text("%shostname", device->prefix));

		fprintf(out, ", .dhcp = keys.%s ? &stack_dhcp : NULL",
			field_name(config_text("%sdhcp", device->prefix)));
		fprintf(out, ", .hostname = keys.%s ? keys.%s : unikernel_instance_name()", hostname, hostname);
	}
	if (device->ipv6)
		fprintf(out, ", .ipv6 = &stack_ipv6");
	fprintf(out, " }, ");
}

static void write_open_custom(FILE *out, const struct device *device)
{
	fprintf(out, "open_device%zu(", index_of(device));
	for (size_t i = 0; i < DEVICE_NEEDS_MAX && device->needs[i]; i++)
		fprintf(out, "device%zu, ", index_of(device->needs[i]));
}

static void write_custom_prototype(FILE *out, const struct device *device)
{
	fprintf(out, "static int open_device%zu(", index_of(device));
	for (size_t i = 0; i < DEVICE_NEEDS_MAX && device->needs[i]; i++)
		fprintf(out, "%sdevice%zu, ", device->needs[i]->type, index_of(device->needs[i]));
	fprintf(out, "%s*device)", device->type);
}

/* Calls the functions of custom devices in the lines that declare these, which is so what the compiler names when one
 * takes something else. At the end of the file, since nothing leads back to its own lines. */
static void write_custom_functions(FILE *out)
{
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		if (!device->used || device->kind != DEVICE_CUSTOM)
			continue;
		fprintf(out, "\n#line %d ", device->place.line);
		write_literal(out, device->place.file);
		fprintf(out, "\n");
		write_custom_prototype(out, device);
		fprintf(out, " { return %s(", device->config->open);
		for (size_t j = 0; j < DEVICE_NEEDS_MAX && device->needs[j]; j++)
			fprintf(out, "device%zu, ", index_of(device->needs[j]));
		fprintf(out, "%s%sdevice); }\n", device->config->arguments ? device->config->arguments : "",
			device->config->arguments ? ", " : "");
	}
}

/* The call that opens a device, up to its last argument. */
static void write_open_call(FILE *out, const struct device *device)
{
	switch (device->kind) {
	case DEVICE_NETWORK:
		fprintf(out, "net_open(\"%s\", ", device->name);
		break;
	case DEVICE_BLOCK:
		fprintf(out, "block_open(\"%s\", ", device->name);
		break;
	case DEVICE_DIRECT_STACK:
		write_open_stack(out, device);
		break;
	case DEVICE_HOST_STACK:
		fprintf(out, "stack_open_host(");
		break;
	case DEVICE_CRUNCH_KV:
		fprintf(out, "kv_crunch_open(files%zu, files%zu_count, \"\", ", index_of(device), index_of(device));
		break;
	case DEVICE_TAR_KV:
		fprintf(out, "kv_tar_open(kv_image_of_block(device%zu), ", index_of(device->needs[0]));
		break;
	case DEVICE_TAR_KV_IN_IMAGE:
		fprintf(out, "kv_tar_open(kv_image_of_memory(archive%zu, (size_t)(archive%zu_end - archive%zu)), ",
			index_of(device), index_of(device), index_of(device));
		break;
	case DEVICE_FAT_KV:
		fprintf(out, "kv_fat_open(kv_image_of_block(device%zu), ", index_of(device->needs[0]));
		break;
	case DEVICE_DIRECTORY_KV:
	case DEVICE_DIRECTORY_KV_RW:
		fprintf(out, "kv_directory_open(");
		write_literal(out, device->path);
		fprintf(out, ", %s, ", device->kind == DEVICE_DIRECTORY_KV ? "true" : "false");
		break;
	case DEVICE_LOG_KV:
		fprintf(out, "kv_log_open(device%zu, true, ", index_of(device->needs[0]));
		break;
	case DEVICE_MEMORY_KV:
		fprintf(out, "kv_memory_open(%zu, ", device->max_bytes);
		break;
	case DEVICE_CUSTOM:
		write_open_custom(out, device);
		break;
	}
}

static const char *close_function(const struct device *device)
{
	switch (device->kind) {
	case DEVICE_NETWORK:
		return "net_close";
	case DEVICE_BLOCK:
		return "block_close";
	case DEVICE_DIRECT_STACK:
	case DEVICE_HOST_STACK:
		return "stack_close";
	case DEVICE_CUSTOM:
		return device->config->close;
	default:
		return "kv_close";
	}
}

/* Of custom devices, each once. */
static void write_headers(FILE *out)
{
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];
		bool is_first = true;

		if (!device->used || !device->config)
			continue;
		for (size_t j = 0; j < i; j++)
			if (model.devices[j].used && model.devices[j].config &&
				strcmp(model.devices[j].config->header, device->config->header) == 0)
				is_first = false;
		if (is_first)
			fprintf(out, "#include \"%s\"\n", device->config->header);
	}
}

/* What is defined elsewhere: by the linker, of files in the image, and at the end. */
static void write_declarations(FILE *out)
{
	for (size_t i = 0; i < model.device_count; i++) {
		if (!model.devices[i].used)
			continue;
		if (model.devices[i].kind == DEVICE_CRUNCH_KV)
			fprintf(out,
				"extern const struct crunched_file *const files%zu[];\nextern const size_t "
				"files%zu_count;\n",
				i, i);
		if (model.devices[i].kind == DEVICE_CUSTOM) {
			write_custom_prototype(out, &model.devices[i]);
			fprintf(out, ";\n");
		}
		if (model.devices[i].kind == DEVICE_TAR_KV_IN_IMAGE)
			fprintf(out, "extern const uint8_t archive%zu[], archive%zu_end[];\n", i, i);
	}
}

/* Opens the devices that are used unless an earlier one has failed, calls start(), and closes them the other way. */
static void write_run(FILE *out)
{
	fprintf(out, "static int run(void)\n{\n\tint status = 0;\n");
	for (size_t i = 0; i < model.device_count; i++)
		if (model.devices[i].used)
			fprintf(out, "\t%sdevice%zu = 0;\n", model.devices[i].type, i);
	fprintf(out, "\n");
	for (size_t i = 0; i < model.device_count; i++) {
		if (!model.devices[i].used)
			continue;
		fprintf(out, "\tif (status == 0 && (status = ");
		write_open_call(out, &model.devices[i]);
		fprintf(out, "&device%zu)) < 0)\n\t\tlog_error(\"%s \\\"%s\\\" cannot be opened\");\n", i,
			device_kind_name(&model.devices[i]), model.devices[i].name);
	}
	fprintf(out, "\tif (status == 0)\n\t\tstatus = start(");
	for (size_t i = 0; i < model.argument_count; i++)
		fprintf(out, "%sdevice%zu", i ? ", " : "", index_of(model.arguments[i].device));
	fprintf(out, ");\n");
	for (size_t i = model.device_count; i-- > 0;)
		if (model.devices[i].used)
			fprintf(out, "\t%s(device%zu);\n", close_function(&model.devices[i]), i);
	fprintf(out, "\treturn status;\n}\n\n");
}

void write_manifest(FILE *out)
{
	const char *separator = "";

	fprintf(out, "{\"type\":\"solo5.manifest\",\"version\":1,\"devices\":[");
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		if (!device->used || !device_in_manifest(device))
			continue;
		fprintf(out, "%s{\"name\":\"%s\",\"type\":\"%s\"}", separator, device->name,
			device->kind == DEVICE_BLOCK ? "BLOCK_BASIC" : "NET_BASIC");
		separator = ",";
	}
	fprintf(out, "]}\n");
}

/* What a process, which has no tender, tells by --manifest, and which files it takes for block devices if it is not
 * told others. */
static void write_unix_tables(FILE *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);

	if (!memory)
		config_error("no memory");
	write_manifest(memory);
	fclose(memory);
	fprintf(out, "extern const char unikernel_manifest[];\nconst char unikernel_manifest[] = ");
	write_literal(out, text);
	fprintf(out, ";\nextern const char *const unikernel_block_files[];\nconst char *const unikernel_block_files[] "
		     "= {\n");
	free(text);
	for (size_t i = 0; i < model.device_count; i++) {
		if (!model.devices[i].used || model.devices[i].file == FILE_NONE)
			continue;
		fprintf(out, "\t\"%s\", ", model.devices[i].name);
		write_literal(out, model.devices[i].path);
		fprintf(out, ",\n");
	}
	fprintf(out, "\t0,\n};\n");
}

/* Room for the list of libraries (abi/note.h), which `skerry elf gen-sbom` fills: some 30 bytes each, in five of
 * Skerry's own and those of config.c. */
static void write_note(FILE *out)
{
	size_t room = 160 + 48 * model.library_count;

	fprintf(out,
		"static const struct {\n\tuint32_t name_len, text_len, type;\n\tchar name[8], text[%zu];\n"
		"} libraries __attribute__((used, section(\".note.skerry\"), aligned(4))) = { 7, %zu, 1, \"Skerry\", "
		"\"\" "
		"};\n\n",
		room, room);
}

void write_main(FILE *out)
{
	fprintf(out, GENERATED "keys and devices of \"%s\". */\n", model.name);
	fprintf(out, "#include <skerry/block.h>\n#include <skerry/crunch.h>\n#include <skerry/kv.h>\n"
		     "#include <skerry/log.h>\n#include <skerry/net.h>\n#include <skerry/stack.h>\n"
		     "#include <skerry/unikernel.h>\n\n#include \"keys.h\"\n#include \"start.h\"\n");
	write_headers(out);
	fputc('\n', out);
	write_declarations(out);
	if (model.argument_count)
		fprintf(out, "LOG_SOURCE(boot);\n\n");
	write_keys_table(out);
	write_run(out);
	write_note(out);
	fprintf(out, "const struct unikernel unikernel = {\n\t.name = \"%s\",\n", model.name);
	if (keys_count())
		fprintf(out, "\t.keys = table,\n\t.key_count = %zu,\n", keys_count());
	fprintf(out, "\t.libraries = libraries.text,\n\t.run = run,\n};\n\n");
	if (!target_find(model.target)->guest)
		write_unix_tables(out);
	write_custom_functions(out);
}
