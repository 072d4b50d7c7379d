/* SPDX-License-Identifier: ISC
 *
 * `skerry elf multiboot`: an image for virtual machines as a kernel for boot loaders that speak Multiboot.
 *
 * The image itself is entered by PVH. QEMU looks for a Multiboot header first, and takes a slower way then; so it is
 * put around a copy: the same segments at the same addresses, as a 32-bit ELF file, which is what Multiboot (version
 * 0.6.96, section 3.1) wants of a kernel in ELF.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/note.h"
#include "tool/elf.h"

enum { HEADER_MAGIC = 0x1badb002, WANTS_MEMORY_SIZE = 1 << 1, ALIGNMENT = 16 };
#define MEMORY_BYTES (UINT64_C(1) << 30) /* below this the image must lie: so much start.S maps */

/* All in front of the segments: the header must lie within the first 8 KiB. */
struct kernel_head {
	Elf32_Ehdr elf;
	Elf32_Phdr segments[TENDER_HEADERS_MAX];
	uint32_t magic, flags, checksum;
};

static uint32_t aligned(uint32_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Returns the size of the file. */
static uint32_t make_head(struct kernel_head *head, const struct tender_layout *layout)
{
	uint32_t offset = aligned(sizeof *head);

	*head = (struct kernel_head){
		.elf = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_386,
			.e_version = EV_CURRENT,
			.e_entry = (uint32_t)layout->entry,
			.e_phoff = offsetof(struct kernel_head, segments),
			.e_ehsize = sizeof head->elf,
			.e_phentsize = sizeof *head->segments,
			.e_phnum = (uint16_t)layout->segment_count,
		},
		.magic = HEADER_MAGIC,
		.flags = WANTS_MEMORY_SIZE,
		.checksum = 0u - (uint32_t)HEADER_MAGIC - (uint32_t)WANTS_MEMORY_SIZE,
	};
	for (size_t i = 0; i < layout->segment_count; i++) {
		const struct tender_segment *segment = &layout->segments[i];

		head->segments[i] = (Elf32_Phdr){
			.p_type = PT_LOAD,
			.p_offset = offset,
			.p_vaddr = (uint32_t)segment->address,
			.p_paddr = (uint32_t)segment->address,
			.p_filesz = (uint32_t)segment->file_bytes,
			.p_memsz = (uint32_t)segment->memory_bytes,
			.p_flags = PF_R | (segment->protection & PROT_WRITE ? PF_W : 0u) |
				   (segment->protection & PROT_EXEC ? PF_X : 0u),
			.p_align = ALIGNMENT,
		};
		offset = aligned(offset + head->segments[i].p_filesz);
	}
	return offset;
}

static int read_segments(const struct tender_image *image, const struct tender_layout *layout,
	const struct kernel_head *head, uint8_t *kernel, struct tender_error *error)
{
	int err = 0;

	memcpy(kernel, head, sizeof *head);
	for (size_t i = 0; i < layout->segment_count && err == 0; i++)
		err = tender_image_read(image, layout->segments[i].offset, kernel + head->segments[i].p_offset,
			layout->segments[i].file_bytes, error);
	return err;
}

static int write_file(const char *path, const uint8_t *bytes, size_t size, struct tender_error *error)
{
	FILE *file = fopen(path, "we");
	bool written = file && fwrite(bytes, size, 1, file) == 1;
	int err = written ? 0 : errno;

	if (file && fclose(file) != 0 && err == 0)
		err = errno;
	if (file && err)
		elf_remove(path);
	return err ? tender_fail(error, -err, "%s: %s", path, strerror(err)) : 0;
}

static int convert(const struct tender_image *image, const char *path, struct tender_error *error)
{
	struct tender_layout layout;
	struct kernel_head head;
	uint8_t *kernel;
	uint32_t size;
	int err = tender_abi_check(image, ABI_TARGET_VIRTIO, ABI_VIRTIO_VERSION, error);

	if (err == 0)
		err = tender_layout_read(image, MEMORY_BYTES, &layout, error);
	if (err < 0)
		return err;
	size = make_head(&head, &layout);
	kernel = calloc(1, size);
	if (!kernel)
		return tender_fail(error, -ENOMEM, "%s: %s", image->name, strerror(ENOMEM));
	err = read_segments(image, &layout, &head, kernel, error);
	if (err == 0)
		err = write_file(path, kernel, size, error);
	free(kernel);
	return err;
}

int elf_multiboot(const char *image_path, const char *kernel_path, struct tender_error *error)
{
	struct tender_image image;
	int err = tender_image_open(image_path, &image, error);

	if (err < 0)
		return err;
	err = convert(&image, kernel_path, error);
	tender_image_close(&image);
	return err;
}
