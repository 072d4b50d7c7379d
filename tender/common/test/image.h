/* SPDX-License-Identifier: ISC
 *
 * An image made byte by byte: a good one, whose headers and notes a test then spoils.
 */
#ifndef TENDER_COMMON_TEST_IMAGE_H
#define TENDER_COMMON_TEST_IMAGE_H

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tender/common/tender.h"

enum { TEXT, RODATA, DATA, ABI, MANIFEST, PROGRAMS };
enum { IMAGE_BYTES = 0x6000, ABI_OFFSET = 0x2100, MANIFEST_OFFSET = 0x4000, NOTE_HEADER = 20 };

struct test_image {
	Elf64_Ehdr header;
	Elf64_Phdr program[PROGRAMS];
	struct abi1 abi;
	struct tender_manifest manifest;
	size_t manifest_padding; /* of the descriptor: 4 */
	uint8_t bytes[IMAGE_BYTES];
	struct tender_image image;
	struct tender_error error;
};

/* A network "service" and a block device "storage"; text, rodata and data on a page each, from 0x100000. */
static inline void test_image_init(struct test_image *t)
{
	*t = (struct test_image){
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = 0x100010,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = PROGRAMS,
		},
		.program = {
			[TEXT] = { PT_LOAD, PF_R | PF_X, 0x1000, 0x100000, 0x100000, 0x200, 0x200, 0x1000 },
			[RODATA] = { PT_LOAD, PF_R, 0x2000, 0x101000, 0x101000, 0x200, 0x200, 0x1000 },
			[DATA] = { PT_LOAD, PF_R | PF_W, 0x3000, 0x102000, 0x102000, 0x10, 0x1800, 0x1000 },
			[ABI] = { PT_NOTE, PF_R, ABI_OFFSET, 0, 0, NOTE_HEADER + sizeof(struct abi1), 0, 4 },
			[MANIFEST] = { PT_NOTE, PF_R, MANIFEST_OFFSET, 0, 0, 0, 0, 8 },
		},
		.abi = { ABI_TARGET_SPT, ABI_SPT_VERSION, { 0 } },
		.manifest = { MANIFEST_VERSION, 3,
			{ { .type = MANIFEST_RESERVED_FIRST },
				{ .name = "service", .type = MANIFEST_NET_BASIC },
				{ .name = "storage", .type = MANIFEST_BLOCK_BASIC } } },
		.manifest_padding = 4,
	};
}

static inline void test_note_put(uint8_t *at, uint32_t type, uint32_t len)
{
	Elf64_Nhdr note = { sizeof NOTE_NAME, len, type };

	memcpy(at, &note, sizeof note);
	memcpy(at + sizeof note, NOTE_NAME, sizeof NOTE_NAME);
}

static inline void test_image_seal(struct test_image *t)
{
	uint32_t payload = (uint32_t)(sizeof(struct manifest) + t->manifest.entries * sizeof *t->manifest.e);
	uint32_t descriptor = (uint32_t)t->manifest_padding + payload;

	if (t->program[MANIFEST].p_filesz == 0)
		t->program[MANIFEST].p_filesz = NOTE_HEADER + descriptor;
	memcpy(t->bytes, &t->header, sizeof t->header);
	memcpy(t->bytes + sizeof t->header, t->program, sizeof t->program);
	test_note_put(t->bytes + ABI_OFFSET, NOTE_ABI1, sizeof t->abi);
	memcpy(t->bytes + ABI_OFFSET + NOTE_HEADER, &t->abi, sizeof t->abi);
	test_note_put(t->bytes + MANIFEST_OFFSET, NOTE_MFT1, descriptor);
	if (payload <= sizeof t->manifest)
		memcpy(t->bytes + MANIFEST_OFFSET + NOTE_HEADER + t->manifest_padding, &t->manifest, payload);
	t->image = (struct tender_image){ .name = "x.spt", .fd = -1, .bytes = t->bytes, .size = sizeof t->bytes };
}

static inline int test_image_setup(void **state)
{
	static struct test_image image;

	test_image_init(&image);
	*state = &image;
	return 0;
}

#endif
