/* SPDX-License-Identifier: ISC
 *
 * A read-only key-value store of files that are part of the image. Values are read where they lie; the index of their
 * names is made when the store is opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/crunch.h>

#include "flat.h"

struct crunch {
	struct kv kv;
	struct flat flat;
};

static struct crunch *crunch_of(struct kv *kv)
{
	return (struct crunch *)kv;
}

static int crunch_find(struct kv *kv, const char *key, struct kv_status *status)
{
	return flat_find(&crunch_of(kv)->flat, key, status);
}

static int crunch_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size)
{
	memcpy(buf, flat_get(&crunch_of(kv)->flat, key)->data + offset, size);
	return 0;
}

static int crunch_list(struct kv *kv, const char *key, struct kv_names *names)
{
	return flat_list(&crunch_of(kv)->flat, key, names);
}

static void crunch_close(struct kv *kv)
{
	flat_fini(&crunch_of(kv)->flat);
	free(kv);
}

static const struct kv_ops crunch_ops = {
	.find = crunch_find, .read = crunch_read, .list = crunch_list, .close = crunch_close
};

static int add_file(struct flat *flat, const struct crunched_file *file, const char *prefix)
{
	size_t prefix_len = strlen(prefix), before = flat->count;
	struct flat_entry *entry;
	const char *key;
	int err;

	if (strncmp(file->name, prefix, prefix_len) != 0)
		return -EINVAL;
	err = kv_key_check(file->name + prefix_len, &key);
	if (err || !*key)
		return err ? err : -EINVAL;
	entry = flat_insert(flat, key, strlen(key));
	if (!entry)
		return -ENOMEM;
	if (flat->count == before)
		return -EEXIST;
	entry->data = file->data;
	entry->size = file->len;
	return 0;
}

int kv_crunch_open(const struct crunched_file *const *files, size_t count, const char *prefix, struct kv **kv)
{
	struct crunch *crunch = calloc(1, sizeof *crunch);
	int err = 0;

	if (!crunch)
		return -ENOMEM;
	crunch->kv.ops = &crunch_ops;
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_file(&crunch->flat, files[i], prefix);
	if (err)
		crunch_close(&crunch->kv);
	else
		*kv = &crunch->kv;
	return err;
}
