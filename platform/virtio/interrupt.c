/* SPDX-License-Identifier: ISC
 *
 * Interrupts, whose only purpose is to end a halt: they are allowed in virtio_sleep() and nowhere else, and their
 * handler does nothing. So no code is ever interrupted, and nothing depends on one but how soon a sleep ends.
 */
#include "platform/guest/trap.h"
#include "virtio.h"

#define IO_APIC UINT64_C(0xfec00000)

enum {
	/* The local APIC's registers (Intel SDM 3, 11.4). */
	LAPIC_PRIORITY = 0x80,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_TIMER = 0x320,
	LAPIC_LINT0 = 0x350,
	LAPIC_LINT1 = 0x360,
	LAPIC_TIMER_INITIAL = 0x380,
	LAPIC_TIMER_CURRENT = 0x390,
	LAPIC_TIMER_DIVIDE = 0x3e0,
	LAPIC_ID = 0x20,
	LAPIC_ENABLED = 0x100,
	LAPIC_MASKED = 0x10000,
	DIVIDE_BY_16 = 3,

	/* The I/O APIC's: an index, a window, and what the index selects. */
	IO_SELECT = 0x00,
	IO_WINDOW = 0x10,
	IO_VERSION = 1,
	IO_LINES = 0x10,

	PIC_MASTER_DATA = 0x21,
	PIC_SLAVE_DATA = 0xa1,
};
enum { SECOND_NS = 1000000000 };

static uint64_t timer_rate;

static uint32_t io_read(uint32_t index)
{
	register_write32(IO_APIC + IO_SELECT, index);
	return register_read32(IO_APIC + IO_WINDOW);
}

static void io_write(uint32_t index, uint32_t value)
{
	register_write32(IO_APIC + IO_SELECT, index);
	register_write32(IO_APIC + IO_WINDOW, value);
}

void virtio_interrupt_init(void)
{
	const void *handler = (const void *)(uintptr_t)virtio_interrupt;

	virtio_registers_map(VIRTIO_LAPIC, VIRTIO_PAGE);
	virtio_registers_map(IO_APIC, VIRTIO_PAGE);
	guest_trap_interrupt(VIRTIO_VECTOR_TIMER, handler);
	guest_trap_interrupt(VIRTIO_VECTOR_DEVICE, handler);
	guest_trap_interrupt(VIRTIO_VECTOR_SPURIOUS, handler);
	port_write8(PIC_MASTER_DATA, 0xff);
	port_write8(PIC_SLAVE_DATA, 0xff);
	register_write32(VIRTIO_LAPIC + LAPIC_SPURIOUS, LAPIC_ENABLED | VIRTIO_VECTOR_SPURIOUS);
	register_write32(VIRTIO_LAPIC + LAPIC_PRIORITY, 0);
	register_write32(VIRTIO_LAPIC + LAPIC_LINT0, LAPIC_MASKED);
	register_write32(VIRTIO_LAPIC + LAPIC_LINT1, LAPIC_MASKED);
	register_write32(VIRTIO_LAPIC + LAPIC_TIMER, VIRTIO_VECTOR_TIMER);
	register_write32(VIRTIO_LAPIC + LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
	register_write32(VIRTIO_LAPIC + LAPIC_TIMER_INITIAL, UINT32_MAX);
}

uint32_t virtio_timer_count(void)
{
	return register_read32(VIRTIO_LAPIC + LAPIC_TIMER_CURRENT);
}

void virtio_timer_rate(uint64_t ticks_per_second)
{
	timer_rate = ticks_per_second;
}

bool virtio_interrupt_route(unsigned line)
{
	uint32_t lines = (io_read(IO_VERSION) >> 16 & 0xff) + 1;
	uint32_t self = register_read32(VIRTIO_LAPIC + LAPIC_ID);

	if (line >= lines)
		return false;
	io_write(IO_LINES + 2 * line + 1, self);
	io_write(IO_LINES + 2 * line, VIRTIO_VECTOR_DEVICE); /* by edges, active high */
	return true;
}

void virtio_sleep(uint64_t ns)
{
	unsigned __int128 count = (unsigned __int128)ns * timer_rate / SECOND_NS + 1;
	uint32_t initial = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;

	register_write32(VIRTIO_LAPIC + LAPIC_TIMER_INITIAL, ns == UINT64_MAX ? 0 : initial);
	/* The processor takes no interrupt between these two instructions: one that is pending ends the halt. */
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}
