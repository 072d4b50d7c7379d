/* SPDX-License-Identifier: ISC
 *
 * Reading the log when it is opened. The newest mark says from where records follow each other, each naming the seal of
 * the one before, to where the log ends; the last record says where the tail is; and from there the records are done
 * again. A record that was not wholly on stable storage when power was cut is not there, nor is what comes after it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* The record that follows: 1, and the end is then behind it; 0: nothing follows; or an error. */
static int follow(struct log *log, struct log_end *end, struct log_record *record)
{
	int found = log_record_at(log, end->position, record);

	if (found <= 0)
		return found;
	if (record->before != end->seal)
		return 0;
	end->position += log_sectors(log, record->key_len, record->value_len);
	end->seal = record->seal;
	end->tail = record->tail;
	return 1;
}

/* Whether the log has gone on where it cannot be followed: a record there was written when this was settled. Where what
 * follows looks like a damaged record, as far as the log can have gone; else a little, for the same damage where
 * nothing is left that looks like one. */
static int goes_on(struct log *log, const struct log_end *end, bool looks_damaged)
{
	enum { A_LITTLE = 64 };
	uint64_t last = end->tail + log->sectors;
	struct log_record record;

	if (!looks_damaged && last > end->position + A_LITTLE)
		last = end->position + A_LITTLE;
	for (uint64_t at = end->position + 1; at < last; at++) {
		int found = log_record_at(log, at, &record);

		if (found > 0 && record.flags & LOG_SETTLED)
			return 1;
		if (found < 0 && found != -EBADMSG)
			return found;
	}
	return 0;
}

/* Follows the log; *settled is the place in it before which all was on stable storage. As follow() at the end. */
static int follow_all(struct log *log, struct log_end *end, struct log_end *settled)
{
	struct log_record record;
	int found = 1;

	*settled = *end = log->mark;
	while (found > 0) {
		struct log_end before = *end;

		if (end->position - log->mark.position > log->sectors) /* without a mark on the way */
			return -EBADMSG;
		found = follow(log, end, &record);
		if (found > 0 && record.flags & LOG_SETTLED)
			*settled = before;
	}
	return found;
}

static int find_end(struct log *log)
{
	struct log_end end, whole;
	struct log_record record;
	int found = follow_all(log, &end, &whole), on;

	if (found < 0 && found != -EBADMSG)
		return found;
	on = goes_on(log, &end, found < 0);
	if (on != 0)
		return on < 0 ? on : -EBADMSG;
	/* What is behind the last settled place may be there in part. */
	log->end = whole;
	for (found = 1; found > 0 && whole.position < end.position;) {
		found = follow(log, &whole, &record);
		if (found > 0)
			found = log_record_whole(log, &record);
		if (found > 0)
			log->end = whole;
	}
	return found < 0 ? found : 0;
}

/* Doing records again ----------------------------------------------------------------------------------------- */

static void remove_values(struct log *log, const char *key)
{
	size_t count, first = flat_subtree(&log->flat, key, &count);

	for (size_t i = first; i < first + count; i++)
		log_unlink(log, (struct log_value *)log->flat.entries[i]);
	flat_remove(&log->flat, first, count);
}

static int redo_set(struct log *log, const struct log_record *record)
{
	struct log_value *value;
	struct kv_status status;
	int err = flat_find(&log->flat, log->key, &status);

	if (err == -ENOTDIR || (err == 0 && status.kind == KV_DICTIONARY) || log->flat.count > KV_LOG_KEYS_MAX)
		return -EBADMSG;
	value = (struct log_value *)flat_insert(&log->flat, log->key, record->key_len);
	if (!value)
		return -ENOMEM;
	if (err == 0)
		log_unlink(log, value);
	log_place(log, value, record);
	return 0;
}

static int redo_rename(struct log *log, const struct log_record *record)
{
	size_t at = LOG_HEADER_BYTES + record->key_len, to_len = (size_t)record->value_len, from_len = record->key_len;
	struct kv_status status;
	struct flat_move move;
	const char *to;
	int err = record->value_len > KV_KEY_MAX ? -EBADMSG : 0;

	if (err == 0)
		err = log_record_read(log, record->position, record->seal, at, log->to, to_len);
	if (err)
		return err;
	log->to[to_len] = '\0';
	if (kv_key_check(log->to, &to) < 0 || to != log->to || strlen(to) != to_len || !*to ||
		(strncmp(to, log->key, from_len) == 0 && (to[from_len] == '/' || to[from_len] == '\0')))
		return -EBADMSG;
	err = flat_find(&log->flat, to, &status);
	if (err == -ENOTDIR || (err == 0 && status.kind == KV_DICTIONARY))
		return -EBADMSG;
	remove_values(log, to);
	if (flat_find(&log->flat, log->key, &status) < 0) /* what was there has been written anew since, or is gone */
		return 0;
	err = flat_move_begin(&log->flat, log->key, to, &move);
	if (err)
		return err == -ENAMETOOLONG ? -EBADMSG : err;
	flat_move_end(&log->flat, &move);
	flat_move_fini(&move);
	return 0;
}

static int redo(struct log *log, const struct log_record *record)
{
	const char *key;
	int err = log_record_read(log, record->position, record->seal, LOG_HEADER_BYTES, log->key, record->key_len);

	if (err)
		return err;
	log->key[record->key_len] = '\0';
	if (kv_key_check(log->key, &key) < 0 || key != log->key || strlen(key) != record->key_len)
		return -EBADMSG;
	if (record->kind == LOG_REMOVE) {
		remove_values(log, key);
		return 0;
	}
	if (!*key)
		return -EBADMSG;
	return record->kind == LOG_SET ? redo_set(log, record) : redo_rename(log, record);
}

static int redo_all(struct log *log)
{
	uint64_t at = log->end.tail;
	struct log_record record;

	if (at > log->end.position || log->end.position - at > log->sectors)
		return -EBADMSG;
	while (at < log->end.position) {
		int found = log_record_at(log, at, &record), err;

		if (found <= 0)
			return found == 0 ? -EBADMSG : found;
		at += log_sectors(log, record.key_len, record.value_len);
		err = at > log->end.position ? -EBADMSG : redo(log, &record);
		if (err)
			return err;
	}
	return 0;
}

int log_replay(struct log *log)
{
	int err = find_end(log);

	if (err == 0)
		err = redo_all(log);
	if (err)
		return err == -EBADMSG ? log_damaged(log) : err;
	for (const struct log_value *value = log->oldest; value; value = value->newer)
		log_count(log, value);
	log->settled_tail = log->end.tail;
	return 0;
}
