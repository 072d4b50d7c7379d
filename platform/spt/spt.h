/* SPDX-License-Identifier: ISC
 *
 * Inside the spt platform: the boot structure, the table of devices, and the system calls that the tender allows.
 */
#ifndef SPT_H
#define SPT_H

#include <sys/syscall.h>
#include <stdbool.h>
#include <stdint.h>

#include <platform.h>

#include "abi/note.h"
#include "abi/spt.h"

/* A device of the manifest by its handle, its entry's index there. */
struct spt_device {
	bool open;
	struct platform_source *source; /* of an open network */
};

extern const struct spt_boot_info *spt_boot;
extern struct spt_device spt_devices[MANIFEST_ENTRIES_MAX];

/* Marks the named device as open. Returns its handle, -ENODEV, -EBUSY. */
int spt_device_open(const char *name, enum manifest_type type);
/* The manifest's entry of an open device of this type; the program's fault if it is none. */
const struct manifest_entry *spt_device(int handle, enum manifest_type type);
const struct manifest_entry *spt_entry(int handle);

enum { SPT_STATUS_DEVICE_GONE = 1 };

/* Throws away the frames of a network that nobody has open, so that it stops being ready. Ends the unikernel if the
 * network is gone. */
void spt_net_discard(int handle);

/* The one system call instruction of the image (system_call.S). Returns the kernel's result: a negative errno on
 * failure. Its sixth argument is the call's number, so that the others stay where the kernel wants them. */
long spt_system_call(long a, long b, long c, long d, long e, long number);

#endif
