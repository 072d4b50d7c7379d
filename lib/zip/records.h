/* SPDX-License-Identifier: ISC
 *
 * The records of a zip archive (APPNOTE 6.3.10, 4.3), built from what is known of an entry.
 */
#ifndef ZIP_RECORDS_H
#define ZIP_RECORDS_H

#include <stddef.h>
#include <stdint.h>

enum { ZIP_FLAG_DESCRIPTOR = 1 << 3, ZIP_FLAG_UTF8 = 1 << 11 };

struct entry {
	struct entry *next, *same_bucket;
	uint64_t offset, compressed, size;
	uint32_t crc, hash, mtime; /* seconds; 0: not in the range of the extended timestamp */
	uint16_t dos_time, dos_date, flags;
	uint16_t copies; /* the last number given to a file of this name */
	uint16_t name_len;
	char name[];
};

/* A record under construction: little-endian fields, one after the other. */
enum { RECORD_MAX = 128 };
struct record {
	size_t len;
	unsigned char bytes[RECORD_MAX];
};

/* Each adds to an empty record. Headers come in two: before and after the name. */
void record_local_header(const struct entry *entry, struct record *before, struct record *after);
void record_descriptor(const struct entry *entry, struct record *record);
void record_directory_header(const struct entry *entry, struct record *before, struct record *after);
/* What follows a directory that lies from begin to end: the zip64 end, its locator and the end. */
void record_ends(uint64_t begin, uint64_t end, uint32_t count, struct record *record);

/* The entry's time in both forms, from nanoseconds since 1970, UTC. */
void entry_set_time(struct entry *entry, uint64_t mtime_ns);

#endif
