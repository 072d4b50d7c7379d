/* SPDX-License-Identifier: ISC
 *
 * Block devices: the platform's, with ranges checked before anything is transferred. No copies; one platform call a
 * sector.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/block.h>

int block_open(const char *name, struct block **block)
{
	struct block *opened = malloc(sizeof *opened);

	if (!opened)
		return -ENOMEM;
	opened->handle = platform_block_open(name, &opened->info);
	if (opened->handle < 0) {
		int err = opened->handle;

		free(opened);
		return err;
	}
	opened->name = name;
	*block = opened;
	return 0;
}

void block_close(struct block *block)
{
	if (!block)
		return;
	platform_block_close(block->handle);
	free(block);
}

static int check_range(const struct block *block, uint64_t first, size_t count)
{
	uint64_t sectors = block->info.capacity_bytes / block->info.sector_bytes;

	return first <= sectors && count <= sectors - first ? 0 : -ERANGE;
}

int block_read(struct block *block, uint64_t first, size_t count, void *buf)
{
	size_t sector_bytes = block->info.sector_bytes;
	int err = check_range(block, first, count);

	for (size_t i = 0; err == 0 && i < count; i++)
		err = platform_block_read(block->handle, (first + i) * sector_bytes, (char *)buf + i * sector_bytes);
	return err;
}

int block_write(struct block *block, uint64_t first, size_t count, const void *buf)
{
	size_t sector_bytes = block->info.sector_bytes;
	int err = check_range(block, first, count);

	if (err == 0 && block->info.read_only)
		return -EROFS;
	for (size_t i = 0; err == 0 && i < count; i++)
		err = platform_block_write(
			block->handle, (first + i) * sector_bytes, (const char *)buf + i * sector_bytes);
	return err;
}

int block_flush(struct block *block)
{
	return platform_block_flush(block->handle);
}
