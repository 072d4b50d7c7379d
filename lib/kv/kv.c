/* SPDX-License-Identifier: ISC
 *
 * Key-value stores: what is the same for all kinds. Keys are checked here, and here whole values, ordered lists,
 * digests and times of dictionaries are made from the few operations of a store.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bearssl.h>

#include "store.h"

static bool is_name(const char *name, size_t len)
{
	return len > 0 && !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

int kv_key_check(const char *text, const char **key)
{
	const char *name = text + (*text == '/');
	size_t depth = 0;

	if (strnlen(name, KV_KEY_MAX + 1) > KV_KEY_MAX)
		return -ENAMETOOLONG;
	*key = name;
	while (*name || depth > 0) {
		size_t len = strcspn(name, "/");

		if (!is_name(name, len))
			return -EINVAL;
		if (++depth > KV_DEPTH_MAX)
			return -ENAMETOOLONG;
		name += len;
		if (!*name++)
			break;
	}
	return 0;
}

static int find(struct kv *kv, const char *text, const char **key, struct kv_status *status)
{
	int err = kv_key_check(text, key);

	return err ? err : kv->ops->find(kv, *key, status);
}

static int find_value(struct kv *kv, const char *text, const char **key, struct kv_status *status)
{
	int err = find(kv, text, key, status);

	return err == 0 && status->kind == KV_DICTIONARY ? -EISDIR : err;
}

int kv_exists(struct kv *kv, const char *text, enum kv_kind *kind)
{
	struct kv_status status;
	const char *key;
	int err = find(kv, text, &key, &status);

	if (err == 0)
		*kind = status.kind;
	return err;
}

int kv_size(struct kv *kv, const char *text, uint64_t *size)
{
	struct kv_status status;
	const char *key;
	int err = find_value(kv, text, &key, &status);

	if (err == 0)
		*size = status.size;
	return err;
}

ssize_t kv_read(struct kv *kv, const char *text, uint64_t offset, void *buf, size_t size)
{
	struct kv_status status;
	const char *key;
	int err = find_value(kv, text, &key, &status);

	if (err)
		return err;
	if (offset >= status.size)
		return 0;
	if (size > status.size - offset)
		size = (size_t)(status.size - offset);
	if (size > SSIZE_MAX)
		size = SSIZE_MAX;
	err = size ? kv->ops->read(kv, key, offset, buf, size) : 0;
	return err ? err : (ssize_t)size;
}

int kv_get(struct kv *kv, const char *text, uint8_t **value, size_t *len)
{
	struct kv_status status;
	const char *key;
	uint8_t *bytes;
	int err = find_value(kv, text, &key, &status);

	if (err)
		return err;
	bytes = status.size < SIZE_MAX ? malloc((size_t)status.size + 1) : NULL;
	if (!bytes)
		return -ENOMEM;
	err = status.size ? kv->ops->read(kv, key, 0, bytes, (size_t)status.size) : 0;
	if (err) {
		free(bytes);
		return err;
	}
	bytes[status.size] = 0;
	*value = bytes;
	*len = (size_t)status.size;
	return 0;
}

/* Lists ------------------------------------------------------------------------------------------------------- */

struct kv_names {
	struct kv_entry *entries;
	size_t count, room;
};

int kv_names_add(struct kv_names *names, const char *name, size_t len, enum kv_kind kind)
{
	char *copy;

	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 16;
		struct kv_entry *more = realloc(names->entries, room * sizeof *more);

		if (!more)
			return -ENOMEM;
		names->entries = more;
		names->room = room;
	}
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, name, len);
	copy[len] = '\0';
	names->entries[names->count++] = (struct kv_entry){ copy, kind };
	return 0;
}

void kv_list_free(struct kv_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entries[i].name);
	free(list->entries);
	*list = (struct kv_list){ 0 };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct kv_entry *)a)->name, ((const struct kv_entry *)b)->name);
}

