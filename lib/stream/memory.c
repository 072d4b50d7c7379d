/* SPDX-License-Identifier: ISC
 *
 * Streams from memory and into it.
 */
#include <string.h>

#include <skerry/stream.h>

static ssize_t array_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_array *array = (struct source_array *)source;

	(void)deadline;
	while (array->count > 0) {
		const struct stream_piece *piece = array->pieces++;

		array->count--;
		if (piece->len > 0) {
			*data = piece->data;
			return (ssize_t)piece->len;
		}
	}
	return 0;
}

static const struct source_ops array_ops = { .pull = array_pull };

struct source *source_array(struct source_array *array, const struct stream_piece *pieces, size_t count)
{
	*array = (struct source_array){ .source.ops = &array_ops, .pieces = pieces, .count = count };
	return &array->source;
}

static ssize_t bytes_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_string *string = (struct source_string *)source;
	size_t len = string->len;

	(void)deadline;
	*data = string->data;
	string->len = 0;
	return (ssize_t)len;
}

static const struct source_ops bytes_ops = { .pull = bytes_pull };

struct source *source_bytes(struct source_string *string, const void *data, size_t len)
{
	*string = (struct source_string){ .source.ops = &bytes_ops, .data = data, .len = len };
	return &string->source;
}

struct source *source_string(struct source_string *string, const char *text)
{
	return source_bytes(string, text, strlen(text));
}

struct source *source_crunched(struct source_string *string, const struct crunched_file *file)
{
	return source_bytes(string, file->data, file->len);
}

static ssize_t buffer_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct sink_buffer *buffer = (struct sink_buffer *)sink;
	size_t room = buffer->size - buffer->len, taken = len < room ? len : room;

	(void)deadline;
	if (taken > 0)
		memcpy(buffer->data + buffer->len, data, taken);
	buffer->len += taken;
	return (ssize_t)taken;
}

static bool buffer_full(const struct sink *sink)
{
	const struct sink_buffer *buffer = (const struct sink_buffer *)sink;

	return buffer->len == buffer->size;
}

static const struct sink_ops buffer_ops = { .push = buffer_push, .full = buffer_full };

struct sink *sink_buffer(struct sink_buffer *buffer, void *data, size_t size)
{
	*buffer = (struct sink_buffer){ .sink.ops = &buffer_ops, .data = data, .size = size };
	return &buffer->sink;
}

static ssize_t null_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct sink_null *null = (struct sink_null *)sink;

	(void)data;
	(void)deadline;
	null->bytes += len;
	null->pieces++;
	return (ssize_t)len;
}

static const struct sink_ops null_ops = { .push = null_push };

struct sink *sink_null(struct sink_null *null)
{
	*null = (struct sink_null){ .sink.ops = &null_ops };
	return &null->sink;
}
