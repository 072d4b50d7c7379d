/* SPDX-License-Identifier: ISC
 *
 * Entry, end, and the image's note of its interface.
 *
 * The tender starts the guest at _start with the stack at the end of memory. Heap and boot stack share what is left
 * beyond the image: [image_end ... | GUEST_BOOT_STACK_BYTES] mem_size.
 */
#include <string.h>

#include "platform/guest/device.h"
#include "platform/guest/guest.h"
#include "platform/guest/trap.h"
#include "hvt.h"

_Noreturn void _start(const struct hvt_boot_info *info);

static const struct {
	uint32_t name_size, descriptor_size, type;
	char name[8];
	struct abi1 abi;
} abi_note __attribute__((section(".note.solo5.abi"), used, aligned(4))) = {
	.name_size = sizeof NOTE_NAME,
	.descriptor_size = sizeof(struct abi1),
	.type = NOTE_ABI1,
	.name = NOTE_NAME,
	.abi = { .target = ABI_TARGET_HVT, .version = ABI_HVT_VERSION },
};

enum { MSR_FS_BASE = 0xc0000100 };

const struct hvt_boot_info *hvt_boot;

__attribute__((no_stack_protector)) _Noreturn void _start(const struct hvt_boot_info *info)
{
	uint64_t thread = (uint64_t)(uintptr_t)guest_thread_init();

	hvt_boot = info;
	guest_manifest = (const struct manifest *)(uintptr_t)info->mft;
	__asm__ volatile("wrmsr" : : "c"(MSR_FS_BASE), "a"((uint32_t)thread), "d"((uint32_t)(thread >> 32)));
	guest_trap_init();
	hvt_time_init();
	guest_run(info->kernel_end, info->mem_size - GUEST_BOOT_STACK_BYTES, (const char *)(uintptr_t)info->cmdline);
}

_Noreturn void platform_exit(int status)
{
	struct hvt_halt halt = { .exit_status = status & 0xff };

	for (;;)
		hvt_call(HVT_HALT, &halt);
}

/* The registers go into the halt's cookie. */
_Noreturn void guest_trap_end(const struct guest_trap_frame *frame)
{
	static union {
		struct hvt_trap_cookie trap;
		uint8_t room[HVT_COOKIE_SIZE];
	} cookie = { { HVT_TRAP_MAGIC, { 0 } } };
	struct hvt_halt halt = { .cookie = (uint64_t)(uintptr_t)&cookie, .exit_status = GUEST_STATUS_ABORT };

	memcpy(cookie.trap.registers, frame, sizeof *frame);
	for (;;)
		hvt_call(HVT_HALT, &halt);
}

_Noreturn void platform_abort(void)
{
	platform_exit(GUEST_STATUS_ABORT);
}
