/* SPDX-License-Identifier: ISC
 *
 * What an image tells its tender: two ELF notes named "Solo5", one with the interface's target and version, one with
 * the manifest, the list of devices that the program will use. Binary interface of Solo5 0.12, x86_64.
 *
 * Each note lies in a PT_NOTE segment of its own. A tender treats all of it as hostile input.
 */
#ifndef ABI_NOTE_H
#define ABI_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#define NOTE_NAME "Solo5" /* n_namesz 6, with the NUL */

enum { NOTE_ABI1 = 0x31494241, NOTE_MFT1 = 0x3154464d }; /* n_type: "ABI1", "MFT1" */

/* Skerry's own notes, which a stock tender does not read. */
#define NOTE_SKERRY_NAME "Skerry"
enum {
	NOTE_LIBRARIES = 1, /* the libraries of the image, as lines "NAME VERSION", then zeros: for no tender */
	NOTE_OFFERS = 2,    /* a uint32_t: what the guest can do beyond Solo5's interface */
};
enum {
	NOTE_OFFER_VNET = 1 << 0, /* networks whose frames have headers: see MANIFEST_NET_* */
};

enum abi_target {
	ABI_TARGET_HVT = 1,
	ABI_TARGET_SPT = 2,
	ABI_TARGET_VIRTIO = 3,
	ABI_TARGET_MUEN = 4,
	ABI_TARGET_GENODE = 5,
	ABI_TARGET_XEN = 6,
};
enum { ABI_HVT_VERSION = 2, ABI_SPT_VERSION = 2, ABI_VIRTIO_VERSION = 1 };

/* The descriptor of NOTE_ABI1, at the first 4-byte boundary after the name. */
struct abi1 {
	uint32_t target;      /* enum abi_target */
	uint32_t version;     /* ABI_*_VERSION */
	uint32_t reserved[2]; /* 0 */
};

enum {
	MANIFEST_VERSION = 1,
	MANIFEST_ENTRIES_MAX = 64, /* with the reserved first one: handles are 1 to 63 */
	MANIFEST_NAME_SIZE = 68,   /* with the NUL: names have 1 to 67 of [A-Za-z0-9] */
};

/* What a tender has agreed on for a network with a guest that has offered NOTE_OFFER_VNET. If any bit is set, each
 * frame has a header in front, struct virtio_net_hdr of 10 bytes, little-endian (virtio 1.2, 5.1.6), and may be up to
 * 14 + 65535 bytes long, both ways; the bits say what the network completes of a frame that it is given, and the guest
 * may be given the same. In the file these bits are zero, and so a stock tender leaves them. */
enum manifest_net_features {
	MANIFEST_NET_CHECKSUM = 1 << 0, /* a transport's checksum */
	MANIFEST_NET_TSO4 = 1 << 1,     /* cutting TCP over IPv4 into segments */
	MANIFEST_NET_TSO6 = 1 << 2,     /* the same over IPv6 */
};
enum { MANIFEST_NET_HEADER = 10 }; /* bytes in front of each frame, with any of these */

enum manifest_type {
	MANIFEST_BLOCK_BASIC = 1,
	MANIFEST_NET_BASIC = 2,
	MANIFEST_RESERVED_FIRST = 1 << 30, /* entry 0, with an empty name */
};

struct manifest_entry {
	char name[MANIFEST_NAME_SIZE];
	uint32_t type; /* enum manifest_type */
	union {
		struct {
			uint64_t capacity;   /* bytes */
			uint16_t block_size; /* bytes */
		} block;
		struct {
			uint8_t mac[6];
			uint16_t mtu;
		} net;
	} u;
	union {
		int hostfd;
		void *data;
	} b;
	bool attached;    /* false in the file */
	uint8_t features; /* MANIFEST_NET_* bits; ours: Solo5 has padding here */
	uint8_t padding[6];
};

/* The descriptor of NOTE_MFT1, at the first 8-byte boundary after the name. */
struct manifest {
	uint32_t version; /* MANIFEST_VERSION */
	uint32_t entries; /* 1 to MANIFEST_ENTRIES_MAX */
	struct manifest_entry e[];
};

_Static_assert(sizeof(struct manifest_entry) == 104, "as Solo5 0.12 lays it out");
_Static_assert(sizeof(struct manifest) == 8, "as Solo5 0.12 lays it out");

#endif
