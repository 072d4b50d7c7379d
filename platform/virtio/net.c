/* SPDX-License-Identifier: ISC
 *
 * Network devices (virtio 1.2, 5.1). A frame that goes out is copied behind its header into the buffers of its
 * descriptors; one that comes in is copied from where the device has put it. With a device that cuts segments, 64 KiB
 * of TCP are one frame, one copy and at most one notification each way; without, 45.
 */
#include <errno.h>
#include <string.h>

#include "device.h"
#include "platform/guest/device.h"
#include "receive.h"
#include "transmit.h"

enum {
	RECEIVE = 0,
	TRANSMIT = 1,
	CONFIG_MAC = 0,
	CONFIG_MTU = 10,
	MTU_DEFAULT = 1500,
	MTU_MIN = 68,        /* RFC 791 */
	ETHERNET_BYTES = 18, /* header and VLAN tag, which an MTU does not count */
	PART_BYTES = 2048,   /* of a frame that may lie in several buffers */
};
#define FEATURE_CHECKSUM       (UINT64_C(1) << 0) /* the device completes what we send */
#define FEATURE_OUR_CHECKSUM   (UINT64_C(1) << 1) /* we take what is not completed, and what is verified */
#define FEATURE_MTU            (UINT64_C(1) << 3)
#define FEATURE_MAC            (UINT64_C(1) << 5)
#define FEATURE_OUR_TSO4       (UINT64_C(1) << 7)
#define FEATURE_OUR_TSO6       (UINT64_C(1) << 8)
#define FEATURE_OUR_ECN        (UINT64_C(1) << 9)
#define FEATURE_TSO4           (UINT64_C(1) << 11)
#define FEATURE_TSO6           (UINT64_C(1) << 12)
#define FEATURE_MERGEABLE      (UINT64_C(1) << 15)
#define FEATURES_CUTTING       (FEATURE_TSO4 | FEATURE_TSO6)
#define FEATURES_OUR_CUTTING   (FEATURE_OUR_TSO4 | FEATURE_OUR_TSO6 | FEATURE_OUR_ECN)
#define FEATURES_FOR_LONG_ONES (FEATURE_CHECKSUM | FEATURE_OUR_CHECKSUM | FEATURE_MERGEABLE)

struct virtio_net_buffers {
	struct virtio_receive_buffers receive;
	struct virtio_transmit_buffers transmit;
};

/* What needs other features is wanted with them alone (5.1.3.1), and long frames only where they may lie in several
 * buffers: else each would have to be as long. */
static uint64_t wanted(uint64_t offered)
{
	uint64_t features = FEATURE_CHECKSUM | FEATURE_OUR_CHECKSUM | FEATURE_MTU | FEATURE_MAC | FEATURE_MERGEABLE;

	if (offered & FEATURE_CHECKSUM)
		features |= FEATURES_CUTTING;
	if ((offered & FEATURES_FOR_LONG_ONES) == FEATURES_FOR_LONG_ONES)
		features |= FEATURES_OUR_CUTTING;
	return features;
}

/* As the stack calls them. */
static uint8_t features_of(uint64_t agreed)
{
	return (uint8_t)((agreed & FEATURE_CHECKSUM ? MANIFEST_NET_CHECKSUM : 0) |
			 (agreed & FEATURE_TSO4 ? MANIFEST_NET_TSO4 : 0) |
			 (agreed & FEATURE_TSO6 ? MANIFEST_NET_TSO6 : 0));
}

static void publish(struct virtio_device *device, uint16_t index)
{
	if (virtqueue_publish(&device->queues[index]))
		device->transport->notify(device, index);
}

/* The size of each buffer of a queue, all of which together hold the longest frame. */
static uint32_t part_bytes(const struct virtqueue *queue)
{
	uint32_t least = (uint32_t)(VIRTIO_NET_HEADER + VNET_FRAME_MAX) / queue->size + 16;

	return least < PART_BYTES ? PART_BYTES : least & ~15u;
}

static void buffers_make(struct virtio_device *device, uint32_t mtu)
{
	uint32_t whole = (VIRTIO_NET_HEADER + mtu + ETHERNET_BYTES + 15) & ~15u;
	const struct virtqueue *send = &device->queues[TRANSMIT], *receive = &device->queues[RECEIVE];
	struct virtio_net_buffers *net = device->net;

	net->transmit.size = device->features & FEATURES_CUTTING ? part_bytes(send) : whole;
	net->transmit.bytes = virtio_pages_new((size_t)net->transmit.size * send->size);
	net->receive.mergeable = device->features & FEATURE_MERGEABLE;
	net->receive.size = net->receive.mergeable || whole < PART_BYTES ? part_bytes(receive) : whole;
	net->receive.bytes = virtio_pages_new((size_t)net->receive.size * receive->size);
}

int virtio_net_start(struct virtio_device *device, struct manifest_entry *entry)
{
	int err = virtio_device_start(device, wanted, 2);

	if (err < 0 || !(device->features & FEATURE_MAC))
		return -EIO;
	for (uint32_t i = 0; i < sizeof entry->u.net.mac; i++)
		entry->u.net.mac[i] = register_read8(device->config + CONFIG_MAC + i);
	entry->u.net.mtu = device->features & FEATURE_MTU ? register_read16(device->config + CONFIG_MTU) : MTU_DEFAULT;
	if (entry->u.net.mtu < MTU_MIN)
		return -EIO;
	entry->features = features_of(device->features);
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
	ssize_t len = virtio_receive_frame(&device->queues[RECEIVE], &device->net->receive, header, buf, size);

	if (len >= 0)
		publish(device, RECEIVE);
	return len;
}

int guest_frame_write(int handle, const struct platform_piece *pieces, size_t count, size_t len)
{
	struct virtio_device *device = virtio_device(handle);
	struct platform_piece all[1 + PLATFORM_PIECES];
	uint8_t header[VIRTIO_NET_HEADER] = { 0 };
	int err;

	memcpy(header, pieces[0].data, pieces[0].len);
	memcpy(all, pieces, count * sizeof *pieces);
	all[0] = (struct platform_piece){ header, sizeof header };
	err = virtio_transmit_frame(&device->queues[TRANSMIT], &device->net->transmit, all, count, sizeof header + len);
	if (err == 0)
		publish(device, TRANSMIT);
	return err;
}
