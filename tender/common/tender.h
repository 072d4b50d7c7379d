/* SPDX-License-Identifier: ISC
 *
 * tender.h: a tender as a library. It loads an image, checks its manifest, attaches devices that the caller has
 * opened, locks the process in, and becomes the guest.
 *
 * The library is fed with descriptors and limits and opens nothing of its own accord; the tender_open_* functions are
 * for front ends that start from names. A front end goes
 *
 *	tender_image_open  tender_abi_check  tender_manifest_read  tender_devices_check
 *	tender_open_tap | tender_open_user | tender_adopt_net | tender_open_block   for each device
 *	tender_spt_run | tender_hvt_run | tender_virtio_run
 *
 * The image is hostile: each field is copied, validated and then used from the copy, so that a file which changes
 * meanwhile can only change the guest. Functions that can fail return 0 or a negative errno and leave one line of text
 * in the caller's struct tender_error, which names the object, the value and what was expected; it has no newline and
 * no program's name in front. Their results are written only on success. Nothing here is safe against concurrent use.
 */
#ifndef TENDER_COMMON_TENDER_H
#define TENDER_COMMON_TENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/note.h"
#include "abi/spt.h"

#define TENDER_VERSION "0.1.0"

/* Limits: all of them stand here. */
enum {
	TENDER_ERROR_SIZE = 512,
	TENDER_PAGE = 4096,
	TENDER_DEVICES_MAX = MANIFEST_ENTRIES_MAX - 1,
	TENDER_HEADERS_MAX = 64,   /* program headers of an image */
	TENDER_NOTES_SIZE = 16384, /* a PT_NOTE segment */
	TENDER_MEM_MB_MIN = 2,     /* the image starts at 1 MiB */
	TENDER_MEM_MB_DEFAULT = 512,
	TENDER_MEM_MB_MAX = 1 << 20, /* 1 TiB: well below where the tender itself is mapped */
	TENDER_GUEST_ROOM = 65536,   /* the least memory beyond the image: heap and stack */
	TENDER_SECTOR_DEFAULT = 512,
	TENDER_SECTOR_MAX = 32768, /* the largest power of two in the manifest's 16 bits */
	TENDER_MTU_MIN = 68,       /* RFC 791 */
	TENDER_MTU_DEFAULT = 1500, /* of a descriptor that is no tap */
	TENDER_FORWARDS_MAX = 32,  /* of one user network */
};

/* Errors ---------------------------------------------------------------------------------------------------- */

struct tender_error {
	char text[TENDER_ERROR_SIZE];
};

/* Writes the line, cut at TENDER_ERROR_SIZE, with every byte that is not printable ASCII shown as '?', and returns
 * code, so that a failing function can end with `return tender_fail(...)`. */
