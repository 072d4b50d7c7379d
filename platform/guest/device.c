/* SPDX-License-Identifier: ISC
 *
 * The table of devices: what the tender has attached, and what the program has open.
 */
#include <errno.h>
#include <string.h>

#include <skerry/log.h>

#include "device.h"

struct guest_device guest_devices[MANIFEST_ENTRIES_MAX];
const struct manifest *guest_manifest;

const struct manifest_entry *guest_entry(int handle)
{
	return &guest_manifest->e[handle];
}

int guest_device_open(const char *name, enum manifest_type type)
{
	for (uint32_t handle = 1; handle < guest_manifest->entries && handle < MANIFEST_ENTRIES_MAX; handle++) {
		const struct manifest_entry *entry = &guest_manifest->e[handle];

		if (entry->type != type || !entry->attached || strncmp(entry->name, name, sizeof entry->name) != 0)
			continue;
		if (guest_devices[handle].open)
			return -EBUSY;
		guest_devices[handle].open = true;
		return (int)handle;
	}
	return -ENODEV;
}

const struct manifest_entry *guest_device(int handle, enum manifest_type type)
{
	const struct manifest_entry *entry = guest_entry(handle);

	must(handle > 0 && handle < MANIFEST_ENTRIES_MAX && guest_devices[handle].open && entry->type == type);
	return entry;
}

void guest_device_close(int handle, enum manifest_type type)
{
	guest_device(handle, type);
	guest_devices[handle] = (struct guest_device){ 0 };
}
