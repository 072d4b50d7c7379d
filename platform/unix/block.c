/* SPDX-License-Identifier: ISC
 *
 * Block devices of an ordinary process: a file of the host, or a disk of it. What cannot be written is read-only.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <platform.h>

#include "devices.h"

static struct {
	int fd;
	struct platform_block_info info;
} disks[DEVICES_MAX];

/* Says on the console why a device cannot be had. */
static int refuse(const char *name, const char *file, const char *reason, const char *fix)
{
	fprintf(stderr, "block \"%s\": %s: %s%s\n", name, file, reason, fix);
	return -ENODEV;
}

static int refuse_open(const char *name, const char *file)
{
	return refuse(name, file, strerror(errno), errno == ENOENT ? ": make it with truncate -s 16M" : "");
}

/* The size of a file or of a disk of the host. */
static int find_size(int fd, const char *name, const char *file, uint64_t *size)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return refuse_open(name, file);
	*size = (uint64_t)status.st_size;
	if (S_ISBLK(status.st_mode) && ioctl(fd, BLKGETSIZE64, size) < 0)
		return refuse_open(name, file);
	return S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)
		       ? 0
		       : refuse(name, file, "neither a file nor a disk", ": give one");
}

/* Opens what stands behind a device: a descriptor, or a negative errno after saying why. */
static int open_host(const struct device *device, const char *name, struct platform_block_info *info)
{
	const char *file = device->host;
	int fd = open(file, O_RDWR | O_CLOEXEC | O_NONBLOCK), err;

	*info = (struct platform_block_info){ .sector_bytes = device->sector_bytes };
	if (fd < 0 && (errno == EACCES || errno == EROFS)) {
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		info->read_only = true;
	}
	if (fd < 0)
		return refuse_open(name, file);
	err = find_size(fd, name, file, &info->capacity_bytes);
	if (err == 0 && info->capacity_bytes == 0)
		err = refuse(name, file, "empty", ": give it a size with truncate -s 16M");
	if (err == 0 && info->capacity_bytes % device->sector_bytes != 0)
		err = refuse(name, file, "its size is not a multiple of the sector size",
			": round it up with truncate -s %512, or whatever --block-sector-size says");
	if (err == 0 && flock(fd, (info->read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0)
		err = refuse(name, file, "another program has it open", ": end that one, or give another file");
	if (err == 0)
		return fd;
	close(fd);
	return err;
}

int platform_block_open(const char *name, struct platform_block_info *info)
{
	struct device *device = device_find(DEVICE_BLOCK, name);
	int handle, fd;

	if (!device)
		return -ENODEV;
	if (device->opened)
		return -EBUSY;
	fd = open_host(device, name, info);
	if (fd < 0)
		return fd;
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
