/* SPDX-License-Identifier: ISC
 *
 * An index of keys in memory, ordered so that what lies below a key follows it: for stores that know all their keys.
 */
#ifndef KV_FLAT_H
#define KV_FLAT_H

#include <stdbool.h>

#include "store.h"

struct flat_entry {
	char *key; /* checked by kv_key_check(); its own allocation */
	bool dictionary;
	uint64_t size, modified_ns;
	uint64_t offset;     /* for a store on an image */
	const uint8_t *data; /* for one in memory */
};

struct flat {
	struct flat_entry **entries;
	size_t count, room;
	size_t entry_bytes; /* of what a store keeps, which begins with struct flat_entry; 0: just that */
};

/* Takes the place for this key and gives it, new (all zero but the key, which is copied) or as it is. NULL: no memory.
 * It stays where it is until it is removed. */
struct flat_entry *flat_insert(struct flat *flat, const char *key, size_t len);

/* The entry of exactly this key, or NULL. */
struct flat_entry *flat_get(const struct flat *flat, const char *key);

/* As in struct kv_ops: dictionaries are those with an entry of their own, and those that something lies in. */
int flat_find(const struct flat *flat, const char *key, struct kv_status *status);
int flat_list(const struct flat *flat, const char *key, struct kv_names *names);

/* The entries of key and below it: the index of the first; *count of them. */
size_t flat_subtree(const struct flat *flat, const char *key, size_t *count);

/* Takes entries out and frees them. */
void flat_remove(struct flat *flat, size_t first, size_t count);
void flat_fini(struct flat *flat);

/* Moving a key and all below it, in two steps: what can fail, and what cannot. Between them nothing is inserted, and
 * what is at the target is removed. What begin has given is freed by fini. */
struct flat_move {
	struct flat_entry **entries; /* count of them, in order */
	char **keys;                 /* that they get */
	size_t count;
};
/* 0, -ENOMEM, -ENAMETOOLONG. */
int flat_move_begin(const struct flat *flat, const char *from, const char *to, struct flat_move *move);
void flat_move_end(struct flat *flat, struct flat_move *move);
void flat_move_fini(struct flat_move *move);

#endif
