/* SPDX-License-Identifier: ISC
 *
 * A read-only key-value store of a FAT file system. All directories are read once when it is opened, into an index of
 * names and first clusters, and none twice: so an image whose directories lead into each other is refused, and whoever
 * walks the store comes to an end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fat_name.h"
#include "fat_volume.h"
#include "flat.h"

enum { ATTRIBUTE_LABEL = 0x08, ATTRIBUTE_DIRECTORY = 0x10, ATTRIBUTE_LONG = 0x0f, DELETED = 0xe5 };

struct fat {
	struct kv kv;
	struct fat_volume volume;
	struct flat flat;
	/* Where the last read ended, so that reading on does not follow the chain from its start again. */
	uint32_t first, cluster;
	uint64_t index;
};

/* While it is opened: the directories found, of which the first `read` are read. */
struct scan {
	struct fat *fat;
	struct {
		uint32_t cluster;
		char *key;
	} * found;
	size_t count, room, read;
	struct fat_directory directory;
	struct fat_long_name long_name;
	char name[FAT_NAME_MAX + 1];
	char key[KV_KEY_MAX + 1];
};

static struct fat *fat_of(struct kv *kv)
{
	return (struct fat *)kv;
}

static int fat_find(struct kv *kv, const char *key, struct kv_status *status)
{
	return flat_find(&fat_of(kv)->flat, key, status);
}

static int fat_list(struct kv *kv, const char *key, struct kv_names *names)
{
	return flat_list(&fat_of(kv)->flat, key, names);
}

/* Finds the cluster of this index in a file's chain. The file's size bounds the steps, whatever the chain does. */
static int seek(struct fat *fat, uint32_t first, uint64_t index)
{
	int err = 0;

	if (fat->first != first || fat->index > index) {
		fat->first = fat->cluster = first;
		fat->index = 0;
	}
	while (err == 0 && fat->index < index) {
		uint32_t next;

		err = fat_next_cluster(&fat->volume, fat->cluster, &next);
		if (err == 0 && next == 0)
			err = -EBADMSG;
		if (err == 0) {
			fat->cluster = next;
			fat->index++;
		}
	}
	return err;
}

static int fat_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size)
{
	struct fat *fat = fat_of(kv);
	const struct kv_image *image = &fat->volume.image;
	uint32_t first = (uint32_t)flat_get(&fat->flat, key)->offset, cluster_bytes = fat->volume.cluster_bytes;
	uint8_t *to = buf;
	int err = 0;

	while (err == 0 && size > 0) {
		size_t within = (size_t)(offset % cluster_bytes), len = cluster_bytes - within;
		uint64_t place;

		len = len < size ? len : size;
		err = seek(fat, first, offset / cluster_bytes);
		if (err == 0)
			err = fat_cluster_offset(&fat->volume, fat->cluster, &place);
		if (err == 0)
			err = image->read(image, place + within, to, len);
		to += len;
		offset += len;
		size -= len;
	}
	return err;
}

static void fat_close(struct kv *kv)
{
	flat_fini(&fat_of(kv)->flat);
	free(kv);
}

static const struct kv_ops fat_ops = { .find = fat_find, .read = fat_read, .list = fat_list, .close = fat_close };

/* Takes a directory to be read. The root's cluster is 0 wherever it lies. */
static int scan_add(struct scan *scan, uint32_t cluster, const char *key)
{
	bool again = scan->count > 0 && cluster == scan->fat->volume.root_cluster;

	for (size_t i = 0; i < scan->count; i++)
		again |= scan->found[i].cluster == cluster;
	if (again)
		return -EBADMSG;
	if (scan->count == KV_FAT_DIRECTORIES_MAX)
		return -EFBIG;
	if (scan->count == scan->room) {
		size_t room = scan->room ? 2 * scan->room : 16;
		void *found = realloc(scan->found, room * sizeof *scan->found);

		if (!found)
			return -ENOMEM;
		scan->found = found;
		scan->room = room;
	}
	scan->found[scan->count].key = strdup(key);
	scan->found[scan->count].cluster = cluster;
	return scan->found[scan->count++].key ? 0 : -ENOMEM;
}

