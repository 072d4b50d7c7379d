/* SPDX-License-Identifier: ISC
 *
 * Frames and sectors: one system call each, on the descriptor that the tender has attached.
 */
#include <errno.h>
#include <sys/uio.h>

#include "platform/guest/device.h"
#include "spt.h"

_Static_assert(sizeof(struct platform_piece) == sizeof(struct iovec) &&
		       offsetof(struct platform_piece, len) == offsetof(struct iovec, iov_len),
	"pieces are the kernel's");

ssize_t guest_frame_read(int handle, uint8_t header[VNET_HEADER], void *buf, size_t size)
{
	const struct manifest_entry *net = guest_entry(handle);
	const struct platform_piece pieces[] = { { header, VNET_HEADER }, { buf, size } };
	bool headed = net->features;
	long len = spt_system_call(net->b.hostfd, headed ? (long)pieces : (long)buf, headed ? 2 : (long)size, 0, 0,
		headed ? SYS_readv : SYS_read);

	if (headed)
		len -= len < 0 ? 0 : VNET_HEADER;
	if (len > 0)
		return len;
	/* Nothing at all is the end of a socket. */
	return len == -EAGAIN || len == -EINTR ? -EAGAIN : -EIO;
}

int guest_frame_write(int handle, const struct platform_piece *pieces, size_t count, size_t len)
{
	int fd = guest_entry(handle)->b.hostfd;
	long written;

	if (pieces[0].len)
		written = spt_system_call(fd, (long)pieces, (long)count, 0, 0, SYS_writev);
	else
		written = spt_system_call(fd, (long)guest_gather(pieces, count), (long)len, 0, 0, SYS_write);
	if (written == (long)(pieces[0].len + len))
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
