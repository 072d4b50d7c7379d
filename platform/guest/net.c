/* SPDX-License-Identifier: ISC
 *
 * Networks: a call of the tender a frame.
 *
 * A frame in one piece is written from where it lies. One in several is copied together first, because the interface
 * takes one. A frame is read to where it shall lie, but for buffers that a full frame would fill: they get a copy,
 * since the host cuts a longer frame without a word.
 */
#include <errno.h>
#include <string.h>

#include <skerry/log.h>

#include "device.h"

LOG_SOURCE(platform);

enum {
	HEADER_BYTES = 14, /* Ethernet's */
	TAG_BYTES = 4,     /* of a VLAN, which the MTU does not count either */
	DISCARD_MAX = 64,  /* frames of a network that nobody has open, a time */
};

/* The longest frame, and a byte that shows that one was longer. Pages of it that are not used cost nothing. */
static char bounce[UINT16_MAX + HEADER_BYTES + TAG_BYTES + 1];

static size_t frame_max(const struct manifest_entry *net)
{
	return (size_t)net->u.net.mtu + HEADER_BYTES + TAG_BYTES;
}

int platform_net_open(const char *name, struct platform_source *source, struct platform_net_info *info)
{
	int handle = guest_device_open(name, MANIFEST_NET_BASIC);

	if (handle < 0)
		return handle;
	guest_devices[handle].source = source;
	*info = (struct platform_net_info){ .mtu = guest_entry(handle)->u.net.mtu };
	memcpy(info->mac, guest_entry(handle)->u.net.mac, sizeof info->mac);
	return handle;
}

void platform_net_close(int handle)
{
	guest_device_close(handle, MANIFEST_NET_BASIC);
}

int platform_net_send(
	int handle, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	const struct manifest_entry *net = guest_device(handle, MANIFEST_NET_BASIC);
	size_t len = 0;

	must(count > 0 && count <= PLATFORM_PIECES && !meta->checksum_partial && meta->segment_bytes == 0);
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > frame_max(net) - len)
			return -EMSGSIZE;
		len += pieces[i].len;
	}
	if (count == 1)
		return guest_frame_write(handle, pieces[0].data, len);
	len = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(bounce + len, pieces[i].data, pieces[i].len);
		len += pieces[i].len;
	}
	return guest_frame_write(handle, bounce, len);
}

ssize_t platform_net_receive(int handle, void *buf, size_t size, struct platform_net_meta *meta)
{
	const struct manifest_entry *net = guest_device(handle, MANIFEST_NET_BASIC);
	ssize_t len;

	if (size > frame_max(net))
		len = guest_frame_read(handle, buf, size);
	else
		len = guest_frame_read(handle, bounce, frame_max(net) + 1);
	if (len < 0)
		return len;
	if ((size_t)len > size || (size_t)len > frame_max(net))
		return -EMSGSIZE;
	if (size <= frame_max(net))
		memcpy(buf, bounce, (size_t)len);
	*meta = (struct platform_net_meta){ 0 };
	return len;
}

/* A network that is gone is ready for ever, and no other call could wait: to go on would be to spin. What the program
 * still has to do on other networks is given up for it, loudly, so that whoever watches the tender can start it anew.
 */
static _Noreturn void end_without(int handle)
{
	log_error("network \"%s\" is gone: ending, since nothing can be waited for", guest_entry(handle)->name);
	platform_exit(GUEST_STATUS_DEVICE_GONE);
}

static void discard(int handle)
{
	for (int i = 0; i < DISCARD_MAX; i++) {
		ssize_t len = guest_frame_read(handle, bounce, sizeof bounce);

		if (len == -EIO)
			end_without(handle);
		if (len < 0)
			return;
	}
}

void guest_net_ready(uint64_t handle)
{
	if (handle >= MANIFEST_ENTRIES_MAX)
		return;
	if (guest_devices[handle].source)
		guest_devices[handle].source->ready(guest_devices[handle].source);
	else
		discard((int)handle);
}
