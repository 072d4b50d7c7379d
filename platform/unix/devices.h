/* SPDX-License-Identifier: ISC
 *
 * Inside the unix platform: what stands behind a device's name, as the command line says.
 *
 *	--net:NAME=TAP|@FD  --block:NAME=FILE  --block-sector-size:NAME=BYTES
 */
#ifndef UNIX_DEVICES_H
#define UNIX_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

enum device_type { DEVICE_NET, DEVICE_BLOCK };
enum { DEVICES_MAX = 63 };

struct device {
	enum device_type type;
	const char *name; /* in the manifest; not NUL-terminated: name_len */
	size_t name_len;
	const char *host; /* TAP, @FD or FILE */
	unsigned sector_bytes;
	bool given; /* on the command line */
	bool opened;
};

/* Takes one argument if it is a device option: 1. 0: it is not one. -1: it is a wrong one, and error says how. */
int device_option(const char *argument, char *error, size_t error_size);

/* The device of this type and name. NULL: none was given. */
struct device *device_find(enum device_type type, const char *name);
/* The device's number, its handle; and back. */
int device_handle(const struct device *device);
struct device *device_at(int handle);

#endif
