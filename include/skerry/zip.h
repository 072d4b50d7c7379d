/* SPDX-License-Identifier: ISC
 *
 * Zip archives written as a stream (PKWARE's APPNOTE 6.3.10): each file is deflated as it comes, its sizes and CRC
 * follow in a data descriptor, and all sizes are 64 bit (zip64), so neither files nor archive are ever held or limited.
 * No I/O: bytes go to the caller's function. Memory: one writer (zip_new: 268 KiB of zlib's, 40 KiB of ours) and about
 * 64 bytes and the name an entry.
 */
#ifndef SKERRY_ZIP_H
#define SKERRY_ZIP_H

#include <stddef.h>
#include <stdint.h>

struct zip;

enum {
	ZIP_NAME_MAX = 255, /* bytes of a name in the archive */
	ZIP_ENTRIES_MAX = 65535,
	ZIP_PIECE_MAX = 32768, /* output gets pieces of this size, but for the last */
};

/* Takes the archive's next bytes. 0, or a negative errno, which makes the call that led to it, and all later ones,
 * fail with the same. */
typedef int zip_output(void *context, const void *data, size_t len);

/* level: 1 (fast) to 9 (small), 0 (not compressed). NULL: no memory, no such level, or no random numbers
 * (random_init has failed). */
struct zip *zip_new(int level, zip_output *output, void *context);

/* Begins a file. The name is made safe first (zip_safe_name); one that the archive already has gets a number
 * ("a (1).txt"). Names that are not ASCII are flagged as UTF-8 (bit 11). mtime is UTC, nanoseconds since 1970, kept
 * with two seconds' precision as DOS time (1980 to 2107) and with one second's in an extended timestamp (until 2038).
 * Entries carry Unix mode 0644.
 * 0; -EBUSY (a file is open), -ENOSPC (ZIP_ENTRIES_MAX), -ENOMEM, or output's error. */
int zip_begin(struct zip *zip, const char *name, uint64_t mtime_ns);
/* More of the file's content. 0, or output's error. */
int zip_write(struct zip *zip, const void *data, size_t len);
/* The file is complete. 0, or output's error. */
int zip_end(struct zip *zip);
/* The archive is complete: writes the directory; only zip_totals and zip_free may follow.
 * -EBUSY (a file is open), or output's error. */
int zip_finish(struct zip *zip);

/* What was written so far. */
struct zip_totals {
	uint32_t entries;
	uint64_t bytes_in;  /* of complete files */
	uint64_t bytes_out; /* of the archive, given to output or about to be */
};
void zip_totals(const struct zip *zip, struct zip_totals *totals);

/* Frees the writer in any state. NULL is ignored. */
void zip_free(struct zip *zip);

/* The name that zip_begin would use, before numbering: the last component of a path of either kind of slash, without a
 * drive letter and without characters that control a terminal or the direction of text; what is no UTF-8 becomes
 * U+FFFD; "", "." and ".." become "file"; a long name is shortened before its extension, so that a number still fits.
 * safe holds ZIP_NAME_MAX + 1 bytes. */
void zip_safe_name(const char *name, char *safe);

#endif
