/* SPDX-License-Identifier: ISC
 *
 * The records of a zip archive (APPNOTE 6.3.10, 4.3), all in the zip64 form.
 *
 * Sizes are not known when a local header is written, and follow in a descriptor. The header's zip64 field holds zeros
 * and is there to tell readers that the descriptor's sizes are of 8 bytes.
 */
#include <skerry/clock.h>

#include "records.h"

enum {
	LOCAL_HEADER = 0x04034b50,
	DATA_DESCRIPTOR = 0x08074b50,
	DIRECTORY_HEADER = 0x02014b50,
	ZIP64_END = 0x06064b50,
	ZIP64_LOCATOR = 0x07064b50,
	END = 0x06054b50,

	VERSION_ZIP64 = 45,
	MADE_BY_UNIX = 3 << 8 | VERSION_ZIP64,
	METHOD_DEFLATE = 8,
	EXTRA_ZIP64 = 0x0001,
	EXTRA_TIMESTAMP = 0x5455,
	TIMESTAMP_MODIFIED = 1,
	IN_ZIP64_16 = 0xffff,
};
#define IN_ZIP64_32     0xffffffffu
#define REGULAR_0644    (0100644u << 16)
#define TIMESTAMP_LIMIT 0x7fffffffu /* the extended timestamp is a signed number */

static void field(struct record *record, int size, uint64_t value)
{
	for (int i = 0; i < size; i++)
		record->bytes[record->len++] = (unsigned char)(value >> (8 * i));
}

/* The fields that a local header and a directory header have in common, version to name length. */
static void common_fields(struct record *record, const struct entry *entry)
{
	field(record, 2, VERSION_ZIP64);
	field(record, 2, entry->flags);
	field(record, 2, METHOD_DEFLATE);
	field(record, 2, entry->dos_time);
	field(record, 2, entry->dos_date);
	field(record, 4, entry->crc);
	field(record, 4, IN_ZIP64_32); /* compressed size */
	field(record, 4, IN_ZIP64_32); /* size */
	field(record, 2, entry->name_len);
}

static void timestamp(struct record *record, const struct entry *entry)
{
	if (entry->mtime == 0)
		return;
	field(record, 2, EXTRA_TIMESTAMP);
	field(record, 2, 5);
	field(record, 1, TIMESTAMP_MODIFIED);
	field(record, 4, entry->mtime);
}

void record_local_header(const struct entry *entry, struct record *before, struct record *after)
{
	field(after, 2, EXTRA_ZIP64);
	field(after, 2, 16);
	field(after, 8, 0);
	field(after, 8, 0);
	timestamp(after, entry);
	field(before, 4, LOCAL_HEADER);
	common_fields(before, entry);
	field(before, 2, after->len);
}

void record_descriptor(const struct entry *entry, struct record *record)
{
	field(record, 4, DATA_DESCRIPTOR);
	field(record, 4, entry->crc);
	field(record, 8, entry->compressed);
	field(record, 8, entry->size);
}

void record_directory_header(const struct entry *entry, struct record *before, struct record *after)
{
	field(after, 2, EXTRA_ZIP64);
	field(after, 2, 24);
	field(after, 8, entry->size);
	field(after, 8, entry->compressed);
	field(after, 8, entry->offset);
	timestamp(after, entry);
	field(before, 4, DIRECTORY_HEADER);
	field(before, 2, MADE_BY_UNIX);
	common_fields(before, entry);
	field(before, 2, after->len);
	field(before, 2, 0); /* comment */
	field(before, 2, 0); /* disk */
	field(before, 2, 0); /* internal attributes */
	field(before, 4, REGULAR_0644);
	field(before, 4, IN_ZIP64_32); /* offset */
}

void record_ends(uint64_t begin, uint64_t end, uint32_t count, struct record *record)
{
	field(record, 4, ZIP64_END);
	field(record, 8, 44); /* bytes of this record after this field */
	field(record, 2, MADE_BY_UNIX);
	field(record, 2, VERSION_ZIP64);
	field(record, 4, 0); /* this disk */
	field(record, 4, 0); /* the directory's disk */
	field(record, 8, count);
	field(record, 8, count);
	field(record, 8, end - begin);
	field(record, 8, begin);

	field(record, 4, ZIP64_LOCATOR);
	field(record, 4, 0); /* the zip64 end's disk */
	field(record, 8, end);
	field(record, 4, 1); /* disks */

	field(record, 4, END);
	field(record, 2, 0);           /* this disk */
	field(record, 2, 0);           /* the directory's disk */
	field(record, 2, IN_ZIP64_16); /* entries, twice */
	field(record, 2, IN_ZIP64_16);
	field(record, 4, IN_ZIP64_32); /* the directory's size and offset */
	field(record, 4, IN_ZIP64_32);
	field(record, 2, 0); /* comment */
}

/* MS-DOS keeps even seconds of 1980 to 2107. */
void entry_set_time(struct entry *entry, uint64_t mtime_ns)
{
	struct clock_date date;
	uint64_t seconds = mtime_ns / SECOND(1);
	clock_date(mtime_ns, &date);
	if (date.year < 1980)
		date = (struct clock_date){ .year = 1980, .month = 1, .day = 1 };
	else if (date.year > 2107)
		date = (struct clock_date){ 2107, 12, 31, 23, 59, 59, 0 };
	entry->dos_date = (uint16_t)((date.year - 1980) << 9 | date.month << 5 | date.day);
	entry->dos_time = (uint16_t)(date.hour << 11 | date.minute << 5 | date.second / 2);
	entry->mtime = seconds <= TIMESTAMP_LIMIT ? (uint32_t)seconds : 0;
}
