/* SPDX-License-Identifier: ISC
 *
 * Where the hvt tender and its guest meet: memory map, boot structure, hypercalls. Binary interface of Solo5 0.12,
 * x86_64.
 *
 *	0x00000000 - 0x0000ffff   unmapped for the guest: a null pointer faults. The tender's GDT and first page tables
 *	0x00010000 - 0x000fffff   the tender's: boot structure, command line, manifest with the devices attached
 *	0x00100000 - kernel_end   the image, each segment with its own protection
 *	kernel_end - mem_size     heap upwards, stack downwards from mem_size - 8
 *
 * The guest starts in long mode at privilege 0 on one processor, without interrupts; linear addresses are physical
 * ones. Hypercall n is a 32-bit `out` to port HVT_PORT + n of the physical address of its argument. The tender
 * checks every address and length; one outside the guest's memory ends the guest.
 */
#ifndef ABI_HVT_H
#define ABI_HVT_H

#include <stdint.h>

enum {
	HVT_GDT = 0x1000,
	HVT_PML4 = 0x2000,
	HVT_BOOT_INFO = 0x10000,
	HVT_IMAGE_BASE = 0x100000,
	HVT_MEMORY_ALIGN = 0x200000,
	HVT_PORT = 0x500,
	HVT_COOKIE_SIZE = 512,
};
#define HVT_MEMORY_MAX (UINT64_C(1) << 32)

/* At HVT_BOOT_INFO; its address is also in rdi at entry, and rsp is mem_size - 8. Addresses are physical. */
struct hvt_boot_info {
	uint64_t mem_size;       /* the end of the guest's memory */
	uint64_t kernel_end;     /* the end of the image, page aligned */
	uint64_t cycles_per_sec; /* of the time stamp counter */
	uint64_t cmdline;        /* NUL-terminated */
	uint64_t mft;            /* struct manifest, attached */
	uint32_t host_features;  /* offered: bit 0, rings in shared memory instead of net_read and net_write */
	uint32_t guest_features; /* accepted, written by the guest before the first hypercall */
	uint64_t net_ring;       /* with that feature: where they are */
};

enum hvt_call {
	HVT_WALLTIME = 1,
	HVT_PUTS,
	HVT_POLL,
	HVT_BLOCK_WRITE,
	HVT_BLOCK_READ,
	HVT_NET_WRITE,
	HVT_NET_READ,
	HVT_HALT,
};

/* In ready_set, beside the handles of networks: somebody wants to know what the guest is doing. Ours: the first entry
 * of a manifest is reserved, so that no stock guest or tender uses it. */
enum { HVT_READY_INQUIRY = 0 };

enum hvt_result { HVT_OK, HVT_AGAIN, HVT_INVALID, HVT_UNSPECIFIED };

struct hvt_walltime {
	uint64_t nsecs; /* out: UTC since 1970 */
};

struct hvt_puts {
	uint64_t data;
	uint64_t len;
};

struct hvt_poll {
	uint64_t timeout_nsecs; /* relative */
	uint64_t ready_set;     /* out: bit n, the network of handle n has a frame */
	int32_t ret;            /* out: how many bits are set */
};

struct hvt_block {
	uint64_t handle;
	uint64_t offset; /* bytes */
	uint64_t data;
	uint64_t len; /* the device's sector size */
	int32_t ret;  /* out: enum hvt_result */
};

struct hvt_net {
	uint64_t handle;
	uint64_t data;
	uint64_t len; /* net_read: in the buffer's, out the frame's */
	int32_t ret;  /* out: enum hvt_result */
};

struct hvt_halt {
	uint64_t cookie; /* HVT_COOKIE_SIZE bytes for whoever looks at a crash, or 0 */
	int32_t exit_status;
};

/* What our guests put into the cookie after an exception. In this order: r15 to r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
 * vector and error code; rip, cs, rflags, rsp, ss. */
#define HVT_TRAP_MAGIC "SKTRAP01"
enum { HVT_TRAP_REGISTERS = 22 };
struct hvt_trap_cookie {
	char magic[8];
	uint64_t registers[HVT_TRAP_REGISTERS];
};

_Static_assert(sizeof(struct hvt_boot_info) == 56, "as Solo5 0.12 lays it out");
_Static_assert(sizeof(struct hvt_net) == 32 && sizeof(struct hvt_block) == 40, "as Solo5 0.12 lays it out");

#endif
