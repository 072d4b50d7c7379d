/* SPDX-License-Identifier: ISC
 *
 * The zip writer: files come, an archive goes, and nothing but the directory is kept (APPNOTE 6.3.10).
 *
 *	[local header, content, descriptor]...  directory, zip64 end, zip64 locator, end
 *
 * Level 0 is method 8 with stored blocks inside, not method 0: an entry that is stored as such has no end which a
 * streaming reader could find.
 *
 * Hot path: zlib writes into the output buffer, which goes to the caller when it is full; nothing is copied and nothing
 * allocated while a file is written.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include <skerry/hash.h>
#include <skerry/random.h>
#include <skerry/text.h>
#include <skerry/zip.h>

#include "records.h"

enum {
	RAW_DEFLATE_BITS = -15, /* 32 KiB of window, no zlib header */
	MEMORY_LEVEL = 8,
	BUCKETS = 1024,
};

struct zip {
	zip_output *output;
	void *context;
	z_stream deflate;
	uint64_t flushed; /* bytes given to output */
	uint64_t bytes_in;
	uint32_t count;
	int error; /* the first one, for ever */
	bool open;
	struct entry *first, *last; /* in the order of the archive */
	struct hash_key key;        /* clients choose the names */
	struct entry *buckets[BUCKETS];
	size_t used; /* bytes in buf */
	unsigned char buf[ZIP_PIECE_MAX];
};

/* Output ------------------------------------------------------------------------------------------------------- */

static int flush(struct zip *zip)
{
	if (zip->error == 0 && zip->used > 0)
		zip->error = zip->output(zip->context, zip->buf, zip->used);
	zip->flushed += zip->used;
	zip->used = 0;
	return zip->error;
}

static int put(struct zip *zip, const void *data, size_t len)
{
	const unsigned char *from = data;
	while (zip->error == 0 && len > 0) {
		size_t room = sizeof zip->buf - zip->used, count = len < room ? len : room;
		memcpy(zip->buf + zip->used, from, count);
		zip->used += count;
		from += count;
		len -= count;
		if (zip->used == sizeof zip->buf)
			flush(zip);
	}
	return zip->error;
}

static uint64_t position(const struct zip *zip)
{
	return zip->flushed + zip->used;
}

/* Names -------------------------------------------------------------------------------------------------------- */

static uint32_t hash_name(const struct zip *zip, const char *name)
{
	return (uint32_t)hash_keyed(&zip->key, name, strlen(name));
}

static struct entry *find(const struct zip *zip, const char *name)
{
	uint32_t hash = hash_name(zip, name);
	struct entry *entry = zip->buckets[hash % BUCKETS];
	while (entry != NULL && (entry->hash != hash || strcmp(entry->name, name) != 0))
		entry = entry->same_bucket;
	return entry;
}

/* A safe name that the archive does not have yet. Each numbered name has one original, whose count only grows, so
 * all searches of an archive together take at most two steps an entry. */
static void choose_name(const struct zip *zip, const char *name, char chosen[ZIP_NAME_MAX + 1])
{
	char safe[ZIP_NAME_MAX + 1];
	zip_safe_name(name, safe);
	strcpy(chosen, safe);
	struct entry *original = find(zip, safe);
	if (original == NULL)
		return;
	const char *dot = strrchr(safe, '.');
	int stem = (int)(dot == NULL || dot == safe ? strlen(safe) : (size_t)(dot - safe));
	do
		text_format(chosen, ZIP_NAME_MAX + 1, "%.*s (%u)%s", stem, safe, ++original->copies, safe + stem);
	while (find(zip, chosen) != NULL);
}

static bool is_ascii(const char *name)
{
	while (*name != '\0')
		if (*name++ & 0x80)
			return false;
	return true;
}

/* Entries ------------------------------------------------------------------------------------------------------ */

static struct entry *add_entry(struct zip *zip, const char *name, uint64_t mtime_ns)
{
	char chosen[ZIP_NAME_MAX + 1];
	choose_name(zip, name, chosen);
	size_t len = strlen(chosen);
	struct entry *entry = calloc(1, sizeof *entry + len + 1);
	if (entry == NULL)
		return NULL;
	entry->offset = position(zip);
	entry->hash = hash_name(zip, chosen);
	entry->flags = (uint16_t)(ZIP_FLAG_DESCRIPTOR | (is_ascii(chosen) ? 0 : ZIP_FLAG_UTF8));
	entry->name_len = (uint16_t)len;
	memcpy(entry->name, chosen, len + 1);
	entry_set_time(entry, mtime_ns);
	struct entry **bucket = &zip->buckets[entry->hash % BUCKETS];
	entry->same_bucket = *bucket;
	*bucket = entry;
	*(zip->last == NULL ? &zip->first : &zip->last->next) = entry;
	zip->last = entry;
	zip->count++;
	return entry;
}

