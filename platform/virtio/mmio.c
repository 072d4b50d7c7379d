/* SPDX-License-Identifier: ISC
 *
 * Devices by registers in memory (virtio 1.2, 4.2).
 */
#include <stdlib.h>
#include <string.h>

#include "device.h"

enum {
	MAGIC = 0x000, /* "virt" */
	MAGIC_VALUE = 0x74726976,
	VERSION = 0x004,
	DEVICE = 0x008,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_HALF = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_HALF = 0x024,
	QUEUE_SELECT = 0x030,
	QUEUE_SIZE_LARGEST = 0x034,
	QUEUE_SIZE = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACKNOWLEDGE = 0x064,
	STATUS = 0x070,
	QUEUE_DESCRIPTORS = 0x080, /* addresses: low half, high half */
	QUEUE_AVAIL = 0x090,
	QUEUE_USED = 0x0a0,
	CONFIG = 0x100,
	REGISTERS_BYTES = 0x200,
};

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
	return (uint8_t)register_read32(device->common + STATUS);
}

static void status_set(struct virtio_device *device, uint8_t value)
{
	register_write32(device->common + STATUS, value);
}

static uint16_t queue_size(struct virtio_device *device, uint16_t index)
{
	uint32_t largest;

	register_write32(device->common + QUEUE_SELECT, index);
	largest = register_read32(device->common + QUEUE_SIZE_LARGEST);
	return largest > UINT16_MAX ? UINT16_MAX : (uint16_t)largest;
}

static void address_set(struct virtio_device *device, uint32_t at, const void *address)
{
	register_write32(device->common + at, (uint32_t)(uintptr_t)address);
	register_write32(device->common + at + 4, (uint32_t)((uintptr_t)address >> 32));
}

static void queue_set(struct virtio_device *device, uint16_t index, const struct virtqueue *queue)
{
	register_write32(device->common + QUEUE_SELECT, index);
	register_write32(device->common + QUEUE_SIZE, queue->size);
	address_set(device, QUEUE_DESCRIPTORS, queue->descriptors);
	address_set(device, QUEUE_AVAIL, queue->avail);
	address_set(device, QUEUE_USED, queue->used);
	register_write32(device->common + QUEUE_READY, 1);
}

static void notify(struct virtio_device *device, uint16_t index)
{
	register_write32(device->common + QUEUE_NOTIFY, index);
}

static void acknowledge(struct virtio_device *device)
{
	register_write32(device->common + INTERRUPT_ACKNOWLEDGE, register_read32(device->common + INTERRUPT_STATUS));
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

static const char prefix[] = "virtio_mmio.device=";

struct place {
	uint64_t address;
	unsigned long line;
};

/* SIZE@ADDRESS:LINE behind the prefix; the size is known. Address 0: it is not like that. */
static struct place place_parse(const char *word)
{
	const char *at = strchr(word, '@');
	struct place place = { 0 };
	char *end;

	if (!at)
		return place;
	place.address = strtoull(at + 1, &end, 0);
	if (*end == ':')
		place.line = strtoul(end + 1, &end, 0);
	return place;
}

static void probe(const struct place *place, void (*found)(const struct virtio_device *device))
{
	struct virtio_device device = { .transport = &transport, .common = place->address };

	if (!virtio_registers_map(device.common, REGISTERS_BYTES) ||
		register_read32(device.common + MAGIC) != MAGIC_VALUE || register_read32(device.common + VERSION) != 2)
		return;
	device.type = register_read32(device.common + DEVICE);
	device.config = device.common + CONFIG;
	device.has_interrupt =
		place->line > 0 && place->line < UINT8_MAX && virtio_interrupt_route((unsigned)place->line);
	found(&device);
}

/* Cuts the monitor's words, which are the last ones, off the command line. Returns the first of them, or NULL. */
static char *cut_words(char *cmdline)
{
	char *end = cmdline + strlen(cmdline), *first = NULL;

	for (;;) {
		char *word;

		while (end > cmdline && end[-1] == ' ')
			end--;
		word = end;
		while (word > cmdline && word[-1] != ' ')
			word--;
		if (strncmp(word, prefix, strlen(prefix)) != 0)
			break;
		first = end = word;
	}
	if (first && first > cmdline)
		first[-1] = '\0';
	return first;
}

/* Monitors agree on no order of the words: devices come in the order of their addresses. */
void virtio_mmio_find(char *cmdline, void (*found)(const struct virtio_device *device))
{
	const char *words = cut_words(cmdline);
	struct place next, last = { 0 };

	do {
		next.address = UINT64_MAX;
		for (const char *word = words; word && (word = strstr(word, prefix)); word++) {
			struct place place = place_parse(word + strlen(prefix));

			if (place.address > last.address && place.address < next.address)
				next = place;
		}
		if (next.address != UINT64_MAX)
			probe(&next, found);
		last = next;
	} while (next.address != UINT64_MAX);
	if (words == cmdline)
		*cmdline = '\0';
}
