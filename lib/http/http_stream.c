/* SPDX-License-Identifier: ISC
 *
 * An HTTP exchange as source and sink.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/http_stream.h>

static int source_http_init(struct source *source)
{
	struct source_http *from = (struct source_http *)source;

	from->buf = malloc(STREAM_BUFFER_BYTES);
	return from->buf ? 0 : -ENOMEM;
}

static ssize_t source_http_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_http *from = (struct source_http *)source;

	(void)deadline;
	*data = from->buf;
	return http_read(from->exchange, from->buf, STREAM_BUFFER_BYTES);
}

static void source_http_stop(struct source *source, int error)
{
	(void)error;
	free(((struct source_http *)source)->buf);
}

static const struct source_ops source_http_ops = { source_http_init, source_http_pull, source_http_stop };

struct source *source_http(struct source_http *source, struct http_exchange *exchange)
{
	*source = (struct source_http){ .source.ops = &source_http_ops, .exchange = exchange };
	return &source->source;
}

static ssize_t sink_http_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	int err = http_write(((struct sink_http *)sink)->exchange, data, len);

	(void)deadline;
	return err < 0 ? err : (ssize_t)len;
}

static int sink_http_stop(struct sink *sink, int error, uint64_t deadline)
{
	(void)deadline;
	return error < 0 ? error : http_end(((struct sink_http *)sink)->exchange);
}

static const struct sink_ops sink_http_ops = { .push = sink_http_push, .stop = sink_http_stop };

struct sink *sink_http(struct sink_http *sink, struct http_exchange *exchange)
{
	*sink = (struct sink_http){ .sink.ops = &sink_http_ops, .exchange = exchange };
	return &sink->sink;
}
