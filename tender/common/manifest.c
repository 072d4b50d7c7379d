/* SPDX-License-Identifier: ISC
 *
 * The manifest: validating what a hostile image declares, and matching it with the devices that are to be attached.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "tender/common/elf.h"

enum {
	/* The descriptor starts 20 bytes into the note; the manifest at the next multiple of 8. */
	MANIFEST_PADDING = 4,
};

bool tender_device_name_valid(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strnlen(name, MANIFEST_NAME_SIZE);

	return len > 0 && len < MANIFEST_NAME_SIZE && strspn(name, allowed) == len;
}

const char *tender_device_type_name(uint32_t type)
{
	switch (type) {
	case MANIFEST_BLOCK_BASIC:
		return "BLOCK_BASIC";
	case MANIFEST_NET_BASIC:
		return "NET_BASIC";
	default:
		return NULL;
	}
}

/* The entry of this name before end, 0 if there is none: handle 0 is the reserved one. */
static uint32_t entry_find(const struct tender_manifest *manifest, uint32_t end, const char *name)
{
	for (uint32_t i = 1; i < end; i++)
		if (strcmp(manifest->e[i].name, name) == 0)
			return i;
	return 0;
}

static int first_entry_check(const char *name, const uint8_t *bytes, struct tender_error *error)
{
	uint32_t type;

	memcpy(&type, bytes + offsetof(struct manifest_entry, type), sizeof type);
	if (type != MANIFEST_RESERVED_FIRST || bytes[0] != '\0')
		return tender_fail(error, -ENOEXEC,
			"%s: manifest: entry 0: type 0x%" PRIx32 "%s; expected the reserved type 0x%x and no name",
			name, type, bytes[0] ? " with a name" : "", MANIFEST_RESERVED_FIRST);
	return 0;
}

/* Only name and type are taken over: the rest is the tender's to say, and hostile bytes never become a bool. */
static int entry_parse(const char *name, const uint8_t *bytes, uint32_t index, struct tender_manifest *manifest,
	struct tender_error *error)
{
	struct manifest_entry *entry = &manifest->e[index];

	memset(entry, 0, sizeof *entry); /* with the padding: the guest sees these bytes */
	memcpy(entry->name, bytes, sizeof entry->name);
	memcpy(&entry->type, bytes + offsetof(struct manifest_entry, type), sizeof entry->type);
	if (!tender_device_name_valid(entry->name))
		return tender_fail(error, -ENOEXEC,
			"%s: manifest: entry %" PRIu32 ": malformed name; expected 1 to %d of [A-Za-z0-9]", name, index,
			MANIFEST_NAME_SIZE - 1);
	if (tender_device_type_name(entry->type) == NULL)
		return tender_fail(error, -ENOEXEC,
			"%s: manifest: device \"%s\": type 0x%" PRIx32 "; expected NET_BASIC (%d) or BLOCK_BASIC (%d)",
			name, entry->name, entry->type, MANIFEST_NET_BASIC, MANIFEST_BLOCK_BASIC);
	if (bytes[offsetof(struct manifest_entry, attached)] != 0)
		return tender_fail(error, -ENOEXEC,
			"%s: manifest: device \"%s\": attached already; expected it not to be", name, entry->name);
	if (entry_find(manifest, index, entry->name) != 0)
		return tender_fail(error, -ENOEXEC, "%s: manifest: device \"%s\": declared twice; expected one", name,
			entry->name);
	return 0;
}

int tender_manifest_parse(const char *name, const uint8_t *bytes, size_t size, struct tender_manifest *manifest,
	struct tender_error *error)
{
	struct tender_manifest read;
	int err;

