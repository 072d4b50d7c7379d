/* SPDX-License-Identifier: ISC
 *
 * The table of devices: what the tender has attached, and what the program has open.
 */
#include <errno.h>
#include <string.h>

#include <skerry/log.h>

#include "spt.h"

struct spt_device spt_devices[MANIFEST_ENTRIES_MAX];

const struct manifest_entry *spt_entry(int handle)
{
	const struct manifest *manifest = spt_boot->mft;

	return &manifest->e[handle];
}

int spt_device_open(const char *name, enum manifest_type type)
{
	const struct manifest *manifest = spt_boot->mft;

	for (uint32_t handle = 1; handle < manifest->entries && handle < MANIFEST_ENTRIES_MAX; handle++) {
		const struct manifest_entry *entry = &manifest->e[handle];

		if (entry->type != type || !entry->attached || strncmp(entry->name, name, sizeof entry->name) != 0)
			continue;
		if (spt_devices[handle].open)
			return -EBUSY;
		spt_devices[handle].open = true;
		return (int)handle;
	}
	return -ENODEV;
}

const struct manifest_entry *spt_device(int handle, enum manifest_type type)
{
	const struct manifest_entry *entry = spt_entry(handle);

	must(handle > 0 && handle < MANIFEST_ENTRIES_MAX && spt_devices[handle].open && entry->type == type);
	return entry;
}
