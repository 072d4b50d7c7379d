/* SPDX-License-Identifier: ISC
 *
 * Becoming the guest. The order matters: everything that can fail for a reason worth a message comes first, then the
 * descriptors are closed, then the filter is loaded, and the next instruction but a few is the guest's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "tender/spt/spt.h"

static int watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int watch_networks(int epoll, const struct tender_manifest *manifest, struct tender_error *error)
{
	for (uint32_t handle = 1; handle < manifest->entries; handle++) {
		const struct manifest_entry *entry = &manifest->e[handle];
		int err = entry->type == MANIFEST_NET_BASIC ? watch(epoll, entry->b.hostfd, EPOLLIN, handle) : 0;

		if (err < 0)
			return tender_fail(error, err,
				"device \"%s\": descriptor %d: %s; expected one that can be polled", entry->name,
				entry->b.hostfd, strerror(-err));
	}
	return 0;
}

int spt_poll_open(const struct tender_manifest *manifest, struct spt_poll *poll, struct tender_error *error)
{
	sigset_t inquiry;
	int err = 0;

	sigemptyset(&inquiry);
	sigaddset(&inquiry, SIGUSR1);
	poll->epoll = epoll_create1(EPOLL_CLOEXEC);
	poll->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	poll->inquiry = signalfd(-1, &inquiry, SFD_CLOEXEC | SFD_NONBLOCK);
	if (poll->epoll < 0 || poll->timer < 0 || poll->inquiry < 0 || sigprocmask(SIG_BLOCK, &inquiry, NULL) < 0)
		err = -errno;
	if (err == 0)
		err = watch(poll->epoll, poll->timer, EPOLLIN, SPT_EPOLL_TIMER);
	if (err == 0)
		err = watch(poll->epoll, poll->inquiry, EPOLLIN | EPOLLET, SPT_EPOLL_INQUIRY | (uint32_t)poll->inquiry);
	if (err < 0)
		tender_fail(error, err, "epoll, timer and signal: %s", strerror(-err));
	else
		err = watch_networks(poll->epoll, manifest, error);
	if (err < 0) {
		close(poll->epoll);
		close(poll->timer);
		close(poll->inquiry);
	}
	return err;
}

static int close_between(int first, int last)
{
	return first <= last && close_range((unsigned int)first, (unsigned int)last, 0) < 0 ? -errno : 0;
}

int spt_descriptors_keep(
	const struct tender_manifest *manifest, const struct spt_poll *poll, struct tender_error *error)
{
	int keep[TENDER_DEVICES_MAX + 5] = { STDOUT_FILENO, STDERR_FILENO, poll->epoll, poll->timer, poll->inquiry };
	size_t count = 5;
	int next = 0;
	int err = 0;

	for (uint32_t handle = 1; handle < manifest->entries; handle++)
		keep[count++] = manifest->e[handle].b.hostfd;
	/* Close the gaps from below: each time, find the smallest descriptor to keep that is not passed yet. */
	for (;;) {
		int smallest = INT32_MAX;

		for (size_t i = 0; i < count; i++)
			if (keep[i] >= next && keep[i] < smallest)
				smallest = keep[i];
		if (err == 0)
			err = close_between(next, smallest == INT32_MAX ? INT32_MAX : smallest - 1);
		if (err < 0)
			return tender_fail(error, err, "descriptors: %s", strerror(-err));
		if (smallest == INT32_MAX)
			return 0;
		next = smallest + 1;
	}
}

/* What the signal handler says: complete before it can run, since in the guest's context there is no libc. */
static char farewell[2][128];
static size_t farewell_len[2];

static long system_call(long number, long first, const void *second, size_t third)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

/* Runs on a stack of the tender's, but with whatever thread pointer the guest has set: so without stack protector,
 * without libc, and with none but the two calls that the filter allows here. Ends the process, so that nothing of the
 * guest's state needs to be kept and no rt_sigreturn to be allowed. */
__attribute__((no_stack_protector)) static void say_farewell(int number)
{
	int which = number == SIGTERM;

	system_call(SYS_write, STDOUT_FILENO, farewell[which], farewell_len[which]);
	for (;;)
		system_call(SYS_exit_group, 1, NULL, 0);
}

static int handle(int number, const char *program)
{
	struct sigaction action = { .sa_handler = say_farewell, .sa_flags = SA_ONSTACK };
	int which = number == SIGTERM;
	int len = snprintf(farewell[which], sizeof farewell[which], "%.64s: Exiting on signal %d\n", program, number);

	farewell_len[which] = (size_t)len;
	sigfillset(&action.sa_mask);
	return sigaction(number, &action, NULL) < 0 ? -errno : 0;
}

int spt_signals_set(const char *program, struct tender_error *error)
{
	/* Large enough for the widest register state that the kernel may save (AMX: 11 KiB). */
	static uint8_t stack[65536] __attribute__((aligned(16)));
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t inquiry;
	int err = 0;

	sigemptyset(&inquiry);
	sigaddset(&inquiry, SIGUSR1);
	/* A console or network whose other end is gone is an error of the write, and a helper that ends leaves no
	 * zombie. */
	if (sigaltstack(&alternate, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 ||
		sigaction(SIGCHLD, &ignore, NULL) < 0)
		err = -errno;
	if (err == 0)
		err = handle(SIGTERM, program);
	if (err == 0)
		err = handle(SIGINT, program);
	if (err == 0 && sigprocmask(SIG_SETMASK, &inquiry, NULL) < 0)
		err = -errno;
	return err < 0 ? tender_fail(error, err, "signals: %s", strerror(-err)) : 0;
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
		err = spt_descriptors_keep(&manifest, &poll, error);
	if (err == 0)
		err = spt_signals_set(config->program, error);
	if (err == 0)
		err = spt_filter_load(&manifest, &poll, error);
	if (err < 0)
		return err;
	spt_enter(layout.entry, config->mem_bytes - sizeof(uint64_t), SPT_BOOT_INFO);
}
