/* SPDX-License-Identifier: ISC
 *
 * A key-value store on a block device, as a log. What is asked is answered from the index; what is changed is written
 * and settled before the index is, so that an error changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/clock.h>
#include <skerry/log.h>
#include <skerry/random.h>

#include "log.h"

LOG_SOURCE(kv);

static struct log *log_of(struct kv *kv)
{
	return (struct log *)kv;
}

/* Reading ----------------------------------------------------------------------------------------------------- */

static int log_find(struct kv *kv, const char *key, struct kv_status *status)
{
	return flat_find(&log_of(kv)->flat, key, status);
}

static int log_list(struct kv *kv, const char *key, struct kv_names *names)
{
	return flat_list(&log_of(kv)->flat, key, names);
}

static int log_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size)
{
	struct log *log = log_of(kv);
	const struct log_value *value = (const struct log_value *)flat_get(&log->flat, key);

	return log_record_read(log, value->flat.offset, value->seal, value->value_at + offset, buf, size);
}

/* Writing ----------------------------------------------------------------------------------------------------- */

static int write_and_settle(struct log *log, struct log_record *record, const void *value)
{
	int err = log_append(log, record, value, NULL);

	return err ? err : log_settle(log);
}

static void doom(const struct log *log, size_t first, size_t count, bool doomed)
{
	for (size_t i = first; i < first + count; i++)
		((struct log_value *)log->flat.entries[i])->doomed = doomed;
}

static void drop(struct log *log, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		log_discount(log, (struct log_value *)log->flat.entries[i]);
		log_unlink(log, (struct log_value *)log->flat.entries[i]);
	}
	flat_remove(&log->flat, first, count);
}

static int set_value(struct log *log, const char *key, const void *bytes, size_t len, bool is_new)
{
	size_t count, first = flat_subtree(&log->flat, key, &count);
	struct log_value *value = (struct log_value *)log->flat.entries[first];
	struct log_record record = {
		.kind = LOG_SET,
		.key = key,
		.key_len = strlen(key),
		.value_len = len,
		.modified_ns = clock_wall(),
	};
	uint64_t sectors = log_sectors(log, record.key_len, len);
	int err = log_fits(log, sectors, sectors) ? log_make_room(log, sectors, 0, sectors) : -ENOSPC;

	if (err)
		return err;
	doom(log, first, 1, true);
	err = write_and_settle(log, &record, bytes);
	doom(log, first, 1, false);
	if (err)
		return err;
	if (!is_new) {
		log_discount(log, value);
		log_unlink(log, value);
	}
	log_place(log, value, &record);
	log_count(log, value);
	return 0;
}

static int log_set(struct kv *kv, const char *key, const void *bytes, size_t len)
{
	struct log *log = log_of(kv);
	bool is_new = !flat_get(&log->flat, key);
	int err;

	if (len > log->sectors * log->block->info.sector_bytes || (is_new && log->flat.count == KV_LOG_KEYS_MAX))
		return -ENOSPC;
	if (!flat_insert(&log->flat, key, strlen(key)))
		return -ENOMEM;
	err = set_value(log, key, bytes, len, is_new);
	if (err && is_new) {
		size_t count, first = flat_subtree(&log->flat, key, &count);

		flat_remove(&log->flat, first, count);
	}
	return err;
}

static int log_remove(struct kv *kv, const char *key)
{
	struct log *log = log_of(kv);
	size_t count, first = flat_subtree(&log->flat, key, &count);
	struct log_record record = {
		.kind = LOG_REMOVE, .key = key, .key_len = strlen(key), .modified_ns = clock_wall()
	};
	int err;

	if (count == 0) /* an empty root */
		return 0;
	err = log_make_room(log, log_sectors(log, record.key_len, 0), 0, 0);
	if (err)
		return err;
	doom(log, first, count, true);
	err = write_and_settle(log, &record, NULL);
	doom(log, first, count, false);
	if (err == 0)
		drop(log, first, count);
	return err;
}

