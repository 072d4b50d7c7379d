/* SPDX-License-Identifier: ISC
 *
 * Records of the log. A record is a string of bytes, header, key and value, laid into as many sectors as it needs; the
 * last bytes of each sector are its seal. The seal of the first is the sum of its bytes; the seals of the others go on
 * from that one, so that no sector of another record passes for one of this.
 */
#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "log.h"

/* The header's fields: offset and bytes of each. */
enum {
	MAGIC = 0,      /* 4 */
	KIND = 4,       /* 1 */
	FLAGS = 5,      /* 1 */
	KEY_LEN = 6,    /* 2 */
	ID = 8,         /* 8 */
	POSITION = 16,  /* 8 */
	TAIL = 24,      /* 8 */
	BEFORE = 32,    /* 4 */
	NONCE = 36,     /* 4 */
	MODIFIED = 40,  /* 8 */
	VALUE_LEN = 48, /* 8 */
};
static const uint32_t magic = 0x52564b53; /* "SKVR" */

void log_put(uint8_t *to, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(number >> 8 * i);
}

uint64_t log_number(const uint8_t *from, size_t bytes)
{
	uint64_t number = 0;

	for (size_t i = 0; i < bytes; i++)
		number |= (uint64_t)from[i] << 8 * i;
	return number;
}

/* Bytes of a record that a sector holds. */
static size_t payload_bytes(const struct log *log)
{
	return log->block->info.sector_bytes - LOG_SEAL_BYTES;
}

uint64_t log_sectors(const struct log *log, size_t key_len, uint64_t value_len)
{
	return (LOG_HEADER_BYTES + key_len + value_len + payload_bytes(log) - 1) / payload_bytes(log);
}

static uint32_t seal_of(const struct log *log, uint32_t first, uint64_t index, const uint8_t *sector)
{
	uint8_t place[12];

	if (index == 0)
		return crc32c(0, sector, payload_bytes(log));
	log_put(place, first, 4);
	log_put(place + 4, index, 8);
	return crc32c(crc32c(0, place, sizeof place), sector, payload_bytes(log));
}

static uint64_t place_of(const struct log *log, uint64_t position)
{
	return LOG_MARKS + position % log->sectors;
}

/* Reading ----------------------------------------------------------------------------------------------------- */

int log_record_at(struct log *log, uint64_t position, struct log_record *record)
{
	const uint8_t *in = log->in;
	int err = block_read(log->block, place_of(log, position), 1, log->in), signs;

	if (err)
		return err;
	*record = (struct log_record){
		.kind = (enum log_kind)in[KIND],
		.flags = in[FLAGS],
		.key_len = (size_t)log_number(in + KEY_LEN, 2),
		.value_len = log_number(in + VALUE_LEN, 8),
		.modified_ns = log_number(in + MODIFIED, 8),
		.position = position,
		.tail = log_number(in + TAIL, 8),
		.before = (uint32_t)log_number(in + BEFORE, 4),
		.seal = (uint32_t)log_number(in + payload_bytes(log), LOG_SEAL_BYTES),
	};
	signs = (log_number(in + MAGIC, 4) == magic) + (log_number(in + ID, 8) == log->id) +
		(log_number(in + POSITION, 8) == position);
	if (signs < 2)
		return 0;
	if (seal_of(log, 0, 0, in) != record->seal)
		return -EBADMSG;
	if (signs < 3)
		return 0;
	/* Sealed, so it is damaged only in what somebody else has written. */
	return record->kind >= LOG_SET && record->kind <= LOG_RENAME && record->key_len <= KV_KEY_MAX &&
			       record->tail <= position && position - record->tail <= log->sectors &&
			       record->value_len <= log->sectors * payload_bytes(log) &&
			       log_sectors(log, record->key_len, record->value_len) <= log->sectors
		       ? 1
		       : -EBADMSG;
}

int log_record_whole(struct log *log, const struct log_record *record)
{
	uint64_t count = log_sectors(log, record->key_len, record->value_len);
	uint8_t byte;
	int err = 0;

	for (uint64_t i = 1; err == 0 && i < count; i++)
		err = log_record_read(log, record->position, record->seal, i * payload_bytes(log), &byte, 1);
	return err == -EBADMSG ? 0 : err ? err : 1;
}

int log_record_read(struct log *log, uint64_t position, uint32_t seal, uint64_t offset, void *buf, size_t len)
{
	uint8_t *to = buf;

	while (len > 0) {
		uint64_t index = offset / payload_bytes(log);
		size_t skip = (size_t)(offset % payload_bytes(log)), part = payload_bytes(log) - skip;
		int err = block_read(log->block, place_of(log, position + index), 1, log->in);

		if (err)
			return err;
		if (seal_of(log, seal, index, log->in) != log_number(log->in + payload_bytes(log), LOG_SEAL_BYTES))
			return -EBADMSG;
		part = part < len ? part : len;
		memcpy(to, log->in + skip, part);
		to += part;
		offset += part;
		len -= part;
	}
	return 0;
}

