/* SPDX-License-Identifier: ISC
 *
 * The table of devices that the command line names.
 */
#include "devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, SECTOR_BYTES_MAX = 65536 };

static struct device devices[DEVICES_MAX] = {
	/* As in the book: the interface that everybody calls tap0. */
	{ .type = DEVICE_NET, .name = "service", .name_len = 7, .host = "tap0", .sector_bytes = SECTOR_BYTES },
};
static size_t device_count = 1;

static struct device *find(enum device_type type, const char *name, size_t len)
{
	for (size_t i = 0; i < device_count; i++)
		if (devices[i].type == type && devices[i].name_len == len && memcmp(devices[i].name, name, len) == 0)
			return &devices[i];
	return NULL;
}

/* The device of this name, made if it is new; NULL when the table is full. */
static struct device *provide(enum device_type type, const char *name, size_t len)
{
	struct device *device = find(type, name, len);

	if (!device && device_count < DEVICES_MAX) {
		device = &devices[device_count++];
		*device = (struct device){ .type = type, .name = name, .name_len = len, .sector_bytes = SECTOR_BYTES };
	}
	return device;
}

static int set_sector_size(struct device *device, const char *value)
{
	char *end;
	unsigned long size = strtoul(value, &end, 10);

	if (*end || size < SECTOR_BYTES || size > SECTOR_BYTES_MAX || (size & (size - 1)))
		return -1;
	device->sector_bytes = (unsigned)size;
	return 1;
}

int device_option(const char *argument, char *error, size_t error_size)
{
	static const struct {
		const char *prefix;
		enum device_type type;
		bool sector_size;
	} options[] = {
		{ "--net:", DEVICE_NET, false },
		{ "--block:", DEVICE_BLOCK, false },
		{ "--block-sector-size:", DEVICE_BLOCK, true },
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *name = argument + strlen(options[i].prefix);
		const char *value;
		struct device *device;

		if (strncmp(argument, options[i].prefix, strlen(options[i].prefix)) != 0)
			continue;
		value = strchr(name, '=');
		if (!value || value == name || !value[1]) {
			snprintf(error, error_size, "%s: expected %sNAME=VALUE", argument, options[i].prefix);
			return -1;
		}
		device = provide(options[i].type, name, (size_t)(value - name));
		if (!device) {
			snprintf(error, error_size, "%s: more than %d devices", argument, DEVICES_MAX);
			return -1;
		}
		if (!options[i].sector_size) {
			device->host = value + 1;
			return 1;
		}
		if (set_sector_size(device, value + 1) > 0)
			return 1;
		snprintf(error, error_size, "%s: expected a power of two from %d to %d", argument, SECTOR_BYTES,
			SECTOR_BYTES_MAX);
		return -1;
	}
	return 0;
}

struct device *device_find(enum device_type type, const char *name)
{
	struct device *device = find(type, name, strlen(name));

	return device && device->host ? device : NULL;
}

int device_handle(const struct device *device)
{
	return (int)(device - devices);
}

struct device *device_at(int handle)
{
	return &devices[handle];
}
