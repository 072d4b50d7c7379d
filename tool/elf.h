/* SPDX-License-Identifier: ISC
 *
 * What the parts of `skerry elf` call each other for.
 */
#ifndef TOOL_ELF_H
#define TOOL_ELF_H

#include <stdio.h>

#include "tender/common/tender.h"

/* Reads manifest.json from a path and writes C source to another; "-" is standard input or output. A file that could
 * not be written whole is removed. 0, -EINVAL for a malformed manifest, else an error of open(2), read(2), write(2). */
int elf_manifest_generate(const char *json_path, const char *source_path, struct tender_error *error);

/* The two halves: name is for messages. -EINVAL for anything that is not exactly a manifest. */
int elf_manifest_parse(
	const char *name, const char *text, size_t len, struct tender_manifest *manifest, struct tender_error *error);
void elf_manifest_print(FILE *out, const struct tender_manifest *manifest);

#endif
