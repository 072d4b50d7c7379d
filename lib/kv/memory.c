/* SPDX-License-Identifier: ISC
 *
 * A key-value store in memory, read and written. Dictionaries are what the keys of values imply. What keys and values
 * take, with BYTES_PER_KEY for each, never goes beyond the limit that the store was opened with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/clock.h>

#include "flat.h"

enum { BYTES_PER_KEY = 128 }; /* of index and allocator, about: so that many empty values are limited too */

struct memory {
	struct kv kv;
	struct flat flat;
	size_t max_bytes, used_bytes;
};

static struct memory *memory_of(struct kv *kv)
{
	return (struct memory *)kv;
}

static size_t entry_bytes(const struct flat_entry *entry)
{
	return BYTES_PER_KEY + strlen(entry->key) + (size_t)entry->size;
}

static int memory_find(struct kv *kv, const char *key, struct kv_status *status)
{
	return flat_find(&memory_of(kv)->flat, key, status);
}

static int memory_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size)
{
	memcpy(buf, flat_get(&memory_of(kv)->flat, key)->data + offset, size);
	return 0;
}

static int memory_list(struct kv *kv, const char *key, struct kv_names *names)
{
	return flat_list(&memory_of(kv)->flat, key, names);
}

static void free_data(struct flat_entry *entry)
{
	free((void *)(uintptr_t)entry->data);
}

static int memory_set(struct kv *kv, const char *key, const void *value, size_t len)
{
	struct memory *memory = memory_of(kv);
	size_t key_len = strlen(key), used = memory->used_bytes;
	struct kv_status status;
	struct flat_entry *entry;
	uint8_t *data;
	int err = flat_find(&memory->flat, key, &status);

	if (err == 0 && status.kind == KV_DICTIONARY)
		return -EISDIR;
	if (err && err != -ENOENT)
		return err;
	used -= err == 0 ? entry_bytes(flat_get(&memory->flat, key)) : 0;
	if (len > memory->max_bytes || used + BYTES_PER_KEY + key_len > memory->max_bytes - len)
		return -ENOSPC;
	data = malloc(len ? len : 1);
	entry = data ? flat_insert(&memory->flat, key, key_len) : NULL;
	if (!entry) {
		free(data);
		return -ENOMEM;
	}
	if (len)
		memcpy(data, value, len);
	free_data(entry);
	entry->data = data;
	entry->size = len;
	entry->modified_ns = clock_wall();
	memory->used_bytes = used + entry_bytes(entry);
	return 0;
}

static int memory_remove(struct kv *kv, const char *key)
{
	struct memory *memory = memory_of(kv);
	struct kv_status status;
	size_t first, count;
	int err = flat_find(&memory->flat, key, &status);

	if (err)
		return err;
	first = flat_subtree(&memory->flat, key, &count);
	for (size_t i = first; i < first + count; i++) {
		memory->used_bytes -= entry_bytes(&memory->flat.entries[i]);
		free_data(&memory->flat.entries[i]);
	}
	flat_remove(&memory->flat, first, count);
	return 0;
}

/* Whether what is at the source can go to the target: as rename() of POSIX has it. */
static int check_rename(const struct flat *flat, const char *from, const char *to)
{
	struct kv_status source, target;
	int err = flat_find(flat, from, &source);

	if (err)
		return err;
	err = flat_find(flat, to, &target);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (source.kind == target.kind)
		return source.kind == KV_DICTIONARY ? -EEXIST : 0;
	return source.kind == KV_DICTIONARY ? -ENOTDIR : -EISDIR;
}

/* The keys that count entries from first on get when their first from_len bytes become `to`. */
static int make_keys(const struct flat *flat, size_t first, size_t count, size_t from_len, const char *to, char **keys)
{
	size_t to_len = strlen(to);

	for (size_t i = 0; i < count; i++) {
		const char *rest = flat->entries[first + i].key + from_len, *key;
		size_t rest_len = strlen(rest);

		keys[i] = malloc(to_len + rest_len + 1);
		if (!keys[i])
			return -ENOMEM;
		memcpy(keys[i], to, to_len);
		memcpy(keys[i] + to_len, rest, rest_len + 1);
		if (kv_key_check(keys[i], &key) < 0)
			return -ENAMETOOLONG;
	}
	return 0;
}

/* All new keys are made before the first old one goes, so that nothing has changed when memory runs out. */
static int move(struct memory *memory, const char *from, const char *to)
{
	struct flat *flat = &memory->flat;
	size_t from_len = strlen(from), to_len = strlen(to), count;
	size_t first = flat_subtree(flat, from, &count);
	const struct flat_entry *replaced = flat_get(flat, to);
	size_t room = memory->max_bytes - memory->used_bytes + (replaced ? entry_bytes(replaced) : 0);
	char **keys = calloc(count, sizeof *keys);
	int err = keys ? make_keys(flat, first, count, from_len, to, keys) : -ENOMEM;

	if (err == 0 && to_len > from_len && count * (to_len - from_len) > room)
		err = -ENOSPC;
	if (err == 0 && replaced) {
		memory_remove(&memory->kv, to);
		first = flat_subtree(flat, from, &count);
	}
	for (size_t i = 0; keys && i < count; i++) {
		char *old = flat->entries[first + i].key;

		free(err ? keys[i] : old);
		if (err == 0)
			flat->entries[first + i].key = keys[i];
	}
	free(keys);
	if (err)
		return err;
	memory->used_bytes += count * to_len - count * from_len;
	flat_sort(flat);
	return 0;
}

static int memory_rename(struct kv *kv, const char *from, const char *to)
{
	int err = check_rename(&memory_of(kv)->flat, from, to);

	return err || strcmp(from, to) == 0 ? err : move(memory_of(kv), from, to);
}

static void memory_close(struct kv *kv)
{
	struct memory *memory = memory_of(kv);

	for (size_t i = 0; i < memory->flat.count; i++)
		free_data(&memory->flat.entries[i]);
	flat_fini(&memory->flat);
	free(memory);
}

static const struct kv_ops memory_ops = {
	.find = memory_find,
	.read = memory_read,
	.list = memory_list,
	.set = memory_set,
	.remove = memory_remove,
	.rename = memory_rename,
	.close = memory_close,
};

int kv_memory_open(size_t max_bytes, struct kv **kv)
{
	struct memory *memory = calloc(1, sizeof *memory);

	if (!memory)
		return -ENOMEM;
	memory->kv.ops = &memory_ops;
	memory->max_bytes = max_bytes;
	*kv = &memory->kv;
	return 0;
}
