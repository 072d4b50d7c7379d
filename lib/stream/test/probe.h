/* SPDX-License-Identifier: ISC
 *
 * Helpers for tests of streams: stages that count how often they are started and stopped and with what, and can fail
 * where they are told to; and input of a size that nobody stores.
 */
#ifndef STREAM_TEST_PROBE_H
#define STREAM_TEST_PROBE_H

#include "lib/task/test/scenario.h"

#include <errno.h>

#include <skerry/stream.h>

enum { ENDLESS_PIECE = 64 << 10 };

struct probe {
	int inits, stops, calls, error; /* error: the one that stop was told */
	int init_error;                 /* what init returns */
	int fail_at, fail_with;         /* what the call of this number returns; the first is 1 */
	int stop_error;                 /* what a sink's stop returns instead of 0 */
};

static inline int probe_call(struct probe *probe)
{
	assert_int_equal(probe->inits, 1);
	assert_int_equal(probe->stops, 0);
	return ++probe->calls == probe->fail_at ? probe->fail_with : 0;
}

/* A source of len zero bytes. */
struct probe_source {
	struct source source;
	struct probe probe;
	uint64_t left;
	size_t piece;
};

static inline int probe_source_init(struct source *source)
{
	struct probe *probe = &((struct probe_source *)source)->probe;

	probe->inits++;
	return probe->init_error;
}

static inline ssize_t probe_source_pull(struct source *source, const void **data, uint64_t deadline)
{
	static const uint8_t zeros[ENDLESS_PIECE];
	struct probe_source *from = (struct probe_source *)source;
	size_t len = from->left < from->piece ? (size_t)from->left : from->piece;
	int err = probe_call(&from->probe);

	(void)deadline;
	from->left -= len;
	*data = zeros;
	return err < 0 ? err : (ssize_t)len;
}

static inline void probe_source_stop(struct source *source, int error)
{
	struct probe *probe = &((struct probe_source *)source)->probe;

	probe->stops++;
	probe->error = error;
}

static const struct source_ops probe_source_ops = { probe_source_init, probe_source_pull, probe_source_stop };

static inline struct source *probe_source(struct probe_source *from, uint64_t len, size_t piece)
{
	from->source = (struct source){ .ops = &probe_source_ops };
	from->left = len;
	from->piece = piece;
	return &from->source;
}

/* A flow that changes nothing. */
struct probe_flow {
	struct sink sink;
	struct probe probe;
};

static inline int probe_flow_init(struct sink *sink)
{
	struct probe *probe = &((struct probe_flow *)sink)->probe;

	probe->inits++;
	return probe->init_error;
}

static inline ssize_t probe_flow_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	int err = probe_call(&((struct probe_flow *)sink)->probe);

	return err < 0 ? err : sink_push(sink->next, data, len, deadline);
}

static inline int probe_flow_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct probe *probe = &((struct probe_flow *)sink)->probe;

	(void)deadline;
	probe->stops++;
	probe->error = error;
	return error < 0 ? error : probe->stop_error;
}

static const struct sink_ops probe_flow_ops = {
	.init = probe_flow_init, .push = probe_flow_push, .stop = probe_flow_stop
};

static inline struct sink *probe_flow(struct probe_flow *flow, struct sink *next)
{
	flow->sink = (struct sink){ .ops = &probe_flow_ops, .next = next };
	return &flow->sink;
}

#endif