/* Makes scan->key of the directory that is read and scan->name. Returns its length. */
static int make_key(struct scan *scan)
{
	const char *parent = scan->found[scan->read].key, *checked;
	size_t parent_len = strlen(parent), name_len = strlen(scan->name), slash = parent_len > 0;
	int err;

	if (parent_len + slash + name_len > KV_KEY_MAX)
		return -ENAMETOOLONG;
	memcpy(scan->key, parent, parent_len);
	if (slash)
		scan->key[parent_len] = '/';
	memcpy(scan->key + parent_len + slash, scan->name, name_len + 1);
	if (name_len == 0 || strchr(scan->name, '/'))
		return -EBADMSG;
	err = kv_key_check(scan->key, &checked);
	if (err)
		return err == -EINVAL ? -EBADMSG : err;
	return (int)(parent_len + slash + name_len);
}

static uint32_t first_cluster(const struct fat_volume *volume, const uint8_t *entry)
{
	uint32_t low = (uint32_t)(entry[26] | entry[27] << 8), high = (uint32_t)(entry[20] | entry[21] << 8);

	return volume->bits == 32 ? high << 16 | low : low;
}

static uint64_t file_size(const uint8_t *entry)
{
	return (uint64_t)entry[28] | (uint64_t)entry[29] << 8 | (uint64_t)entry[30] << 16 | (uint64_t)entry[31] << 24;
}

/* Takes a file or directory into the index; of several of one name the first counts. */
static int add_entry(struct scan *scan, const uint8_t *entry)
{
	const struct fat_volume *volume = &scan->fat->volume;
	struct flat *flat = &scan->fat->flat;
	bool dictionary = entry[11] & ATTRIBUTE_DIRECTORY;
	uint64_t size = dictionary ? 0 : file_size(entry);
	size_t before = flat->count;
	struct flat_entry *added;
	int len = make_key(scan);

	if (len < 0)
		return len;
	if (size > (uint64_t)volume->cluster_count * volume->cluster_bytes)
		return -EBADMSG;
	if (before == KV_FAT_ENTRIES_MAX)
		return -EFBIG;
	added = flat_insert(flat, scan->key, (size_t)len);
	if (!added)
		return -ENOMEM;
	if (flat->count == before)
		return 0;
	added->dictionary = dictionary;
	added->size = size;
	added->offset = first_cluster(volume, entry);
	added->modified_ns = fat_modified(entry);
	if (dictionary && added->offset == 0)
		return -EBADMSG;
	return dictionary ? scan_add(scan, (uint32_t)added->offset, scan->key) : 0;
}

static int read_entry(struct scan *scan, const uint8_t *entry)
{
	int err = 0;

	if ((entry[11] & 0x3f) == ATTRIBUTE_LONG && entry[0] != DELETED) {
		fat_long_name_add(&scan->long_name, entry);
		return 0;
	}
	if (entry[0] != DELETED && !(entry[11] & ATTRIBUTE_LABEL)) {
		fat_name(entry, &scan->long_name, scan->name);
		if (strcmp(scan->name, ".") != 0 && strcmp(scan->name, "..") != 0)
			err = add_entry(scan, entry);
	}
	scan->long_name.begun = false;
	return err;
}

static int read_directory(struct scan *scan)
{
	const uint8_t *entry;
	int more = fat_directory_open(&scan->directory, &scan->fat->volume, scan->found[scan->read].cluster);

	scan->long_name.begun = false;
	if (more < 0)
		return more;
	while ((more = fat_directory_next(&scan->directory, &entry)) > 0) {
		int err = read_entry(scan, entry);

		if (err)
			return err;
	}
	return more;
}

static int read_directories(struct fat *fat)
{
	struct scan *scan = calloc(1, sizeof *scan);
	int err;

	if (!scan)
		return -ENOMEM;
	scan->fat = fat;
	err = scan_add(scan, 0, "");
	for (; err == 0 && scan->read < scan->count; scan->read++)
		err = read_directory(scan);
	for (size_t i = 0; i < scan->count; i++)
		free(scan->found[i].key);
	free(scan->found);
	free(scan);
	return err;
}

int kv_fat_open(struct kv_image image, struct kv **kv)
{
	struct fat *fat = calloc(1, sizeof *fat);
	int err;

	if (!fat)
		return -ENOMEM;
	fat->kv.ops = &fat_ops;
	err = fat_volume_init(&fat->volume, image);
	if (err == 0)
		err = read_directories(fat);
	if (err)
		fat_close(&fat->kv);
	else
		*kv = &fat->kv;
	return err;
}
