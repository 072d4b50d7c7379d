/* SPDX-License-Identifier: ISC
 *
 * The devices of a guest: those of the manifest that its tender has attached. What is the same for every tender is
 * here; how a frame or a sector gets out, each target says.
 */
#ifndef GUEST_DEVICE_H
#define GUEST_DEVICE_H

#include <platform.h>

#include "abi/note.h"
#include "platform/vnet.h"

enum {
	GUEST_STATUS_DEVICE_GONE = 1,
	GUEST_TAG_BYTES = 4, /* of a VLAN, which the MTU does not count */
};

/* A device of the manifest by its handle, its entry's index there. */
struct guest_device {
	bool open;
	struct platform_source *source; /* of an open network */
};
extern struct guest_device guest_devices[MANIFEST_ENTRIES_MAX];

/* Set at boot, before anything else here is called: the manifest with the devices attached. */
extern const struct manifest *guest_manifest;

/* Marks the named device as open. Returns its handle, -ENODEV, -EBUSY. */
int guest_device_open(const char *name, enum manifest_type type);
void guest_device_close(int handle, enum manifest_type type);
/* The manifest's entry of an open device of this type; the program's fault if it is none. */
const struct manifest_entry *guest_device(int handle, enum manifest_type type);
const struct manifest_entry *guest_entry(int handle);

/* Serves a network that has frames: tells its owner; or throws the frames away if nobody has it open, so that it stops
 * being ready. Ends the unikernel if such a network is gone. Handles that are none are ignored. */
void guest_net_ready(uint64_t handle);

/* Each target's own -------------------------------------------------------------------------------------------- */

/* One frame, and its header if the network has them: the frame's length, cut to size; -EAGAIN when there is none, -EIO
 * when the network is gone. */
ssize_t guest_frame_read(int handle, uint8_t header[VNET_HEADER], void *buf, size_t size);
/* One frame of len bytes out of pieces. The first is its header, which is empty if the network has none. 0, -EAGAIN,
 * -EIO. */
int guest_frame_write(int handle, const struct platform_piece *pieces, size_t count, size_t len);

/* Room for the longest frame, its header, and a byte that shows that one was longer. Pages of it that are not used cost
 * nothing. */
extern uint8_t guest_bounce[VNET_HEADER + VNET_FRAME_MAX + GUEST_TAG_BYTES + 1];
/* The pieces in one: where it lies, or a copy in guest_bounce. */
const void *guest_gather(const struct platform_piece *pieces, size_t count);

/* One sector within the device: 0, -EROFS, -EIO. */
int guest_sector_read(int handle, uint64_t offset, void *sector);
int guest_sector_write(int handle, uint64_t offset, const void *sector);
bool guest_block_read_only(int handle);
int guest_block_flush(int handle); /* 0, -EIO */

#endif
