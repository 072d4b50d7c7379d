/* SPDX-License-Identifier: ISC
 *
 * What a kind of archive adds to the writing of any.
 */
#ifndef ARCHIVE_WRITER_H
#define ARCHIVE_WRITER_H

#include <skerry/archive.h>

struct archive_ops {
	/* Each 0 or an error; archive->deadline holds. */
	int (*begin)(struct archive *archive);
	int (*write)(struct archive *archive, const void *data, size_t len);
	int (*end)(struct archive *archive);
	int (*finish)(struct archive *archive);
	void (*dispose)(struct archive *archive); /* in any state; may be NULL */
};

/* Begins an archive of this kind, which dispose belongs to from now on. */
int archive_start(struct archive *archive, const struct archive_ops *ops, struct sink *out);

#endif
