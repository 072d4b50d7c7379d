/* SPDX-License-Identifier: ISC
 *
 * Streams through codecs: DEFLATE in its three wrappings, by zlib, and SHA-256, by BearSSL.
 */
#ifndef SKERRY_CODEC_H
#define SKERRY_CODEC_H

#include <skerry/stream.h>

/* What is around the compressed bytes: nothing (RFC 1951), a header and Adler-32 (RFC 1950), or gzip's header and
 * CRC-32 (RFC 1952; one member, without name and time). */
enum codec_wrapping { CODEC_RAW, CODEC_ZLIB, CODEC_GZIP };

/* While it runs, 268 KiB of heap to deflate and 48 KiB to inflate, and a buffer for what comes out. */
struct zlib_state;
struct flow_zlib {
	struct sink sink;
	struct zlib_state *state;
	enum codec_wrapping wrapping;
	int level;
};

/* Compresses. level: 0 (not at all), 1 (fast) to 9 (small). -ENOMEM; -EINVAL: no such level. */
struct sink *flow_deflate(struct flow_zlib *deflate, enum codec_wrapping wrapping, int level, struct sink *next);

/* Decompresses one stream, and is full where that ends: what follows is left in the source. -EBADMSG: malformed, with a
 * wrong checksum, or the end came before its end (unless the sink behind was full first); -ENOMEM. Output has no limit
 * but that of the sinks behind: flow_take. */
struct sink *flow_inflate(struct flow_zlib *inflate, enum codec_wrapping wrapping, struct sink *next);

/* The SHA-256 (FIPS 180-4) of all bytes; in digest, once the stream is complete. As a flow: flow_tee(&tee,
 * sink_sha256(&hash), next). */
enum { SHA256_LEN = 32 };
struct sha256_state;
struct sink_sha256 {
	struct sink sink;
	struct sha256_state *state;
	uint8_t digest[SHA256_LEN];
};
struct sink *sink_sha256(struct sink_sha256 *hash);

#endif
