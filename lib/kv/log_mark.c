/* SPDX-License-Identifier: ISC
 *
 * The log's marks: which store this is, and from where the log can be followed to its end. They are written in turn,
 * each time before the log would write over what the last one names: once around the ring.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <skerry/log.h>
#include <skerry/random.h>

#include "crc32c.h"
#include "log.h"

LOG_SOURCE(kv);

/* A mark's fields, at the begin of its sector, whatever the sector's size; zeros follow. */
enum {
	MAGIC = 0,         /* 8 */
	VERSION = 8,       /* 4 */
	SECTOR_BYTES = 12, /* 4 */
	SECTORS = 16,      /* 8, of the device */
	ID = 24,           /* 8 */
	NUMBER = 32,       /* 8, even in the first mark, odd in the second */
	POSITION = 40,     /* 8 */
	TAIL = 48,         /* 8 */
	SEAL = 56,         /* 4 */
	SUM = 60,          /* 4, of all before it */
	MARK_BYTES = 64,
};
static const char magic[] = "SKERRYKV";
static const uint32_t version = 1;
static const uint64_t position_max = UINT64_MAX / 4;

static int not_a_store(const struct log *log)
{
	log_error(
		"block \"%s\" holds something else than a key-value store, which is left alone: give another file, or "
		"empty this one with truncate -s 0 and then -s SIZE",
		log->block->name);
	return -EBADMSG;
}