	if (size < sizeof(struct manifest))
		return tender_fail(error, -ENOEXEC, "%s: manifest: %zu bytes; expected at least the %zu of its header",
			name, size, sizeof(struct manifest));
	memcpy(&read, bytes, sizeof(struct manifest));
	if (read.version != MANIFEST_VERSION)
		return tender_fail(error, -ENOEXEC, "%s: manifest: version %" PRIu32 "; expected %d", name,
			read.version, MANIFEST_VERSION);
	if (read.entries == 0 || read.entries > MANIFEST_ENTRIES_MAX)
		return tender_fail(error, -ENOEXEC, "%s: manifest: %" PRIu32 " entries; expected 1 to %d", name,
			read.entries, MANIFEST_ENTRIES_MAX);
	if (size != sizeof(struct manifest) + read.entries * sizeof *read.e)
		return tender_fail(error, -ENOEXEC, "%s: manifest: %zu bytes; expected %zu for %" PRIu32 " entries",
			name, size, sizeof(struct manifest) + read.entries * sizeof *read.e, read.entries);
	bytes += sizeof(struct manifest);
	err = first_entry_check(name, bytes, error);
	if (err < 0)
		return err;
	memset(&read.e[0], 0, sizeof read.e[0]);
	read.e[0].type = MANIFEST_RESERVED_FIRST;
	for (uint32_t i = 1; i < read.entries; i++) {
		err = entry_parse(name, bytes + i * sizeof *read.e, i, &read, error);
		if (err < 0)
			return err;
	}
	manifest->version = read.version;
	manifest->entries = read.entries;
	memcpy(manifest->e, read.e, read.entries * sizeof *read.e);
	return 0;
}

int tender_manifest_read(const struct tender_image *image, struct tender_manifest *manifest, struct tender_error *error)
{
	uint8_t bytes[MANIFEST_PADDING + sizeof *manifest];
	size_t len;
	int err = elf_note_read(image, NOTE_MFT1, "manifest note", bytes, sizeof bytes, &len, error);

	if (err < 0)
		return err;
	if (len < MANIFEST_PADDING)
		return tender_fail(error, -ENOEXEC, "%s: manifest: %zu bytes; expected at least %d", image->name, len,
			MANIFEST_PADDING);
	return tender_manifest_parse(image->name, bytes + MANIFEST_PADDING, len - MANIFEST_PADDING, manifest, error);
}

static int device_check(const struct tender_image *image, const struct tender_manifest *manifest,
	const struct tender_device *devices, size_t index, struct tender_error *error)
{
	const struct tender_device *device = &devices[index];
	uint32_t handle = entry_find(manifest, manifest->entries, device->name);

	if (handle == 0)
		return tender_fail(error, -ENODEV,
			"%s: device \"%s\": not declared; expected only devices of the manifest", image->name,
			device->name);
	if (manifest->e[handle].type != device->type)
		return tender_fail(error, -ENODEV, "%s: device \"%s\": attached as %s; expected %s", image->name,
			device->name, tender_device_type_name(device->type),
			tender_device_type_name(manifest->e[handle].type));
	for (size_t i = 0; i < index; i++)
		if (strcmp(devices[i].name, device->name) == 0)
			return tender_fail(error, -ENODEV, "%s: device \"%s\": attached twice; expected once",
				image->name, device->name);
	return 0;
}

int tender_devices_check(const struct tender_image *image, const struct tender_manifest *manifest,
	const struct tender_device *devices, size_t count, struct tender_error *error)
{
	for (size_t i = 0; i < count; i++) {
		int err = device_check(image, manifest, devices, i, error);

		if (err < 0)
			return err;
	}
	for (uint32_t handle = 1; handle < manifest->entries; handle++) {
		const struct manifest_entry *entry = &manifest->e[handle];
		bool attached = false;

		for (size_t i = 0; i < count && !attached; i++)
			attached = strcmp(devices[i].name, entry->name) == 0;
		if (!attached)
			return tender_fail(error, -ENODEV, "%s: device \"%s\": not attached; expected a --%s:%s=...",
				image->name, entry->name, entry->type == MANIFEST_NET_BASIC ? "net" : "block",
				entry->name);
	}
	return 0;
}

void tender_devices_attach(struct tender_manifest *manifest, const struct tender_device *devices, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct tender_device *device = &devices[i];
		struct manifest_entry *entry = &manifest->e[entry_find(manifest, manifest->entries, device->name)];

		if (device->type == MANIFEST_NET_BASIC) {
			memcpy(entry->u.net.mac, device->u.net.mac, sizeof entry->u.net.mac);
			entry->u.net.mtu = device->u.net.mtu;
			entry->features = device->u.net.features;
		} else {
			entry->u.block.capacity = device->u.block.capacity;
			entry->u.block.block_size = device->u.block.block_size;
		}
		entry->b.hostfd = device->hostfd;
		entry->attached = true;
	}
}
