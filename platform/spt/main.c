/* SPDX-License-Identifier: ISC
 *
 * From the tender's jump to platform_main(): canary, heap, arguments; and the ways out.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include <platform.h>

#include "platform/guest/guest.h"
#include "spt.h"

enum { STDOUT = 1, ARCH_SET_FS = 0x1002, STATUS_ABORT = 255 };

const struct spt_boot_info *spt_boot;

void spt_main(const struct spt_boot_info *boot);

/* The canary cannot be checked in the function that sets it. */
__attribute__((noreturn, optimize("no-stack-protector"))) void spt_main(const struct spt_boot_info *boot)
{
	char **argv;
	int argc;

	spt_boot = boot;
	spt_syscall(SYS_arch_prctl, ARCH_SET_FS, (long)guest_thread_init(), 0, 0, 0, 0);
	guest_heap_init((void *)boot->kernel_end, boot->mem_size - GUEST_BOOT_STACK_BYTES - boot->kernel_end);
	argc = guest_arguments(boot->cmdline, &argv);
	platform_exit(argc < 0 ? -argc : platform_main(argc, argv));
}

void platform_exit(int status)
{
	for (;;)
		spt_syscall(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

void platform_abort(void)
{
	platform_exit(STATUS_ABORT);
}

void platform_console_write(const char *text, size_t len)
{
	while (len > 0) {
		long written = spt_syscall(SYS_write, STDOUT, (long)text, (long)len, 0, 0, 0);

		if (written <= 0 && written != -EINTR)
			return;
		if (written > 0) {
			text += written;
			len -= (size_t)written;
		}
	}
}

int spt_device(const char *name, uint32_t type)
{
	const struct manifest *manifest = spt_boot->mft;

	for (uint32_t i = 1; i < manifest->entries; i++)
		if (manifest->e[i].type == type && strcmp(manifest->e[i].name, name) == 0)
			return (int)i;
	return -ENODEV;
}

const struct manifest_entry *spt_entry(int handle)
{
	return &((const struct manifest *)spt_boot->mft)->e[handle];
}
