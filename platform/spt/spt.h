/* SPDX-License-Identifier: ISC
 *
 * Inside the spt platform: the boot structure, and the system calls by name. Each returns what Linux returns: a result,
 * or a negative errno.
 */
#ifndef SPT_H
#define SPT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/note.h"
#include "abi/spt.h"

extern const struct spt_boot_info *spt_boot;

long spt_syscall(long number, long a, long b, long c, long d, long e, long f);

/* Finds the manifest's device of this name and type: its handle, or -ENODEV. */
int spt_device(const char *name, uint32_t type);
const struct manifest_entry *spt_entry(int handle);

/* Devices that platform_wait() may report: the source of each handle, or NULL. */
struct platform_source;
extern struct platform_source *spt_sources[MANIFEST_ENTRIES_MAX];

void spt_time_init(void);

#endif
