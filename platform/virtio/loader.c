/* SPDX-License-Identifier: ISC
 *
 * What the boot loader says of the machine: PVH's start info ("x86/HVM direct boot ABI"), or the information of a
 * loader that speaks Multiboot (version 0.6.96, section 3). Both hand over a number and where this lies.
 */
#include <stdbool.h>

#include "platform/guest/guest.h"
#include "virtio.h"

enum {
	START_INFO_MAGIC = 0x336ec578,
	MEMORY_RAM = 1,
	MULTIBOOT_MAGIC = 0x2badb002,
	MULTIBOOT_MEMORY = 1 << 0,
	MULTIBOOT_CMDLINE = 1 << 2,
};
#define MULTIBOOT_UPPER_BEGIN UINT64_C(0x100000) /* from where it counts the memory */

/* As the boot protocols lay them out. */
struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memory_map;
	uint32_t memory_entries, reserved;
};

struct memory_entry {
	uint64_t address, size;
	uint32_t type, reserved;
};

struct multiboot_information {
	uint32_t flags, lower_kib, upper_kib, boot_device, cmdline;
};

static const void *at(uint64_t address)
{
	return (const void *)(uintptr_t)address;
}

/* The end of the memory that begins below the image and goes beyond that; 0: there is none. */
static uint64_t find_end(const struct start_info *info)
{
	const struct memory_entry *map = at(info->memory_map);

	for (uint32_t i = 0; i < info->memory_entries; i++)
		if (map[i].type == MEMORY_RAM && map[i].address <= VIRTIO_IMAGE_BASE &&
			map[i].size > VIRTIO_IMAGE_BASE - map[i].address)
			return map[i].address + map[i].size;
	return 0;
}

/* QEMU puts the name of the file in front, GRUB does not; our arguments are options, which may be quoted. */
static const char *without_file_name(const char *cmdline)
{
	while (*cmdline == ' ')
		cmdline++;
	if (*cmdline != '-' && *cmdline != '"' && *cmdline != '\'')
		while (*cmdline && *cmdline != ' ')
			cmdline++;
	return cmdline;
}

static struct virtio_loader read_multiboot(const struct multiboot_information *info)
{
	if (!(info->flags & MULTIBOOT_MEMORY))
		guest_fatal("booted by a Multiboot loader that does not say how much memory there is");
	return (struct virtio_loader){
		.memory_end = MULTIBOOT_UPPER_BEGIN + (uint64_t)info->upper_kib * 1024,
		.cmdline = info->flags & MULTIBOOT_CMDLINE ? without_file_name(at(info->cmdline)) : "",
	};
}

struct virtio_loader virtio_loader_read(uint64_t address, uint32_t magic)
{
	const struct start_info *info = at(address);

	if (magic == MULTIBOOT_MAGIC && info->magic != START_INFO_MAGIC)
		return read_multiboot(at(address));
	if (info->magic != START_INFO_MAGIC || info->version < 1)
		guest_fatal("booted without a PVH start info of version 1, and not by a Multiboot loader");
	return (struct virtio_loader){
		.memory_end = find_end(info),
		.cmdline = info->cmdline ? at(info->cmdline) : "",
	};
}
