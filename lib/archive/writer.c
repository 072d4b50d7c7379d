/* SPDX-License-Identifier: ISC
 *
 * Writing archives: one file after the other, each a stream of its own; the first error of any is the archive's.
 */
#include "writer.h"

static int begin_once(struct archive *archive, uint64_t deadline)
{
	archive->deadline = deadline;
	if (archive->error == 0 && !archive->begun) {
		archive->begun = true;
		archive->error = archive->ops->begin(archive);
	}
	return archive->error;
}

static ssize_t file_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct archive *archive = (struct archive *)sink;

	if (begin_once(archive, deadline) == 0)
		archive->error = archive->ops->write(archive, data, len);
	return archive->error < 0 ? archive->error : (ssize_t)len;
}

static bool file_full(const struct sink *sink)
{
	return sink_full(((const struct archive *)sink)->out);
}

static int file_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct archive *archive = (struct archive *)sink;

	if (error < 0 && archive->error == 0)
		archive->error = error;
	if (begin_once(archive, deadline) == 0)
		archive->error = archive->ops->end(archive);
	return error < 0 ? error : archive->error;
}

static const struct sink_ops file_ops = { .push = file_push, .full = file_full, .stop = file_stop };

int archive_start(struct archive *archive, const struct archive_ops *ops, struct sink *out)
{
	int err;

	archive->file.ops = &file_ops;
	archive->ops = ops;
	archive->out = out;
	err = sink_start(out);
	return err < 0 ? archive_close(archive, err, FOREVER) : 0;
}

struct sink *archive_file(struct archive *archive, const char *name, uint64_t size, uint64_t mtime_ns)
{
	archive->file.stopped = false;
	archive->begun = false;
	archive->name = name;
	archive->size = archive->left = size;
	archive->mtime_ns = mtime_ns;
	return &archive->file;
}

int archive_close(struct archive *archive, int error, uint64_t deadline)
{
	if (error == 0)
		error = archive->error;
	archive->deadline = deadline;
	if (error == 0)
		error = archive->ops->finish(archive);
	if (archive->ops->dispose)
		archive->ops->dispose(archive);
	return sink_stop(archive->out, error, deadline);
}
