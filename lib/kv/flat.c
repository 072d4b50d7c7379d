/* SPDX-License-Identifier: ISC
 *
 * An index of keys in memory: an array in the order of the keys with '/' below every other byte, so that a dictionary
 * and all that lies in it are one range. Finding is a binary search for each name of the key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flat.h"

/* The place of a byte in the order: the end, then '/', then all others. */
static int rank(const char *key, size_t at, size_t len)
{
	if (at == len)
		return -1;
	return key[at] == '/' ? 0 : (unsigned char)key[at];
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = 0;

	while (i < a_len && i < b_len && a[i] == b[i])
		i++;
	return rank(a, i, a_len) - rank(b, i, b_len);
}

/* The index of the first entry that is not below the key, in entries from first on. */
static size_t lower_bound(const struct flat *flat, size_t first, const char *key, size_t len)
{
	size_t last = flat->count;

	while (first < last) {
		size_t middle = first + (last - first) / 2;
		const char *other = flat->entries[middle]->key;

		if (compare(other, strlen(other), key, len) < 0)
			first = middle + 1;
		else
			last = middle;
	}
	return first;
}

static bool is_at(const struct flat *flat, size_t index, const char *key, size_t len)
{
	const char *other = index < flat->count ? flat->entries[index]->key : NULL;

	return other && strncmp(other, key, len) == 0 && !other[len];
}

static bool is_below(const struct flat *flat, size_t index, const char *key, size_t len)
{
	const char *other = index < flat->count ? flat->entries[index]->key : NULL;

	return other && (len == 0 || (strncmp(other, key, len) == 0 && other[len] == '/'));
}

static int grow(struct flat *flat)
{
	size_t room = flat->room ? 2 * flat->room : 16;
	struct flat_entry **entries;

	if (flat->count < flat->room)
		return 0;
	entries = realloc(flat->entries, room * sizeof *entries);
	if (!entries)
		return -ENOMEM;
	flat->entries = entries;
	flat->room = room;
	return 0;
}

static struct flat_entry *entry_new(size_t bytes, const char *key, size_t len)
{
	struct flat_entry *entry = calloc(1, bytes ? bytes : sizeof *entry);

	if (!entry)
		return NULL;
	entry->key = malloc(len + 1);
	if (!entry->key) {
		free(entry);
		return NULL;
	}
	memcpy(entry->key, key, len);
	entry->key[len] = '\0';
	return entry;
}

static void entry_free(struct flat_entry *entry)
{
	free(entry->key);
	free(entry);
}

struct flat_entry *flat_insert(struct flat *flat, const char *key, size_t len)
{
	size_t index = lower_bound(flat, 0, key, len);
	struct flat_entry *entry;

	if (is_at(flat, index, key, len))
		return flat->entries[index];
	entry = grow(flat) == 0 ? entry_new(flat->entry_bytes, key, len) : NULL;
	if (!entry)
		return NULL;
	memmove(flat->entries + index + 1, flat->entries + index, (flat->count++ - index) * sizeof entry);
	flat->entries[index] = entry;
	return entry;
}

struct flat_entry *flat_get(const struct flat *flat, const char *key)
{
	size_t len = strlen(key), index = lower_bound(flat, 0, key, len);

	return is_at(flat, index, key, len) ? flat->entries[index] : NULL;
}

int flat_find(const struct flat *flat, const char *key, struct kv_status *status)
{
	size_t len = 0, index = 0;

	/* From the root down, so that nothing is found below a value. */
	for (;;) {
		const struct flat_entry *entry = NULL;

		if (len > 0) {
			index = lower_bound(flat, index, key, len);
			if (is_at(flat, index, key, len))
				entry = flat->entries[index];
			else if (!is_below(flat, index, key, len))
				return -ENOENT;
		}
		if (entry && !entry->dictionary && key[len])
			return -ENOTDIR;
		if (!key[len]) {
			*status = (struct kv_status){ .kind = KV_DICTIONARY };
			if (entry && !entry->dictionary)
				*status = (struct kv_status){ KV_VALUE, entry->size, entry->modified_ns };
			return 0;
		}
		len += len > 0;
		len += strcspn(key + len, "/");
	}
}

