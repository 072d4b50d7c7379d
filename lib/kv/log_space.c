/* SPDX-License-Identifier: ISC
 *
 * The log's space. At all times there is room to write the largest value once more, so space can always be won back;
 * and the live values leave an eighth of the ring beside that, so that winning it back is worth the while, and removing
 * always has room.
 */
#include <errno.h>
#include <string.h>

#include <skerry/log.h>

#include "log.h"

LOG_SOURCE(kv);

enum {
	SLACK_PART = 8,  /* of the ring that live values leave free, one in so many sectors */
	SLACK_MIN = 16,  /* sectors, more than the records of a removal and a renaming */
	COPY_FACTOR = 8, /* sectors that are copied for each that is written while the ring is nearly full */
};

static uint64_t slack(const struct log *log)
{
	return log->sectors / SLACK_PART + SLACK_MIN;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Values ------------------------------------------------------------------------------------------------------ */

/* Sectors that a value takes when it is written again, under the key that it has now. */
static uint64_t sectors_again(const struct log *log, const struct log_value *value)
{
	return log_sectors(log, strlen(value->flat.key), value->flat.size);
}

/* How much more that is than what it takes where it lies. */
static uint64_t growth(const struct log *log, const struct log_value *value)
{
	uint64_t again = sectors_again(log, value);
	uint64_t now = log_sectors(log, value->value_at - LOG_HEADER_BYTES, value->flat.size);

	return again > now ? again - now : 0;
}

void log_count(struct log *log, const struct log_value *value)
{
	uint64_t sectors = sectors_again(log, value);

	log->live += sectors;
	log->debt += growth(log, value);
	log->largest_gone &= sectors < log->largest;
	log->largest = larger(log->largest, sectors);
}

void log_discount(struct log *log, const struct log_value *value)
{
	uint64_t sectors = sectors_again(log, value);

	log->live -= sectors;
	log->debt -= growth(log, value);
	log->largest_gone |= sectors == log->largest;
}

void log_place(struct log *log, struct log_value *value, const struct log_record *record)
{
	value->flat.offset = record->position;
	value->flat.size = record->value_len;
	value->flat.modified_ns = record->modified_ns;
	value->value_at = (uint32_t)(LOG_HEADER_BYTES + record->key_len);
	value->seal = record->seal;
	value->older = log->newest;
	value->newer = NULL;
	*(log->newest ? &log->newest->newer : &log->oldest) = value;
	log->newest = value;
}

void log_unlink(struct log *log, struct log_value *value)
{
	*(value->older ? &value->older->newer : &log->oldest) = value->newer;
	*(value->newer ? &value->newer->older : &log->newest) = value->older;
}

/* Room -------------------------------------------------------------------------------------------------------- */

static void find_largest(struct log *log)
{
	if (!log->largest_gone)
		return;
	log->largest_gone = false;
	log->largest = 0;
	for (const struct log_value *value = log->oldest; value; value = value->newer)
		log->largest = larger(log->largest, sectors_again(log, value));
}

static bool fits(const struct log *log, uint64_t more, uint64_t largest)
{
	return log->live + more + larger(log->largest, largest) + slack(log) <= log->sectors;
}

bool log_fits(struct log *log, uint64_t more, uint64_t largest)
{
	if (fits(log, more, largest))
		return true;
	find_largest(log);
	return fits(log, more, largest);
}

/* Whether so many sectors can be written while values can still become as large as they may. */
static bool has_room(const struct log *log, uint64_t sectors)
{
	return log->end.position + log->debt + sectors <= log->end.tail + log->sectors;
}

/* Writes the oldest value at the end, where it is the newest. */
static int copy_oldest(struct log *log)
{
	struct log_value *value = log->oldest;
	struct log_record record = {
		.kind = LOG_SET,
		.key = value->flat.key,
		.key_len = strlen(value->flat.key),
		.value_len = value->flat.size,
		.modified_ns = value->flat.modified_ns,
	};
	int err;

	value->doomed = true;
	err = log_append(log, &record, NULL, value);
	value->doomed = false;
	if (err == -EBADMSG)
		log_error("block \"%s\": the value of \"%s\" is damaged: remove it, or no space is won back",
			log->block->name, value->flat.key);
	if (err)
		return err;
	log_discount(log, value);
	log_unlink(log, value);
	log_place(log, value, &record);
	log_count(log, value);
	return 0;
}

int log_make_room(struct log *log, uint64_t sectors, uint64_t more, uint64_t largest)
{
	uint64_t copied = 0, need;
	int err = 0;

	if (!has_room(log, sectors + more + larger(log->largest, largest) + slack(log)))
		find_largest(log);
	need = sectors + more + larger(log->largest, largest);
	for (size_t left = log->flat.count; err == 0 && left > 0 && log->oldest; left--) {
		if (has_room(log, need + slack(log)) || (has_room(log, need) && copied >= COPY_FACTOR * sectors))
			break;
		copied += sectors_again(log, log->oldest);
		err = copy_oldest(log);
	}
	if (err && err != -EBADMSG)
		return err;
	/* A damaged value is in the way: it can be removed as long as there is any room. */
	if (err && largest == 0)
		need = sectors;
	return has_room(log, need) ? 0 : err ? err : -ENOSPC;
}
