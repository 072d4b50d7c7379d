/* SPDX-License-Identifier: ISC
 *
 * Files of the host as source and sink.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <skerry/file_stream.h>
#include <skerry/text.h>

static int source_file_init(struct source *source)
{
	struct source_file *file = (struct source_file *)source;

	file->buf = malloc(STREAM_BUFFER_BYTES);
	if (!file->buf)
		return -ENOMEM;
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	return file->fd < 0 ? -errno : 0;
}

static ssize_t source_file_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_file *file = (struct source_file *)source;
	ssize_t len;

	(void)deadline;
	do
		len = read(file->fd, file->buf, STREAM_BUFFER_BYTES);
	while (len < 0 && errno == EINTR);
	*data = file->buf;
	return len < 0 ? -errno : len;
}

static void source_file_stop(struct source *source, int error)
{
	struct source_file *file = (struct source_file *)source;

	(void)error;
	if (file->fd >= 0)
		close(file->fd);
	free(file->buf);
}

static const struct source_ops source_file_ops = { source_file_init, source_file_pull, source_file_stop };

struct source *source_file(struct source_file *file, const char *path)
{
	*file = (struct source_file){ .source.ops = &source_file_ops, .path = path, .fd = -1 };
	return &file->source;
}

/* Where the bytes go until they are complete. */
static int part_of(const struct sink_file *file, char part[FILE_PATH_MAX + 1])
{
	return text_format(part, FILE_PATH_MAX + 1, "%s.part", file->path) > FILE_PATH_MAX ? -ENAMETOOLONG : 0;
}

static int sink_file_init(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;
	char part[FILE_PATH_MAX + 1];
	int err = part_of(file, part);

	if (err < 0)
		return err;
	file->fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return file->fd < 0 ? -errno : 0;
}

static ssize_t sink_file_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct sink_file *file = (struct sink_file *)sink;
	size_t at = 0;

	(void)deadline;
	while (at < len) {
		ssize_t written = write(file->fd, (const char *)data + at, len - at);

		if (written < 0 && errno != EINTR)
			return -errno;
		at += written > 0 ? (size_t)written : 0;
	}
	return (ssize_t)len;
}

static int sink_file_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct sink_file *file = (struct sink_file *)sink;
	char part[FILE_PATH_MAX + 1];

	(void)deadline;
	if (file->fd < 0) /* not opened, so not ours to remove */
		return error;
	part_of(file, part);
	if (error == 0 && fsync(file->fd) < 0)
		error = -errno;
	if (close(file->fd) < 0 && error == 0)
		error = -errno;
	if (error == 0 && rename(part, file->path) < 0)
		error = -errno;
	if (error < 0)
		unlink(part);
	return error;
}

static const struct sink_ops sink_file_ops = { .init = sink_file_init, .push = sink_file_push, .stop = sink_file_stop };

struct sink *sink_file(struct sink_file *file, const char *path)
{
	*file = (struct sink_file){ .sink.ops = &sink_file_ops, .path = path, .fd = -1 };
	return &file->sink;
}
