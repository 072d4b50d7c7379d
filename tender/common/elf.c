/* SPDX-License-Identifier: ISC
 *
 * ELF headers of a hostile image, and the layout that they ask for: which bytes go where with which protection.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "tender/common/elf.h"

static int header_check(const struct tender_image *image, const Elf64_Ehdr *header, struct tender_error *error)
{
	const char *name = image->name;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return tender_fail(error, -ENOEXEC, "%s: no ELF magic number; expected an ELF image", name);
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return tender_fail(error, -ENOEXEC,
			"%s: ELF class %u, data encoding %u; expected 64-bit little-endian (2, 1)", name,
			header->e_ident[EI_CLASS], header->e_ident[EI_DATA]);
	if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
		return tender_fail(
			error, -ENOEXEC, "%s: ELF version %u; expected %u", name, header->e_version, EV_CURRENT);
	if (header->e_machine != EM_X86_64)
		return tender_fail(
			error, -ENOEXEC, "%s: machine %u; expected x86-64 (%u)", name, header->e_machine, EM_X86_64);
	if (header->e_type != ET_EXEC)
		return tender_fail(error, -ENOEXEC,
			"%s: ELF type %u; expected a static executable at fixed addresses (%u)", name, header->e_type,
			ET_EXEC);
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return tender_fail(error, -ENOEXEC, "%s: program headers of %u bytes; expected %zu", name,
			header->e_phentsize, sizeof(Elf64_Phdr));
	if (header->e_phnum == 0 || header->e_phnum > TENDER_HEADERS_MAX)
		return tender_fail(error, -ENOEXEC, "%s: %u program headers; expected 1 to %d", name, header->e_phnum,
			TENDER_HEADERS_MAX);
	return 0;
}

int elf_headers_read(const struct tender_image *image, struct elf_headers *headers, struct tender_error *error)
{
	Elf64_Ehdr header;
	struct elf_headers read;
	int err;

	if (image->size < sizeof header)
		return tender_fail(error, -ENOEXEC, "%s: %" PRIu64 " bytes; expected at least the %zu of an ELF header",
			image->name, image->size, sizeof header);
	err = tender_image_read(image, 0, &header, sizeof header, error);
	if (err == 0)
		err = header_check(image, &header, error);
	if (err < 0)
		return err;
	read.entry = header.e_entry;
	read.count = header.e_phnum;
	if (header.e_phoff > image->size || read.count * sizeof(Elf64_Phdr) > image->size - header.e_phoff)
		return tender_fail(error, -ENOEXEC,
			"%s: truncated: %zu program headers at %" PRIu64 "; expected them in the file's %" PRIu64
			" bytes",
			image->name, read.count, header.e_phoff, image->size);
	err = tender_image_read(image, header.e_phoff, read.program, read.count * sizeof(Elf64_Phdr), error);
	if (err < 0)
		return err;
	for (size_t i = 0; i < read.count; i++) {
		const Elf64_Phdr *program = &read.program[i];

		if (program->p_type != PT_LOAD && program->p_type != PT_NOTE)
			continue;
		if (program->p_offset > image->size || program->p_filesz > image->size - program->p_offset)
			return tender_fail(error, -ENOEXEC,
				"%s: truncated: program header %zu: %" PRIu64 " bytes at %" PRIu64
				"; expected them in the file's %" PRIu64 " bytes",
				image->name, i, program->p_filesz, program->p_offset, image->size);
	}
	*headers = read;
	return 0;
}

static uint64_t page_up(uint64_t address)
{
	return (address + TENDER_PAGE - 1) & ~(uint64_t)(TENDER_PAGE - 1);
}

/* What is wrong with one segment by itself. Afterwards its end can be computed and rounded without overflow. */
static int segment_check(
	const char *name, size_t index, const Elf64_Phdr *program, uint64_t mem_bytes, struct tender_error *error)
{
	if (!(program->p_flags & PF_R))
		return tender_fail(
			error, -ENOEXEC, "%s: program header %zu: not readable; expected read permission", name, index);
	if ((program->p_flags & PF_W) && (program->p_flags & PF_X))
		return tender_fail(error, -ENOEXEC,
			"%s: program header %zu: writable and executable; expected one or the other", name, index);
	if (program->p_filesz > program->p_memsz)
		return tender_fail(error, -ENOEXEC,
			"%s: program header %zu: %" PRIu64 " bytes in the file; expected at most the %" PRIu64
			" in memory",
			name, index, program->p_filesz, program->p_memsz);
	if (program->p_vaddr % TENDER_PAGE != 0)
		return tender_fail(error, -ENOEXEC,
			"%s: program header %zu: address 0x%" PRIx64 "; expected a multiple of %d", name, index,
			program->p_vaddr, TENDER_PAGE);
	if (program->p_vaddr < SPT_IMAGE_BASE)
		return tender_fail(error, -ENOEXEC,
			"%s: program header %zu: address 0x%" PRIx64 "; expected at least 0x%x", name, index,
			program->p_vaddr, SPT_IMAGE_BASE);
	if (program->p_vaddr > mem_bytes || program->p_memsz > mem_bytes - program->p_vaddr)
		return tender_fail(error, -ENOEXEC,
			"%s: program header %zu: 0x%" PRIx64 " bytes at 0x%" PRIx64
			"; expected them below the end of memory, 0x%" PRIx64,
			name, index, program->p_memsz, program->p_vaddr, mem_bytes);
	return 0;
}

