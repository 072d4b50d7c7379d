/* SPDX-License-Identifier: ISC
 *
 * A value of a key-value store as a source.
 */
#ifndef SKERRY_KV_STREAM_H
#define SKERRY_KV_STREAM_H

#include <skerry/kv.h>
#include <skerry/stream.h>

/* The value of a key, which is borrowed until the source is stopped. kv_read's errors, -ENOMEM. Each piece is read when
 * it is pulled: a value that is set meanwhile may show both. */
struct source_kv {
	struct source source;
	struct kv *kv;
	const char *key;
	uint64_t offset;
	uint8_t *buf;
};
struct source *source_kv(struct source_kv *value, struct kv *kv, const char *key);

#endif