/* Writing ----------------------------------------------------------------------------------------------------- */

/* A write that fails is the last one: what it did to the device is only known when the log is read again. */
static int fail(struct log *log, int err)
{
	log->failed = err != -EROFS;
	return err;
}

int log_settle(struct log *log)
{
	int err = log->unsettled ? block_flush(log->block) : 0;

	if (err)
		return fail(log, err);
	log->unsettled = false;
	log->settled_tail = log->end.tail;
	return 0;
}

/* Where the log begins once the doomed values are gone. A new value counts too, so no later than at the end. */
static uint64_t tail_after(const struct log *log)
{
	const struct log_value *value = log->oldest;

	while (value && value->doomed)
		value = value->newer;
	return value ? value->flat.offset : log->end.position;
}

/* Header and key, into log->head. */
static void put_head(struct log *log, const struct log_record *record)
{
	uint8_t *head = log->head;

	log_put(head + MAGIC, magic, 4);
	log_put(head + KIND, record->kind, 1);
	log_put(head + FLAGS, record->flags, 1);
	log_put(head + KEY_LEN, record->key_len, 2);
	log_put(head + ID, log->id, 8);
	log_put(head + POSITION, record->position, 8);
	log_put(head + TAIL, record->tail, 8);
	log_put(head + BEFORE, record->before, 4);
	log_put(head + NONCE, log->nonce++, 4);
	log_put(head + MODIFIED, record->modified_ns, 8);
	log_put(head + VALUE_LEN, record->value_len, 8);
	memcpy(head + LOG_HEADER_BYTES, record->key, record->key_len);
}

/* Bytes of a record from an offset on, as many as a sector holds, zeros behind its end. */
static int fill_sector(struct log *log, const struct log_record *record, const uint8_t *value,
	const struct log_value *copied, uint64_t offset)
{
	size_t head_len = LOG_HEADER_BYTES + record->key_len, room = payload_bytes(log), part = 0;
	uint8_t *to = log->out;
	uint64_t left;

	if (offset < head_len) {
		part = head_len - (size_t)offset < room ? head_len - (size_t)offset : room;
		memcpy(to, log->head + offset, part);
	}
	to += part;
	room -= part;
	offset += part;
	if (offset < head_len)
		return 0;
	offset -= head_len;
	left = record->value_len - offset;
	part = left < room ? (size_t)left : room;
	memset(to + part, 0, room - part);
	if (part == 0)
		return 0;
	if (copied)
		return log_record_read(log, copied->flat.offset, copied->seal, copied->value_at + offset, to, part);
	memcpy(to, value + offset, part);
	return 0;
}

static int write_record(
	struct log *log, struct log_record *record, const uint8_t *value, const struct log_value *copied)
{
	uint64_t count = log_sectors(log, record->key_len, record->value_len);
	int err = 0;

	for (uint64_t i = 0; err == 0 && i < count; i++) {
		uint32_t seal;

		err = fill_sector(log, record, value, copied, i * payload_bytes(log));
		if (err)
			return err;
		seal = seal_of(log, record->seal, i, log->out);
		log_put(log->out + payload_bytes(log), seal, LOG_SEAL_BYTES);
		record->seal = i == 0 ? seal : record->seal;
		err = block_write(log->block, place_of(log, record->position + i), 1, log->out);
		if (err)
			return fail(log, err);
	}
	return err;
}

int log_append(struct log *log, struct log_record *record, const void *value, const struct log_value *copied)
{
	uint64_t after = log->end.position + log_sectors(log, record->key_len, record->value_len);
	int err = 0;

	if (log->failed)
		return -EIO;
	/* What is written over must be neither what the log holds if power is cut now, nor the way from the mark to it.
	 */
	if (after > log->settled_tail + log->sectors)
		err = log_settle(log);
	if (err == 0 && after > log->settled_tail + log->sectors)
		return -ENOSPC;
	if (err == 0 && after > log->mark.position + log->sectors)
		err = log_mark_write(log);
	if (err)
		return err;
	record->flags = log->unsettled ? 0 : LOG_SETTLED;
	record->position = log->end.position;
	record->tail = tail_after(log);
	record->before = log->end.seal;
	put_head(log, record);
	log->unsettled = true;
	err = write_record(log, record, value, copied);
	if (err == 0)
		log->end = (struct log_end){ .position = after, .tail = record->tail, .seal = record->seal };
	return err;
}
