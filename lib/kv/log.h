/* SPDX-License-Identifier: ISC
 *
 * Inside the store on a block device. docs/kv-log.md has the layout of the device, and why a cut of power does no harm.
 *
 * The device is two marks and a ring of sectors. The ring holds a log of records, each a change of the store: a value
 * set, a key removed with all below it, a key renamed. Places in the log are positions, counted in sectors since the
 * store was made and never repeated; position p is sector LOG_MARKS + p % sectors. What the log says from its tail to
 * its end is what the store holds; space is won back by writing the oldest value once more at the end, after which the
 * tail goes on to the next one that still counts.
 */
#ifndef KV_LOG_H
#define KV_LOG_H

#include <stdbool.h>

#include <skerry/block.h>

#include "flat.h"

enum {
	LOG_MARKS = 2,         /* sectors before the ring */
	LOG_HEADER_BYTES = 56, /* at a record's begin, then come key and value */
	LOG_SEAL_BYTES = 4,    /* at the end of each sector */
};

enum log_kind { LOG_SET = 1, LOG_REMOVE, LOG_RENAME };

/* What was before this record was on stable storage before anything of it was written. */
enum { LOG_SETTLED = 1 };

struct log_record {
	enum log_kind kind;
	unsigned flags;
	const char *key; /* when writing */
	size_t key_len;
	uint64_t value_len, modified_ns; /* LOG_RENAME: the value is the new key */
	/* What reading finds and writing makes: */
	uint64_t position, tail;
	uint32_t before, seal; /* of the record before, and of this one */
};

/* How far the log goes: where the next record begins, the last one's seal, and from where on the log counts. */
struct log_end {
	uint64_t position, tail;
	uint32_t seal;
};

/* A value, in the index and in the order of the log. */
struct log_value {
	struct flat_entry flat; /* offset is its record's position */
	struct log_value *older, *newer;
	uint32_t seal;
	uint32_t value_at; /* in the record; its key there may be another than now */
	bool doomed;       /* gone with the record that is being written */
};

struct log {
	struct kv kv;
	struct block *block;
	uint8_t *in, *out; /* a sector each: read, and being made */
	uint8_t head[LOG_HEADER_BYTES + KV_KEY_MAX];
	char key[KV_KEY_MAX + 1], to[KV_KEY_MAX + 1];

	uint64_t id;      /* of the store, random */
	uint64_t sectors; /* of the ring */
	uint32_t nonce;   /* random, and another for each record */
	uint64_t mark_number;
	struct log_end mark; /* the end when the newest mark was written */
	struct log_end end;
	uint64_t settled_tail; /* the tail if power is cut now */
	bool unsettled;        /* something is written that may not be on stable storage */
	bool failed;           /* a write has: what is on the device is not known */

	struct flat flat; /* of struct log_value */
	struct log_value *oldest, *newest;
	/* In sectors: of all values as they would be written now, how much that is more than what they take now, and of
	 * the largest one, or more if that one is gone. */
	uint64_t live, debt, largest;
	bool largest_gone;
};

/* Records: log_record.c -------------------------------------------------------------------------------------- */

uint64_t log_sectors(const struct log *log, size_t key_len, uint64_t value_len);

/* The header of the record at a position: 1. 0: there is none. -EBADMSG: there was one, which is damaged. -EIO. */
int log_record_at(struct log *log, uint64_t position, struct log_record *record);

/* Whether all sectors of a record are as they were written: 1, 0, -EIO. */
int log_record_whole(struct log *log, const struct log_record *record);

/* Reads bytes of a record, from its header on. -EBADMSG: a sector is not as it was written. */
int log_record_read(struct log *log, uint64_t position, uint32_t seal, uint64_t offset, void *buf, size_t len);

/* Writes a record at the end, its value taken from `value` or, not NULL, from where `copied` lies. Fills in the rest of
 * the record, and moves the end. There must be room. Not on stable storage before log_settle(). */
int log_append(struct log *log, struct log_record *record, const void *value, const struct log_value *copied);
int log_settle(struct log *log);

/* Numbers, little-endian. */
void log_put(uint8_t *to, uint64_t number, size_t bytes);
uint64_t log_number(const uint8_t *from, size_t bytes);

/* Marks: log_mark.c ------------------------------------------------------------------------------------------- */

/* Reads the newest mark: 1; 0 if the device is blank; or an error, which is logged. */
int log_mark_read(struct log *log);

/* Writes the next mark, for the log's end as it is; all before it is settled. */
int log_mark_write(struct log *log);

/* Makes an empty store of the device. */
int log_format(struct log *log);

/* Says so in the log, and is -EBADMSG. */
int log_damaged(const struct log *log);

/* Reading the log: log_replay.c ------------------------------------------------------------------------------- */

/* From the newest mark to its end, and then from its tail: fills in the rest of a log. Errors are logged. */
int log_replay(struct log *log);

/* Space: log_space.c ------------------------------------------------------------------------------------------ */

/* Whether the live values may become so many sectors more, one of them with up to `largest`. */
bool log_fits(struct log *log, uint64_t more, uint64_t largest);

/* Wins space back until there is enough for a record of so many sectors, after which the live values are `more` sectors
 * more, one of them with up to `largest`, and space can be won back again. 0 for both: a removal. -ENOSPC; -EBADMSG if
 * a damaged value is in the way. */
int log_make_room(struct log *log, uint64_t sectors, uint64_t more, uint64_t largest);

/* A value counts, or counts no more. Its key and size are as they were in between. */
void log_count(struct log *log, const struct log_value *value);
void log_discount(struct log *log, const struct log_value *value);

/* Puts a value where its record lies, which is the log's last: the newest. */
void log_place(struct log *log, struct log_value *value, const struct log_record *record);
/* Takes a value out of the order of the log. */
void log_unlink(struct log *log, struct log_value *value);

#endif
