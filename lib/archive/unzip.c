/* SPDX-License-Identifier: ISC
 *
 * The streaming reader of zip archives (APPNOTE 6.3.10, 4.3). It reads what comes: each entry's local header, content
 * and descriptor; then the directory, of which it only counts the records, so that a cut archive is not a whole one.
 *
 *	SIGNATURE --local header--> RECORD --> STORED or DEFLATED [--> DESCRIPTOR] --> SIGNATURE
 *	SIGNATURE --others--------> RECORD --> SKIPPED --> SIGNATURE      the end record --> END
 *
 * Content that is deflated ends where DEFLATE says; only stored content needs to know its size before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/codec.h>

#include "reader.h"

enum phase { SIGNATURE, RECORD, STORED, DEFLATED, DESCRIPTOR, SKIPPED, END };

enum {
	LOCAL_HEADER = 0x04034b50,
	DESCRIPTOR_SIGNATURE = 0x08074b50,
	DIRECTORY_HEADER = 0x02014b50,
	ZIP64_END = 0x06064b50,
	ZIP64_LOCATOR = 0x07064b50,
	END_RECORD = 0x06054b50,

	FLAG_ENCRYPTED = 1,
	FLAG_DESCRIPTOR = 1 << 3,
	METHOD_STORED = 0,
	METHOD_DEFLATED = 8,
	EXTRA_ZIP64 = 1,
	EXTRA_TIMESTAMP = 0x5455,
	IN_ZIP64_16 = 0xffff,
};
#define IN_ZIP64_32 0xffffffffu

struct archive_reader {
	enum phase phase;
	struct gathering gathering;
	struct content content;
	struct flow_zlib inflate;
	uint32_t signature;
	uint64_t left;             /* to skip, or of stored content */
	uint64_t compressed, size; /* of the entry that is open; with a descriptor: as counted */
	uint32_t crc;
	bool has_descriptor, zip64;
	uint32_t entries, listed; /* that came, that the directory has */
};

static uint64_t number(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	while (size > 0)
		value = value << 8 | bytes[--size];
	return value;
}

static int expect(struct archive_reader *reader, enum phase phase, uint64_t need)
{
	reader->phase = phase;
	reader->gathering.have = phase == SIGNATURE ? 0 : reader->gathering.have;
	return gathering_need(&reader->gathering, need);
}

static int expect_signature(struct archive_reader *reader)
{
	return expect(reader, SIGNATURE, 4);
}

static int skip(struct archive_reader *reader, uint64_t len)
{
	reader->phase = SKIPPED;
	reader->left = len;
	return len > 0 ? 0 : expect_signature(reader);
}

/* Entries ------------------------------------------------------------------------------------------------------- */

/* Entries that were checked are complete. */
static int end_entry(struct archive_reader *reader, uint64_t deadline)
{
	int err = 0;

	if (reader->content.crc != reader->crc || reader->content.size != reader->size)
		return -EBADMSG;
	err = sink_stop(&reader->content.sink, 0, deadline);
	return err < 0 ? err : expect_signature(reader);
}

static int end_deflated(struct archive_reader *reader, uint64_t deadline)
{
	int err;

	reader->inflate.sink.next = NULL; /* the content goes on until it is checked */
	err = sink_stop(&reader->inflate.sink, 0, deadline);
	if (err < 0)
		return err;
	if (reader->has_descriptor) {
		reader->gathering.have = 0;
		return expect(reader, DESCRIPTOR, 4);
	}
	return reader->left == 0 ? end_entry(reader, deadline) : -EBADMSG;
}

/* The signature is optional, so its place tells how long the descriptor is. */
static int take_descriptor(struct archive_reader *reader, uint64_t deadline)
{
	const uint8_t *bytes = reader->gathering.bytes;
	size_t before = number(bytes, 4) == DESCRIPTOR_SIGNATURE ? 4 : 0, width = reader->zip64 ? 8 : 4;

	if (reader->gathering.need == 4)
		return expect(reader, DESCRIPTOR, before + 4 + 2 * width);
	reader->crc = (uint32_t)number(bytes + before, 4);
	reader->size = number(bytes + before + 4 + width, width);
	if (number(bytes + before + 4, width) != reader->compressed)
		return -EBADMSG;
	return end_entry(reader, deadline);
}

