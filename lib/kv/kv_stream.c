/* SPDX-License-Identifier: ISC
 *
 * A value as a source, piece by piece.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/kv_stream.h>

static int value_init(struct source *source)
{
	struct source_kv *value = (struct source_kv *)source;

	value->buf = malloc(STREAM_BUFFER_BYTES);
	return value->buf ? 0 : -ENOMEM;
}

static ssize_t value_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_kv *value = (struct source_kv *)source;
	ssize_t len = kv_read(value->kv, value->key, value->offset, value->buf, STREAM_BUFFER_BYTES);

	(void)deadline;
	if (len > 0)
		value->offset += (uint64_t)len;
	*data = value->buf;
	return len;
}

static void value_stop(struct source *source, int error)
{
	(void)error;
	free(((struct source_kv *)source)->buf);
}

static const struct source_ops value_ops = { value_init, value_pull, value_stop };

struct source *source_kv(struct source_kv *value, struct kv *kv, const char *key)
{
	*value = (struct source_kv){ .source.ops = &value_ops, .kv = kv, .key = key };
	return &value->source;
}
