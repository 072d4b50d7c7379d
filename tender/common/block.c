/* SPDX-License-Identifier: ISC
 *
 * Blocks in a regular file or on a block device of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tender/common/tender.h"

static int capacity_read(
	int fd, const struct tender_device *device, const char *path, uint64_t *capacity, struct tender_error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return tender_fail(error, -errno, "device \"%s\": %s: %s", device->name, path, strerror(errno));
	if (S_ISREG(status.st_mode)) {
		*capacity = (uint64_t)status.st_size;
		return 0;
	}
	if (!S_ISBLK(status.st_mode))
		return tender_fail(error, -EINVAL, "device \"%s\": %s: neither a regular file nor a block device",
			device->name, path);
	if (ioctl(fd, BLKGETSIZE64, capacity) < 0)
		return tender_fail(error, -errno, "device \"%s\": %s: %s", device->name, path, strerror(errno));
	return 0;
}

static int file_check(int fd, const struct tender_device *device, const char *path, uint32_t sector_bytes,
	uint64_t *capacity, struct tender_error *error)
{
	int err = capacity_read(fd, device, path, capacity, error);

	if (err < 0)
		return err;
	if (*capacity == 0 || *capacity % sector_bytes != 0)
		return tender_fail(error, -EINVAL,
			"device \"%s\": %s: %" PRIu64 " bytes; expected a multiple of the sector size, %" PRIu32,
			device->name, path, *capacity, sector_bytes);
	/* Two guests that write to one disk destroy it. The lock lives as long as the descriptor. */
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return tender_fail(error, errno == EWOULDBLOCK ? -EBUSY : -errno,
			"device \"%s\": %s: locked; expected a file that no other tender has open", device->name, path);
	return 0;
}

int tender_open_block(struct tender_device *device, const char *path, uint32_t sector_bytes, struct tender_error *error)
{
	uint64_t capacity;
	int fd, err;

	if (sector_bytes < TENDER_SECTOR_DEFAULT || sector_bytes > TENDER_SECTOR_MAX ||
		(sector_bytes & (sector_bytes - 1)) != 0)
		return tender_fail(error, -EINVAL,
			"device \"%s\": sector size %" PRIu32 "; expected a power of two, %d to %d", device->name,
			sector_bytes, TENDER_SECTOR_DEFAULT, TENDER_SECTOR_MAX);
	/* Non-blocking: a FIFO must not stop us here. It means nothing to files and disks. */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return tender_fail(error, -errno, "device \"%s\": %s: %s; expected a file that can be read and written",
			device->name, path, strerror(errno));
	err = file_check(fd, device, path, sector_bytes, &capacity, error);
	if (err < 0) {
		close(fd);
		return err;
	}
	device->hostfd = fd;
	device->u.block.capacity = capacity;
	device->u.block.block_size = (uint16_t)sector_bytes;
	return 0;
}
