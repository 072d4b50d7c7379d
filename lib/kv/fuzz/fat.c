/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a FAT image, as far as the input gives it; zeros follow, so that small inputs make volumes too.
 */
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IMAGE_BYTES = 1 << 17 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *image = calloc(1, IMAGE_BYTES);
	struct kv *kv;

	if (!image)
		abort();
	memcpy(image, data, size);
	if (kv_fat_open(kv_image_of_memory(image, IMAGE_BYTES), &kv) == 0)
		walk_store(kv);
	free(image);
	return 0;
}
