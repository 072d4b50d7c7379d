/* SPDX-License-Identifier: ISC
 *
 * What the readers of archives have in common: gathering headers, and the content of the entry that is open.
 */
#ifndef ARCHIVE_READER_H
#define ARCHIVE_READER_H

#include <skerry/archive.h>

/* Bytes that are collected until all that are needed have come. */
struct gathering {
	uint8_t *bytes; /* heap; at most ARCHIVE_HEADER_MAX */
	size_t have, need, room;
};

/* Needs this many bytes in all, of which those that it has stay. 0, -EMSGSIZE, -ENOMEM. */
int gathering_need(struct gathering *gathering, uint64_t need);
/* Takes what it needs of these bytes; returns how many that was. */
size_t gathering_take(struct gathering *gathering, const uint8_t *data, size_t len);

/* A sink that counts and sums up an entry's content, and passes it on while that is wanted. It is never full. */
struct content {
	struct sink sink;
	struct sink *wanted;
	uint64_t size;
	uint32_t crc;
};

/* Asks for the sink of an entry, and starts it. The visitor is shown its name made clean. 0 or an error. */
int content_open(struct content *content, const struct sink_archive *archive, const struct archive_entry *entry);

/* Makes a name clean: 0; -EBADMSG: it leads out of the archive; -ENAMETOOLONG. */
int archive_clean_name(const char *name, char clean[ARCHIVE_NAME_MAX + 1]);

#endif
