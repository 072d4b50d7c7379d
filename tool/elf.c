/* SPDX-License-Identifier: ISC
 *
 * `skerry elf`: writes and reads what an image tells its tender.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tender/common/tender.h"
#include "tool/elf.h"
#include "tool/tool.h"

enum { OPERANDS_MAX = 34 };

void elf_remove(const char *path)
{
	struct stat status;

	if (lstat(path, &status) == 0 && S_ISREG(status.st_mode))
		unlink(path);
}

static int manifest_query(const struct tender_image *image, struct tender_error *error)
{
	struct tender_manifest manifest;
	int err = tender_manifest_read(image, &manifest, error);

	if (err < 0)
		return err;
	/* Names have been validated: none of their characters needs escaping. */
	printf("{\"type\":\"solo5.manifest\",\"version\":%" PRIu32 ",\"devices\":[", manifest.version);
	for (uint32_t i = 1; i < manifest.entries; i++)
		printf("%s{\"name\":\"%s\",\"type\":\"%s\"}", i > 1 ? "," : "", manifest.e[i].name,
			tender_device_type_name(manifest.e[i].type));
	puts("]}");
	return 0;
}

static int abi_query(const struct tender_image *image, struct tender_error *error)
{
	struct abi1 abi;
	const char *target;
	int err = tender_abi_read(image, &abi, error);

	if (err < 0)
		return err;
	target = tender_abi_target_name(abi.target);
	if (target == NULL)
		return tender_fail(error, -ENOEXEC, "%s: interface target %" PRIu32 "; expected one of 1 to %d",
			image->name, abi.target, ABI_TARGET_XEN);
	printf("{\"type\":\"solo5.abi\",\"target\":\"%s\",\"version\":%" PRIu32 "}\n", target, abi.version);
	return 0;
}

static int query(int (*print)(const struct tender_image *image, struct tender_error *error), const char *path,
	struct tender_error *error)
{
	struct tender_image image;
	int err = tender_image_open(path, &image, error);

	if (err < 0)
		return err;
	err = print(&image, error);
	tender_image_close(&image);
	return err;
}

static int run_query_manifest(const char *const *operands, struct tender_error *error)
{
	return query(manifest_query, operands[0], error);
}

static int run_query_abi(const char *const *operands, struct tender_error *error)
{
	return query(abi_query, operands[0], error);
}

static int run_gen_manifest(const char *const *operands, struct tender_error *error)
{
	return elf_manifest_generate(operands[0] ? operands[0] : "-", operands[1] ? operands[1] : "-", error);
}

static int run_sbom(const char *const *operands, struct tender_error *error)
{
	char *text = elf_sbom_read(operands[0], error);

	if (!text)
		return -ENOEXEC;
	fputs(text, stdout);
	free(text);
	return 0;
}

static int run_gen_sbom(const char *const *operands, struct tender_error *error)
{
	return elf_sbom_generate(operands[0], operands[1], operands + 2, error);
}

static int run_multiboot(const char *const *operands, struct tender_error *error)
{
	return elf_multiboot(operands[0], operands[1], error);
}

static const struct action {
	const char *name;
	size_t operands_min, operands_max; /* at most OPERANDS_MAX */
	const char *expected;
	int (*run)(const char *const *operands, struct tender_error *error); /* those not given: NULL */
} actions[] = {
	{ "gen-manifest", 0, 2, "[MANIFEST.json [MANIFEST.c]]", run_gen_manifest },
	{ "query-manifest", 1, 1, "IMAGE", run_query_manifest },
	{ "query-abi", 1, 1, "IMAGE", run_query_abi },
	{ "sbom", 1, 1, "IMAGE", run_sbom },
	{ "gen-sbom", 2, OPERANDS_MAX, "MAP IMAGE [ARCHIVE=PACKAGE]...", run_gen_sbom },
	{ "multiboot", 2, 2, "IMAGE KERNEL", run_multiboot },
};

static int run_action(const char *name, const char *const *operands, size_t count)
{
	struct tender_error error;

	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		const struct action *action = &actions[i];

		if (strcmp(name, action->name) != 0)
			continue;
		if (count < action->operands_min || count > action->operands_max)
			return command_fail(
				&command_elf, "%s: %zu arguments; expected %s", name, count, action->expected);
		if (action->run(operands, &error) < 0)
			return command_fail(&command_elf, "%s: %s", name, error.text);
		return COMMAND_OK;
	}
	return command_fail(&command_elf, "unknown action \"%s\"; expected one of: %s", name, command_elf.words);
}

static int run(struct command_line *line)
{
	const char *name = NULL, *value, *operands[OPERANDS_MAX + 1] = { NULL };
	size_t count = 0;
	int option;

	while ((option = command_next(line, &value)) == COMMAND_OPERAND) {
		if (!name)
			name = value;
		else if (count++ < OPERANDS_MAX)
			operands[count - 1] = value;
	}
	if (option == COMMAND_STOP)
		return line->status;
	if (!name)
		return command_fail(&command_elf, "no action; expected one of: %s", command_elf.words);
	return run_action(name, operands, count);
}

const struct command command_elf = {
	.name = "elf",
	.summary = "write and read the notes of an image: manifest, interface, libraries",
	.synopses =
		(const char *const[]){
			"gen-manifest [MANIFEST.json [MANIFEST.c]]",
			"query-manifest IMAGE",
			"query-abi IMAGE",
			"sbom IMAGE",
			"gen-sbom MAP IMAGE [ARCHIVE=PACKAGE]...",
			"multiboot IMAGE KERNEL",
			NULL,
		},
	.description =
		(const char *const[]){
			"gen-manifest turns a manifest into C source, to be linked into an image. query-manifest "
			"prints "
			"the manifest of an image, and query-abi the interface that it is built for, as JSON.",
			"sbom prints the libraries that an image was linked from, with their versions. gen-sbom, "
			"which skerry build calls, lists in an image those that the linker's map names; an ARCHIVE "
			"that is not known has the version of a Debian PACKAGE.",
			"multiboot writes an image of target virtio as a KERNEL for GRUB and other boot loaders that "
			"speak Multiboot.",
			"A file that is missing or \"-\" is standard input or output.",
			NULL,
		},
	.words = "gen-manifest query-manifest query-abi sbom gen-sbom multiboot",
	.run = run,
};
