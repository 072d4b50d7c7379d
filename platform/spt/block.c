/* SPDX-License-Identifier: ISC
 *
 * Block devices: one pread64() or pwrite64() a sector. The tender kills a guest that reaches outside the device, so the
 * range is checked here first.
 */
#include <errno.h>

#include "spt.h"

int platform_block_open(const char *name, struct platform_block_info *info)
{
	int handle = spt_device_open(name, MANIFEST_BLOCK_BASIC);

	if (handle < 0)
		return handle;
	*info = (struct platform_block_info){
		.capacity_bytes = spt_entry(handle)->u.block.capacity,
		.sector_bytes = spt_entry(handle)->u.block.block_size,
	};
	return handle;
}

void platform_block_close(int handle)
{
	spt_device(handle, MANIFEST_BLOCK_BASIC);
	spt_devices[handle] = (struct spt_device){ 0 };
}

static int transfer(int handle, long number, uint64_t offset, uintptr_t sector)
{
	const struct manifest_entry *block = spt_device(handle, MANIFEST_BLOCK_BASIC);
	uint16_t size = block->u.block.block_size;
	long done;

	if (block->u.block.capacity < size || offset > block->u.block.capacity - size || offset % size != 0)
		return -ERANGE;
	done = spt_system_call(block->b.hostfd, (long)sector, size, (long)offset, 0, number);
	if (done == size)
		return 0;
	return done == -EBADF || done == -EPERM ? -EROFS : -EIO;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	return transfer(handle, SYS_pread64, offset, (uintptr_t)sector);
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	return transfer(handle, SYS_pwrite64, offset, (uintptr_t)sector);
}

/* The interface has no call for it: what is on the host's file survives this program, though not the host's failure. */
int platform_block_flush(int handle)
{
	spt_device(handle, MANIFEST_BLOCK_BASIC);
	return 0;
}
