/* SPDX-License-Identifier: ISC
 *
 * From start.S to the guest's common boot, and the ways to end.
 *
 * A machine has no exit status. So it goes, as a decimal number and a newline, to port 0xe9, QEMU's debugging console,
 * where there is one; then the machine is turned off in each of the ways that monitors know.
 */
#include <string.h>

#include <skerry/text.h>

#include "device.h"
#include "platform/guest/device.h"
#include "platform/guest/guest.h"
#include "platform/guest/trap.h"
#include "virtio.h"

static const struct {
	uint32_t name_size, descriptor_size, type;
	char name[8];
	struct abi1 abi;
} abi_note __attribute__((section(".note.solo5.abi"), used, aligned(4))) = {
	.name_size = sizeof NOTE_NAME,
	.descriptor_size = sizeof(struct abi1),
	.type = NOTE_ABI1,
	.name = NOTE_NAME,
	.abi = { .target = ABI_TARGET_VIRTIO, .version = ABI_VIRTIO_VERSION },
};

enum {
	MSR_FS_BASE = 0xc0000100,
	STATUS_PORT = 0xe9, /* reads as its own number */
	/* ACPI's soft off, where machines have it: QEMU's q35, and Cloud Hypervisor. */
	Q35_POWER = 0x604,
	Q35_OFF = 0x2000,
	CLOUD_POWER = 0x600,
	CLOUD_OFF = 0x34,
	/* Elsewhere a reset ends the machine: by the keyboard's controller (Firecracker), or a triple fault. */
	KEYBOARD = 0x64,
	KEYBOARD_RESET = 0xfe,
};

static uint64_t memory_end;

/* Runs on a small stack. Returns where the boot stack begins. */
__attribute__((no_stack_protector)) uint64_t virtio_boot(uint64_t address, uint32_t magic)
{
	struct virtio_loader loader;

	msr_write(MSR_FS_BASE, (uint64_t)(uintptr_t)guest_thread_init());
	virtio_console_init();
	guest_trap_init();
	loader = virtio_loader_read(address, magic);
	memory_end = virtio_memory_init(&loader);
	return memory_end;
}

_Noreturn void virtio_main(void)
{
	virtio_interrupt_init();
	virtio_console_listen();
	virtio_time_init();
	virtio_devices_init(virtio_cmdline);
	guest_run(virtio_pages_end(), memory_end - GUEST_BOOT_STACK_BYTES, virtio_cmdline);
}

static void tell_status(int status)
{
	char text[16];

	if (port_read8(STATUS_PORT) != STATUS_PORT)
		return;
	text_format(text, sizeof text, "%d\n", status & 0xff);
	for (size_t i = 0; text[i]; i++)
		port_write8(STATUS_PORT, (uint8_t)text[i]);
}

static _Noreturn void power_off(void)
{
	static const struct {
		uint16_t limit;
		void *base;
	} __attribute__((packed)) no_handlers = { 0 };

	virtio_console_drain();
	port_write16(Q35_POWER, Q35_OFF);
	port_write8(CLOUD_POWER, CLOUD_OFF);
	port_write8(KEYBOARD, KEYBOARD_RESET);
	__asm__ volatile("lidt %0\n\tint3" : : "m"(no_handlers));
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

_Noreturn void platform_exit(int status)
{
	tell_status(status);
	power_off();
}

_Noreturn void platform_abort(void)
{
	platform_exit(GUEST_STATUS_ABORT);
}

_Noreturn void guest_trap_end(const struct guest_trap_frame *frame)
{
	(void)frame;
	platform_exit(GUEST_STATUS_ABORT);
}
