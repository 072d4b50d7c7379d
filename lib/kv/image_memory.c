/* SPDX-License-Identifier: ISC
 *
 * Bytes of memory as an image.
 */
#include <string.h>

#include "store.h"

static int read_memory(const struct kv_image *image, uint64_t offset, void *buf, size_t len)
{
	memcpy(buf, image->data + offset, len);
	return 0;
}

struct kv_image kv_image_of_memory(const void *data, size_t size)
{
	return (struct kv_image){ .size = size, .read = read_memory, .data = data };
}
