/* SPDX-License-Identifier: ISC
 *
 * Where the spt tender and its guest meet: the guest's memory map, the boot structure, and what seccomp allows.
 * Binary interface of Solo5 0.12, x86_64, and one thing more: the operator can ask a guest what it is doing, by
 * SIGUSR1.
 *
 *	0x00000000 - 0x0000ffff   unmapped: a null pointer faults
 *	0x00010000 - 0x000fffff   the tender's: boot structure, command line, manifest with the devices attached
 *	0x00100000 - kernel_end   the image, each segment with its own protection
 *	kernel_end - mem_size     heap upwards, stack downwards from mem_size - 8
 *
 * The system calls that do not kill the guest, by descriptor and argument:
 *	write(1, ...)  exit_group(...)  clock_gettime(CLOCK_MONOTONIC or CLOCK_REALTIME, ...)
 *	epoll_pwait(epollfd, ...)  timerfd_settime(timerfd, ...)  arch_prctl(ARCH_SET_FS, ...)
 *	read and write(network's hostfd, ...)  read(inquiry's descriptor, ...)
 *	readv and writev(hostfd, ...), ioctl(hostfd, TUNSETOFFLOAD, 0)   of a network with MANIFEST_NET_* bits
 *	pread64 and pwrite64(block's hostfd, ..., size == block_size, offset <= capacity - block_size)
 */
#ifndef ABI_SPT_H
#define ABI_SPT_H

#include <stdint.h>

enum {
	SPT_MEMORY_BASE = 0x10000,
	SPT_BOOT_INFO = 0x11000,
	SPT_IMAGE_BASE = 0x100000,
	SPT_CMDLINE_SIZE = 8192, /* with the NUL */
};

/* With 0: gives a tap with MANIFEST_NET_* bits back plain, at the end. The host's <linux/if_tun.h>, which musl does not
 * have. */
enum { SPT_TUNSETOFFLOAD = 0x400454d0 };

/* epoll's data for the timer; for a device it is the manifest's handle. */
#define SPT_EPOLL_TIMER UINT32_C(0xfffffffe)

/* The operator asks. The low 32 bits are the descriptor, from which the guest reads a struct signalfd_siginfo to be
 * told of the next time as well; it is watched by edges, so a guest that knows nothing of this need not. */
#define SPT_EPOLL_INQUIRY (UINT64_C(1) << 32)

/* At SPT_BOOT_INFO; its address is also in rdi at entry, and rsp is mem_size - 8. */
struct spt_boot_info {
	uint64_t mem_size;    /* the end of the guest's memory */
	uint64_t kernel_end;  /* the end of the image, page aligned */
	const char *cmdline;  /* NUL-terminated */
	const void *mft;      /* struct manifest, attached */
	int epollfd, timerfd; /* timerfd is armed by the guest, absolute CLOCK_MONOTONIC or relative */
};

#endif
