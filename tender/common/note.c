/* SPDX-License-Identifier: ISC
 *
 * The notes of a hostile image: finding those named "Solo5", the one that says which interface the image needs, and
 * what it can do beyond that.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tender/common/elf.h"

struct wanted {
	const struct tender_image *image;
	const char *owner; /* the note's name */
	uint32_t type;
	const char *what;
	uint8_t *buf;
	size_t size;
	size_t len;
	bool found;
};

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
	return (value + alignment - 1) & ~(alignment - 1);
}

static int note_take(struct wanted *wanted, const uint8_t *descriptor, uint32_t len, struct tender_error *error)
{
	const char *name = wanted->image->name;

	if (wanted->found)
		return tender_fail(error, -ENOEXEC, "%s: %s: there twice; expected one", name, wanted->what);
	if (len > wanted->size)
		return tender_fail(error, -ENOEXEC, "%s: %s: %" PRIu32 " bytes; expected at most %zu", name,
			wanted->what, len, wanted->size);
	memcpy(wanted->buf, descriptor, len);
	wanted->len = len;
	wanted->found = true;
	return 0;
}

/* Goes through the notes of one segment. Names are padded to 4 bytes, notes to the segment's alignment. */
static int notes_scan(struct wanted *wanted, size_t index, const uint8_t *notes, uint64_t size, uint64_t alignment,
	struct tender_error *error)
{
	uint64_t at = 0;

	while (at < size && size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		uint64_t name, descriptor;
		int err = 0;

		memcpy(&note, notes + at, sizeof note);
		name = at + sizeof note;
		descriptor = name + align_up(note.n_namesz, 4);
		if (descriptor > size || note.n_descsz > size - descriptor)
			return tender_fail(error, -ENOEXEC,
				"%s: program header %zu: note of %" PRIu32 " + %" PRIu32 " bytes at %" PRIu64
				"; expected it inside its segment of %" PRIu64 " bytes",
				wanted->image->name, index, note.n_namesz, note.n_descsz, at, size);
		if (note.n_type == wanted->type && note.n_namesz == strlen(wanted->owner) + 1 &&
			memcmp(notes + name, wanted->owner, note.n_namesz) == 0)
			err = note_take(wanted, notes + descriptor, note.n_descsz, error);
		if (err < 0)
			return err;
		at = align_up(descriptor + note.n_descsz, alignment);
	}
	return 0;
}

/* Looks at all notes of the image. */
static int image_scan(struct wanted *wanted, struct tender_error *error)
{
	const struct tender_image *image = wanted->image;
	uint8_t notes[TENDER_NOTES_SIZE];
	struct elf_headers headers;
	int err = elf_headers_read(image, &headers, error);

	for (size_t i = 0; err == 0 && i < headers.count; i++) {
		const Elf64_Phdr *program = &headers.program[i];

		if (program->p_type != PT_NOTE)
			continue;
		if (program->p_filesz > sizeof notes)
			return tender_fail(error, -ENOEXEC,
				"%s: program header %zu: notes of %" PRIu64 " bytes; expected at most %zu", image->name,
				i, program->p_filesz, sizeof notes);
		err = tender_image_read(image, program->p_offset, notes, program->p_filesz, error);
		if (err == 0)
			err = notes_scan(wanted, i, notes, program->p_filesz, program->p_align == 8 ? 8 : 4, error);
	}
	return err;
}

int elf_note_read(const struct tender_image *image, uint32_t type, const char *what, uint8_t *buf, size_t size,
	size_t *len, struct tender_error *error)
{
	struct wanted wanted = { image, .owner = NOTE_NAME, .type = type, .what = what, .buf = buf, .size = size };
	int err = image_scan(&wanted, error);

	if (err < 0)
		return err;
	if (!wanted.found)
		return tender_fail(
			error, -ENOEXEC, "%s: no %s; expected an image built for a tender", image->name, what);
	*len = wanted.len;
	return 0;
}

int tender_abi_read(const struct tender_image *image, struct abi1 *abi, struct tender_error *error)
{
	uint8_t bytes[sizeof *abi];
	size_t len = 0;
	int err = elf_note_read(image, NOTE_ABI1, "interface note", bytes, sizeof bytes, &len, error);

	if (err < 0)
		return err;
	if (len != sizeof bytes)
		return tender_fail(
			error, -ENOEXEC, "%s: interface note: %zu bytes; expected %zu", image->name, len, sizeof bytes);
	memcpy(abi, bytes, sizeof *abi);
	return 0;
}

int tender_offers_read(const struct tender_image *image, uint32_t *offers, struct tender_error *error)
{
	uint8_t bytes[sizeof *offers] = { 0 };
	struct wanted wanted = {
		image,
		.owner = NOTE_SKERRY_NAME,
		.type = NOTE_OFFERS,
		.what = "note of offers",
		.buf = bytes,
		.size = sizeof bytes,
	};
	int err = image_scan(&wanted, error);

	if (err == 0)
		memcpy(offers, bytes, sizeof bytes);
	return err;
}

const char *tender_abi_target_name(uint32_t target)
{
	static const char *const names[] = {
		[ABI_TARGET_HVT] = "hvt",
		[ABI_TARGET_SPT] = "spt",
		[ABI_TARGET_VIRTIO] = "virtio",
		[ABI_TARGET_MUEN] = "muen",
		[ABI_TARGET_GENODE] = "genode",
		[ABI_TARGET_XEN] = "xen",
	};

	return target < sizeof names / sizeof *names ? names[target] : NULL;
}

int tender_abi_check(
	const struct tender_image *image, enum abi_target target, uint32_t version, struct tender_error *error)
{
	struct abi1 abi;
	char number[16];
	const char *name;
	int err = tender_abi_read(image, &abi, error);

	if (err < 0 || (abi.target == target && abi.version == version))
		return err;
	snprintf(number, sizeof number, "%" PRIu32, abi.target);
	name = tender_abi_target_name(abi.target);
	return tender_fail(error, -ENOEXEC, "%s: built for %s version %" PRIu32 "; expected %s version %" PRIu32,
		image->name, name ? name : number, abi.version, tender_abi_target_name(target), version);
}
