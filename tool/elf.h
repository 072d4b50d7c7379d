/* SPDX-License-Identifier: ISC
 *
 * What the parts of `skerry elf` call each other for.
 */
#ifndef TOOL_ELF_H
#define TOOL_ELF_H

#include <stdio.h>

#include "tender/common/tender.h"

/* Removes what could not be written whole: a file, but neither a device nor a pipe. */
void elf_remove(const char *path);

/* Reads manifest.json from a path and writes C source to another; "-" is standard input or output. A file that could
 * not be written whole is removed. 0, -EINVAL for a malformed manifest, else an error of open(2), read(2), write(2). */
int elf_manifest_generate(const char *json_path, const char *source_path, struct tender_error *error);

/* The two halves: name is for messages. -EINVAL for anything that is not exactly a manifest. */
int elf_manifest_parse(
	const char *name, const char *text, size_t len, struct tender_manifest *manifest, struct tender_error *error);
void elf_manifest_print(FILE *out, const struct tender_manifest *manifest);

/* The libraries that an image lists, "NAME VERSION\n" each; the caller's to free. NULL with an error: there is no list.
 */
char *elf_sbom_read(const char *path, struct tender_error *error);

/* Finds in the linker's map which libraries are in the image, and their versions, and lists them in it. named: the
 * archives that config.c adds, as "PATH=PACKAGE", up to a NULL. */
int elf_sbom_generate(const char *map, const char *image, const char *const *named, struct tender_error *error);

/* Writes a copy of an image of target virtio as a Multiboot kernel. -ENOEXEC: it is none; else an error of open(2),
 * read(2), write(2), and no file is left. */
int elf_multiboot(const char *image_path, const char *kernel_path, struct tender_error *error);

#endif
