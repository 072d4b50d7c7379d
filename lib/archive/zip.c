/* SPDX-License-Identifier: ISC
 *
 * Zip archives into a sink, by the zip writer.
 */
#include <errno.h>

#include <skerry/zip.h>

#include "writer.h"

static int output(void *context, const void *data, size_t len)
{
	struct archive *archive = context;

	return sink_feed(archive->out, data, len, archive->deadline);
}

static int zip_archive_begin(struct archive *archive)
{
	return zip_begin(archive->zip, archive->name, archive->mtime_ns);
}

static int zip_archive_write(struct archive *archive, const void *data, size_t len)
{
	return zip_write(archive->zip, data, len);
}

static int zip_archive_end(struct archive *archive)
{
	return zip_end(archive->zip);
}

static int zip_archive_finish(struct archive *archive)
{
	return zip_finish(archive->zip);
}

static void zip_archive_dispose(struct archive *archive)
{
	zip_free(archive->zip);
	archive->zip = NULL;
}

static const struct archive_ops zip_ops = { zip_archive_begin, zip_archive_write, zip_archive_end, zip_archive_finish,
	zip_archive_dispose };

int archive_open_zip(struct archive *archive, int level, struct sink *out)
{
	*archive = (struct archive){ .zip = zip_new(level, output, archive) };
	if (!archive->zip)
		return sink_stop(out, level < 0 || level > 9 ? -EINVAL : -ENOMEM, FOREVER);
	return archive_start(archive, &zip_ops, out);
}
