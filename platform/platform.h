/* SPDX-License-Identifier: ISC
 *
 * platform.h: the only door between the library and whatever it runs on.
 *
 * Each directory beside this file implements these functions once: platform/unix on a host's libc, platform/spt
 * as direct system calls under the spt tender. Nothing above this line of the house makes a system call, reads a
 * clock or touches a device in any other way; so a new target is a new directory, and a simulator is one too.
 *
 * One thread runs everything. Unless said otherwise a function does not block and must not be called from a
 * signal handler. Errors are negative errno values. Times are nanoseconds in uint64_t.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Boot and end ---------------------------------------------------------------------------------------------- */

/* Called once by the platform, on the boot stack, when memory, console and clocks work. Implemented by lib/task
 * (boot.c). argv[0] is the unikernel's name, argv[argc] is NULL; the strings live for ever. What it returns
 * becomes the exit status. */
int platform_main(int argc, char **argv);

/* Called from platform_wait() when the operator asks what the unikernel is doing, by SIGUSR1. Implemented by lib/task
 * (list.c). */
void platform_inquire(void);

/* Ends the unikernel at once with this status (0 to 255), which the tender or process returns. */
_Noreturn void platform_exit(int status);

/* Ends the unikernel after a programmer's fault that was already reported on the console: status 255. On unix it is
 * abort(), so that a debugger or a core file shows the place. */
_Noreturn void platform_abort(void);

/* Writes to the console all of the bytes, or as many as it takes: console output is never an error. */
void platform_console_write(const char *text, size_t len);

/* Time ------------------------------------------------------------------------------------------------------ */

uint64_t platform_clock_monotonic(void); /* since an arbitrary start; never goes back */
uint64_t platform_clock_wall(void);      /* UTC since 1970-01-01, may jump */

/* A counter for short times, read without a system call: 1 to 5 ticks a nanosecond. Only differences mean something. */
uint64_t platform_ticks(void);

/* Something that can become ready: a device's owner embeds one and hands it over when it opens the device. */
struct platform_source {
	void (*ready)(struct platform_source *source);
};

/* Waits until the deadline (monotonic; UINT64_MAX: for ever; a past one, such as 0: only polls), or until a
 * source is ready. Calls ready() once for each ready source, in the caller's context, then returns. Sources are
 * level-triggered: a device with unread input is ready again at the next call. May return early and without any
 * source. The only function here that blocks. */
void platform_wait(uint64_t deadline_ns);

/* Memory ---------------------------------------------------------------------------------------------------- */

/* malloc() and its family come with the platform. These are their statistics, in bytes. */
struct platform_memory {
	size_t total_bytes; /* all that can ever be had; 0: not limited by the platform */
	size_t used_bytes;  /* handed out now, with the allocator's own overhead */
	size_t peak_bytes;  /* the highest used_bytes so far */
};
void platform_memory(struct platform_memory *memory);

/* Gives a stack of at least size bytes, 16-byte aligned and all zero, whose overflow is caught: by a guard page where
 * the platform can make one, else by a canary that the scheduler checks. Returns its lowest usable address, or NULL
 * when memory is out. The pool of lib/task keeps stacks for reuse, so this is off the hot path. */
void *platform_stack_new(size_t size);
void platform_stack_free(void *lowest, size_t size);

/* Network devices ------------------------------------------------------------------------------------------- */

/* What a link lets the sender leave undone, and what it promises about what it delivers. */
enum {
	PLATFORM_NET_CHECKSUM = 1u << 0, /* completes a transport checksum: see platform_net_meta */
	PLATFORM_NET_TSO4 = 1u << 1,     /* cuts TCP over IPv4 larger than the MTU into segments */
	PLATFORM_NET_TSO6 = 1u << 2,     /* the same over IPv6 */
};

struct platform_net_info {
	uint8_t mac[6];
	uint16_t mtu;      /* of the payload, without the 14 bytes of Ethernet header */
	uint32_t features; /* PLATFORM_NET_* bits */
};

/* What goes with a frame beside its bytes (the virtio-net header's content, in host order). All zero means a
 * plain frame with all checksums in place (sending) or unverified (receiving). */
struct platform_net_meta {
	uint16_t checksum_start;  /* with checksum_partial: first byte to sum, from the frame's start */
	uint16_t checksum_offset; /* where the sum goes, from checksum_start; it holds the pseudo-header's sum */
	uint16_t segment_bytes;   /* TSO: payload bytes of each segment, 0: one ordinary frame */
	uint16_t header_bytes;    /* TSO: what goes in front of each segment, from the frame's start */
	bool checksum_partial;    /* the checksum is left to the link, or was left to us by a local sender */
	bool checksum_verified;   /* receiving: the link has already verified the transport checksum */
};

struct platform_piece {
	const void *data;
	size_t len;
};

/* Opens the manifest's network device of this name. source stays borrowed until platform_net_close. Returns a
 * handle >= 0, -ENODEV for an unknown name or type, -EBUSY if it is open, -ENOMEM. */
int platform_net_open(const char *name, struct platform_source *source, struct platform_net_info *info);

/* Sends one frame that is made of count (1 to PLATFORM_PIECES) pieces; with segment_bytes, the first holds the header
 * of Ethernet. Copied or sent on return. 0, -EAGAIN when the device has no room now, -EMSGSIZE for a frame it can never
 * send, -EIO. */
enum { PLATFORM_PIECES = 18 };
int platform_net_send(
	int handle, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta);

/* Receives one frame into buf. Returns its length, which from a link with features may be anything up to 14 + 65535,
 * whatever the MTU; -EAGAIN when there is none; -EMSGSIZE when it was longer than size and is dropped; -EIO when the
 * device is gone. */
ssize_t platform_net_receive(int handle, void *buf, size_t size, struct platform_net_meta *meta);
void platform_net_close(int handle);

/* Block devices --------------------------------------------------------------------------------------------- */

struct platform_block_info {
	uint64_t capacity_bytes; /* a multiple of sector_bytes */
	uint32_t sector_bytes;   /* a power of two, 512 to 65536 */
	bool read_only;
};

/* Opens the manifest's block device of this name; errors as for networks. */
int platform_block_open(const char *name, struct platform_block_info *info);

/* Transfers exactly one sector at offset, a multiple of the sector size. 0, -ERANGE outside the device, -EROFS,
 * -EIO (nothing, or something, was written). Block transfers may take as long as the host's disk does. */
int platform_block_read(int handle, uint64_t offset, void *sector);
int platform_block_write(int handle, uint64_t offset, const void *sector);
int platform_block_flush(int handle); /* what was written is on stable storage: 0 or -EIO */
void platform_block_close(int handle);

#endif
