/* SPDX-License-Identifier: ISC
 *
 * The guest's memory: mapped at its fixed place, filled from the image, and protected page by page.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "tender/spt/spt.h"

enum {
	BOOT_CMDLINE = SPT_BOOT_INFO + TENDER_PAGE,
	BOOT_MANIFEST = BOOT_CMDLINE + SPT_CMDLINE_SIZE,
	BOOT_END = (BOOT_MANIFEST + sizeof(struct tender_manifest) + TENDER_PAGE - 1) / TENDER_PAGE * TENDER_PAGE,
};
_Static_assert((int)BOOT_END <= (int)SPT_IMAGE_BASE, "the boot pages lie below the image");

/* A guest address as ours: they are the same memory. Only for addresses inside what spt_memory_map mapped. */
static void *guest(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static int protect(uint64_t begin, uint64_t end, int protection, struct tender_error *error)
{
	if (end > begin && mprotect(guest(begin), end - begin, protection) < 0)
		return tender_fail(
			error, -errno, "guest memory 0x%" PRIx64 " to 0x%" PRIx64 ": %s", begin, end, strerror(errno));
	return 0;
}

static int segment_load(
	const struct tender_image *image, const struct tender_segment *segment, struct tender_error *error)
{
	uint64_t end = (segment->address + segment->memory_bytes + TENDER_PAGE - 1) & ~(uint64_t)(TENDER_PAGE - 1);
	int err = protect(segment->address, end, PROT_READ | PROT_WRITE, error);

	if (err == 0)
		err = tender_image_read(image, segment->offset, guest(segment->address), segment->file_bytes, error);
	if (err == 0)
		err = protect(segment->address, end, segment->protection, error);
	return err;
}

int spt_memory_map(const struct tender_image *image, const struct tender_layout *layout, uint64_t mem_bytes,
	struct tender_error *error)
{
	int err = 0;
	void *base = mmap(guest(SPT_MEMORY_BASE), mem_bytes - SPT_MEMORY_BASE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (base == MAP_FAILED)
		return tender_fail(error, -errno,
			"guest memory 0x%x to 0x%" PRIx64 ": %s; expected that range to be free", SPT_MEMORY_BASE,
			mem_bytes, strerror(errno));
	if (base != guest(SPT_MEMORY_BASE)) { /* a kernel before 4.17 takes the address for a hint */
		munmap(base, mem_bytes - SPT_MEMORY_BASE);
		return tender_fail(error, -ENOMEM,
			"guest memory 0x%x to 0x%" PRIx64 ": in use; expected that range to be free", SPT_MEMORY_BASE,
			mem_bytes);
	}
	for (size_t i = 0; err == 0 && i < layout->segment_count; i++)
		err = segment_load(image, &layout->segments[i], error);
	if (err == 0)
		err = protect(layout->end, mem_bytes, PROT_READ | PROT_WRITE, error);
	return err;
}

int spt_boot_write(const struct spt_boot_info *info, const char *cmdline, const struct tender_manifest *manifest,
	struct tender_error *error)
{
	struct spt_boot_info boot = *info;
	int err = protect(SPT_BOOT_INFO, BOOT_END, PROT_READ | PROT_WRITE, error);

	if (err < 0)
		return err;
	boot.cmdline = guest(BOOT_CMDLINE);
	boot.mft = guest(BOOT_MANIFEST);
	memcpy(guest(SPT_BOOT_INFO), &boot, sizeof boot);
	memcpy(guest(BOOT_CMDLINE), cmdline, strlen(cmdline) + 1);
	memcpy(guest(BOOT_MANIFEST), manifest, sizeof(struct manifest) + manifest->entries * sizeof *manifest->e);
	return protect(SPT_BOOT_INFO, BOOT_END, PROT_READ, error);
}
