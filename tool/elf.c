/* SPDX-License-Identifier: ISC
 *
 * `skerry elf`: writes and reads what an image tells its tender.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tender/common/tender.h"
#include "tool/elf.h"
#include "tool/tool.h"

static void usage_print(FILE *out)
{
	fputs("usage: skerry elf gen-manifest [MANIFEST.json [MANIFEST.c]]\n"
	      "                                 turn a manifest into C source, to be linked into an image\n"
	      "       skerry elf query-manifest IMAGE\n"
	      "                                 print the manifest of an image, as JSON\n"
	      "       skerry elf query-abi IMAGE\n"
	      "                                 print the interface that an image is built for, as JSON\n"
	      "A file that is missing or \"-\" is standard input or output.\n",
		out);
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

static int query(int (*print)(const struct tender_image *image, struct tender_error *error), int argc, char **argv,
	struct tender_error *error)
{
	struct tender_image image;
	int err;

	if (argc != 1)
		return tender_fail(error, -EINVAL, "%d arguments; expected IMAGE", argc);
	err = tender_image_open(argv[0], &image, error);
	if (err < 0)
		return err;
	err = print(&image, error);
	tender_image_close(&image);
	if (err == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		err = tender_fail(error, -EIO, "standard output: %s", strerror(errno));
	return err;
}

static int run_query_manifest(int argc, char **argv, struct tender_error *error)
{
	return query(manifest_query, argc, argv, error);
}

static int run_query_abi(int argc, char **argv, struct tender_error *error)
{
	return query(abi_query, argc, argv, error);
}

static int run_gen_manifest(int argc, char **argv, struct tender_error *error)
{
	if (argc > 2)
		return tender_fail(error, -EINVAL, "%d arguments; expected [MANIFEST.json [MANIFEST.c]]", argc);
	return elf_manifest_generate(argc > 0 ? argv[0] : "-", argc > 1 ? argv[1] : "-", error);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv, struct tender_error *error);
} actions[] = {
	{ "gen-manifest", run_gen_manifest },
	{ "query-manifest", run_query_manifest },
	{ "query-abi", run_query_abi },
};

int cmd_elf(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	struct tender_error error;

	if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		usage_print(stdout);
		return 0;
	}
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (strcmp(name, actions[i].name) != 0)
			continue;
		if (actions[i].run(argc - 2, argv + 2, &error) == 0)
			return 0;
		fprintf(stderr, "skerry elf %s: %s\n", name, error.text);
		return 1;
	}
	if (*name)
		fprintf(stderr,
			"skerry elf: unknown action \"%s\"; expected gen-manifest, query-manifest or query-abi\n",
			name);
	else
		usage_print(stderr);
	return 1;
}
