/* SPDX-License-Identifier: ISC
 *
 * Devices on PCI (virtio 1.2, 4.1), of the first bus: where a device's registers lie is told by vendor capabilities in
 * its configuration space. Interrupts come as messages (MSI-X), all with one vector.
 */
#include <string.h>

#include "device.h"

enum {
	CONFIG_ADDRESS = 0xcf8,
	CONFIG_DATA = 0xcfc,
	CONFIG_ENABLE = (int)0x80000000,
	SLOTS = 32,
	FUNCTIONS = 8,

	/* Configuration space (PCI 3.0, 6.1). */
	ID = 0x00,
	COMMAND = 0x04,
	COMMAND_MEMORY = 2,
	COMMAND_MASTER = 4,
	COMMAND_NO_INTX = 0x400,
	STATUS_CAPABILITIES = 0x100000, /* of the word at COMMAND */
	HEADER = 0x0c,
	HEADER_FUNCTIONS = 0x800000, /* there are several */
	BARS = 0x10,
	BAR_COUNT = 6,
	BAR_PORTS = 1,
	BAR_64_BITS = 4,
	CAPABILITIES = 0x34,
	CAPABILITIES_MAX = 48,
	CAPABILITY_VENDOR = 0x09,
	CAPABILITY_MSIX = 0x11,
	MSIX_ENABLE = (int)0x80000000,
	MSIX_MASK = 0x40000000,
	MSIX_ENTRY_BYTES = 16,

	VENDOR = 0x1af4,
	ID_OLD = 0x1000, /* transitional devices: net is 0, block is 1 */
	ID_MODERN = 0x1040,
	ID_END = 0x1080,
	NO_VECTOR = 0xffff,

	/* Kinds of capability. */
	KIND_COMMON = 1,
	KIND_NOTIFY = 2,
	KIND_DEVICE = 4,

	/* Common configuration (virtio 1.2, 4.1.4.3). */
	DEVICE_FEATURES_HALF = 0,
	DEVICE_FEATURES = 4,
	DRIVER_FEATURES_HALF = 8,
	DRIVER_FEATURES = 12,
	CONFIG_VECTOR = 16,
	STATUS = 20,
	QUEUE_SELECT = 22,
	QUEUE_SIZE = 24,
	QUEUE_VECTOR = 26,
	QUEUE_ENABLE = 28,
	QUEUE_NOTIFY_OFFSET = 30,
	QUEUE_DESCRIPTORS = 32,
	QUEUE_AVAIL = 40,
	QUEUE_USED = 48,
	COMMON_BYTES = 56,
	NOTIFY_BYTES = 2,
};

static uint32_t config_read(uint32_t place, uint32_t at)
{
	port_write32(CONFIG_ADDRESS, (uint32_t)CONFIG_ENABLE | place | (at & 0xfc));
	return port_read32(CONFIG_DATA);
}

static void config_write(uint32_t place, uint32_t at, uint32_t value)
{
	port_write32(CONFIG_ADDRESS, (uint32_t)CONFIG_ENABLE | place | (at & 0xfc));
	port_write32(CONFIG_DATA, value);
}

static uint64_t features(struct virtio_device *device)
{
	uint32_t low, high;

	register_write32(device->common + DEVICE_FEATURES_HALF, 0);
	low = register_read32(device->common + DEVICE_FEATURES);
	register_write32(device->common + DEVICE_FEATURES_HALF, 1);
	high = register_read32(device->common + DEVICE_FEATURES);
	return low | (uint64_t)high << 32;
}

static void features_set(struct virtio_device *device, uint64_t chosen)
{
	register_write32(device->common + DRIVER_FEATURES_HALF, 0);
	register_write32(device->common + DRIVER_FEATURES, (uint32_t)chosen);
	register_write32(device->common + DRIVER_FEATURES_HALF, 1);
	register_write32(device->common + DRIVER_FEATURES, (uint32_t)(chosen >> 32));
}

static uint8_t status(struct virtio_device *device)
{
	return register_read8(device->common + STATUS);
}

static void status_set(struct virtio_device *device, uint8_t value)
{
	register_write8(device->common + STATUS, value);
}

static uint16_t queue_size(struct virtio_device *device, uint16_t index)
{
	register_write16(device->common + QUEUE_SELECT, index);
	return register_read16(device->common + QUEUE_SIZE);
}

static void address_set(struct virtio_device *device, uint32_t at, const void *address)
{
	register_write32(device->common + at, (uint32_t)(uintptr_t)address);
	register_write32(device->common + at + 4, (uint32_t)((uintptr_t)address >> 32));
}

