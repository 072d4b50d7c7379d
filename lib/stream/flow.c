/* SPDX-License-Identifier: ISC
 *
 * The flows that need no memory: map, filter, tee and take.
 */
#include <skerry/stream.h>

/* A piece is mapped as a whole, so how much of it a full sink has taken cannot be said: all of it counts as taken. */
static ssize_t map_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct flow_map *map = (struct flow_map *)sink;
	size_t mapped_len = len;
	int err = map->map(map->context, &data, &mapped_len);

	if (err == 0)
		err = sink_feed(sink->next, data, mapped_len, deadline);
	return err < 0 ? err : (ssize_t)len;
}

static const struct sink_ops map_ops = { .push = map_push };

struct sink *flow_map(struct flow_map *map, int (*function)(void *context, const void **data, size_t *len),
	void *context, struct sink *next)
{
	*map = (struct flow_map){ .sink = { .ops = &map_ops, .next = next }, .map = function, .context = context };
	return &map->sink;
}

static ssize_t filter_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct flow_filter *filter = (struct flow_filter *)sink;

	return filter->keep(filter->context, data, len) ? sink_push(sink->next, data, len, deadline) : (ssize_t)len;
}

static const struct sink_ops filter_ops = { .push = filter_push };

struct sink *flow_filter(struct flow_filter *filter, bool (*keep)(void *context, const void *data, size_t len),
	void *context, struct sink *next)
{
	*filter =
		(struct flow_filter){ .sink = { .ops = &filter_ops, .next = next }, .keep = keep, .context = context };
	return &filter->sink;
}

static int tee_init(struct sink *sink)
{
	return sink_start(((struct flow_tee *)sink)->side);
}

/* The side gets what the main way has taken, so both have the same bytes when what is left comes again. */
static ssize_t tee_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct flow_tee *tee = (struct flow_tee *)sink;
	ssize_t taken = sink_push(sink->next, data, len, deadline);
	int err = 0;

	if (taken >= 0 && !sink_full(tee->side))
		err = sink_feed(tee->side, data, (size_t)taken, deadline);
	return err < 0 ? err : taken;
}

static int tee_stop(struct sink *sink, int error, uint64_t deadline)
{
	return sink_stop(((struct flow_tee *)sink)->side, error, deadline);
}

static const struct sink_ops tee_ops = { .init = tee_init, .push = tee_push, .stop = tee_stop };

struct sink *flow_tee(struct flow_tee *tee, struct sink *side, struct sink *next)
{
	*tee = (struct flow_tee){ .sink = { .ops = &tee_ops, .next = next }, .side = side };
	return &tee->sink;
}

static ssize_t take_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct flow_take *take = (struct flow_take *)sink;
	ssize_t taken = sink_push(sink->next, data, len < take->left ? len : (size_t)take->left, deadline);

	if (taken > 0)
		take->left -= (uint64_t)taken;
	return taken;
}

static bool take_full(const struct sink *sink)
{
	return ((const struct flow_take *)sink)->left == 0 || sink_full(sink->next);
}

static const struct sink_ops take_ops = { .push = take_push, .full = take_full };

struct sink *flow_take(struct flow_take *take, uint64_t len, struct sink *next)
{
	*take = (struct flow_take){ .sink = { .ops = &take_ops, .next = next }, .left = len };
	return &take->sink;
}