static void drop_repeated(struct kv_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (kept && strcmp(list->entries[kept - 1].name, list->entries[i].name) == 0)
			free(list->entries[i].name);
		else
			list->entries[kept++] = list->entries[i];
	}
	list->count = kept;
}

static int list_key(struct kv *kv, const char *key, struct kv_list *list)
{
	struct kv_names names = { 0 };
	int err = kv->ops->list(kv, key, &names);
	struct kv_list found = { names.entries, names.count };

	if (err) {
		kv_list_free(&found);
		return err;
	}
	if (found.count)
		qsort(found.entries, found.count, sizeof *found.entries, by_name);
	drop_repeated(&found);
	*list = found;
	return 0;
}

int kv_list(struct kv *kv, const char *text, struct kv_list *list)
{
	struct kv_status status;
	const char *key;
	int err = find(kv, text, &key, &status);

	if (err)
		return err;
	return status.kind == KV_DICTIONARY ? list_key(kv, key, list) : -ENOTDIR;
}

/* Of trees ---------------------------------------------------------------------------------------------------- */

/* A key that grows and shrinks as a tree is walked. */
struct path {
	char key[KV_KEY_MAX + 1];
	size_t len, depth;
};

/* Goes down to name. Returns the length to go back to, or -ENAMETOOLONG. */
static ssize_t path_push(struct path *path, const char *name)
{
	size_t before = path->len, len = strlen(name), slash = before > 0;

	if (before + slash + len > KV_KEY_MAX || path->depth == KV_DEPTH_MAX)
		return -ENAMETOOLONG;
	if (slash)
		path->key[before] = '/';
	memcpy(path->key + before + slash, name, len + 1);
	path->len = before + slash + len;
	path->depth++;
	return (ssize_t)before;
}

static void path_pop(struct path *path, ssize_t len)
{
	path->len = (size_t)len;
	path->key[len] = '\0';
	path->depth--;
}

/* A walk below the given key, or NULL when memory is out. Not on a task's stack, which may be small. */
static struct path *path_new(const char *key)
{
	struct path *path = calloc(1, sizeof *path);

	if (!path)
		return NULL;
	path->len = strlen(key);
	memcpy(path->key, key, path->len + 1);
	for (const char *c = key; *c; c++)
		path->depth += *c == '/';
	path->depth += *key != '\0';
	return path;
}

static int latest_in(struct kv *kv, struct path *path, uint64_t *wall_ns)
{
	struct kv_list list;
	uint64_t latest = 0;
	int err = list_key(kv, path->key, &list);

	if (err)
		return err;
	for (size_t i = 0; err == 0 && i < list.count; i++) {
		struct kv_status status;
		ssize_t before = path_push(path, list.entries[i].name);

		err = before < 0 ? (int)before : kv->ops->find(kv, path->key, &status);
		if (err == 0 && status.modified_ns > latest)
			latest = status.modified_ns;
		if (before >= 0)
			path_pop(path, before);
	}
	kv_list_free(&list);
	if (err == 0)
		*wall_ns = latest;
	return err;
}

int kv_last_modified(struct kv *kv, const char *text, uint64_t *wall_ns)
{
	struct kv_status status;
	const char *key;
	struct path *path;
	int err = find(kv, text, &key, &status);

	if (err)
		return err;
	if (status.kind == KV_VALUE) {
		*wall_ns = status.modified_ns;
		return 0;
	}
	path = path_new(key);
	err = path ? latest_in(kv, path, wall_ns) : -ENOMEM;
	free(path);
	return err;
}

static int hash_value(struct kv *kv, const char *key, uint64_t size, br_sha256_context *hash)
{
	enum { PIECE = 4096 };
	uint8_t *piece = malloc(PIECE);
	int err = piece ? 0 : -ENOMEM;

	for (uint64_t at = 0; err == 0 && at < size;) {
		size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;

		err = kv->ops->read(kv, key, at, piece, len);
		if (err == 0)
			br_sha256_update(hash, piece, len);
		at += len;
	}
	free(piece);
	return err;
}

static int digest_at(struct kv *kv, struct path *path, uint8_t digest[KV_DIGEST_LEN]);

