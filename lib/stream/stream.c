/* SPDX-License-Identifier: ISC
 *
 * Runs streams, and holds the rules for their stages: a stage is stopped once, an error reaches both ends, a chain is
 * started from its front and stopped from its front.
 */
#include <errno.h>

#include <skerry/stream.h>

static int source_start(struct source *source)
{
	if (source->started)
		return 0;
	source->started = true;
	return source->ops->init ? source->ops->init(source) : 0;
}

ssize_t source_pull(struct source *source, const void **data, uint64_t deadline)
{
	size_t rest_len = source->rest_len;
	int err = source_start(source);

	if (err < 0)
		return err;
	if (rest_len == 0)
		return source->ops->pull(source, data, deadline);
	*data = source->rest;
	source->rest_len = 0;
	return (ssize_t)rest_len;
}

void source_keep(struct source *source, const void *data, size_t len)
{
	source->rest = data;
	source->rest_len = len;
}

void source_stop(struct source *source, int error)
{
	if (source->stopped)
		return;
	source->stopped = true;
	source->rest_len = 0;
	if (source->ops->stop)
		source->ops->stop(source, error);
}

int sink_start(struct sink *sink)
{
	int err = 0;

	for (; err == 0 && sink; sink = sink->next)
		err = sink->ops->init ? sink->ops->init(sink) : 0;
	return err;
}

ssize_t sink_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	return sink->ops->push(sink, data, len, deadline);
}

int sink_feed(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	ssize_t taken = sink_push(sink, data, len, deadline);

	return taken < 0 ? (int)taken : 0;
}

bool sink_full(const struct sink *sink)
{
	while (!sink->ops->full && sink->next)
		sink = sink->next;
	return sink->ops->full && sink->ops->full(sink);
}

int sink_stop(struct sink *sink, int error, uint64_t deadline)
{
	for (; sink; sink = sink->next) {
		if (sink->stopped)
			continue;
		sink->stopped = true;
		if (sink->ops->stop)
			error = sink->ops->stop(sink, error, deadline);
	}
	return error;
}

/* Lets others run; so cancelling and deadlines also end a stream whose stages never block. */
static int let_others_run(uint64_t deadline)
{
	int err = task_yield();

	return err == 0 && task_now() >= deadline ? -ETIMEDOUT : err;
}

/* Moves bytes until an end is reached. */
static int move(struct source *source, struct sink *sink, uint64_t deadline)
{
	size_t since_pause = 0;

	while (!sink_full(sink)) {
		const void *data = NULL;
		ssize_t len = source_pull(source, &data, deadline), taken;
		int err;

		if (len <= 0)
			return (int)len;
		taken = sink_push(sink, data, (size_t)len, deadline);
		if (taken < 0)
			return (int)taken;
		if (taken < len)
			source_keep(source, (const uint8_t *)data + taken, (size_t)(len - taken));
		since_pause += (size_t)len;
		err = since_pause >= STREAM_YIELD_BYTES ? let_others_run(deadline) : 0;
		if (err < 0)
			return err;
		since_pause %= STREAM_YIELD_BYTES;
	}
	return STREAM_LEFT;
}

int stream_run(struct source *source, struct sink *sink, uint64_t deadline)
{
	int err = sink_start(sink), end;

	if (err == 0)
		err = source_start(source);
	if (err == 0)
		err = task_cancelled() ? -ECANCELED : move(source, sink, deadline);
	end = sink_stop(sink, err < 0 ? err : 0, deadline);
	if (end < 0)
		err = end;
	if (err != STREAM_LEFT)
		source_stop(source, err);
	return err;
}
