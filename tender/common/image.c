/* SPDX-License-Identifier: ISC
 *
 * An image's bytes, from a file or from memory, behind one checked accessor.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tender/common/tender.h"

int tender_image_open(const char *path, struct tender_image *image, struct tender_error *error)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* non-blocking: a FIFO must not stop us here */

	if (fd < 0)
		return tender_fail(error, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return tender_fail(error, -EINVAL, "%s: not a regular file; expected an ELF image", path);
	}
	*image = (struct tender_image){ .name = path, .fd = fd, .size = (uint64_t)status.st_size };
	return 0;
}

void tender_image_close(struct tender_image *image)
{
	if (image->fd >= 0)
		close(image->fd);
	image->fd = -1;
	image->bytes = NULL;
	image->size = 0;
}

int tender_image_read(
	const struct tender_image *image, uint64_t offset, void *buf, size_t size, struct tender_error *error)
{
	char *to = buf;

	if (offset > image->size || size > image->size - offset)
		return tender_fail(error, -EIO, "%s: truncated: %zu bytes at %" PRIu64 " of a file of %" PRIu64,
			image->name, size, offset, image->size);
	if (image->fd < 0) {
		memcpy(to, image->bytes + offset, size);
		return 0;
	}
	while (size > 0) {
		ssize_t count = pread(image->fd, to, size, (off_t)offset);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return tender_fail(error, -EIO, "%s: %s", image->name, strerror(errno));
		if (count == 0)
			return tender_fail(error, -EIO, "%s: became shorter while it was read", image->name);
		to += count;
		offset += (uint64_t)count;
		size -= (size_t)count;
	}
	return 0;
}
