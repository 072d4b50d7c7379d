/* SPDX-License-Identifier: ISC
 *
 * The ELF headers of an image, validated once, for the layout and the notes.
 */
#ifndef TENDER_COMMON_ELF_H
#define TENDER_COMMON_ELF_H

#include <elf.h>

#include "tender/common/tender.h"

struct elf_headers {
	uint64_t entry;
	size_t count;
	Elf64_Phdr program[TENDER_HEADERS_MAX]; /* p_offset + p_filesz of PT_LOAD and PT_NOTE lie in the file */
};

/* -ENOEXEC, -EIO. */
int elf_headers_read(const struct tender_image *image, struct elf_headers *headers, struct tender_error *error);

/* The note named NOTE_NAME with this type, from its descriptor on, copied to buf; len is its length. -ENOEXEC when it
 * is missing, doubled, malformed or longer than size; what names it in messages. */
int elf_note_read(const struct tender_image *image, uint32_t type, const char *what, uint8_t *buf, size_t size,
	size_t *len, struct tender_error *error);

#endif
