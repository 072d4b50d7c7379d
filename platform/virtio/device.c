/* SPDX-License-Identifier: ISC
 *
 * The machine's devices and the manifest's: found, told apart by type, and matched in their order.
 */
#include "device.h"

#include <errno.h>
#include <string.h>

#include <skerry/text.h>

#include "platform/guest/device.h"
#include "platform/guest/guest.h"

enum {
	STATUS_ACKNOWLEDGE = 1,
	STATUS_DRIVER = 2,
	STATUS_DRIVER_OK = 4,
	STATUS_FEATURES_OK = 8,
	RESET_POLLS_MAX = 1000000,
	NOTE_HEADER_BYTES = 24, /* of the manifest's note, up to its descriptor */
	LINE_BYTES = 160,
};

/* The manifest's note, as the linker placed it. */
extern const char image_manifest[], image_manifest_end[];

static struct {
	struct manifest manifest;
	struct manifest_entry entries[MANIFEST_ENTRIES_MAX];
} manifest;
static struct virtio_device *devices[MANIFEST_ENTRIES_MAX];

struct virtio_device *virtio_device(int handle)
{
	return handle >= 0 && handle < MANIFEST_ENTRIES_MAX ? devices[handle] : NULL;
}

static void manifest_read(void)
{
	size_t size = (size_t)(image_manifest_end - image_manifest);

	if (size <= NOTE_HEADER_BYTES || size - NOTE_HEADER_BYTES > sizeof manifest)
		guest_fatal("the image has no manifest; link what skerry elf gen-manifest makes");
	memcpy(&manifest, image_manifest + NOTE_HEADER_BYTES, size - NOTE_HEADER_BYTES);
	if (manifest.manifest.entries > MANIFEST_ENTRIES_MAX)
		guest_fatal("the image's manifest is damaged");
	guest_manifest = &manifest.manifest;
}

static const char *type_name(uint32_t type)
{
	return type == MANIFEST_NET_BASIC ? "network" : "block device";
}

static _Noreturn void fail(const struct manifest_entry *entry, const char *problem)
{
	char line[LINE_BYTES];

	text_format(line, sizeof line, "%s \"%s\": %s", type_name(entry->type), entry->name, problem);
	guest_fatal(line);
}

/* Gives a device to the first entry of its type that has none. One that the manifest has no entry for stays off. */
static void take(const struct virtio_device *found)
{
	enum manifest_type type = found->type == VIRTIO_NET ? MANIFEST_NET_BASIC : MANIFEST_BLOCK_BASIC;
	uint32_t handle = 1;
	int err;

	if (found->type != VIRTIO_NET && found->type != VIRTIO_BLOCK)
		return;
	while (handle < manifest.manifest.entries && (manifest.entries[handle].type != type || devices[handle]))
		handle++;
	if (handle >= manifest.manifest.entries)
		return;
	devices[handle] = virtio_pages_new(sizeof *found);
	*devices[handle] = *found;
	if (type == MANIFEST_NET_BASIC)
		err = virtio_net_start(devices[handle], &manifest.entries[handle]);
	else
		err = virtio_block_start(devices[handle], &manifest.entries[handle]);
	if (err < 0)
		fail(&manifest.entries[handle], "its virtio device does not start; expected one of version 1");
	manifest.entries[handle].attached = true;
}

void virtio_devices_init(char *cmdline)
{
	manifest_read();
	virtio_mmio_find(cmdline, take);
	virtio_pci_find(take);
	for (uint32_t i = 1; i < manifest.manifest.entries; i++)
		if (!devices[i])
			fail(&manifest.entries[i], "no virtio device for it; expected one for each of the manifest");
}

int virtio_device_start(struct virtio_device *device, uint64_t (*wanted)(uint64_t offered), size_t queue_count)
{
	const struct virtio_transport *transport = device->transport;
	uint64_t offered;

	transport->status_set(device, 0);
	for (int i = 0; i < RESET_POLLS_MAX && transport->status(device) != 0; i++)
		__builtin_ia32_pause();
	transport->status_set(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	offered = transport->features(device);
	device->features = offered & (wanted(offered) | VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	if (!(device->features & VIRTIO_F_VERSION_1))
		return -EIO;
	transport->features_set(device, device->features);
	transport->status_set(device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
	if (!(transport->status(device) & STATUS_FEATURES_OK))
		return -EIO;
	for (uint16_t i = 0; i < queue_count; i++) {
		uint16_t size = transport->queue_size(device, i);

		if (size == 0 || (size & (size - 1)) != 0)
			return -EIO;
		if (size > VIRTQUEUE_SIZE_MAX)
			size = VIRTQUEUE_SIZE_MAX;
		virtqueue_init(&device->queues[i], virtio_pages_new(virtqueue_memory_bytes(size)), size,
			device->features & VIRTIO_F_EVENT_IDX);
		transport->queue_set(device, i, &device->queues[i]);
	}
	return 0;
}

void virtio_device_go(struct virtio_device *device)
{
	device->transport->status_set(
		device, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}