int log_damaged(const struct log *log)
{
	log_error("block \"%s\": the key-value store on it is damaged: put back a copy of the file, or start anew with "
		  "a blank "
		  "one",
		log->block->name);
	return -EBADMSG;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Whether every byte of the device is zero: 1 or 0. Ends at the first that is not. */
static int is_blank(struct log *log)
{
	uint64_t count = log->block->info.capacity_bytes / log->block->info.sector_bytes;

	for (uint64_t i = 0; i < count; i++) {
		int err = block_read(log->block, i, 1, log->in);

		if (err)
			return err;
		if (!is_zero(log->in, log->block->info.sector_bytes))
			return 0;
	}
	return 1;
}

/* Reads one of the marks into log->in: 1 if it is whole, 0 if it is zero, -EBADMSG if it is neither. */
static int read_mark(struct log *log, uint64_t index)
{
	int err = block_read(log->block, index, 1, log->in);

	if (err)
		return err;
	if (is_zero(log->in, log->block->info.sector_bytes))
		return 0;
	return memcmp(log->in + MAGIC, magic, VERSION) == 0 &&
			       crc32c(0, log->in, SUM) == log_number(log->in + SUM, MARK_BYTES - SUM)
		       ? 1
		       : -EBADMSG;
}

/* What the first mark says of the device: 0, or an error. */
static int check_device(struct log *log)
{
	const struct platform_block_info *info = &log->block->info;
	uint64_t count = info->capacity_bytes / info->sector_bytes, sectors = log_number(log->in + SECTORS, 8);
	uint32_t made = (uint32_t)log_number(log->in + VERSION, 4);
	uint32_t sector_bytes = (uint32_t)log_number(log->in + SECTOR_BYTES, 4);

	if (made != version) {
		log_error("block \"%s\" holds a key-value store of version %" PRIu32 ", and this program knows %" PRIu32
			  ": build it with a later Skerry",
			log->block->name, made, version);
		return -ENOTSUP;
	}
	if (sector_bytes != info->sector_bytes) {
		log_error("block \"%s\" has sectors of %" PRIu32
			  " bytes, and the key-value store on it was made with %" PRIu32
			  ": attach it with --block-sector-size:%s=%" PRIu32,
			log->block->name, info->sector_bytes, sector_bytes, log->block->name, sector_bytes);
		return -EINVAL;
	}
	if (sectors > count) {
		log_error("block \"%s\" has %" PRIu64 " sectors, and the key-value store on it needs %" PRIu64
			  ": it is cut off; put back the whole file",
			log->block->name, count, sectors);
		return -EBADMSG;
	}
	if (sectors < KV_LOG_SECTORS_MIN)
		return log_damaged(log);
	log->sectors = sectors - LOG_MARKS;
	log->id = log_number(log->in + ID, 8);
	return 0;
}

/* Takes the mark in log->in if it is newer. */
static int take_mark(struct log *log, uint64_t index)
{
	uint64_t number = log_number(log->in + NUMBER, 8);
	struct log_end mark = {
		.position = log_number(log->in + POSITION, 8),
		.tail = log_number(log->in + TAIL, 8),
		.seal = (uint32_t)log_number(log->in + SEAL, 4),
	};

	if (number % LOG_MARKS != index || log_number(log->in + ID, 8) != log->id || mark.position > position_max ||
		mark.tail > mark.position || mark.position - mark.tail > log->sectors)
		return log_damaged(log);
	if (index == 0 || number > log->mark_number) {
		log->mark_number = number;
		log->mark = mark;
	}
	return 1;
}

int log_mark_read(struct log *log)
{
	int found = read_mark(log, 0), err;

	if (found == 0) {
		int blank = is_blank(log);

		if (blank != 0)
			return blank < 0 ? blank : 0;
		found = -EBADMSG;
	}
	if (found == -EBADMSG)
		return not_a_store(log);
	if (found < 0)
		return found;
	err = check_device(log);
	if (err)
		return err;
	found = take_mark(log, 0);
	if (found > 0)
		found = read_mark(log, 1);
	/* A sector is written whole or not at all, so the second mark is missing only until it is first written. */
	if (found == 0)
		return log->mark_number == 0 ? 1 : log_damaged(log);
	return found > 0 ? take_mark(log, 1) : found == -EBADMSG ? log_damaged(log) : found;
}

/* Writing ----------------------------------------------------------------------------------------------------- */

static int write_sector(struct log *log, uint64_t index)
{
	int err = block_write(log->block, index, 1, log->out);

	return err ? err : block_flush(log->block);
}

static int write_mark(struct log *log, uint64_t number, const struct log_end *end)
{
	uint8_t *out = log->out;

	memset(out, 0, log->block->info.sector_bytes);
	memcpy(out + MAGIC, magic, VERSION);
	log_put(out + VERSION, version, 4);
	log_put(out + SECTOR_BYTES, log->block->info.sector_bytes, 4);
	log_put(out + SECTORS, log->sectors + LOG_MARKS, 8);
	log_put(out + ID, log->id, 8);
	log_put(out + NUMBER, number, 8);
	log_put(out + POSITION, end->position, 8);
	log_put(out + TAIL, end->tail, 8);
	log_put(out + SEAL, end->seal, 4);
	log_put(out + SUM, crc32c(0, out, SUM), MARK_BYTES - SUM);
	return write_sector(log, number % LOG_MARKS);
}

int log_mark_write(struct log *log)
{
	int err = log_settle(log);

	if (err)
		return err;
	err = write_mark(log, log->mark_number + 1, &log->end);
	if (err) {
		log->failed = err != -EROFS;
		return err;
	}
	log->mark_number++;
	log->mark = log->end;
	return 0;
}

int log_format(struct log *log)
{
	const struct platform_block_info *info = &log->block->info;
	uint64_t count = info->capacity_bytes / info->sector_bytes;
	int err = 0;

	if (info->read_only) {
		log_error("block \"%s\" is to become a key-value store, but cannot be written", log->block->name);
		return -EROFS;
	}
	if (count < KV_LOG_SECTORS_MIN) {
		log_error("block \"%s\" has %" PRIu64 " bytes, and a key-value store needs %" PRIu64
			  ": give a larger file",
			log->block->name, info->capacity_bytes, (uint64_t)KV_LOG_SECTORS_MIN * info->sector_bytes);
		return -ENOSPC;
	}
	random_bytes(&log->id, sizeof log->id);
	log->sectors = count - LOG_MARKS;
	memset(log->out, 0, info->sector_bytes);
	/* No mark of an older store may be left when the new one is there. */
	for (uint64_t i = 0; err == 0 && i < LOG_MARKS; i++)
		err = write_sector(log, i);
	return err ? err : write_mark(log, 0, &(struct log_end){ 0 });
}