int tender_fail(struct tender_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Images ---------------------------------------------------------------------------------------------------- */

/* An ELF file, as a descriptor or as bytes. */
struct tender_image {
	const char *name;     /* borrowed: what messages call it */
	int fd;               /* -1: the bytes */
	const uint8_t *bytes; /* borrowed; with fd -1 */
	uint64_t size;
};

/* Opens a regular file; path stays borrowed as the image's name. Errors: open(2)'s, -EINVAL for no regular file. */
int tender_image_open(const char *path, struct tender_image *image, struct tender_error *error);
void tender_image_close(struct tender_image *image);

/* Copies size bytes at offset. -EIO when they cannot be read or are not all there. */
int tender_image_read(
	const struct tender_image *image, uint64_t offset, void *buf, size_t size, struct tender_error *error);

struct tender_segment {
	uint64_t address;      /* page aligned */
	uint64_t memory_bytes; /* > 0 */
	uint64_t file_bytes;   /* <= memory_bytes; the rest is zero */
	uint64_t offset;       /* in the file */
	int protection;        /* PROT_READ, and one or none of PROT_WRITE and PROT_EXEC */
};

/* Where an image goes. Segments ascend, and no two share a page. */
struct tender_layout {
	uint64_t entry; /* in the file's part of an executable segment */
	uint64_t end;   /* of the last segment, page aligned; at least TENDER_GUEST_ROOM below the memory's end */
	size_t segment_count;
	struct tender_segment segments[TENDER_HEADERS_MAX];
};

/* Reads and validates headers and segments for a guest of mem_bytes. -ENOEXEC for all that is wrong with the image,
 * -EIO when it cannot be read. */
int tender_layout_read(
	const struct tender_image *image, uint64_t mem_bytes, struct tender_layout *layout, struct tender_error *error);

/* Notes ----------------------------------------------------------------------------------------------------- */

/* As struct manifest, with room for every entry. */
struct tender_manifest {
	uint32_t version; /* MANIFEST_VERSION */
	uint32_t entries; /* 1 to MANIFEST_ENTRIES_MAX, with the reserved first one */
	struct manifest_entry e[MANIFEST_ENTRIES_MAX];
};
_Static_assert(offsetof(struct tender_manifest, e) == sizeof(struct manifest), "the same bytes");

/* The image's note of which interface it needs. -ENOEXEC when it is missing, doubled or malformed, -EIO. */
int tender_abi_read(const struct tender_image *image, struct abi1 *abi, struct tender_error *error);

/* The same, and -ENOEXEC when the interface is not this one. */
int tender_abi_check(
	const struct tender_image *image, enum abi_target target, uint32_t version, struct tender_error *error);

/* What the guest can do beyond Solo5's interface: NOTE_OFFER_* bits, none for most of Solo5's images. -ENOEXEC when the
 * note is doubled or malformed, -EIO. */
int tender_offers_read(const struct tender_image *image, uint32_t *offers, struct tender_error *error);

/* "hvt", "spt", ...; NULL for an unknown target. */
const char *tender_abi_target_name(uint32_t target);

/* The image's manifest, validated: names are unique, 1 to 67 of [A-Za-z0-9], and nothing is attached. -ENOEXEC when it
 * is missing, doubled or malformed, -EIO. */
int tender_manifest_read(
	const struct tender_image *image, struct tender_manifest *manifest, struct tender_error *error);

/* The same for a descriptor's bytes (from the first 8-byte boundary after the note's name); name is for messages. */
int tender_manifest_parse(const char *name, const uint8_t *bytes, size_t size, struct tender_manifest *manifest,
	struct tender_error *error);

/* Whether this can be a device's name; "NET_BASIC", "BLOCK_BASIC", NULL for an unknown type. */
bool tender_device_name_valid(const char *name);
const char *tender_device_type_name(uint32_t type);

/* Devices --------------------------------------------------------------------------------------------------- */

/* A device to attach. The descriptor is non-blocking for a network, and is inherited by the guest. */
struct tender_device {
	const char *name; /* borrowed */
	enum manifest_type type;
	int hostfd;
	const char *capture; /* borrowed: the file for a network's frames; NULL: none. Of hvt and virtio */
	union {
		struct {
			uint64_t capacity;   /* bytes, a multiple of block_size */
			uint16_t block_size; /* bytes, a power of two */
		} block;
		struct {
			uint8_t mac[6]; /* unicast */
			uint16_t mtu;
			bool vnet;        /* set before it is opened: the guest can do frames with headers */
			uint8_t features; /* MANIFEST_NET_* bits: it was opened with them */
		} net;
	} u;
};

/* Whether these are the devices of the manifest, each once and of its type: only name and type are looked at.
 * -ENODEV otherwise; image is for messages. */
int tender_devices_check(const struct tender_image *image, const struct tender_manifest *manifest,
	const struct tender_device *devices, size_t count, struct tender_error *error);

/* Fills in the manifest from devices that tender_devices_check() accepts. */
void tender_devices_attach(struct tender_manifest *manifest, const struct tender_device *devices, size_t count);

/* Each of these fills in hostfd and the properties of a device whose name and type are set. */

/* The tap interface, with features if the guest and the kernel have them. -ENODEV when there is none of that name or it
 * is no tap, -EPERM, -EBUSY when something else has it, -ENETDOWN when it is down. */
int tender_open_tap(struct tender_device *device, const char *interface, struct tender_error *error);

/* A descriptor that is open already, such as a tap or one end of a SOCK_SEQPACKET pair: each read and write is one
 * frame. It becomes non-blocking. -EBADF. Taken on success. */
int tender_adopt_net(struct tender_device *device, int fd, struct tender_error *error);

/* A network of the guest's own, 10.0.0.0/24 with the host as 10.0.0.1, the guest as 10.0.0.2 and DNS at 10.0.0.3,
 * behind sockets of the calling user: a helper process runs libslirp on the other end of a SOCK_SEQPACKET pair and ends
 * with the calling process. The host's own loopback cannot be reached from the guest. forwards is a comma-separated
 * list of [tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT (default tcp, 127.0.0.1), or empty; all of them listen on return.
 * Blocks until they do. -EINVAL for a malformed list, -EADDRINUSE and others when the helper could not listen. The
 * calling process must ignore SIGCHLD or wait for the helper when it ends. */
int tender_open_user(struct tender_device *device, const char *forwards, struct tender_error *error);

/* A regular file or block device, locked against other tenders. sector_bytes is a power of two, 512 to
 * TENDER_SECTOR_MAX. open(2)'s errors, -EINVAL when it is of no usable kind or size, -EBUSY. */
int tender_open_block(
	struct tender_device *device, const char *path, uint32_t sector_bytes, struct tender_error *error);

/* A random, locally administered unicast address. */
void tender_mac_random(uint8_t mac[6]);

/* Running --------------------------------------------------------------------------------------------------- */

struct tender_config {
	struct tender_image image;
	uint64_t mem_bytes;                  /* the guest's memory ends here: page aligned */
	const char *cmdline;                 /* below SPT_CMDLINE_SIZE; copied */
	const struct tender_device *devices; /* borrowed; descriptors are taken */
	size_t device_count;
	bool trace;                 /* hvt: a line on standard error for each hypercall */
	uint16_t gdb_port;          /* hvt, virtio: wait for gdb there, on 127.0.0.1; 0: do not */
	const char *core_directory; /* borrowed; hvt: where a crash leaves its core file; NULL: nowhere */
	const char *jail_user;      /* borrowed; hvt, spt: who the process becomes, in a jail; NULL: none */
	const char *program;        /* borrowed, lives as long as the guest: named when a signal ends it */
};

/* Makes the calling process the guest of a process-wide seccomp filter, as abi/spt.h says. Closes every descriptor
 * but 1, 2 and the guest's, and sets no_new_privs. Does not return when it succeeds: the guest ends the process. May
 * fail with every error above, -ENOMEM, and those of the system calls it needs; the process is then to be ended, since
 * descriptors and protections may have changed. One thread only. */
int tender_spt_run(const struct tender_config *config, struct tender_error *error);

/* Runs the guest as a virtual machine of KVM (abi/hvt.h). The calling process goes under a filter that allows what the
 * guest's hypercalls need; it ends with the guest. Memory is rounded up to HVT_MEMORY_ALIGN. Does not return when the
 * guest has begun to run. Errors: every one above; -EACCES, -ENOENT and others when KVM is not to be had; -ENOTSUP when
 * it lacks something; -EINVAL for more memory than HVT_MEMORY_MAX. One thread only. */
int tender_hvt_run(const struct tender_config *config, struct tender_error *error);

/* Runs the guest as a virtual machine of QEMU, with KVM where that works, else by emulation. QEMU is a child, under its
 * own seccomp filter, and the calling process waits for it: SIGTERM and SIGINT end both, and it ends with the guest's
 * status. Does not return when QEMU was started. Errors: every one above; -E2BIG for more devices than it takes. */
int tender_virtio_run(const struct tender_config *config, struct tender_error *error);

#endif
