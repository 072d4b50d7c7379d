/* SPDX-License-Identifier: ISC
 *
 * What unikernels are built for.
 */
#ifndef CONFIGURE_TARGET_H
#define CONFIGURE_TARGET_H

#include <stdbool.h>

struct target {
	const char *name;
	const char *suffix; /* of an image's name: dist/hello.spt */
	bool guest;         /* it has a tender or a virtual machine, and so a manifest and no system calls */
};

#define TARGET_NAMES "unix, spt, hvt and virtio"
#define TARGET_WORDS "unix spt hvt virtio"

/* NULL: there is no such target. */
const struct target *target_find(const char *name);

#endif
