/* SPDX-License-Identifier: ISC
 *
 * Block devices (virtio 1.2, 5.2): one request at a time, which the processor sleeps through.
 */
#include <errno.h>

#include "device.h"
#include "platform/guest/device.h"

enum {
	REQUESTS = 0, /* the queue */
	CONFIG_CAPACITY = 0,
	CONFIG_BLOCK_SIZE = 20,
	SECTOR_BYTES = 512, /* in which capacity and places are counted */
	BLOCK_BYTES_MAX = 32768,
	READ = 0,
	WRITE = 1,
	FLUSH = 4,
	STATUS_OK = 0,
	STATUS_NONE = 0xff,
	NEEDS_RESET = 0x40,
	SLEEP_NS = 1000000, /* then it is looked whether the device has failed */
};
#define FEATURE_READ_ONLY  (UINT64_C(1) << 5)
#define FEATURE_BLOCK_SIZE (UINT64_C(1) << 6)
#define FEATURE_FLUSH      (UINT64_C(1) << 9)

/* Shared with the device: each in a piece of its own. */
struct virtio_block_request {
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header;
	volatile uint8_t status;
};

static uint64_t wanted(uint64_t offered)
{
	return offered & (FEATURE_READ_ONLY | FEATURE_BLOCK_SIZE | FEATURE_FLUSH);
}

int virtio_block_start(struct virtio_device *device, struct manifest_entry *entry)
{
	uint64_t sectors;
	uint32_t size = SECTOR_BYTES;

	if (virtio_device_start(device, wanted, 1) < 0)
		return -EIO;
	sectors = register_read32(device->config + CONFIG_CAPACITY) |
		  (uint64_t)register_read32(device->config + CONFIG_CAPACITY + 4) << 32;
	if (device->features & FEATURE_BLOCK_SIZE)
		size = register_read32(device->config + CONFIG_BLOCK_SIZE);
	if (size < SECTOR_BYTES || size > BLOCK_BYTES_MAX || (size & (size - 1)) != 0 ||
		sectors > UINT64_MAX / SECTOR_BYTES)
		return -EIO;
	entry->u.block.capacity = sectors * SECTOR_BYTES / size * size;
	entry->u.block.block_size = (uint16_t)size;
	device->block = virtio_pages_new(sizeof *device->block);
	virtio_device_go(device);
	return 0;
}

/* Until the device is done with the only request. */
static int await(struct virtio_device *device)
{
	struct virtqueue *queue = &device->queues[REQUESTS];
	uint32_t len;
	int id;

	while ((id = virtqueue_take(queue, &len)) == -EAGAIN) {
		device->transport->acknowledge(device);
		if (device->transport->status(device) & NEEDS_RESET)
			queue->broken = true;
		else if (!virtqueue_arm(queue))
			virtio_sleep(SLEEP_NS);
	}
	return id < 0 || device->block->status != STATUS_OK ? -EIO : 0;
}

static int request(int handle, uint32_t type, uint64_t offset, const void *data, uint32_t len)
{
	struct virtio_device *device = virtio_device(handle);
	struct virtio_block_request *block = device->block;
	struct virtqueue_piece pieces[3] = { { &block->header, sizeof block->header }, { data, len } };
	struct virtqueue_piece status = { (const uint8_t *)(uintptr_t)&block->status, 1 };
	size_t count = len > 0 ? 3 : 2;

	block->header.type = type;
	block->header.sector = offset / SECTOR_BYTES;
	block->status = STATUS_NONE;
	pieces[count - 1] = status;
	if (virtqueue_add(&device->queues[REQUESTS], pieces, count, type == WRITE ? 2 : 1) < 0)
		return -EIO;
	if (virtqueue_publish(&device->queues[REQUESTS]))
		device->transport->notify(device, REQUESTS);
	return await(device);
}

int guest_sector_read(int handle, uint64_t offset, void *sector)
{
	return request(handle, READ, offset, sector, guest_entry(handle)->u.block.block_size);
}

int guest_sector_write(int handle, uint64_t offset, const void *sector)
{
	if (guest_block_read_only(handle))
		return -EROFS;
	return request(handle, WRITE, offset, sector, guest_entry(handle)->u.block.block_size);
}

bool guest_block_read_only(int handle)
{
	return virtio_device(handle)->features & FEATURE_READ_ONLY;
}

/* A device without the feature writes through. */
int guest_block_flush(int handle)
{
	return virtio_device(handle)->features & FEATURE_FLUSH ? request(handle, FLUSH, 0, NULL, 0) : 0;
}
