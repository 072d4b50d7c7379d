/* SPDX-License-Identifier: ISC
 *
 * Network devices (virtio 1.2, 5.1). A frame that goes out is copied behind its header into the buffer of its
 * descriptor; one that comes in is copied from where the device has put it.
 */
#include <errno.h>
#include <string.h>

#include "device.h"
#include "platform/guest/device.h"
#include "receive.h"

enum {
	RECEIVE = 0,
	TRANSMIT = 1,
	CONFIG_MAC = 0,
	CONFIG_MTU = 10,
	MTU_DEFAULT = 1500,
	MTU_MIN = 68,        /* RFC 791 */
	ETHERNET_BYTES = 18, /* header and VLAN tag, which an MTU does not count */
	MERGEABLE_BYTES = 2048,
};
#define FEATURE_MTU       (UINT64_C(1) << 3)
#define FEATURE_MAC       (UINT64_C(1) << 5)
#define FEATURE_MERGEABLE (UINT64_C(1) << 15)

struct virtio_net_buffers {
	struct virtio_receive_buffers receive;
	uint8_t *transmit; /* one for each descriptor; headers stay zero: plain frames */
	uint32_t transmit_bytes;
};

static void publish(struct virtio_device *device, uint16_t index)
{
	if (virtqueue_publish(&device->queues[index]))
		device->transport->notify(device, index);
}

static void buffers_make(struct virtio_device *device, uint32_t mtu)
{
	struct virtio_net_buffers *net = device->net;
	uint32_t whole = (VIRTIO_RECEIVE_HEADER_BYTES + mtu + ETHERNET_BYTES + 15) & ~15u;

	net->transmit_bytes = whole;
	net->transmit = virtio_pages_new((size_t)whole * device->queues[TRANSMIT].size);
	net->receive.mergeable = device->features & FEATURE_MERGEABLE;
	net->receive.size = net->receive.mergeable || whole < MERGEABLE_BYTES ? MERGEABLE_BYTES : whole;
	net->receive.bytes = virtio_pages_new((size_t)net->receive.size * device->queues[RECEIVE].size);
}

int virtio_net_start(struct virtio_device *device, struct manifest_entry *entry)
{
	int err = virtio_device_start(device, FEATURE_MTU | FEATURE_MAC | FEATURE_MERGEABLE, 2);

	if (err < 0 || !(device->features & FEATURE_MAC))
		return -EIO;
	for (uint32_t i = 0; i < sizeof entry->u.net.mac; i++)
		entry->u.net.mac[i] = register_read8(device->config + CONFIG_MAC + i);
	entry->u.net.mtu = device->features & FEATURE_MTU ? register_read16(device->config + CONFIG_MTU) : MTU_DEFAULT;
	if (entry->u.net.mtu < MTU_MIN)
		return -EIO;
	device->net = virtio_pages_new(sizeof *device->net);
	buffers_make(device, entry->u.net.mtu);
	virtio_receive_fill(&device->queues[RECEIVE], &device->net->receive);
	virtio_device_go(device);
	publish(device, RECEIVE);
	return 0;
}

ssize_t guest_frame_read(int handle, uint8_t header[VNET_HEADER], void *buf, size_t size)
{
	struct virtio_device *device = virtio_device(handle);
	ssize_t len = virtio_receive_frame(&device->queues[RECEIVE], &device->net->receive, buf, size);

	(void)header; /* no feature was asked for: it is zeros */
	if (len >= 0)
		publish(device, RECEIVE);
	return len;
}

int guest_frame_write(int handle, const struct platform_piece *pieces, size_t count, size_t len)
{
	struct virtio_device *device = virtio_device(handle);
	struct virtqueue *queue = &device->queues[TRANSMIT];
	struct virtqueue_piece piece = { .len = (uint32_t)(VIRTIO_RECEIVE_HEADER_BYTES + len) };
	uint32_t written;
	uint8_t *buffer;
	int id;

	do
		id = virtqueue_take(queue, &written);
	while (id >= 0);
	if (id == -EIO)
		return -EIO;
	if (queue->free_count == 0)
		return -EAGAIN;
	/* A chain of one descriptor has its number, and the next one is the first that is free. */
	buffer = device->net->transmit + (size_t)queue->free * device->net->transmit_bytes;
	piece.data = buffer;
	buffer += VIRTIO_RECEIVE_HEADER_BYTES;
	for (size_t i = 1; i < count; buffer += pieces[i++].len)
		memcpy(buffer, pieces[i].data, pieces[i].len);
	virtqueue_add(queue, &piece, 1, 1);
	publish(device, TRANSMIT);
	return 0;
}
