/* SPDX-License-Identifier: ISC
 *
 * Block devices: a call of the target a sector. A tender punishes a guest that reaches outside the device, so the range
 * is checked here first.
 */
#include <errno.h>

#include "device.h"

int platform_block_open(const char *name, struct platform_block_info *info)
{
	int handle = guest_device_open(name, MANIFEST_BLOCK_BASIC);

	if (handle < 0)
		return handle;
	*info = (struct platform_block_info){
		.capacity_bytes = guest_entry(handle)->u.block.capacity,
		.sector_bytes = guest_entry(handle)->u.block.block_size,
		.read_only = guest_block_read_only(handle),
	};
	return handle;
}

void platform_block_close(int handle)
{
	guest_device_close(handle, MANIFEST_BLOCK_BASIC);
}

static int range_check(int handle, uint64_t offset)
{
	const struct manifest_entry *block = guest_device(handle, MANIFEST_BLOCK_BASIC);
	uint16_t size = block->u.block.block_size;

	if (block->u.block.capacity < size || offset > block->u.block.capacity - size || offset % size != 0)
		return -ERANGE;
	return 0;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	int err = range_check(handle, offset);

	return err < 0 ? err : guest_sector_read(handle, offset, sector);
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	int err = range_check(handle, offset);

	return err < 0 ? err : guest_sector_write(handle, offset, sector);
}

int platform_block_flush(int handle)
{
	guest_device(handle, MANIFEST_BLOCK_BASIC);
	return guest_block_flush(handle);
}