static int put_header(
	struct zip *zip, const struct entry *entry, const struct record *before, const struct record *after)
{
	put(zip, before->bytes, before->len);
	put(zip, entry->name, entry->name_len);
	return put(zip, after->bytes, after->len);
}

int zip_begin(struct zip *zip, const char *name, uint64_t mtime_ns)
{
	struct record before = { 0 }, after = { 0 };
	if (zip->error != 0)
		return zip->error;
	if (zip->open)
		return -EBUSY;
	if (zip->count == ZIP_ENTRIES_MAX)
		return -ENOSPC;
	struct entry *entry = add_entry(zip, name, mtime_ns);
	if (entry == NULL)
		return -ENOMEM;
	deflateReset(&zip->deflate);
	zip->open = true;
	record_local_header(entry, &before, &after);
	return put_header(zip, entry, &before, &after);
}

/* Runs zlib until it has taken all its input, and with Z_FINISH until it has given all its output. */
static int deflate_all(struct zip *zip, int how)
{
	struct entry *entry = zip->last;
	int status = Z_OK;
	do {
		size_t room = sizeof zip->buf - zip->used;
		zip->deflate.next_out = zip->buf + zip->used;
		zip->deflate.avail_out = (uInt)room;
		status = deflate(&zip->deflate, how);
		size_t made = room - zip->deflate.avail_out;
		entry->compressed += made;
		zip->used += made;
		if (zip->used == sizeof zip->buf && flush(zip) < 0)
			return zip->error;
	} while (how == Z_FINISH ? status != Z_STREAM_END : zip->deflate.avail_in > 0);
	return 0;
}

int zip_write(struct zip *zip, const void *data, size_t len)
{
	enum { STEP = 1 << 30 }; /* zlib counts input in unsigned int */
	const unsigned char *from = data;
	struct entry *entry = zip->last;
	if (zip->error != 0)
		return zip->error;
	if (!zip->open)
		return -EINVAL;
	while (len > 0) {
		uInt count = (uInt)(len < STEP ? len : STEP);
		entry->crc = (uint32_t)crc32(entry->crc, from, count);
		entry->size += count;
		zip->deflate.next_in = from;
		zip->deflate.avail_in = count;
		if (deflate_all(zip, Z_NO_FLUSH) < 0)
			return zip->error;
		from += count;
		len -= count;
	}
	return 0;
}

int zip_end(struct zip *zip)
{
	struct entry *entry = zip->last;
	struct record descriptor = { 0 };
	if (zip->error != 0)
		return zip->error;
	if (!zip->open)
		return -EINVAL;
	zip->deflate.avail_in = 0;
	if (deflate_all(zip, Z_FINISH) < 0)
		return zip->error;
	record_descriptor(entry, &descriptor);
	zip->open = false;
	zip->bytes_in += entry->size;
	return put(zip, descriptor.bytes, descriptor.len);
}

static int put_directory(struct zip *zip)
{
	for (const struct entry *entry = zip->first; entry != NULL; entry = entry->next) {
		struct record before = { 0 }, after = { 0 };
		record_directory_header(entry, &before, &after);
		if (put_header(zip, entry, &before, &after) < 0)
			return zip->error;
	}
	return 0;
}

int zip_finish(struct zip *zip)
{
	struct record ends = { 0 };
	if (zip->error != 0)
		return zip->error;
	if (zip->open)
		return -EBUSY;
	uint64_t begin = position(zip);
	if (put_directory(zip) < 0)
		return zip->error;
	record_ends(begin, position(zip), zip->count, &ends);
	put(zip, ends.bytes, ends.len);
	if (flush(zip) < 0)
		return zip->error;
	zip->error = -EINVAL; /* nothing may follow */
	return 0;
}

/* Life --------------------------------------------------------------------------------------------------------- */

struct zip *zip_new(int level, zip_output *output, void *context)
{
	struct zip *zip = level < 0 || level > 9 || random_init() < 0 ? NULL : calloc(1, sizeof *zip);
	if (zip == NULL)
		return NULL;
	zip->output = output;
	zip->context = context;
	random_bytes(&zip->key, sizeof zip->key);
	if (deflateInit2(&zip->deflate, level, Z_DEFLATED, RAW_DEFLATE_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
		Z_OK) {
		free(zip);
		return NULL;
	}
	return zip;
}

void zip_totals(const struct zip *zip, struct zip_totals *totals)
{
	*totals = (struct zip_totals){ .entries = zip->count, .bytes_in = zip->bytes_in, .bytes_out = position(zip) };
}

void zip_free(struct zip *zip)
{
	if (zip == NULL)
		return;
	for (struct entry *entry = zip->first, *next; entry != NULL; entry = next) {
		next = entry->next;
		free(entry);
	}
	deflateEnd(&zip->deflate);
	free(zip);
}
