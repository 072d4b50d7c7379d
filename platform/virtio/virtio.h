/* SPDX-License-Identifier: ISC
 *
 * Inside the virtio platform: the machine below it. Linear addresses are physical ones.
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VIRTIO_PAGE = 4096,
	/* Interrupts. */
	VIRTIO_VECTOR_TIMER = 32,
	VIRTIO_VECTOR_DEVICE,
	VIRTIO_VECTOR_SPURIOUS = 63,
};
#define VIRTIO_LAPIC UINT64_C(0xfee00000)

/* Ports and registers ------------------------------------------------------------------------------------------- */

static inline void port_write8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t port_read8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void port_write16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void port_write32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t port_read32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint8_t register_read8(uint64_t address)
{
	return *(volatile uint8_t *)(uintptr_t)address;
}

static inline uint16_t register_read16(uint64_t address)
{
	return *(volatile uint16_t *)(uintptr_t)address;
}

static inline uint32_t register_read32(uint64_t address)
{
	return *(volatile uint32_t *)(uintptr_t)address;
}

static inline void register_write8(uint64_t address, uint8_t value)
{
	*(volatile uint8_t *)(uintptr_t)address = value;
}

static inline void register_write16(uint64_t address, uint16_t value)
{
	*(volatile uint16_t *)(uintptr_t)address = value;
}

static inline void register_write32(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)address = value;
}

static inline uint64_t msr_read(uint32_t number)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return low | (uint64_t)high << 32;
}

static inline void msr_write(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* What the boot loader says (loader.c) -------------------------------------------------------------------------- */

#define VIRTIO_IMAGE_BASE UINT64_C(0x100000)
struct virtio_loader {
	uint64_t memory_end; /* of the memory in which the image lies; 0: the loader tells of none there */
	const char *cmdline; /* may lie anywhere below 1 GiB, also where memory is given out */
};
/* From what the loader left in ebx and eax. Ends the guest if that was no loader whose protocol we know. */
struct virtio_loader virtio_loader_read(uint64_t address, uint32_t magic);

/* Memory (memory.c) --------------------------------------------------------------------------------------------- */

/* Copies the command line out of what will not be mapped, and installs the tables:
 * text, constants and data with their own protection, the rest of memory writable, and nothing else. Returns the end of
 * memory. Ends the guest where there is too little. */
uint64_t virtio_memory_init(const struct virtio_loader *loader);
extern char *virtio_cmdline;

/* Zeroed pages that are never given back. Only at boot; ends the guest when there are none. */
void *virtio_pages_new(size_t bytes);
uint64_t virtio_pages_end(void); /* behind the last of them: where the heap may begin */

/* Maps a device's registers. False: where they lie cannot be mapped. */
bool virtio_registers_map(uint64_t address, uint64_t bytes);

/* Time and sleep ------------------------------------------------------------------------------------------------ */

void virtio_time_init(void);
/* Sets up the interrupt controllers; the local APIC's timer counts down while virtio_time_init() measures it. */
void virtio_interrupt_init(void);
uint32_t virtio_timer_count(void);
void virtio_timer_rate(uint64_t ticks_per_second);
/* Leads an interrupt line of the machine, 0 to 23, to this processor. False when there is no such line. */
bool virtio_interrupt_route(unsigned line);
void virtio_interrupt(void); /* its handler */
/* Halts until an interrupt or for at most so long; UINT64_MAX: only until an interrupt. */
void virtio_sleep(uint64_t ns);

/* Boot (boot.c) ------------------------------------------------------------------------------------------------- */

uint64_t virtio_boot(uint64_t address, uint32_t magic);
_Noreturn void virtio_main(void);
void virtio_console_init(void);
void virtio_console_listen(void); /* when interrupts are there */
void virtio_console_drain(void);
/* Whether somebody has sent a byte, which asks what the unikernel is doing. Once for all that have come. */
bool virtio_console_asked(void);

#endif
