/* SPDX-License-Identifier: ISC
 *
 * The guest's memory and its page tables (Intel SDM 3, 4.5).
 *
 * Where the image lies pages have 4 KiB, so that each segment gets its own protection; beyond it they have 2 MiB. The
 * tables lie below the image, where the guest has nothing mapped: what is not mentioned here cannot be reached.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "tender/hvt/hvt.h"

enum {
	PRESENT = 1 << 0,
	WRITE = 1 << 1,
	ACCESSED = 1 << 5,
	DIRTY = 1 << 6,
	LARGE = 1 << 7,
	TABLE_ENTRIES = 512,
	DIRECTORIES = 4, /* a GiB each */
	PDPT = HVT_PML4 + TENDER_PAGE,
	DIRECTORY = PDPT + TENDER_PAGE,
	BOOT_CMDLINE = HVT_BOOT_INFO + TENDER_PAGE,
	BOOT_MANIFEST = BOOT_CMDLINE + SPT_CMDLINE_SIZE,
	BOOT_END = (BOOT_MANIFEST + sizeof(struct tender_manifest) + TENDER_PAGE - 1) / TENDER_PAGE * TENDER_PAGE,
	TABLES = BOOT_END, /* of 4 KiB pages, as many as the image needs */
	TABLES_MAX = (HVT_IMAGE_BASE - TABLES) / TENDER_PAGE,
};
#define NO_EXECUTE (UINT64_C(1) << 63)
_Static_assert((int)DIRECTORY + DIRECTORIES * TENDER_PAGE <= (int)HVT_BOOT_INFO, "the directories lie below it");

static uint64_t align_up(uint64_t address, uint64_t alignment)
{
	return (address + alignment - 1) & ~(alignment - 1);
}

static void entry_write(struct hvt *hvt, uint64_t table, uint64_t index, uint64_t entry)
{
	memcpy(hvt->memory + table + index * sizeof entry, &entry, sizeof entry);
}

/* Maps [begin, end), which lies below the end of the 4 KiB pages. */
static void map(struct hvt *hvt, uint64_t begin, uint64_t end, int protection)
{
	uint64_t flags = PRESENT | ACCESSED | DIRTY;

	if (protection & PROT_WRITE)
		flags |= WRITE;
	if (!(protection & PROT_EXEC))
		flags |= NO_EXECUTE;
	for (uint64_t page = begin; page < end; page += TENDER_PAGE) {
		uint64_t table = TABLES + page / HVT_MEMORY_ALIGN * TENDER_PAGE;

		entry_write(hvt, table, page / TENDER_PAGE % TABLE_ENTRIES, page | flags);
	}
}

static void tables_make(struct hvt *hvt)
{
	const struct tender_layout *layout = &hvt->layout;
	uint64_t small_end = align_up(layout->end, HVT_MEMORY_ALIGN);

	entry_write(hvt, HVT_PML4, 0, PDPT | PRESENT | WRITE | ACCESSED);
	for (uint64_t i = 0; i < DIRECTORIES; i++)
		entry_write(hvt, PDPT, i, (DIRECTORY + i * TENDER_PAGE) | PRESENT | WRITE | ACCESSED);
	/* The directories follow each other, so that one index goes through them all. */
	for (uint64_t address = 0; address < hvt->mem_bytes; address += HVT_MEMORY_ALIGN) {
		uint64_t index = address / HVT_MEMORY_ALIGN;
		uint64_t entry = address | PRESENT | WRITE | ACCESSED | DIRTY | LARGE | NO_EXECUTE;

		if (address < small_end)
			entry = (TABLES + index * TENDER_PAGE) | PRESENT | WRITE | ACCESSED;
		entry_write(hvt, DIRECTORY, index, entry);
	}
	map(hvt, HVT_BOOT_INFO, BOOT_END, PROT_READ);
	for (size_t i = 0; i < layout->segment_count; i++) {
		const struct tender_segment *segment = &layout->segments[i];

		map(hvt, segment->address, align_up(segment->address + segment->memory_bytes, TENDER_PAGE),
			segment->protection);
	}
	map(hvt, layout->end, small_end, PROT_READ | PROT_WRITE);
}

int hvt_memory_make(struct hvt *hvt, const struct tender_image *image, struct tender_error *error)
{
	const struct tender_layout *layout = &hvt->layout;
	void *memory;

	if (align_up(layout->end, HVT_MEMORY_ALIGN) / HVT_MEMORY_ALIGN > TABLES_MAX)
		return tender_fail(error, -ENOEXEC, "%s: ends at 0x%" PRIx64 "; expected at most %d MB", image->name,
			layout->end, (int)TABLES_MAX * 2);
	memory = mmap(NULL, hvt->mem_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return tender_fail(
			error, -errno, "guest memory of %" PRIu64 " bytes: %s", hvt->mem_bytes, strerror(errno));
	hvt->memory = memory;
	for (size_t i = 0; i < layout->segment_count; i++) {
		const struct tender_segment *segment = &layout->segments[i];
		int err = tender_image_read(
			image, segment->offset, hvt->memory + segment->address, segment->file_bytes, error);

		if (err < 0)
			return err;
	}
	tables_make(hvt);
	return 0;
}

void hvt_boot_write(struct hvt *hvt, const char *cmdline)
{
	struct hvt_boot_info info = {
		.mem_size = hvt->mem_bytes,
		.kernel_end = hvt->layout.end,
		.cycles_per_sec = hvt->cycles_per_sec,
		.cmdline = BOOT_CMDLINE,
		.mft = BOOT_MANIFEST,
	};

	memcpy(hvt->memory + HVT_BOOT_INFO, &info, sizeof info);
	memcpy(hvt->memory + BOOT_CMDLINE, cmdline, strlen(cmdline) + 1);
	memcpy(hvt->memory + BOOT_MANIFEST, &hvt->manifest,
		sizeof(struct manifest) + hvt->manifest.entries * sizeof *hvt->manifest.e);
}

const void *hvt_guest_bytes(struct hvt *hvt, struct hvt_address address, uint64_t len)
{
	if (address.value < HVT_BOOT_INFO || address.value > hvt->mem_bytes || len > hvt->mem_bytes - address.value)
		hvt_fault(hvt,
			"hypercall with 0x%" PRIx64 " bytes at 0x%" PRIx64 "; expected them in its memory, 0x%x to "
			"0x%" PRIx64,
			len, address.value, HVT_BOOT_INFO, hvt->mem_bytes);
	return hvt->memory + address.value;
}

void *hvt_guest_room(struct hvt *hvt, struct hvt_address address, uint64_t len)
{
	const struct tender_layout *layout = &hvt->layout;
	uint64_t end;

	hvt_guest_bytes(hvt, address, len);
	end = address.value + len;
	if (address.value < HVT_IMAGE_BASE && len > 0)
		hvt_fault(hvt, "hypercall that writes to 0x%" PRIx64 ", which is the tender's", address.value);
	for (size_t i = 0; i < layout->segment_count; i++) {
		const struct tender_segment *segment = &layout->segments[i];
		bool apart = end <= segment->address || address.value >= segment->address + segment->memory_bytes;

		if (!apart && !(segment->protection & PROT_WRITE))
			hvt_fault(hvt, "hypercall that writes to 0x%" PRIx64 ", which is read-only", address.value);
	}
	return hvt->memory + address.value;
}
