/* SPDX-License-Identifier: ISC
 *
 * Tar archives into a sink: ustar headers, with pax records before them for what does not fit (POSIX.1-2017, pax).
 */
#include <errno.h>
#include <string.h>

#include <skerry/clock.h>
#include <skerry/text.h>

#include "lib/kv/tar_header.h"
#include "reader.h"
#include "writer.h"

enum {
	SIZE_OCTAL_BITS = 33, /* what 11 octal digits hold */
	RECORDS_MAX = 3 * TAR_BLOCK,
	NAME_LEN = 100,
};

static const uint8_t zeros[2 * TAR_BLOCK];

static int put(struct archive *archive, const void *data, size_t len)
{
	return len > 0 ? sink_feed(archive->out, data, len, archive->deadline) : 0;
}

static int put_filling(struct archive *archive, uint64_t size)
{
	return put(archive, zeros, (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK));
}

static void octal(uint8_t *field, size_t digits, uint64_t value)
{
	for (size_t i = digits; i > 0; i--, value >>= 3)
		field[i - 1] = (uint8_t)('0' + (value & 7));
}

/* The offsets are those of the ustar header block. */
static int put_header(struct archive *archive, char type, const char *name, uint64_t size)
{
	uint8_t block[TAR_BLOCK] = { 0 };
	size_t name_len = strlen(name);
	uint64_t sum = 0, mtime_s = archive->mtime_ns / SECOND(1);

	memcpy(block, name, name_len < NAME_LEN ? name_len : NAME_LEN);
	memcpy(block + 100, "0000644", 7);
	memcpy(block + 108, "0000000", 7);
	memcpy(block + 116, "0000000", 7);
	octal(block + 124, 11, size >> SIZE_OCTAL_BITS ? 0 : size);
	octal(block + 136, 11, mtime_s >> SIZE_OCTAL_BITS ? 0 : mtime_s);
	memset(block + 148, ' ', 8);
	block[156] = (uint8_t)type;
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	octal(block + 148, 6, sum);
	block[154] = '\0';
	return put(archive, block, sizeof block);
}

/* Adds "LENGTH KEY=VALUE\n", whose length counts its own digits. */
static size_t add_record(char *records, size_t len, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3, whole = rest + 1, digits = 1;

	for (size_t power = 10; whole >= power; power *= 10, digits++)
		whole = rest + digits + 1;
	return len + (size_t)text_format(records + len, RECORDS_MAX - len, "%zu %s=%s\n", whole, key, value);
}

static int put_records(struct archive *archive)
{
	char records[RECORDS_MAX], number[24];
	size_t len = 0;
	int err;

	if (strlen(archive->name) > NAME_LEN)
		len = add_record(records, len, "path", archive->name);
	if (archive->size >> SIZE_OCTAL_BITS) {
		text_format(number, sizeof number, "%llu", (unsigned long long)archive->size);
		len = add_record(records, len, "size", number);
	}
	if (len == 0)
		return 0;
	err = put_header(archive, 'x', "pax", len);
	if (err == 0)
		err = put(archive, records, len);
	return err < 0 ? err : put_filling(archive, len);
}

static int tar_archive_begin(struct archive *archive)
{
	char clean[ARCHIVE_NAME_MAX + 1];
	int err = archive_clean_name(archive->name, clean);

	if (err == -ENAMETOOLONG)
		return err;
	if (err < 0 || clean[0] == '\0' || strcmp(clean, archive->name) != 0)
		return -EINVAL;
	err = put_records(archive);
	return err < 0 ? err : put_header(archive, '0', archive->name, archive->size);
}

static int tar_archive_write(struct archive *archive, const void *data, size_t len)
{
	if (len > archive->left)
		return -EMSGSIZE;
	archive->left -= len;
	return put(archive, data, len);
}

static int tar_archive_end(struct archive *archive)
{
	return archive->left > 0 ? -EMSGSIZE : put_filling(archive, archive->size);
}

static int tar_archive_finish(struct archive *archive)
{
	return put(archive, zeros, sizeof zeros);
}

static const struct archive_ops tar_ops = { tar_archive_begin, tar_archive_write, tar_archive_end, tar_archive_finish,
	NULL };

int archive_open_tar(struct archive *archive, struct sink *out)
{
	*archive = (struct archive){ 0 };
	return archive_start(archive, &tar_ops, out);
}
