/* SPDX-License-Identifier: ISC
 *
 * Becoming the guest. The order matters: everything that can fail for a reason worth a message comes first, then the
 * descriptors are closed, then the filter is loaded, and the next instruction but a few is the guest's.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tender/common/process.h"
#include "tender/spt/spt.h"

/* The descriptors need no closing on failure: the process is then to be ended. */
int spt_poll_open(const struct tender_manifest *manifest, struct spt_poll *poll, struct tender_error *error)
{
	int err = 0;

	poll->inquiry = tender_inquiry_open(error);
	if (poll->inquiry < 0)
		return poll->inquiry;
	poll->epoll = epoll_create1(EPOLL_CLOEXEC);
	poll->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (poll->epoll < 0 || poll->timer < 0)
		err = -errno;
	if (err == 0)
		err = tender_watch(poll->epoll, poll->timer, EPOLLIN, SPT_EPOLL_TIMER);
	if (err == 0)
		err = tender_watch(
			poll->epoll, poll->inquiry, EPOLLIN | EPOLLET, SPT_EPOLL_INQUIRY | (uint32_t)poll->inquiry);
	if (err < 0)
		return tender_fail(error, err, "epoll, timer and signal: %s", strerror(-err));
	return tender_watch_networks(poll->epoll, manifest, error);
}

_Noreturn void spt_enter(uint64_t entry, uint64_t stack, uint64_t boot_info)
{
	register uint64_t target __asm__("rax") = entry;
	register uint64_t argument __asm__("rdi") = boot_info;
	register uint64_t top __asm__("rsi") = stack;

	/* The target passes through the guest's stack, so that no register holds anything but the boot structure. The
	 * word above the stack pointer is the guest's own memory and was zero: it is where a return address would be.
	 */
	__asm__ volatile("movq %%rsi, %%rsp\n\t"
			 "pushq %%rax\n\t"
			 "cld\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "xorl %%ebx, %%ebx\n\t"
			 "xorl %%ecx, %%ecx\n\t"
			 "xorl %%edx, %%edx\n\t"
			 "xorl %%esi, %%esi\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "xorl %%r8d, %%r8d\n\t"
			 "xorl %%r9d, %%r9d\n\t"
			 "xorl %%r10d, %%r10d\n\t"
			 "xorl %%r11d, %%r11d\n\t"
			 "xorl %%r12d, %%r12d\n\t"
			 "xorl %%r13d, %%r13d\n\t"
			 "xorl %%r14d, %%r14d\n\t"
			 "xorl %%r15d, %%r15d\n\t"
			 "ret"
			 :
			 : "r"(target), "r"(argument), "r"(top)
			 : "memory");
	__builtin_unreachable();
}

int tender_spt_run(const struct tender_config *config, struct tender_error *error)
{
	struct spt_boot_info info = { .mem_size = config->mem_bytes };
	struct tender_manifest manifest;
	struct tender_layout layout;
	struct spt_poll poll = { -1, -1, -1 };
	int err = tender_abi_check(&config->image, ABI_TARGET_SPT, ABI_SPT_VERSION, error);

	if (err == 0)
		err = tender_layout_read(&config->image, config->mem_bytes, &layout, error);
	if (err == 0)
		err = tender_manifest_read(&config->image, &manifest, error);
	if (err == 0)
		err = tender_devices_check(&config->image, &manifest, config->devices, config->device_count, error);
	if (err == 0 && strlen(config->cmdline) >= SPT_CMDLINE_SIZE)
		err = tender_fail(error, -E2BIG, "command line of %zu characters; expected at most %d",
			strlen(config->cmdline), SPT_CMDLINE_SIZE - 1);
	if (err < 0)
		return err;
	tender_devices_attach(&manifest, config->devices, config->device_count);
	info.kernel_end = layout.end;
	err = spt_memory_map(&config->image, &layout, config->mem_bytes, error);
	if (err == 0)
		err = spt_poll_open(&manifest, &poll, error);
	info.epollfd = poll.epoll;
	info.timerfd = poll.timer;
	if (err == 0)
		err = spt_boot_write(&info, config->cmdline, &manifest, error);
	if (err == 0)
		err = tender_jail_enter(config->jail_user, error);
	if (err == 0)
		err = tender_descriptors_keep(&manifest, (int[]){ poll.epoll, poll.timer, poll.inquiry }, 3, error);
	if (err == 0)
		err = tender_signals_set(config->program, &manifest, error);
	if (err == 0)
		err = spt_filter_load(&manifest, &poll, error);
	if (err < 0)
		return err;
	spt_enter(layout.entry, config->mem_bytes - sizeof(uint64_t), SPT_BOOT_INFO);
}
