/* SPDX-License-Identifier: ISC
 *
 * Block devices of an ordinary process: a file of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <platform.h>

#include "devices.h"

static struct {
	int fd;
	struct platform_block_info info;
} disks[DEVICES_MAX];

int platform_block_open(const char *name, struct platform_block_info *info)
{
	struct device *device = device_find(DEVICE_BLOCK, name);
	bool read_only = false;
	struct stat status;
	int handle, fd;

	if (!device)
		return -ENODEV;
	if (device->opened)
		return -EBUSY;
	fd = open(device->host, O_RDWR | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EROFS)) {
		fd = open(device->host, O_RDONLY | O_CLOEXEC);
		read_only = true;
	}
	if (fd < 0 || fstat(fd, &status) < 0) {
		fprintf(stderr, "block \"%s\": %s: %s\n", name, device->host, strerror(errno));
		return -ENODEV;
	}
	*info = (struct platform_block_info){
		.capacity_bytes = (uint64_t)status.st_size / device->sector_bytes * device->sector_bytes,
		.sector_bytes = device->sector_bytes,
		.read_only = read_only,
	};
	device->opened = true;
	handle = device_handle(device);
	disks[handle].fd = fd;
	disks[handle].info = *info;
	return handle;
}

static bool in_range(int handle, uint64_t offset)
{
	const struct platform_block_info *info = &disks[handle].info;

	return offset % info->sector_bytes == 0 && offset < info->capacity_bytes;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	size_t size = disks[handle].info.sector_bytes;

	if (!in_range(handle, offset))
		return -ERANGE;
	return pread(disks[handle].fd, sector, size, (off_t)offset) == (ssize_t)size ? 0 : -EIO;
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	size_t size = disks[handle].info.sector_bytes;

	if (!in_range(handle, offset))
		return -ERANGE;
	if (disks[handle].info.read_only)
		return -EROFS;
	return pwrite(disks[handle].fd, sector, size, (off_t)offset) == (ssize_t)size ? 0 : -EIO;
}

int platform_block_flush(int handle)
{
	return fdatasync(disks[handle].fd) == 0 ? 0 : -EIO;
}

void platform_block_close(int handle)
{
	close(disks[handle].fd);
	device_at(handle)->opened = false;
}
