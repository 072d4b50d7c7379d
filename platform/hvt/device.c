/* SPDX-License-Identifier: ISC
 *
 * Frames and sectors: one hypercall each.
 */
#include <errno.h>
#include <string.h>

#include "platform/guest/device.h"
#include "hvt.h"

static ssize_t frame_read(int handle, void *buf, size_t size)
{
	struct hvt_net net = { .handle = (uint64_t)handle, .data = (uint64_t)(uintptr_t)buf, .len = size };

	hvt_call(HVT_NET_READ, &net);
	if (net.ret == HVT_OK)
		return (ssize_t)net.len;
	return net.ret == HVT_AGAIN ? -EAGAIN : -EIO;
}

ssize_t guest_frame_read(int handle, uint8_t header[VNET_HEADER], void *buf, size_t size)
{
	ssize_t len;

	if (!guest_entry(handle)->features)
		return frame_read(handle, buf, size);
	len = frame_read(handle, guest_bounce, sizeof guest_bounce);
	if (len < 0)
		return len;
	if (len <= VNET_HEADER)
		return -EIO;
	memcpy(header, guest_bounce, VNET_HEADER);
	len -= VNET_HEADER;
	memmove(buf, guest_bounce + VNET_HEADER, (size_t)len < size ? (size_t)len : size);
	return len;
}

int guest_frame_write(int handle, const struct platform_piece *pieces, size_t count, size_t len)
{
	struct hvt_net net = {
		.handle = (uint64_t)handle,
		.data = (uint64_t)(uintptr_t)guest_gather(pieces, count),
		.len = pieces[0].len + len,
	};

	hvt_call(HVT_NET_WRITE, &net);
	if (net.ret == HVT_OK)
		return 0;
	return net.ret == HVT_AGAIN ? -EAGAIN : -EIO;
}

static int transfer(int handle, enum hvt_call call, uint64_t offset, uintptr_t sector)
{
	struct hvt_block block = {
		.handle = (uint64_t)handle,
		.offset = offset,
		.data = (uint64_t)sector,
		.len = guest_entry(handle)->u.block.block_size,
	};

	hvt_call(call, &block);
	return block.ret == HVT_OK ? 0 : block.ret == HVT_INVALID ? -EROFS : -EIO;
}

int guest_sector_read(int handle, uint64_t offset, void *sector)
{
	return transfer(handle, HVT_BLOCK_READ, offset, (uintptr_t)sector);
}

int guest_sector_write(int handle, uint64_t offset, const void *sector)
{
	return transfer(handle, HVT_BLOCK_WRITE, offset, (uintptr_t)sector);
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