static int hash_dictionary(struct kv *kv, struct path *path, br_sha256_context *hash)
{
	struct kv_list list;
	int err = list_key(kv, path->key, &list);

	if (err)
		return err;
	for (size_t i = 0; err == 0 && i < list.count; i++) {
		const struct kv_entry *entry = &list.entries[i];
		uint8_t digest[KV_DIGEST_LEN];
		ssize_t before = path_push(path, entry->name);

		err = before < 0 ? (int)before : digest_at(kv, path, digest);
		if (err == 0) {
			br_sha256_update(hash, entry->kind == KV_DICTIONARY ? "d" : "v", 1);
			br_sha256_update(hash, entry->name, strlen(entry->name) + 1);
			br_sha256_update(hash, digest, sizeof digest);
		}
		if (before >= 0)
			path_pop(path, before);
	}
	kv_list_free(&list);
	return err;
}

/* Calls itself for each level of a tree, which KV_DEPTH_MAX bounds. */
static int digest_at(struct kv *kv, struct path *path, uint8_t digest[KV_DIGEST_LEN])
{
	br_sha256_context hash;
	struct kv_status status;
	int err = kv->ops->find(kv, path->key, &status);

	if (err)
		return err;
	br_sha256_init(&hash);
	err = status.kind == KV_VALUE ? hash_value(kv, path->key, status.size, &hash)
				      : hash_dictionary(kv, path, &hash);
	if (err == 0)
		br_sha256_out(&hash, digest);
	return err;
}

int kv_digest(struct kv *kv, const char *text, uint8_t digest[KV_DIGEST_LEN])
{
	const char *key;
	struct path *path;
	int err = kv_key_check(text, &key);

	if (err)
		return err;
	path = path_new(key);
	err = path ? digest_at(kv, path, digest) : -ENOMEM;
	free(path);
	return err;
}

/* Writing ----------------------------------------------------------------------------------------------------- */

int kv_set(struct kv *kv, const char *text, const void *value, size_t len)
{
	struct kv_status status;
	const char *key;
	int err = kv_key_check(text, &key);

	if (err)
		return err;
	if (!kv->ops->set)
		return -EROFS;
	err = kv->ops->find(kv, key, &status);
	if (err == 0 && status.kind == KV_DICTIONARY)
		return -EISDIR;
	return err == 0 || err == -ENOENT ? kv->ops->set(kv, key, value, len) : err;
}

int kv_remove(struct kv *kv, const char *text)
{
	struct kv_status status;
	const char *key;
	int err = kv_key_check(text, &key);

	if (err)
		return err;
	if (!kv->ops->remove)
		return -EROFS;
	err = kv->ops->find(kv, key, &status);
	return err ? err : kv->ops->remove(kv, key);
}

/* Whether what is at the source can go to the target: as rename() of POSIX has it. */
static int check_rename(struct kv *kv, const char *from, const char *to)
{
	struct kv_status source, target;
	int err = kv->ops->find(kv, from, &source);

	if (err)
		return err;
	err = kv->ops->find(kv, to, &target);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (source.kind == target.kind)
		return source.kind == KV_DICTIONARY ? -EEXIST : 0;
	return source.kind == KV_DICTIONARY ? -ENOTDIR : -EISDIR;
}

int kv_rename(struct kv *kv, const char *from, const char *to)
{
	const char *source, *target;
	size_t len;
	int err = kv_key_check(from, &source);

	if (err == 0)
		err = kv_key_check(to, &target);
	if (err)
		return err;
	if (!kv->ops->rename)
		return -EROFS;
	len = strlen(source);
	if (len == 0 || (strncmp(source, target, len) == 0 && target[len] == '/'))
		return -EINVAL;
	if (!*target)
		return -EEXIST;
	err = check_rename(kv, source, target);
	return err || strcmp(source, target) == 0 ? err : kv->ops->rename(kv, source, target);
}

void kv_close(struct kv *kv)
{
	if (kv)
		kv->ops->close(kv);
}