static void queue_set(struct virtio_device *device, uint16_t index, const struct virtqueue *queue)
{
	register_write16(device->common + QUEUE_SELECT, index);
	register_write16(device->common + QUEUE_SIZE, queue->size);
	if (device->has_interrupt) {
		register_write16(device->common + QUEUE_VECTOR, 0);
		/* It says that it has no vector when it could not set one up. */
		device->has_interrupt = register_read16(device->common + QUEUE_VECTOR) != NO_VECTOR;
	}
	address_set(device, QUEUE_DESCRIPTORS, queue->descriptors);
	address_set(device, QUEUE_AVAIL, queue->avail);
	address_set(device, QUEUE_USED, queue->used);
	device->notify_at[index] = device->notify + (uint64_t)register_read16(device->common + QUEUE_NOTIFY_OFFSET) *
							    device->notify_multiplier;
	if (!virtio_registers_map(device->notify_at[index], NOTIFY_BYTES))
		device->notify_at[index] = device->notify;
	register_write16(device->common + QUEUE_ENABLE, 1);
}

static void notify(struct virtio_device *device, uint16_t index)
{
	register_write16(device->notify_at[index], index);
}

static void acknowledge(struct virtio_device *device)
{
	(void)device; /* messages need none */
}

static const struct virtio_transport transport = {
	.features = features,
	.features_set = features_set,
	.status = status,
	.status_set = status_set,
	.queue_size = queue_size,
	.queue_set = queue_set,
	.notify = notify,
	.acknowledge = acknowledge,
};

/* Where the memory of a base address register begins; 0: there is none. */
static uint64_t bar_address(uint32_t place, uint32_t bar)
{
	uint32_t low, high = 0;

	if (bar >= BAR_COUNT)
		return 0;
	low = config_read(place, BARS + 4 * bar);
	if (low & BAR_PORTS)
		return 0;
	if (low & BAR_64_BITS && bar + 1 < BAR_COUNT)
		high = config_read(place, BARS + 4 * (bar + 1));
	return (low & ~15u) | (uint64_t)high << 32;
}

/* Maps so many bytes that a capability speaks of; 0 when they cannot be. */
static uint64_t map_part(uint32_t place, uint32_t bar, uint64_t offset, uint64_t bytes)
{
	uint64_t base = bar_address(place, bar);

	return base && virtio_registers_map(base + offset, bytes) ? base + offset : 0;
}

/* The local APIC takes a write of the vector to its address as an interrupt. */
static bool msix_enable(uint32_t place, uint32_t capability)
{
	uint32_t table = config_read(place, capability + 4);
	uint64_t entry = map_part(place, table & 7, table & ~7u, MSIX_ENTRY_BYTES);

	if (!entry)
		return false;
	register_write32(entry, (uint32_t)VIRTIO_LAPIC);
	register_write32(entry + 4, 0);
	register_write32(entry + 8, VIRTIO_VECTOR_DEVICE);
	register_write32(entry + 12, 0); /* not masked */
	config_write(
		place, capability, (config_read(place, capability) & ~(uint32_t)MSIX_MASK) | (uint32_t)MSIX_ENABLE);
	return true;
}

static void vendor_capability(struct virtio_device *device, uint32_t place, uint32_t at)
{
	uint32_t kind = config_read(place, at) >> 24;
	uint32_t bar = config_read(place, at + 4) & 0xff;
	uint32_t offset = config_read(place, at + 8), bytes = config_read(place, at + 12);

	/* A device may show a part in several places: the first is preferred. */
	if (kind == KIND_COMMON && !device->common && bytes >= COMMON_BYTES)
		device->common = map_part(place, bar, offset, COMMON_BYTES);
	else if (kind == KIND_DEVICE && !device->config)
		device->config = map_part(place, bar, offset, bytes);
	else if (kind == KIND_NOTIFY && !device->notify) {
		device->notify = map_part(place, bar, offset, bytes);
		device->notify_multiplier = config_read(place, at + 16);
	}
}

static void probe(uint32_t place, void (*found)(const struct virtio_device *device))
{
	struct virtio_device device = { .transport = &transport };
	uint32_t id = config_read(place, ID);
	uint32_t command = config_read(place, COMMAND);
	uint32_t at = config_read(place, CAPABILITIES) & 0xfc;

	if ((id & 0xffff) != VENDOR || id >> 16 < ID_OLD || id >> 16 >= ID_END || !(command & STATUS_CAPABILITIES))
		return;
	device.type = id >> 16 >= ID_MODERN ? (id >> 16) - ID_MODERN : (id >> 16) - ID_OLD + 1;
	config_write(place, COMMAND, (command & 0xffff) | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	for (int i = 0; i < CAPABILITIES_MAX && at; i++) {
		uint32_t capability = config_read(place, at);

		if ((capability & 0xff) == CAPABILITY_VENDOR)
			vendor_capability(&device, place, at);
		else if ((capability & 0xff) == CAPABILITY_MSIX)
			device.has_interrupt = msix_enable(place, at);
		at = capability >> 8 & 0xfc;
	}
	if (device.common && device.notify && device.config)
		found(&device);
}

void virtio_pci_find(void (*found)(const struct virtio_device *device))
{
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		uint32_t place = slot << 11;

		if (config_read(place, ID) == UINT32_MAX)
			continue;
		for (uint32_t function = 0; function < FUNCTIONS; function++) {
			probe(place | function << 8, found);
			if (!(config_read(place, HEADER) & HEADER_FUNCTIONS))
				break;
		}
	}
}
