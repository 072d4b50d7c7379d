/* SPDX-License-Identifier: ISC
 *
 * The table of devices that the command line names.
 */
#include "devices.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_BYTES = 512, SECTOR_BYTES_MAX = 65536, NAME_LEN_MAX = 67 };

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

/* A name that a manifest can hold. */
static bool name_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]))
			return false;
	return len > 0 && len <= NAME_LEN_MAX;
}

static int set_host(struct device *device, const char *value)
{
	if (device->given)
		return -1;
	device->host = value;
	device->given = true;
	return 1;
}

int device_option(const char *argument, char *error, size_t error_size)
{
	static const struct {
		const char *prefix;
		enum device_type type;
		int (*set)(struct device *device, const char *value);
		const char *expected;
	} options[] = {
		{ "--net:", DEVICE_NET, set_host, "one network of this name, not given twice" },
		{ "--block:", DEVICE_BLOCK, set_host, "one block device of this name, not given twice" },
		{ "--block-sector-size:", DEVICE_BLOCK, set_sector_size, "a power of two from 512 to 65536" },
	};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const char *name = argument + strlen(options[i].prefix);
		const char *value = strchr(argument, '=');
		struct device *device;

		if (strncmp(argument, options[i].prefix, strlen(options[i].prefix)) != 0)
			continue;
		if (!value || !value[1] || !name_valid(name, (size_t)(value - name))) {
			snprintf(error, error_size, "%s: expected %sNAME=VALUE, NAME of letters and digits", argument,
				options[i].prefix);
			return -1;
		}
		device = provide(options[i].type, name, (size_t)(value - name));
		if (device && options[i].set(device, value + 1) > 0)
			return 1;
		snprintf(error, error_size, "%s: expected %s", argument,
			device ? options[i].expected : "at most 63 devices");
		return -1;
	}
	return 0;
}

/* What config.c says stands behind block devices: names and files in turn, up to a NULL. Programs that skerry did not
 * configure have none. */
extern const char *const unikernel_block_files[] __attribute__((weak));

static const char *configured_file(const char *name)
{
	for (size_t i = 0; unikernel_block_files && unikernel_block_files[i]; i += 2)
		if (strcmp(unikernel_block_files[i], name) == 0)
			return unikernel_block_files[i + 1];
	return NULL;
}

struct device *device_find(enum device_type type, const char *name)
{
	const char *file = type == DEVICE_BLOCK ? configured_file(name) : NULL;
	struct device *device = file ? provide(type, name, strlen(name)) : find(type, name, strlen(name));

	if (device && !device->host)
		device->host = file;
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
