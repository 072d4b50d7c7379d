/* SPDX-License-Identifier: ISC
 *
 * Splits a stream at a separator. What lies whole in one piece is passed on where it is; only what spans pieces is
 * copied, into a buffer of the largest size allowed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/stream.h>

static int split_init(struct sink *sink)
{
	struct flow_split *split = (struct flow_split *)sink;

	split->held = malloc(split->max > 0 ? split->max : 1);
	return split->held ? 0 : -ENOMEM;
}

static int hold(struct flow_split *split, const uint8_t *data, size_t len)
{
	if (len > split->max - split->len)
		return -EMSGSIZE;
	if (len > 0)
		memcpy(split->held + split->len, data, len);
	split->len += len;
	return 0;
}

/* Passes on what is held and these bytes, as one. */
static int emit(struct flow_split *split, const uint8_t *data, size_t len, uint64_t deadline)
{
	int err;

	if (len > split->max - split->len)
		return -EMSGSIZE;
	if (split->len == 0)
		return sink_feed(split->sink.next, data, len, deadline);
	err = hold(split, data, len);
	len = split->len;
	split->len = 0;
	return err < 0 ? err : sink_feed(split->sink.next, split->held, len, deadline);
}

static ssize_t split_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct flow_split *split = (struct flow_split *)sink;
	const uint8_t *at = data, *end = at + len, *found;
	int err = 0;

	while (err == 0 && at < end && !sink_full(sink->next)) {
		found = memchr(at, split->separator, (size_t)(end - at));
		if (!found) {
			err = hold(split, at, (size_t)(end - at));
			at = end;
		} else {
			err = emit(split, at, (size_t)(found - at), deadline);
			at = found + 1;
		}
	}
	return err < 0 ? err : (ssize_t)(len - (size_t)(end - at));
}

static int split_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct flow_split *split = (struct flow_split *)sink;

	if (error == 0 && split->len > 0 && !sink_full(sink->next))
		error = sink_feed(sink->next, split->held, split->len, deadline);
	free(split->held);
	split->held = NULL;
	return error;
}

static const struct sink_ops split_ops = { .init = split_init, .push = split_push, .stop = split_stop };

struct sink *flow_split(struct flow_split *split, char separator, size_t max, struct sink *next)
{
	*split = (struct flow_split){
		.sink = { .ops = &split_ops, .next = next }, .max = max, .separator = (uint8_t)separator
	};
	return &split->sink;
}
