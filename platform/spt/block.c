/* SPDX-License-Identifier: ISC
 *
 * Block devices: one pread64 or pwrite64 for each sector, which is all that the tender's filter allows.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include <platform.h>

#include "spt.h"

static bool opened[MANIFEST_ENTRIES_MAX];

int platform_block_open(const char *name, struct platform_block_info *info)
{
	int handle = spt_device(name, MANIFEST_BLOCK_BASIC);
	const struct manifest_entry *entry;

	if (handle < 0)
		return handle;
	if (opened[handle])
		return -EBUSY;
	entry = spt_entry(handle);
	*info = (struct platform_block_info){
		.capacity_bytes = entry->u.block.capacity,
		.sector_bytes = entry->u.block.block_size,
	};
	opened[handle] = true;
	return handle;
}

static int transfer(long number, int handle, uint64_t offset, const void *sector)
{
	const struct manifest_entry *entry = spt_entry(handle);
	uint64_t size = entry->u.block.block_size;

	if (offset % size != 0 || offset > entry->u.block.capacity - size)
		return -ERANGE;
	return spt_syscall(number, entry->b.hostfd, (long)sector, (long)size, (long)offset, 0, 0) == (long)size ? 0
														: -EIO;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	return transfer(SYS_pread64, handle, offset, sector);
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	return transfer(SYS_pwrite64, handle, offset, sector);
}

/* The interface has no flush: what pwrite took is as safe as the host's page cache. */
int platform_block_flush(int handle)
{
	(void)handle;
	return 0;
}

void platform_block_close(int handle)
{
	opened[handle] = false;
}
