/* SPDX-License-Identifier: ISC
 *
 * Network devices: one read or write of the manifest's descriptor for each frame. A frame made of several pieces is
 * first gathered into one buffer, since the interface has no writev: one copy of at most a frame.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include <platform.h>

#include "spt.h"

enum { ETHERNET_HEADER = 14, FRAME_MAX = ETHERNET_HEADER + 65535 };

static unsigned char gathered[FRAME_MAX];

int platform_net_open(const char *name, struct platform_source *source, struct platform_net_info *info)
{
	int handle = spt_device(name, MANIFEST_NET_BASIC);
	const struct manifest_entry *entry;

	if (handle < 0)
		return handle;
	if (spt_sources[handle])
		return -EBUSY;
	entry = spt_entry(handle);
	*info = (struct platform_net_info){ .mtu = entry->u.net.mtu };
	memcpy(info->mac, entry->u.net.mac, sizeof info->mac);
	spt_sources[handle] = source;
	return handle;
}

int platform_net_send(
	int handle, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	const void *frame = pieces[0].data;
	size_t len = pieces[0].len;
	long written;

	(void)meta; /* no feature was offered: nothing is left to the link */
	if (count > 1) {
		frame = gathered;
		len = 0;
		for (size_t i = 0; i < count; i++) {
			if (pieces[i].len > sizeof gathered - len)
				return -EMSGSIZE;
			memcpy(gathered + len, pieces[i].data, pieces[i].len);
			len += pieces[i].len;
		}
	}
	written = spt_syscall(SYS_write, spt_entry(handle)->b.hostfd, (long)frame, (long)len, 0, 0, 0);
	if (written == (long)len)
		return 0;
	if (written == -EAGAIN || written == -ENOBUFS || written == -EINTR)
		return -EAGAIN;
	return written == -EMSGSIZE || written == -EINVAL ? -EMSGSIZE : -EIO;
}

ssize_t platform_net_receive(int handle, void *buf, size_t size, struct platform_net_meta *meta)
{
	long len = spt_syscall(SYS_read, spt_entry(handle)->b.hostfd, (long)buf, (long)size, 0, 0, 0);

	*meta = (struct platform_net_meta){ 0 };
	if (len > 0)
		return len;
	return len == -EAGAIN || len == -EINTR ? -EAGAIN : -EIO;
}

void platform_net_close(int handle)
{
	spt_sources[handle] = NULL;
}
