/* SPDX-License-Identifier: ISC
 *
 * Bytes of a block device as an image: whole sectors go straight to the reader, the parts at both ends through a
 * buffer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/block.h>

#include "store.h"

/* Copies what one sector has of the range. Returns the bytes copied, or a negative errno. */
static ssize_t read_part(struct block *block, uint64_t offset, uint8_t *buf, size_t len)
{
	size_t sector_bytes = block->info.sector_bytes, skip = (size_t)(offset % sector_bytes);
	size_t part = len < sector_bytes - skip ? len : sector_bytes - skip;
	uint8_t *sector = malloc(sector_bytes);
	int err = sector ? block_read(block, offset / sector_bytes, 1, sector) : -ENOMEM;

	if (err == 0)
		memcpy(buf, sector + skip, part);
	free(sector);
	return err ? err : (ssize_t)part;
}

static int read_block(const struct kv_image *image, uint64_t offset, void *buf, size_t len)
{
	size_t sector_bytes = image->block->info.sector_bytes, whole;
	uint8_t *to = buf;
	ssize_t part = 0;
	int err;

	if (len > 0 && (offset % sector_bytes || len < sector_bytes))
		part = read_part(image->block, offset, to, len);
	if (part < 0)
		return (int)part;
	to += part;
	offset += (size_t)part;
	len -= (size_t)part;
	whole = len / sector_bytes;
	err = block_read(image->block, offset / sector_bytes, whole, to);
	to += whole * sector_bytes;
	offset += whole * sector_bytes;
	len -= whole * sector_bytes;
	if (err || len == 0)
		return err;
	part = read_part(image->block, offset, to, len);
	return part < 0 ? (int)part : 0;
}

struct kv_image kv_image_of_block(struct block *block)
{
	return (struct kv_image){ .size = block->info.capacity_bytes, .read = read_block, .block = block };
}