/* zip64 and timestamps; of what is malformed here, only the sizes would matter, and they are checked later. */
static void take_extra(
	struct archive_reader *reader, const uint8_t *extra, size_t len, uint64_t *compressed, uint64_t *mtime_s)
{
	while (len >= 4) {
		size_t field = (size_t)number(extra + 2, 2);
		uint64_t id = number(extra, 2);

		if (field > len - 4)
			return;
		if (id == EXTRA_ZIP64) {
			reader->zip64 = true;
			if (field >= 16 && reader->size == IN_ZIP64_32 && *compressed == IN_ZIP64_32) {
				reader->size = number(extra + 4, 8);
				*compressed = number(extra + 12, 8);
			}
		} else if (id == EXTRA_TIMESTAMP && field >= 5 && (extra[4] & 1)) {
			*mtime_s = number(extra + 5, 4);
		}
		extra += 4 + field;
		len -= 4 + field;
	}
}

static int begin_content(struct archive_reader *reader, uint64_t method, uint64_t compressed, uint64_t deadline)
{
	reader->left = compressed;
	if (method == METHOD_STORED) {
		reader->phase = STORED;
		return compressed > 0 ? 0 : end_entry(reader, deadline);
	}
	reader->phase = DEFLATED;
	return sink_start(flow_inflate(&reader->inflate, CODEC_RAW, &reader->content.sink));
}

static int take_local(struct archive_reader *reader, const struct sink_archive *zip, uint64_t deadline)
{
	const uint8_t *bytes = reader->gathering.bytes;
	uint64_t flags = number(bytes + 6, 2), method = number(bytes + 8, 2), compressed = number(bytes + 18, 4);
	size_t name_len = (size_t)number(bytes + 26, 2), extra_len = (size_t)number(bytes + 28, 2);
	char name[ARCHIVE_NAME_MAX + 2];
	struct archive_entry entry = { .name = name };
	int err;

	if ((flags & FLAG_ENCRYPTED) || (method != METHOD_STORED && method != METHOD_DEFLATED) ||
		(method == METHOD_STORED && (flags & FLAG_DESCRIPTOR)))
		return -ENOTSUP;
	if (name_len > ARCHIVE_NAME_MAX)
		return -ENAMETOOLONG;
	if (name_len == 0 || memchr(bytes + 30, '\0', name_len))
		return -EBADMSG;
	memcpy(name, bytes + 30, name_len);
	name[name_len] = '\0';
	reader->has_descriptor = (flags & FLAG_DESCRIPTOR) != 0;
	reader->zip64 = false;
	reader->crc = (uint32_t)number(bytes + 14, 4);
	reader->size = number(bytes + 22, 4);
	reader->compressed = 0;
	take_extra(reader, bytes + 30 + name_len, extra_len, &compressed, &entry.mtime_s);
	if (method == METHOD_STORED && compressed != reader->size)
		return -EBADMSG;
	if (++reader->entries > ARCHIVE_ENTRIES_MAX)
		return -EFBIG;
	entry.kind = name[name_len - 1] == '/' ? ARCHIVE_DIRECTORY : ARCHIVE_FILE;
	entry.size = reader->has_descriptor ? ARCHIVE_SIZE_UNKNOWN : reader->size;
	err = content_open(&reader->content, zip, &entry);
	return err < 0 ? err : begin_content(reader, method, compressed, deadline);
}

/* The directory -------------------------------------------------------------------------------------------------- */

/* Bytes of a record's fixed part, which says how long the rest is; 0: no record begins so. */
static size_t fixed_part(const struct archive_reader *reader)
{
	switch (reader->signature) {
	case LOCAL_HEADER:
		return reader->listed == 0 ? 30 : 0;
	case DIRECTORY_HEADER:
		return 46;
	case ZIP64_END:
		return 12;
	case ZIP64_LOCATOR:
		return 20;
	case END_RECORD:
		return 22;
	default:
		return 0;
	}
}

static int take_end(struct archive_reader *reader)
{
	uint64_t count = number(reader->gathering.bytes + 10, 2);

	if (reader->listed != reader->entries || (count != IN_ZIP64_16 && count != reader->entries))
		return -EBADMSG;
	reader->left = number(reader->gathering.bytes + 20, 2);
	reader->phase = reader->left > 0 ? SKIPPED : END;
	return 0;
}

static int take_record(struct archive_reader *reader, const struct sink_archive *zip, uint64_t deadline)
{
	const uint8_t *bytes = reader->gathering.bytes;
	uint64_t whole;

	switch (reader->signature) {
	case LOCAL_HEADER:
		whole = 30 + number(bytes + 26, 2) + number(bytes + 28, 2);
		return reader->gathering.need < whole ? expect(reader, RECORD, whole)
						      : take_local(reader, zip, deadline);
	case DIRECTORY_HEADER:
		reader->listed++;
		return skip(reader, number(bytes + 28, 2) + number(bytes + 30, 2) + number(bytes + 32, 2));
	case ZIP64_END:
		return skip(reader, number(bytes + 4, 8));
	case ZIP64_LOCATOR:
		return expect_signature(reader);
	default:
		return take_end(reader);
	}
}

