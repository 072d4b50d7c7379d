/* SPDX-License-Identifier: ISC
 *
 * A sink that hashes.
 */
#include <errno.h>
#include <stdlib.h>

#include <bearssl.h>

#include <skerry/codec.h>

struct sha256_state {
	br_sha256_context context;
};

static int sha256_init(struct sink *sink)
{
	struct sink_sha256 *hash = (struct sink_sha256 *)sink;

	hash->state = malloc(sizeof *hash->state);
	if (!hash->state)
		return -ENOMEM;
	br_sha256_init(&hash->state->context);
	return 0;
}

static ssize_t sha256_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	(void)deadline;
	br_sha256_update(&((struct sink_sha256 *)sink)->state->context, data, len);
	return (ssize_t)len;
}

static int sha256_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct sink_sha256 *hash = (struct sink_sha256 *)sink;

	(void)deadline;
	if (error == 0)
		br_sha256_out(&hash->state->context, hash->digest);
	free(hash->state);
	hash->state = NULL;
	return error;
}

static const struct sink_ops sha256_ops = { .init = sha256_init, .push = sha256_push, .stop = sha256_stop };

struct sink *sink_sha256(struct sink_sha256 *hash)
{
	*hash = (struct sink_sha256){ .sink.ops = &sha256_ops };
	return &hash->sink;
}
