/* SPDX-License-Identifier: ISC
 *
 * Memory, and the page tables.
 *
 *	0x00000000 - 0x000fffff   unmapped: the firmware's, and null pointers
 *	0x00100000 - image_end    the image, each part with its own protection
 *	image_end - ...           command line, page tables, queues and buffers of the devices: virtio_pages_new()
 *	... - end of memory       heap upwards, stack downwards
 *	devices' registers        where the machine has them, mapped one by one
 */
#include <cpuid.h>
#include <string.h>

#include "platform/guest/guest.h"
#include "virtio.h"

enum {
	TABLE_ENTRIES = 512,
	TABLE_LEVELS = 4,
};
#define LARGE_PAGE UINT64_C(0x200000)
#define EARLY_END  UINT64_C(0x40000000) /* of what start.S maps */
#define LOW_HALF   (UINT64_C(1) << 47)

#define PRESENT    UINT64_C(1)
#define WRITABLE   UINT64_C(2)
#define UNCACHED   UINT64_C(0x18)
#define LARGE      UINT64_C(0x80)
#define NO_EXECUTE (UINT64_C(1) << 63)
#define ADDRESS    UINT64_C(0x000ffffffffff000)

enum {
	CR4_UMIP = 1 << 11,
	CR4_SMEP = 1 << 20,
};

extern const char image_rodata[], image_data[], image_end[];

char *virtio_cmdline;

static uint64_t pages_next, memory_end;
static uint64_t *root;

void *virtio_pages_new(size_t bytes)
{
	uint64_t size = (bytes + VIRTIO_PAGE - 1) / VIRTIO_PAGE * VIRTIO_PAGE;
	void *pages = (void *)(uintptr_t)pages_next;

	if (bytes > memory_end || size > memory_end - GUEST_BOOT_STACK_BYTES - pages_next)
		guest_fatal("the memory is too small to boot in");
	pages_next += size;
	return memset(pages, 0, size);
}

uint64_t virtio_pages_end(void)
{
	return pages_next;
}

/* The entry for an address in the table of this level, 0 being the one that maps pages; missing tables are made. */
static uint64_t *entry_at(uint64_t address, int level)
{
	uint64_t *table = root;

	for (int i = TABLE_LEVELS - 1; i > level; i--) {
		uint64_t *entry = &table[address >> (12 + 9 * i) & (TABLE_ENTRIES - 1)];

		if (!*entry)
			*entry = (uintptr_t)virtio_pages_new(VIRTIO_PAGE) | PRESENT | WRITABLE;
		table = (uint64_t *)(uintptr_t)(*entry & ADDRESS);
	}
	return &table[address >> (12 + 9 * level) & (TABLE_ENTRIES - 1)];
}

/* Maps whole pages to themselves, by large ones where they fit. What is mapped already stays as it is. */
static void map(uint64_t begin, uint64_t end, uint64_t flags)
{
	while (begin < end) {
		uint64_t *large = entry_at(begin, 1);

		if (begin % LARGE_PAGE == 0 && end - begin >= LARGE_PAGE && !*large) {
			*large = begin | flags | LARGE;
			begin += LARGE_PAGE;
			continue;
		}
		if (!(*large & LARGE))
			*entry_at(begin, 0) = begin | flags;
		begin += VIRTIO_PAGE;
	}
}

bool virtio_registers_map(uint64_t address, uint64_t bytes)
{
	uint64_t begin = address & ~(uint64_t)(VIRTIO_PAGE - 1);

	if (bytes == 0 || bytes > LOW_HALF || address >= LOW_HALF - bytes || (begin < memory_end))
		return false;
	map(begin, (address + bytes + VIRTIO_PAGE - 1) & ~(uint64_t)(VIRTIO_PAGE - 1),
		PRESENT | WRITABLE | NO_EXECUTE | UNCACHED);
	return true;
}

static void protect_processor(void)
{
	unsigned a, b = 0, c = 0, d;
	uint64_t cr4;

	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	cr4 |= (b & (1u << 7) ? CR4_SMEP : 0u) | (c & (1u << 2) ? CR4_UMIP : 0u);
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
}

uint64_t virtio_memory_init(const struct virtio_loader *loader)
{
	uint64_t rodata = (uintptr_t)image_rodata, data = (uintptr_t)image_data;
	size_t cmdline_bytes = strlen(loader->cmdline) + 1;

	pages_next = (uintptr_t)image_end;
	memory_end = loader->memory_end & ~(uint64_t)(VIRTIO_PAGE - 1);
	if (memory_end < pages_next + GUEST_BOOT_STACK_BYTES ||
		cmdline_bytes > memory_end - GUEST_BOOT_STACK_BYTES - pages_next)
		guest_fatal("the memory is too small to boot in");
	/* It may lie right here. */
	virtio_cmdline = memmove((char *)(uintptr_t)pages_next, loader->cmdline, cmdline_bytes);
	pages_next += (cmdline_bytes + VIRTIO_PAGE - 1) / VIRTIO_PAGE * VIRTIO_PAGE;
	root = virtio_pages_new(VIRTIO_PAGE);
	map(VIRTIO_IMAGE_BASE, rodata, PRESENT);
	map(rodata, data, PRESENT | NO_EXECUTE);
	map(data, memory_end, PRESENT | WRITABLE | NO_EXECUTE);
	if (pages_next > EARLY_END)
		guest_fatal("the image is too large to boot; expected it below 1 GiB");
	protect_processor();
	__asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
	return memory_end;
}