static int take_gathered(struct archive_reader *reader, const struct sink_archive *zip, uint64_t deadline)
{
	size_t fixed;

	if (reader->gathering.have < reader->gathering.need)
		return 0;
	if (reader->phase == DESCRIPTOR)
		return take_descriptor(reader, deadline);
	if (reader->phase == RECORD)
		return take_record(reader, zip, deadline);
	reader->signature = (uint32_t)number(reader->gathering.bytes, 4);
	fixed = fixed_part(reader);
	return fixed > 0 ? expect(reader, RECORD, fixed) : -EBADMSG;
}

/* Bytes ---------------------------------------------------------------------------------------------------------- */

static ssize_t take_deflated(struct archive_reader *reader, const uint8_t *data, size_t len, uint64_t deadline)
{
	size_t count = !reader->has_descriptor && len > reader->left ? (size_t)reader->left : len;
	ssize_t taken = sink_push(&reader->inflate.sink, data, count, deadline);
	int err = 0;

	if (taken < 0)
		return taken;
	reader->compressed += (uint64_t)taken;
	reader->left -= reader->has_descriptor ? 0 : (uint64_t)taken;
	if (sink_full(&reader->inflate.sink))
		err = end_deflated(reader, deadline);
	else if (!reader->has_descriptor && reader->left == 0)
		err = -EBADMSG;
	return err < 0 ? err : taken;
}

static ssize_t take_stored(struct archive_reader *reader, const uint8_t *data, size_t len, uint64_t deadline)
{
	int err = sink_feed(&reader->content.sink, data, len, deadline);

	reader->left -= len;
	if (err == 0 && reader->left == 0)
		err = end_entry(reader, deadline);
	return err < 0 ? err : (ssize_t)len;
}

static ssize_t take_some(struct sink_archive *zip, const uint8_t *data, size_t len, uint64_t deadline)
{
	struct archive_reader *reader = zip->reader;
	size_t count = len < reader->left ? len : (size_t)reader->left;
	int err = 0;

	switch (reader->phase) {
	case SIGNATURE:
	case RECORD:
	case DESCRIPTOR:
		count = gathering_take(&reader->gathering, data, len);
		err = take_gathered(reader, zip, deadline);
		break;
	case STORED:
		return take_stored(reader, data, count, deadline);
	case DEFLATED:
		return take_deflated(reader, data, len, deadline);
	case SKIPPED:
		reader->left -= count;
		if (reader->left == 0 && reader->signature == END_RECORD)
			reader->phase = END;
		else if (reader->left == 0)
			err = expect_signature(reader);
		break;
	case END:
		count = 0;
		break;
	}
	return err < 0 ? err : (ssize_t)count;
}

static int unzip_init(struct sink *sink)
{
	struct sink_archive *zip = (struct sink_archive *)sink;

	zip->reader = calloc(1, sizeof *zip->reader);
	return zip->reader ? expect_signature(zip->reader) : -ENOMEM;
}

static bool unzip_full(const struct sink *sink)
{
	return ((const struct sink_archive *)sink)->reader->phase == END;
}

static ssize_t unzip_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct sink_archive *zip = (struct sink_archive *)sink;
	size_t at = 0;

	while (at < len && !unzip_full(sink)) {
		ssize_t taken = take_some(zip, (const uint8_t *)data + at, len - at, deadline);

		if (taken < 0)
			return taken;
		at += (size_t)taken;
	}
	return (ssize_t)at;
}

static int unzip_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct archive_reader *reader = ((struct sink_archive *)sink)->reader;

	if (!reader)
		return error;
	if (error == 0 && reader->phase != END)
		error = -EBADMSG;
	reader->inflate.sink.next = NULL;
	if (reader->inflate.sink.ops)
		sink_stop(&reader->inflate.sink, error, deadline);
	if (reader->content.sink.ops)
		sink_stop(&reader->content.sink, error, deadline);
	free(reader->gathering.bytes);
	free(reader);
	return error;
}

static const struct sink_ops unzip_ops = { unzip_init, unzip_push, unzip_full, unzip_stop };

struct sink *sink_unzip(struct sink_archive *zip, archive_visit *visit, void *context)
{
	*zip = (struct sink_archive){ .sink.ops = &unzip_ops, .visit = visit, .context = context };
	return &zip->sink;
}
