/* SPDX-License-Identifier: ISC
 *
 * Archives as streams, one entry after the other, never held: tar (POSIX.1-2017, pax) and zip (APPNOTE 6.3.10).
 *
 * Writing: an archive goes into a sink, each file is a stream that runs into the archive, and closing it ends it:
 *
 *	int err = archive_open_zip(&zip, 6, sink_tcp(&out, flow));
 *	if (err == 0)
 *		err = stream_run(source_crunched(&file, &readme), archive_file(&zip, "README", file.len, 0), deadline);
 *	err = archive_close(&zip, err, deadline);
 *
 * A file that fails makes the archive fail. To make an archive the source of a stream, write it in a source_task.
 *
 * Reading: an archive's reader is a sink, which asks for a sink for each entry. Names are clean: components joined by
 * one '/', none of them empty, "." or "..".
 */
#ifndef SKERRY_ARCHIVE_H
#define SKERRY_ARCHIVE_H

#include <skerry/stream.h>

enum {
	ARCHIVE_NAME_MAX = 1023,     /* bytes of an entry's name */
	ARCHIVE_HEADER_MAX = 65536,  /* bytes of one header that is read, or of one extended header */
	ARCHIVE_ENTRIES_MAX = 65535, /* that are read */
};

/* Writing -------------------------------------------------------------------------------------------------------- */

struct archive;
struct archive_ops;
struct zip;
struct archive {
	struct sink file; /* the one that is written */
	const struct archive_ops *ops;
	struct sink *out;
	struct zip *zip;
	const char *name;
	uint64_t size, left, mtime_ns;
	uint64_t deadline; /* of the call that writes now */
	int error;         /* the first one */
	bool begun;
};

/* Begins an archive. Does not block. 0, -ENOMEM, -EINVAL (no such level); then out is stopped already. level and names
 * as in zip.h. */
int archive_open_zip(struct archive *archive, int level, struct sink *out);
int archive_open_tar(struct archive *archive, struct sink *out);

/* A sink for the next file, one at a time, begun by its first byte or its end. The name is borrowed until then; it is
 * made safe in zip, and must be clean in tar (-EINVAL) and at most ARCHIVE_NAME_MAX (-ENAMETOOLONG). size is what tar
 * must know before (other content is -EMSGSIZE), and zip does not look at. mtime_ns: UTC, since 1970. */
struct sink *archive_file(struct archive *archive, const char *name, uint64_t size, uint64_t mtime_ns);

/* Completes the archive, or with an error drops it; stops out with the same. 0, the error, that of a file, or of out.
 * Only for an archive that was opened. */
int archive_close(struct archive *archive, int error, uint64_t deadline);

/* Reading -------------------------------------------------------------------------------------------------------- */

#define ARCHIVE_SIZE_UNKNOWN UINT64_MAX
struct archive_entry {
	const char *name;                                             /* borrowed for the call */
	enum { ARCHIVE_FILE, ARCHIVE_DIRECTORY, ARCHIVE_OTHER } kind; /* other: a link, a device, a pipe */
	uint64_t size;                                                /* of a file, if it is known */
	uint64_t mtime_s;                                             /* since 1970; 0: not known */
};
/* Gives the sink for a file's content: the reader starts it and stops it, as complete only when the entry is whole and
 * its checksum right; the rest of what a full sink did not take is skipped. NULL: all of it is. 0, or an error that
 * fails the archive. */
typedef int archive_visit(void *context, const struct archive_entry *entry, struct sink **content);

/* Full at the archive's end; an archive that ends before is malformed. What follows is the caller's to read: a tar file
 * that is compressed has its checksum there, which flow_inflate(.., flow_tee(&tee, sink_untar(..), sink_null(&rest)))
 * verifies.
 * -EBADMSG: malformed, cut off, a wrong checksum, a name with "..", or not this kind of archive; -ENOTSUP: what cannot
 * be read from a stream (zip: stored without a size, encrypted, methods other than deflate; tar: sparse files, several
 * volumes); -EMSGSIZE: over ARCHIVE_HEADER_MAX; -EFBIG: over ARCHIVE_ENTRIES_MAX; -ENAMETOOLONG; -ENOMEM; the errors of
 * visit and of its sinks. */
struct archive_reader;
struct sink_archive {
	struct sink sink;
	struct archive_reader *reader;
	archive_visit *visit;
	void *context;
};
/* ustar, pax, and GNU's long names; the end is a block of zeros. */
struct sink *sink_untar(struct sink_archive *tar, archive_visit *visit, void *context);
/* The entries as they come, and a directory that counts the same. */
struct sink *sink_unzip(struct sink_archive *zip, archive_visit *visit, void *context);

#endif
