/* SPDX-License-Identifier: ISC
 *
 * Frames and sectors: one system call each, on the descriptor that the tender has attached.
 */
#include <errno.h>

#include "platform/guest/device.h"
#include "spt.h"

ssize_t guest_frame_read(int handle, void *buf, size_t size)
{
	long len = spt_system_call(guest_entry(handle)->b.hostfd, (long)buf, (long)size, 0, 0, SYS_read);

	if (len > 0)
		return len;
	/* Nothing at all is the end of a socket. */
	return len == -EAGAIN || len == -EINTR ? -EAGAIN : -EIO;
}

int guest_frame_write(int handle, const void *frame, size_t len)
{
	long written = spt_system_call(guest_entry(handle)->b.hostfd, (long)frame, (long)len, 0, 0, SYS_write);

	if (written == (long)len)
		return 0;
	return written == -EAGAIN || written == -EINTR || written == -ENOBUFS ? -EAGAIN : -EIO;
}

static int transfer(int handle, long number, uint64_t offset, uintptr_t sector)
{
	const struct manifest_entry *block = guest_entry(handle);
	uint16_t size = block->u.block.block_size;
	long done = spt_system_call(block->b.hostfd, (long)sector, size, (long)offset, 0, number);

	if (done == size)
		return 0;
	return done == -EBADF || done == -EPERM ? -EROFS : -EIO;
}

int guest_sector_read(int handle, uint64_t offset, void *sector)
{
	return transfer(handle, SYS_pread64, offset, (uintptr_t)sector);
}

int guest_sector_write(int handle, uint64_t offset, const void *sector)
{
	return transfer(handle, SYS_pwrite64, offset, (uintptr_t)sector);
}

/* Writing tells. */
bool guest_block_read_only(int handle)
{
	(void)handle;
	return false;
}

/* The interface has no call for it: what is on the host's file survives this program, though not the host's failure. */
int guest_block_flush(int handle)
{
	(void)handle;
	return 0;
}
