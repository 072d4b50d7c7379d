/* SPDX-License-Identifier: ISC
 *
 * Zip archives written as a stream (PKWARE's APPNOTE 6.3.10): each file is deflated as it comes, its sizes and CRC
 * follow in a data descriptor, and all sizes are 64 bit (zip64), so neither files nor archive are ever held or limited.
 * No I/O: bytes go to the caller's function. Memory: one deflate state (zip_new) and about 100 bytes an entry.
 */
#ifndef SKERRY_ZIP_H
#define SKERRY_ZIP_H

#include <stddef.h>
#include <stdint.h>

struct zip;

enum { ZIP_NAME_MAX = 255, ZIP_ENTRIES_MAX = 65535 };

/* Takes the archive's next bytes. 0, or a negative errno, which makes the call that led to it fail with the same. */
typedef int zip_output(void *context, const void *data, size_t len);

/* level: 1 (fast) to 9 (small), 0 (stored). NULL: no memory. */
struct zip *zip_new(int level, zip_output *output, void *context);

/* Begins a file. The name is made safe first: directories (either slash), drive letters, control characters and names
 * like ".." are taken out, an empty rest becomes "file", what is not UTF-8 is replaced; a name that the archive already
 * has gets a number ("a (1).txt"). UTF-8 names are flagged as such (bit 11). mtime is UTC, nanoseconds since 1970, kept
 * with two seconds' precision as DOS time and with one second's in an extended timestamp. Entries
 * carry Unix mode 0644.
 * 0; -EBUSY (a file is open), -ENOSPC (ZIP_ENTRIES_MAX), -ENOMEM, or output's error. */
int zip_begin(struct zip *zip, const char *name, uint64_t mtime_ns);
/* More of the file's content. */
int zip_write(struct zip *zip, const void *data, size_t len);
/* The file is complete. */
int zip_end(struct zip *zip);
/* The archive is complete: writes the directory. Without this call no reader takes the archive for a whole one. */
int zip_finish(struct zip *zip);
/* Frees the writer in any state. NULL is ignored. */
void zip_free(struct zip *zip);

/* The name that zip_begin would use, before numbering. safe holds ZIP_NAME_MAX + 1 bytes. */
void zip_safe_name(const char *name, char *safe);

#endif
