/* SPDX-License-Identifier: ISC
 *
 * Entry, end, and the image's note of its interface.
 *
 * The tender jumps to _start with the stack at the end of memory. Heap and boot stack share what is left beyond the
 * image: heap_begin [image_end ... | GUEST_BOOT_STACK_BYTES] mem_size.
 */
#include "platform/guest/device.h"
#include "platform/guest/guest.h"
#include "spt.h"

_Noreturn void _start(const struct spt_boot_info *info);

static const struct {
	uint32_t name_size, descriptor_size, type;
	char name[8];
	struct abi1 abi;
} abi_note __attribute__((section(".note.solo5.abi"), used, aligned(4))) = {
	.name_size = sizeof NOTE_NAME,
	.descriptor_size = sizeof(struct abi1),
	.type = NOTE_ABI1,
	.name = NOTE_NAME,
	.abi = { .target = ABI_TARGET_SPT, .version = ABI_SPT_VERSION },
};

enum { ARCH_SET_FS = 0x1002 }; /* of the host's <asm/prctl.h>, which musl does not have */

const struct spt_boot_info *spt_boot;

__attribute__((no_stack_protector)) _Noreturn void _start(const struct spt_boot_info *info)
{
	spt_boot = info;
	guest_manifest = info->mft;
	spt_system_call(ARCH_SET_FS, (long)guest_thread_init(), 0, 0, 0, SYS_arch_prctl);
	guest_run(info->kernel_end, info->mem_size - GUEST_BOOT_STACK_BYTES, info->cmdline);
}

/* A tap keeps what its last owner could take, and the next one may know nothing of that. */
static void taps_release(void)
{
	for (uint32_t handle = 1; handle < guest_manifest->entries; handle++)
		if (guest_entry((int)handle)->features)
			spt_system_call(guest_entry((int)handle)->b.hostfd, SPT_TUNSETOFFLOAD, 0, 0, 0, SYS_ioctl);
}

_Noreturn void platform_exit(int status)
{
	taps_release();
	spt_system_call(status & 0xff, 0, 0, 0, 0, SYS_exit_group);
	__builtin_trap();
}

_Noreturn void platform_abort(void)
{
	platform_exit(GUEST_STATUS_ABORT);
}
