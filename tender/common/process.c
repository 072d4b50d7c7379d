/* SPDX-License-Identifier: ISC
 *
 * A tender's process: what it watches, the descriptors that it keeps, the signals that end it.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tender/common/process.h"

int tender_watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int tender_watch_networks(int epoll, const struct tender_manifest *manifest, struct tender_error *error)
{
	for (uint32_t handle = 1; handle < manifest->entries; handle++) {
		const struct manifest_entry *entry = &manifest->e[handle];
		int err = entry->type == MANIFEST_NET_BASIC ? tender_watch(epoll, entry->b.hostfd, EPOLLIN, handle) : 0;

		if (err < 0)
			return tender_fail(error, err,
				"device \"%s\": descriptor %d: %s; expected one that can be polled", entry->name,
				entry->b.hostfd, strerror(-err));
	}
	return 0;
}

int tender_inquiry_open(struct tender_error *error)
{
	sigset_t inquiry;
	int fd;

	sigemptyset(&inquiry);
	sigaddset(&inquiry, SIGUSR1);
	fd = signalfd(-1, &inquiry, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || sigprocmask(SIG_BLOCK, &inquiry, NULL) < 0)
		return tender_fail(error, -errno, "signals: %s", strerror(errno));
	return fd;
}

static int close_between(int first, int last)
{
	return first <= last && close_range((unsigned int)first, (unsigned int)last, 0) < 0 ? -errno : 0;
}

int tender_descriptors_keep(
	const struct tender_manifest *manifest, const int *descriptors, size_t more, struct tender_error *error)
{
	int keep[2 + TENDER_KEEP_MAX + TENDER_DEVICES_MAX] = { STDOUT_FILENO, STDERR_FILENO };
	size_t count = 2;
	int next = 0;
	int err = 0;

	for (size_t i = 0; i < more && i < TENDER_KEEP_MAX; i++)
		keep[count++] = descriptors[i];
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

/* Networks with features. A tap keeps what its last owner could take, and the next one may know nothing of that. */
static int taps[TENDER_DEVICES_MAX];
static size_t tap_count;

static long system_call(long number, long first, const void *second, size_t third)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((no_stack_protector)) void tender_taps_release(void)
{
	for (size_t i = 0; i < tap_count; i++)
		system_call(SYS_ioctl, taps[i], (const void *)(uintptr_t)TUNSETOFFLOAD, 0);
}

/* Runs on a stack of the tender's, but with whatever thread pointer the guest has set: so without stack protector,
 * without libc, and with none but calls that every filter allows. Ends the process, so that nothing of the
 * guest's state needs to be kept and no rt_sigreturn to be allowed. */
__attribute__((no_stack_protector)) static void say_farewell(int number)
{
	int which = number == SIGTERM;

	system_call(SYS_write, STDOUT_FILENO, farewell[which], farewell_len[which]);
	tender_taps_release();
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

int tender_signals_set(const char *program, const struct tender_manifest *manifest, struct tender_error *error)
{
	/* Large enough for the widest register state that the kernel may save (AMX: 11 KiB). */
	static uint8_t stack[65536] __attribute__((aligned(16)));
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t inquiry;
	int err = 0;

	for (uint32_t handle = 1; handle < manifest->entries; handle++)
		if (manifest->e[handle].features)
			taps[tap_count++] = manifest->e[handle].b.hostfd;
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
