/* SPDX-License-Identifier: ISC
 *
 * TCP flows as sources and sinks. TCP copies out of and into its own buffers; nothing is copied besides.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/tcp_stream.h>

static int source_tcp_init(struct source *source)
{
	struct source_tcp *from = (struct source_tcp *)source;

	from->buf = malloc(STREAM_BUFFER_BYTES);
	return from->buf ? 0 : -ENOMEM;
}

static ssize_t source_tcp_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_tcp *from = (struct source_tcp *)source;

	*data = from->buf;
	return tcp_read(from->flow, from->buf, STREAM_BUFFER_BYTES, deadline);
}

static void source_tcp_stop(struct source *source, int error)
{
	(void)error;
	free(((struct source_tcp *)source)->buf);
}

static const struct source_ops source_tcp_ops = { source_tcp_init, source_tcp_pull, source_tcp_stop };

struct source *source_tcp(struct source_tcp *source, struct tcp *flow)
{
	*source = (struct source_tcp){ .source.ops = &source_tcp_ops, .flow = flow };
	return &source->source;
}

static ssize_t sink_tcp_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	return len > 0 ? tcp_write(((struct sink_tcp *)sink)->flow, data, len, deadline) : 0;
}

static int sink_tcp_stop(struct sink *sink, int error, uint64_t deadline)
{
	(void)deadline;
	return error < 0 ? error : tcp_shutdown(((struct sink_tcp *)sink)->flow);
}

static const struct sink_ops sink_tcp_ops = { .push = sink_tcp_push, .stop = sink_tcp_stop };

struct sink *sink_tcp(struct sink_tcp *sink, struct tcp *flow)
{
	*sink = (struct sink_tcp){ .sink.ops = &sink_tcp_ops, .flow = flow };
	return &sink->sink;
}

void tcp_finish(struct tcp *flow, int error)
{
	if (error < 0)
		tcp_abort(flow);
	else
		tcp_close(flow);
}
