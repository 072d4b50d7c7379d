/* SPDX-License-Identifier: ISC
 *
 * What the fuzz targets of both kinds of archive share: reading, and checking what is shown.
 */
#ifndef ARCHIVE_FUZZ_READING_H
#define ARCHIVE_FUZZ_READING_H

#include <stdlib.h>
#include <string.h>

#include <skerry/archive.h>

static inline void must_hold(bool condition)
{
	if (!condition)
		abort();
}

struct checked {
	struct sink sink;
	uint64_t size, len;
	bool open, complete;
};

static inline ssize_t checked_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct checked *checked = (struct checked *)sink;
	const volatile uint8_t *byte = data;

	(void)deadline;
	must_hold(checked->open);
	for (size_t i = 0; i < len; i += 64)
		(void)byte[i];
	checked->len += len;
	return (ssize_t)len;
}

static inline int checked_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct checked *checked = (struct checked *)sink;

	(void)deadline;
	must_hold(checked->open && error <= 0);
	checked->open = false;
	checked->complete = error == 0;
	must_hold(error < 0 || checked->size == ARCHIVE_SIZE_UNKNOWN || checked->len == checked->size);
	return error;
}

static inline int check_entry(void *context, const struct archive_entry *entry, struct sink **content)
{
	static const struct sink_ops ops = { .push = checked_push, .stop = checked_stop };
	struct checked *checked = context;
	size_t len = strlen(entry->name);

	must_hold(!checked->open); /* the one before has ended */
	must_hold(len > 0 && len <= ARCHIVE_NAME_MAX && entry->name[0] != '/' && entry->name[len - 1] != '/');
	must_hold(!strstr(entry->name, "//") && strncmp(entry->name, "../", 3) != 0 && !strstr(entry->name, "/../"));
	*checked = (struct checked){ .sink.ops = &ops, .size = entry->size, .open = true };
	*content = &checked->sink;
	return 0;
}

static inline void read_in_pieces(struct sink *kind(struct sink_archive *archive, archive_visit *visit, void *context),
	const uint8_t *data, size_t len, size_t cut)
{
	struct checked checked = { 0 };
	struct sink_archive archive;
	int err = sink_start(kind(&archive, check_entry, &checked));

	for (size_t at = 0; err == 0 && at < len; at += cut)
		err = sink_feed(&archive.sink, data + at, len - at < cut ? len - at : cut, FOREVER);
	err = sink_stop(&archive.sink, err, FOREVER);
	must_hold(err <= 0 && !checked.open);
}

#endif