int flat_list(const struct flat *flat, const char *key, struct kv_names *names)
{
	size_t len = strlen(key), index = lower_bound(flat, 0, key, len), skip = len + (len > 0), last_len = 0;
	const char *last = NULL;

	if (is_at(flat, index, key, len))
		index++;
	for (; is_below(flat, index, key, len); index++) {
		const struct flat_entry *entry = flat->entries[index];
		const char *name = entry->key + skip;
		size_t name_len = strcspn(name, "/");
		bool dictionary = entry->dictionary || name[name_len];
		int err;

		if (last && name_len == last_len && memcmp(name, last, name_len) == 0)
			continue;
		err = kv_names_add(names, name, name_len, dictionary ? KV_DICTIONARY : KV_VALUE);
		if (err)
			return err;
		last = name;
		last_len = name_len;
	}
	return 0;
}

size_t flat_subtree(const struct flat *flat, const char *key, size_t *count)
{
	size_t len = strlen(key), first = lower_bound(flat, 0, key, len), last = first;

	while (is_at(flat, last, key, len) || is_below(flat, last, key, len))
		last++;
	*count = last - first;
	return first;
}

void flat_remove(struct flat *flat, size_t first, size_t count)
{
	struct flat_entry **entries = flat->entries + first;

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		entry_free(entries[i]);
	memmove(entries, entries + count, (flat->count - first - count) * sizeof *entries);
	flat->count -= count;
}

void flat_fini(struct flat *flat)
{
	flat_remove(flat, 0, flat->count);
	free(flat->entries);
	*flat = (struct flat){ 0 };
}

/* Moving ------------------------------------------------------------------------------------------------------ */

void flat_move_fini(struct flat_move *move)
{
	for (size_t i = 0; i < move->count; i++)
		free(move->keys[i]);
	free(move->keys);
	free(move->entries);
}

/* The key of an entry below `from` when that becomes `to`. */
static int make_key(const struct flat_entry *entry, size_t from_len, const char *to, char **key)
{
	const char *rest = entry->key + from_len, *checked;
	size_t to_len = strlen(to), rest_len = strlen(rest);

	*key = malloc(to_len + rest_len + 1);
	if (!*key)
		return -ENOMEM;
	memcpy(*key, to, to_len);
	memcpy(*key + to_len, rest, rest_len + 1);
	return kv_key_check(*key, &checked);
}

int flat_move_begin(const struct flat *flat, const char *from, const char *to, struct flat_move *move)
{
	size_t count, first = flat_subtree(flat, from, &count), from_len = strlen(from);
	int err = 0;

	*move = (struct flat_move){ calloc(count, sizeof *move->entries), calloc(count, sizeof *move->keys), 0 };
	if (!move->entries || !move->keys)
		err = -ENOMEM;
	while (err == 0 && move->count < count) {
		move->entries[move->count] = flat->entries[first + move->count];
		err = make_key(flat->entries[first + move->count], from_len, to, &move->keys[move->count]);
		move->count++;
	}
	if (err)
		flat_move_fini(move);
	return err;
}

static int by_key(const void *a, const void *b)
{
	const char *left = (*(struct flat_entry *const *)a)->key, *right = (*(struct flat_entry *const *)b)->key;

	return compare(left, strlen(left), right, strlen(right));
}

void flat_move_end(struct flat *flat, struct flat_move *move)
{
	for (size_t i = 0; i < move->count; i++) {
		free(move->entries[i]->key);
		move->entries[i]->key = move->keys[i];
		move->keys[i] = NULL;
	}
	qsort(flat->entries, flat->count, sizeof *flat->entries, by_key);
}
