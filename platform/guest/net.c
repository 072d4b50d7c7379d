/* SPDX-License-Identifier: ISC
 *
 * Networks: a call of the tender a frame.
 *
 * Frames are as long as the MTU, or with a tender that has agreed on it (abi/note.h), as long as IP allows: then 64 KiB
 * of TCP are one call each way, and on spt, which gathers and scatters, no copy; hvt, whose interface takes a frame in
 * one piece, copies it here. Without, they are 45 calls and as many copies. A frame is read to where it shall lie, but
 * for buffers that a full frame would fill: they get a copy, since the host cuts a longer frame without a word. One
 * with a header need not be: the length of the packet in it tells.
 */
#include <errno.h>
#include <string.h>

#include <skerry/log.h>

#include "device.h"

LOG_SOURCE(platform);

enum { ETHERNET_BYTES = 14, DISCARD_MAX = 64 /* frames of a network that nobody has open, a time */ };

_Static_assert((int)MANIFEST_NET_CHECKSUM == (int)PLATFORM_NET_CHECKSUM &&
		       (int)MANIFEST_NET_TSO4 == (int)PLATFORM_NET_TSO4 &&
		       (int)MANIFEST_NET_TSO6 == (int)PLATFORM_NET_TSO6,
	"the same bits");

static const struct {
	uint32_t name_size, descriptor_size, type;
	char name[8];
	uint32_t offers;
} offers_note __attribute__((section(".note.skerry"), used, aligned(4))) = {
	.name_size = sizeof NOTE_SKERRY_NAME,
	.descriptor_size = sizeof(uint32_t),
	.type = NOTE_OFFERS,
	.name = NOTE_SKERRY_NAME,
	.offers = NOTE_OFFER_VNET,
};

uint8_t guest_bounce[VNET_HEADER + VNET_FRAME_MAX + GUEST_TAG_BYTES + 1];

static size_t frame_max(const struct manifest_entry *net)
{
	return net->features ? VNET_FRAME_MAX : (size_t)net->u.net.mtu + ETHERNET_BYTES + GUEST_TAG_BYTES;
}

int platform_net_open(const char *name, struct platform_source *source, struct platform_net_info *info)
{
	int handle = guest_device_open(name, MANIFEST_NET_BASIC);

	if (handle < 0)
		return handle;
	guest_devices[handle].source = source;
	*info = (struct platform_net_info){
		.mtu = guest_entry(handle)->u.net.mtu,
		.features = guest_entry(handle)->features,
	};
	memcpy(info->mac, guest_entry(handle)->u.net.mac, sizeof info->mac);
	return handle;
}

void platform_net_close(int handle)
{
	guest_device_close(handle, MANIFEST_NET_BASIC);
}

const void *guest_gather(const struct platform_piece *pieces, size_t count)
{
	uint8_t *at = guest_bounce;

	if (count == 2 && pieces[0].len == 0)
		return pieces[1].data;
	for (size_t i = 0; i < count; at += pieces[i++].len)
		memcpy(at, pieces[i].data, pieces[i].len);
	return guest_bounce;
}

int platform_net_send(
	int handle, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	const struct manifest_entry *net = guest_device(handle, MANIFEST_NET_BASIC);
	struct platform_piece all[1 + PLATFORM_PIECES];
	uint8_t header[VNET_HEADER];
	size_t len = 0;

	must(count > 0 && count <= PLATFORM_PIECES);
	must(net->features || (!meta->checksum_partial && meta->segment_bytes == 0));
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > frame_max(net) - len)
			return -EMSGSIZE;
		len += pieces[i].len;
	}
	vnet_put(header, meta, pieces[0].data);
	all[0] = (struct platform_piece){ header, net->features ? VNET_HEADER : 0 };
	memcpy(all + 1, pieces, count * sizeof *pieces);
	return guest_frame_write(handle, all, 1 + count, len);
}

ssize_t platform_net_receive(int handle, void *buf, size_t size, struct platform_net_meta *meta)
{
	const struct manifest_entry *net = guest_device(handle, MANIFEST_NET_BASIC);
	bool direct = net->features || size > frame_max(net);
	uint8_t header[VNET_HEADER] = { 0 };
	ssize_t len;

	if (direct)
		len = guest_frame_read(handle, header, buf, size);
	else
		len = guest_frame_read(handle, header, guest_bounce, frame_max(net) + 1);
	if (len < 0)
		return len;
	if ((size_t)len > size || (size_t)len > frame_max(net))
		return -EMSGSIZE;
	if (!direct)
		memcpy(buf, guest_bounce, (size_t)len);
	vnet_get(header, meta);
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
		uint8_t header[VNET_HEADER];
		ssize_t len = guest_frame_read(handle, header, guest_bounce, sizeof guest_bounce);

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
