/* SPDX-License-Identifier: ISC
 *
 * virtio devices (virtio 1.2), found behind one of two transports: PCI, and registers in memory whose places the
 * monitor puts at the end of the command line, as virtio_mmio.device=SIZE@ADDRESS:LINE.
 */
#ifndef VIRTIO_DEVICE_H
#define VIRTIO_DEVICE_H

#include <platform.h>

#include "virtqueue.h"
#include "virtio.h"

enum virtio_type { VIRTIO_NET = 1, VIRTIO_BLOCK = 2 };

enum { VIRTIO_QUEUES = 2 };

/* Features of every device. */
#define VIRTIO_F_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)

struct virtio_device;

struct virtio_transport {
	uint64_t (*features)(struct virtio_device *device);
	void (*features_set)(struct virtio_device *device, uint64_t features);
	uint8_t (*status)(struct virtio_device *device);
	void (*status_set)(struct virtio_device *device, uint8_t status);
	uint16_t (*queue_size)(struct virtio_device *device, uint16_t index); /* the largest; 0: no such queue */
	void (*queue_set)(struct virtio_device *device, uint16_t index, const struct virtqueue *queue);
	void (*notify)(struct virtio_device *device, uint16_t index);
	/* Ends the interrupt, so that there can be another. */
	void (*acknowledge)(struct virtio_device *device);
};

struct virtio_device {
	const struct virtio_transport *transport;
	uint32_t type;
	uint64_t features;               /* agreed on */
	uint64_t common, notify, config; /* addresses of registers */
	uint32_t notify_multiplier;
	uint64_t notify_at[VIRTIO_QUEUES];
	bool has_interrupt;
	struct virtqueue queues[VIRTIO_QUEUES];
	struct virtio_net_buffers *net;
	struct virtio_block_request *block;
};

/* Finds the devices, and gives the n-th network of the manifest the n-th network device, blocks likewise; takes what
 * concerns them off the command line. Ends the guest when one is missing, or does not work. */
void virtio_devices_init(char *cmdline);

/* The device behind a handle; NULL: none. */
struct virtio_device *virtio_device(int handle);

/* Agrees on what wanted() wants of the features that the device offers, and on VERSION_1, makes queues, and leaves the
 * device ready but for virtio_device_go(). -EIO when the device cannot. */
int virtio_device_start(struct virtio_device *device, uint64_t (*wanted)(uint64_t offered), size_t queue_count);
void virtio_device_go(struct virtio_device *device);

/* Sets up a device and fills in what the manifest says of it. -EIO. */
struct manifest_entry;
int virtio_net_start(struct virtio_device *device, struct manifest_entry *entry);
int virtio_block_start(struct virtio_device *device, struct manifest_entry *entry);

/* Each calls found() for each device, with a struct that lasts only for the call. */
void virtio_pci_find(void (*found)(const struct virtio_device *device));
void virtio_mmio_find(char *cmdline, void (*found)(const struct virtio_device *device));

#endif
