/* SPDX-License-Identifier: ISC
 *
 * A key-value store from inside: what each kind of store implements, and kv.c calls with keys that it has checked: no
 * '/' at either end, no name that is empty, "." or "..", within KV_KEY_MAX and KV_DEPTH_MAX; "" is the root.
 */
#ifndef KV_STORE_H
#define KV_STORE_H

#include <skerry/kv.h>

struct kv_status {
	enum kv_kind kind;
	uint64_t size; /* of a value */
	uint64_t modified_ns;
};

/* Takes the name (len bytes, copied) of something in a dictionary. 0, or an error that ends the listing. */
struct kv_names;
int kv_names_add(struct kv_names *names, const char *name, size_t len, enum kv_kind kind);

struct kv_ops {
	int (*find)(struct kv *kv, const char *key, struct kv_status *status);
	/* Of a value; offset + size lies within it, size is not 0. All or an error. */
	int (*read)(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size);
	/* Of a dictionary: names in any order; of several of one name the first counts. */
	int (*list)(struct kv *kv, const char *key, struct kv_names *names);
	/* NULL, all three, in a store that is read-only. */
	/* Of a value, or of a key that can become one. */
	int (*set)(struct kv *kv, const char *key, const void *value, size_t len);
	/* Of what is there, or of the root. */
	int (*remove)(struct kv *kv, const char *key);
	/* Of what is there, to where nothing is, or of a value to another; the keys differ, and none is "". */
	int (*rename)(struct kv *kv, const char *from, const char *to);
	void (*close)(struct kv *kv);
};

/* First member of each kind of store. */
struct kv {
	const struct kv_ops *ops;
};

/* Whether text is a key; *key is then the key without a '/' at the front. 0, -EINVAL, -ENAMETOOLONG. */
int kv_key_check(const char *text, const char **key);

#endif
