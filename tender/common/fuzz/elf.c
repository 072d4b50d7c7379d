/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: headers, segments and notes of an image. What the loader accepts must be safe to map.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "tender/common/tender.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t memory = 64 << 20;

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void layout_check(const struct tender_image *image, const struct tender_layout *layout)
{
	uint64_t last = SPT_IMAGE_BASE;
	bool entry = false;

	for (size_t i = 0; i < layout->segment_count; i++) {
		const struct tender_segment *segment = &layout->segments[i];

		expect(segment->address >= last && segment->address % TENDER_PAGE == 0);
		expect(segment->memory_bytes <= memory && segment->file_bytes <= segment->memory_bytes);
		expect(segment->offset <= image->size && segment->file_bytes <= image->size - segment->offset);
		expect((segment->protection & (PROT_WRITE | PROT_EXEC)) != (PROT_WRITE | PROT_EXEC));
		last = segment->address + segment->memory_bytes;
		entry |= (segment->protection & PROT_EXEC) && layout->entry >= segment->address && layout->entry < last;
	}
	expect(entry && last <= layout->end && layout->end <= memory - TENDER_GUEST_ROOM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tender_image image = { .name = "fuzz", .fd = -1, .bytes = data, .size = size };
	struct tender_layout layout;
	struct tender_manifest manifest;
	struct tender_error error;
	struct abi1 abi;
	uint32_t offers;

	if (tender_layout_read(&image, memory, &layout, &error) == 0)
		layout_check(&image, &layout);
	if (tender_manifest_read(&image, &manifest, &error) == 0)
		expect(manifest.entries >= 1 && manifest.entries <= MANIFEST_ENTRIES_MAX);
	(void)tender_abi_read(&image, &abi, &error);
	if (tender_offers_read(&image, &offers, &error) < 0)
		offers = 0;
	expect(offers == 0 || image.size > sizeof offers);
	return 0;
}