/* The sectors that values take more under their new keys, and the most that one takes. */
static uint64_t grown(const struct log *log, const struct flat_move *move, uint64_t *largest)
{
	uint64_t before = 0, after = 0;

	*largest = 0;
	for (size_t i = 0; i < move->count; i++) {
		const struct flat_entry *entry = move->entries[i];
		uint64_t sectors = log_sectors(log, strlen(move->keys[i]), entry->size);

		before += log_sectors(log, strlen(entry->key), entry->size);
		after += sectors;
		*largest = sectors > *largest ? sectors : *largest;
	}
	return after > before ? after - before : 0;
}

static int write_rename(struct log *log, const char *from, const char *to, const struct flat_move *move)
{
	size_t replaced, first;
	struct log_record record = {
		.kind = LOG_RENAME,
		.key = from,
		.key_len = strlen(from),
		.value_len = strlen(to),
		.modified_ns = clock_wall(),
	};
	uint64_t largest, more = grown(log, move, &largest), sectors;
	int err = 0;

	sectors = log_sectors(log, record.key_len, record.value_len);
	if (more > 0 && !log_fits(log, more + sectors, largest))
		err = -ENOSPC;
	if (err == 0)
		err = log_make_room(log, sectors, more, largest);
	if (err)
		return err;
	first = flat_subtree(&log->flat, to, &replaced);
	doom(log, first, replaced, true);
	err = write_and_settle(log, &record, to);
	doom(log, first, replaced, false);
	if (err == 0)
		drop(log, first, replaced);
	return err;
}

static int log_rename(struct kv *kv, const char *from, const char *to)
{
	struct log *log = log_of(kv);
	struct flat_move move;
	int err = flat_move_begin(&log->flat, from, to, &move);

	if (err)
		return err;
	err = write_rename(log, from, to, &move);
	for (size_t i = 0; err == 0 && i < move.count; i++)
		log_discount(log, (struct log_value *)move.entries[i]);
	if (err == 0)
		flat_move_end(&log->flat, &move);
	for (size_t i = 0; err == 0 && i < move.count; i++)
		log_count(log, (struct log_value *)move.entries[i]);
	flat_move_fini(&move);
	return err;
}

/* Opening ----------------------------------------------------------------------------------------------------- */

static void log_close(struct kv *kv)
{
	struct log *log = log_of(kv);

	flat_fini(&log->flat);
	free(log->in);
	free(log->out);
	free(log);
}

static const struct kv_ops read_only_ops = {
	.find = log_find,
	.read = log_read,
	.list = log_list,
	.close = log_close,
};

static const struct kv_ops writable_ops = {
	.find = log_find,
	.read = log_read,
	.list = log_list,
	.set = log_set,
	.remove = log_remove,
	.rename = log_rename,
	.close = log_close,
};

static int log_new(struct block *block, struct log **made)
{
	int err = random_init();
	struct log *log = err ? NULL : calloc(1, sizeof *log);

	if (!log)
		return err ? err : -ENOMEM;
	log->kv.ops = block->info.read_only ? &read_only_ops : &writable_ops;
	log->block = block;
	log->flat.entry_bytes = sizeof(struct log_value);
	log->nonce = random_u32();
	log->in = malloc(block->info.sector_bytes);
	log->out = malloc(block->info.sector_bytes);
	if (!log->in || !log->out) {
		log_close(&log->kv);
		return -ENOMEM;
	}
	*made = log;
	return 0;
}

int kv_log_format(struct block *block)
{
	struct log *log;
	int err = log_new(block, &log);

	if (err == 0) {
		err = log_format(log);
		log_close(&log->kv);
	}
	return err;
}

static int read_store(struct log *log, bool format_blank)
{
	int found = log_mark_read(log), err = 0;

	if (found == 0 && !format_blank) {
		log_error("block \"%s\" is blank, and not yet a key-value store: the program makes it one with "
			  "kv_log_format()",
			log->block->name);
		return -ENODATA;
	}
	if (found == 0)
		err = log_format(log);
	else if (found < 0)
		err = found;
	return err ? err : log_replay(log);
}

int kv_log_open(struct block *block, bool format_blank, struct kv **kv)
{
	struct log *log;
	int err = log_new(block, &log);

	if (err)
		return err;
	err = read_store(log, format_blank);
	if (err)
		log_close(&log->kv);
	else
		*kv = &log->kv;
	return err;
}
