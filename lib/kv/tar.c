/* SPDX-License-Identifier: ISC
 *
 * A read-only key-value store of a tar archive. The archive is read once when it is opened, header by header, into an
 * index of names and places; each place lies within the image, so that reading needs no further checks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/clock.h>

#include "flat.h"
#include "tar_header.h"

enum { EXTENDED_MAX = 1 << 20 }; /* bytes of one extended header */

struct tar {
	struct kv kv;
	struct kv_image image;
	struct flat flat;
};

/* What is known while the archive is read. */
struct reader {
	struct tar *tar;
	uint64_t offset;                /* of the next block */
	struct tar_extra common, extra; /* for all entries that follow; for the next */
};

static struct tar *tar_of(struct kv *kv)
{
	return (struct tar *)kv;
}

static int tar_find(struct kv *kv, const char *key, struct kv_status *status)
{
	return flat_find(&tar_of(kv)->flat, key, status);
}

static int tar_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size)
{
	struct tar *tar = tar_of(kv);

	return tar->image.read(&tar->image, flat_get(&tar->flat, key)->offset + offset, buf, size);
}

static int tar_list(struct kv *kv, const char *key, struct kv_names *names)
{
	return flat_list(&tar_of(kv)->flat, key, names);
}

static void tar_close(struct kv *kv)
{
	flat_fini(&tar_of(kv)->flat);
	free(kv);
}

static const struct kv_ops tar_ops = { .find = tar_find, .read = tar_read, .list = tar_list, .close = tar_close };

/* Makes a key of a path as archives have them: "./a//b/" is a/b. Returns its length, 0 for the root, or an error. */
static int key_of_path(const char *path, char key[KV_KEY_MAX + 1])
{
	const char *checked;
	size_t len = 0;
	int err;

	while (*path) {
		size_t name_len = strcspn(path, "/");

		if (name_len > 0 && !(name_len == 1 && *path == '.')) {
			if (len + (len > 0) + name_len > KV_KEY_MAX)
				return -ENAMETOOLONG;
			if (len > 0)
				key[len++] = '/';
			memcpy(key + len, path, name_len);
			len += name_len;
		}
		path += name_len + (path[name_len] == '/');
	}
	key[len] = '\0';
	err = kv_key_check(key, &checked);
	if (err)
		return err == -EINVAL ? -EBADMSG : err;
	return (int)len;
}

/* The bytes that follow the header lie within the image. */
static int check_size(const struct reader *reader, uint64_t size)
{
	return size <= reader->tar->image.size - reader->offset ? 0 : -EBADMSG;
}

/* Goes beyond an entry's bytes, which are filled up to whole blocks except at the image's end. */
static void skip(struct reader *reader, uint64_t size)
{
	uint64_t left = reader->tar->image.size - reader->offset;
	uint64_t filling = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;

	reader->offset += filling <= left - size ? size + filling : left;
}

static int add_entry(struct reader *reader, const struct tar_header *header, const char *path, const char *link)
{
	struct flat *flat = &reader->tar->flat;
	struct flat_entry made = { .dictionary = header->type == '5', .offset = reader->offset }, *entry;
	char key[KV_KEY_MAX + 1];
	int len;

	if (header->type == '1') {
		len = key_of_path(link, key);
		entry = len > 0 ? flat_get(flat, key) : NULL;
		if (!entry || entry->dictionary)
			return len < 0 ? len : -EBADMSG;
		made = *entry;
	} else if (!made.dictionary) {
		made.size = header->size;
	}
	if (header->modified_s < UINT64_MAX / SECOND(1))
		made.modified_ns = SECOND(header->modified_s);
	len = key_of_path(path, key);
	if (len <= 0)
		return len;
	if (flat->count >= KV_TAR_ENTRIES_MAX)
		return -EFBIG;
	entry = flat_insert(flat, key, (size_t)len);
	if (!entry)
		return -ENOMEM;
	made.key = entry->key;
	*entry = made;
	return 0;
}

/* Reads an extended header: pax's records, or one of GNU's long names, of the next entry. */
static int read_extended(struct reader *reader, char type, uint64_t size)
{
	const struct kv_image *image = &reader->tar->image;
	char *text;
	int err = check_size(reader, size);

	if (err || size > EXTENDED_MAX)
		return -EBADMSG;
	text = calloc(1, (size_t)size + 1);
	if (!text)
		return -ENOMEM;
	err = size ? image->read(image, reader->offset, text, (size_t)size) : 0;
	if (err == 0 && (type == 'x' || type == 'g')) {
		err = tar_pax_decode(text, (size_t)size, type == 'x' ? &reader->extra : &reader->common);
	} else if (err == 0) {
		char **field = type == 'L' ? &reader->extra.path : &reader->extra.link;

		free(*field);
		*field = text;
		text = NULL;
	}
	free(text);
	skip(reader, size);
	return err;
}

static int read_entry(struct reader *reader, struct tar_header *header)
{
	const struct tar_extra *extra = &reader->extra, *common = &reader->common;
	bool has_bytes = strchr("07", header->type) != NULL; /* also for type 0, the end of the string */
	int err;

	if (extra->has_size)
		header->size = extra->size;
	if (extra->has_time || common->has_time)
		header->modified_s = extra->has_time ? extra->modified_s : common->modified_s;
	if (!has_bytes)
		header->size = 0;
	if (extra->sparse)
		return -ENOTSUP;
	err = check_size(reader, header->size);
	if (err == 0 && (has_bytes || header->type == '5' || header->type == '1'))
		err = add_entry(reader, header, extra->path ? extra->path : header->name,
			extra->link ? extra->link : header->link);
	if (err)
		return err;
	skip(reader, header->size);
	tar_extra_fini(&reader->extra);
	return 0;
}

/* Reads what begins at the reader's place. 1: the archive goes on; 0: it ends. */
static int read_next(struct reader *reader)
{
	const struct kv_image *image = &reader->tar->image;
	struct tar_header header;
	uint8_t block[TAR_BLOCK];
	int err;

	if (image->size == reader->offset)
		return 0;
	if (image->size - reader->offset < TAR_BLOCK)
		return -EBADMSG;
	err = image->read(image, reader->offset, block, sizeof block);
	if (err)
		return err;
	if (tar_is_end(block))
		return 0;
	err = tar_header_decode(block, &header);
	if (err)
		return err;
	reader->offset += TAR_BLOCK;
	if (header.type && strchr("xgLK", header.type))
		err = read_extended(reader, header.type, header.size);
	else if (!header.type || strchr("01234567V", header.type))
		err = read_entry(reader, &header);
	else
		err = -ENOTSUP;
	return err ? err : 1;
}

int kv_tar_open(struct kv_image image, struct kv **kv)
{
	struct tar *tar = calloc(1, sizeof *tar);
	struct reader reader = { .tar = tar };
	int more = 1;

	if (!tar)
		return -ENOMEM;
	tar->kv.ops = &tar_ops;
	tar->image = image;
	while (more > 0)
		more = read_next(&reader);
	tar_extra_fini(&reader.extra);
	tar_extra_fini(&reader.common);
	if (more < 0)
		tar_close(&tar->kv);
	else
		*kv = &tar->kv;
	return more;
}
