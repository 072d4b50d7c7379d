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
	struct flat_entry *entry = flat_get(&memory->flat, key);
	uint8_t *data;

	used -= entry ? entry_bytes(entry) : 0;
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
	size_t count, first = flat_subtree(&memory->flat, key, &count);

	for (size_t i = first; i < first + count; i++) {
		memory->used_bytes -= entry_bytes(memory->flat.entries[i]);
		free_data(memory->flat.entries[i]);
	}
	flat_remove(&memory->flat, first, count);
	return 0;
}

static int memory_rename(struct kv *kv, const char *from, const char *to)
{
	struct memory *memory = memory_of(kv);
	size_t from_len = strlen(from), to_len = strlen(to), room = memory->max_bytes - memory->used_bytes;
	const struct flat_entry *replaced = flat_get(&memory->flat, to);
	struct flat_move move;
	int err = flat_move_begin(&memory->flat, from, to, &move);

	if (err)
		return err;
	room += replaced ? entry_bytes(replaced) : 0;
	if (to_len > from_len && move.count * (to_len - from_len) > room) {
		flat_move_fini(&move);
		return -ENOSPC;
	}
	if (replaced)
		memory_remove(kv, to);
	memory->used_bytes += move.count * to_len - move.count * from_len;
	flat_move_end(&memory->flat, &move);
	flat_move_fini(&move);
	return 0;
}

static void memory_close(struct kv *kv)
{
	struct memory *memory = memory_of(kv);

	for (size_t i = 0; i < memory->flat.count; i++)
		free_data(memory->flat.entries[i]);
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
