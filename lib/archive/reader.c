/* SPDX-License-Identifier: ISC
 *
 * What the readers of archives have in common. Content is not copied; headers are gathered, in a buffer of bounded
 * size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "reader.h"

int gathering_need(struct gathering *gathering, uint64_t need)
{
	if (need > ARCHIVE_HEADER_MAX)
		return -EMSGSIZE;
	if (need > gathering->room) {
		uint8_t *bytes = realloc(gathering->bytes, (size_t)need);

		if (!bytes)
			return -ENOMEM;
		gathering->bytes = bytes;
		gathering->room = (size_t)need;
	}
	gathering->need = (size_t)need;
	return 0;
}

size_t gathering_take(struct gathering *gathering, const uint8_t *data, size_t len)
{
	size_t missing = gathering->need - gathering->have, taken = len < missing ? len : missing;

	if (taken > 0)
		memcpy(gathering->bytes + gathering->have, data, taken);
	gathering->have += taken;
	return taken;
}

static ssize_t content_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	enum { STEP = 1 << 30 }; /* zlib counts in unsigned int */
	struct content *content = (struct content *)sink;
	int err = 0;

	for (size_t at = 0; at < len; at += STEP)
		content->crc = (uint32_t)crc32(
			content->crc, (const uint8_t *)data + at, (uInt)(len - at < STEP ? len - at : STEP));
	content->size += len;
	if (content->wanted && !sink_full(content->wanted))
		err = sink_feed(content->wanted, data, len, deadline);
	return err < 0 ? err : (ssize_t)len;
}

static int content_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct content *content = (struct content *)sink;
	struct sink *wanted = content->wanted;

	content->wanted = NULL;
	return sink_stop(wanted, error, deadline);
}

static const struct sink_ops content_ops = { .push = content_push, .stop = content_stop };

int content_open(struct content *content, const struct sink_archive *archive, const struct archive_entry *entry)
{
	char clean[ARCHIVE_NAME_MAX + 1];
	struct archive_entry shown = *entry;
	int err = archive_clean_name(entry->name, clean);

	*content = (struct content){ .sink.ops = &content_ops };
	if (err < 0 || clean[0] == '\0') /* "./" is the archive's own root */
		return err;
	shown.name = clean;
	err = archive->visit(archive->context, &shown, &content->wanted);
	return err < 0 || !content->wanted ? err : sink_start(content->wanted);
}

int archive_clean_name(const char *name, char clean[ARCHIVE_NAME_MAX + 1])
{
	size_t len = 0;

	while (*name) {
		size_t part = strcspn(name, "/");

		if (part == 2 && memcmp(name, "..", 2) == 0)
			return -EBADMSG;
		if (part > 0 && !(part == 1 && *name == '.')) {
			if (len + (len > 0) + part > ARCHIVE_NAME_MAX)
				return -ENAMETOOLONG;
			if (len > 0)
				clean[len++] = '/';
			memcpy(clean + len, name, part);
			len += part;
		}
		name += part + (name[part] == '/');
	}
	clean[len] = '\0';
	return 0;
}