static bool entry_found(const struct tender_layout *layout)
{
	for (size_t i = 0; i < layout->segment_count; i++) {
		const struct tender_segment *segment = &layout->segments[i];

		if ((segment->protection & PROT_EXEC) && layout->entry >= segment->address &&
			layout->entry - segment->address < segment->file_bytes)
			return true;
	}
	return false;
}

static int segment_add(const char *name, size_t index, const Elf64_Phdr *program, uint64_t mem_bytes,
	struct tender_layout *layout, struct tender_error *error)
{
	int err = segment_check(name, index, program, mem_bytes, error);

	if (err < 0)
		return err;
	if (program->p_vaddr < layout->end)
		return tender_fail(error, -ENOEXEC,
			"%s: program header %zu: address 0x%" PRIx64
			"; expected segments in ascending order on pages of their own, here from 0x%" PRIx64,
			name, index, program->p_vaddr, layout->end);
	layout->segments[layout->segment_count++] = (struct tender_segment){
		.address = program->p_vaddr,
		.memory_bytes = program->p_memsz,
		.file_bytes = program->p_filesz,
		.offset = program->p_offset,
		.protection = PROT_READ | (program->p_flags & PF_W ? PROT_WRITE : 0) |
			      (program->p_flags & PF_X ? PROT_EXEC : 0),
	};
	layout->end = page_up(program->p_vaddr + program->p_memsz);
	return 0;
}

int tender_layout_read(
	const struct tender_image *image, uint64_t mem_bytes, struct tender_layout *layout, struct tender_error *error)
{
	struct elf_headers headers;
	struct tender_layout read = { .end = SPT_IMAGE_BASE };
	int err = elf_headers_read(image, &headers, error);

	for (size_t i = 0; err == 0 && i < headers.count; i++)
		if (headers.program[i].p_type == PT_LOAD && headers.program[i].p_memsz > 0)
			err = segment_add(image->name, i, &headers.program[i], mem_bytes, &read, error);
	if (err < 0)
		return err;
	if (read.end > mem_bytes || mem_bytes - read.end < TENDER_GUEST_ROOM)
		return tender_fail(error, -ENOEXEC,
			"%s: ends at 0x%" PRIx64 " in a memory of 0x%" PRIx64
			"; expected at least 0x%x bytes beyond the image",
			image->name, read.end, mem_bytes, TENDER_GUEST_ROOM);
	read.entry = headers.entry;
	if (!entry_found(&read))
		return tender_fail(error, -ENOEXEC, "%s: entry 0x%" PRIx64 "; expected it in an executable segment",
			image->name, read.entry);
	*layout = read;
	return 0;
}
