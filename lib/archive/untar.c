/* SPDX-License-Identifier: ISC
 *
 * The streaming reader of tar archives. What is gathered is a header or an extended header; what is counted is content,
 * and the filling behind it.
 *
 *	HEADER --x, g, L, K--> EXTENDED --> FILLING --> HEADER
 *	HEADER --an entry----> CONTENT ---> FILLING --> HEADER      HEADER --zeros--> END
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kv/tar_header.h"
#include "reader.h"

enum phase { HEADER, EXTENDED, CONTENT, FILLING, END };

struct archive_reader {
	enum phase phase;
	struct gathering gathering;
	struct content content;
	uint64_t left;                  /* of the content, or the filling */
	size_t filling;                 /* after the content */
	char type;                      /* of the extended header */
	struct tar_extra common, extra; /* for all entries that follow; for the next */
	uint32_t entries;
};

static size_t filling_of(uint64_t size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

static int expect_header(struct archive_reader *reader)
{
	reader->phase = HEADER;
	reader->gathering.have = 0;
	return gathering_need(&reader->gathering, TAR_BLOCK);
}

static int expect_filling(struct archive_reader *reader, size_t filling)
{
	reader->phase = FILLING;
	reader->left = filling;
	return filling > 0 ? 0 : expect_header(reader);
}

static int end_content(struct archive_reader *reader, uint64_t deadline)
{
	int err = sink_stop(&reader->content.sink, 0, deadline);

	return err < 0 ? err : expect_filling(reader, reader->filling);
}

static int open_entry(struct archive_reader *reader, const struct sink_archive *tar, const struct tar_header *header,
	uint64_t deadline)
{
	const struct tar_extra *extra = &reader->extra, *common = &reader->common;
	bool is_file = header->type == '\0' || strchr("07", header->type);
	uint64_t size = extra->has_size ? extra->size : header->size;
	struct archive_entry entry = { .name = extra->path ? extra->path : header->name,
		.kind = is_file               ? ARCHIVE_FILE
			: header->type == '5' ? ARCHIVE_DIRECTORY
					      : ARCHIVE_OTHER,
		.size = is_file ? size : 0,
		.mtime_s = extra->has_time    ? extra->modified_s
			   : common->has_time ? common->modified_s
					      : header->modified_s };
	int err;

	if (extra->sparse)
		return -ENOTSUP;
	if (++reader->entries > ARCHIVE_ENTRIES_MAX)
		return -EFBIG;
	reader->phase = CONTENT;
	reader->left = entry.size;
	reader->filling = filling_of(entry.size);
	err = content_open(&reader->content, tar, &entry);
	tar_extra_fini(&reader->extra);
	if (err < 0 || entry.size > 0)
		return err;
	return end_content(reader, deadline);
}

static int take_header(struct archive_reader *reader, const struct sink_archive *tar, uint64_t deadline)
{
	struct tar_header header;
	int err;

	if (tar_is_end(reader->gathering.bytes)) {
		reader->phase = END;
		return 0;
	}
	err = tar_header_decode(reader->gathering.bytes, &header);
	if (err < 0)
		return err;
	if (header.type && strchr("xgLK", header.type)) {
		reader->phase = EXTENDED;
		reader->type = header.type;
		reader->gathering.have = 0;
		return gathering_need(&reader->gathering, header.size);
	}
	if (header.type && !strchr("01234567", header.type))
		return -ENOTSUP;
	return open_entry(reader, tar, &header, deadline);
}

/* pax's records, or one of GNU's long names, which a zero byte may end. */
static int take_extended(struct archive_reader *reader)
{
	const char *text = (const char *)reader->gathering.bytes;
	size_t len = reader->gathering.need;
	int err = 0;

	if (reader->type == 'x' || reader->type == 'g') {
		err = tar_pax_decode(text, len, reader->type == 'x' ? &reader->extra : &reader->common);
	} else {
		char **field = reader->type == 'L' ? &reader->extra.path : &reader->extra.link;

		free(*field);
		*field = strndup(text, len);
		err = *field ? 0 : -ENOMEM;
	}
	return err < 0 ? err : expect_filling(reader, filling_of(len));
}

static int take_gathered(struct archive_reader *reader, const struct sink_archive *tar, uint64_t deadline)
{
	if (reader->gathering.have < reader->gathering.need)
		return 0;
	return reader->phase == HEADER ? take_header(reader, tar, deadline) : take_extended(reader);
}

/* Takes what it can of these bytes, at least one. */
static ssize_t take_some(struct sink_archive *tar, const uint8_t *data, size_t len, uint64_t deadline)
{
	struct archive_reader *reader = tar->reader;
	size_t count = len < reader->left ? len : (size_t)reader->left;
	int err = 0;

	switch (reader->phase) {
	case HEADER:
	case EXTENDED:
		count = gathering_take(&reader->gathering, data, len);
		err = take_gathered(reader, tar, deadline);
		break;
	case CONTENT:
		err = sink_feed(&reader->content.sink, data, count, deadline);
		reader->left -= count;
		if (err == 0 && reader->left == 0)
			err = end_content(reader, deadline);
		break;
	case FILLING:
		reader->left -= count;
		if (reader->left == 0)
			err = expect_header(reader);
		break;
	case END:
		count = 0;
		break;
	}
	return err < 0 ? err : (ssize_t)count;
}

static int untar_init(struct sink *sink)
{
	struct sink_archive *tar = (struct sink_archive *)sink;

	tar->reader = calloc(1, sizeof *tar->reader);
	return tar->reader ? expect_header(tar->reader) : -ENOMEM;
}

static bool untar_full(const struct sink *sink)
{
	return ((const struct sink_archive *)sink)->reader->phase == END;
}

static ssize_t untar_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct sink_archive *tar = (struct sink_archive *)sink;
	size_t at = 0;

	while (at < len && !untar_full(sink)) {
		ssize_t taken = take_some(tar, (const uint8_t *)data + at, len - at, deadline);

		if (taken < 0)
			return taken;
		at += (size_t)taken;
	}
	return (ssize_t)at;
}

static int untar_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct archive_reader *reader = ((struct sink_archive *)sink)->reader;

	if (!reader)
		return error;
	if (error == 0 && reader->phase != END)
		error = -EBADMSG;
	if (reader->content.sink.ops)
		sink_stop(&reader->content.sink, error, deadline);
	tar_extra_fini(&reader->extra);
	tar_extra_fini(&reader->common);
	free(reader->gathering.bytes);
	free(reader);
	return error;
}

static const struct sink_ops untar_ops = { untar_init, untar_push, untar_full, untar_stop };

struct sink *sink_untar(struct sink_archive *tar, archive_visit *visit, void *context)
{
	*tar = (struct sink_archive){ .sink.ops = &untar_ops, .visit = visit, .context = context };
	return &tar->sink;
}
