/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: an archive. Checksums of headers are put right first, or few mutations would come any further.
 */
#include <stdio.h>

#include "lib/kv/tar_header.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the blocks with the magic, unless their link ends in 0xff: those show that wrong sums are refused. */
static void correct_checksums(uint8_t *image, size_t size)
{
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
		unsigned sum = 0;
		char text[8];

		if (memcmp(image + at + 257, "ustar", 5) != 0 || image[at + 255] == 0xff)
			continue;
		memset(image + at + 148, ' ', 8);
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += image[at + i];
		snprintf(text, sizeof text, "%06o", sum & 0777777);
		memcpy(image + at + 148, text, 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *image = malloc(size ? size : 1);
	struct kv *kv;

	if (!image)
		abort();
	memcpy(image, data, size);
	correct_checksums(image, size);
	if (kv_tar_open(kv_image_of_memory(image, size), &kv) == 0)
		walk_store(kv);
	free(image);
	return 0;
}
