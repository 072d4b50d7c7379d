/* SPDX-License-Identifier: ISC
 *
 * Streams of bytes: sources that are pulled, sinks that are pushed to, and flows, which are sinks in front of a sink.
 *
 * Each is a struct in the caller's memory, and its constructor returns what the next one takes, so that a composition
 * is an expression, and a value; nothing happens before it is run:
 *
 *	struct source_string string;
 *	struct flow_zlib gzip;
 *	struct sink_tcp out;
 *	int err = stream_run(source_string(&string, text),
 *		flow_deflate(&gzip, CODEC_GZIP, 6, sink_tcp(&out, flow)), deadline);
 *
 * A stream ends in one of two ways, and both of its ends learn which: complete (0), or failed (a negative errno).
 * Whatever happens, each stage is stopped exactly once, also when it was never started, and gives up what it holds.
 *
 * Bytes move as borrowed pieces: those of a source stay until it is pulled again or stopped, those given to a sink for
 * the call. Nothing is copied between stages. No stage holds more than its named limit. A run must be in a task; it
 * lets others run each STREAM_YIELD_BYTES even when no stage blocks.
 */
#ifndef SKERRY_STREAM_H
#define SKERRY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skerry/block.h>
#include <skerry/crunch.h>
#include <skerry/task.h>

enum {
	STREAM_YIELD_BYTES = 256 << 10,
	STREAM_BUFFER_BYTES = 16 << 10, /* of a stage that needs one; on the heap while it runs */
};

/* The two contracts ---------------------------------------------------------------------------------------------- */

struct source;
struct source_ops {
	/* Acquires what pulling needs; NULL: nothing. 0 or an error. Called once, before the first pull. */
	int (*init)(struct source *source);
	/* The next piece. Its length; 0: the stream is complete; or an error. May block until the deadline. */
	ssize_t (*pull)(struct source *source, const void **data, uint64_t deadline);
	/* Releases everything, also what init got half-way; NULL: nothing. The error is why its bytes are not wanted
	 * any more, for whoever makes them; 0 when all was well. */
	void (*stop)(struct source *source, int error);
};
struct source {
	const struct source_ops *ops;
	const uint8_t *rest; /* of the last piece, what no sink has taken */
	size_t rest_len;
	bool started, stopped;
};

struct sink;
struct sink_ops {
	int (*init)(struct sink *sink); /* as a source's; a flow's is called before that of the sink behind it */
	/* Takes a piece, which may be empty. Returns len, or less once the sink is full; or an error, after which it is
	 * stopped with that. May block until the deadline. */
	ssize_t (*push)(struct sink *sink, const void *data, size_t len, uint64_t deadline);
	bool (*full)(const struct sink *sink); /* no more bytes are wanted; NULL: as the sink behind it, else never */
	/* With 0 the stream is complete: brings what is held to its end. May block then, and fail. With an error: drops
	 * it. Releases everything in either case, also what init got half-way; NULL: nothing. Returns the error, or its
	 * own; the sink behind it is stopped with that afterwards. */
	int (*stop)(struct sink *sink, int error, uint64_t deadline);
};
struct sink {
	const struct sink_ops *ops;
	struct sink *next; /* of a flow: what is behind it */
	bool stopped;
};

/* Moves all bytes of the source into the sink. Blocks. STREAM_COMPLETE: all of them; both are stopped. STREAM_LEFT: the
 * sink is full and stopped as complete, and the source is the caller's again, with all bytes that were not taken, to
 * run once more or to source_stop. Else the first error of any stage, -ETIMEDOUT or -ECANCELED; both are stopped. */
enum { STREAM_COMPLETE, STREAM_LEFT };
int stream_run(struct source *source, struct sink *sink, uint64_t deadline);

/* For those who make stages, or drive a stream by hand. source_pull starts a source that is new; a sink is started with
 * sink_start. stop does something only the first time. */
ssize_t source_pull(struct source *source, const void **data, uint64_t deadline);
/* Keeps the last len bytes of the last piece for the next pull. */
void source_keep(struct source *source, const void *data, size_t len);
void source_stop(struct source *source, int error);

int sink_start(struct sink *sink);
ssize_t sink_push(struct sink *sink, const void *data, size_t len, uint64_t deadline);
/* As sink_push for bytes that nobody wants back: 0, also when a full sink has taken fewer. */
int sink_feed(struct sink *sink, const void *data, size_t len, uint64_t deadline);
bool sink_full(const struct sink *sink);
/* 0, the error given, or one of the sink's own. */
int sink_stop(struct sink *sink, int error, uint64_t deadline);

/* Sources -------------------------------------------------------------------------------------------------------- */

struct stream_piece {
	const void *data;
	size_t len;
};

/* Pieces in memory, borrowed until the source is stopped; empty ones are left out. */
struct source_array {
	struct source source;
	const struct stream_piece *pieces;
	size_t count;
};
struct source *source_array(struct source_array *array, const struct stream_piece *pieces, size_t count);

/* Bytes in memory: of a string, or of a file in the image. */
struct source_string {
	struct source source;
	const void *data;
	size_t len;
};
struct source *source_string(struct source_string *string, const char *text);
struct source *source_bytes(struct source_string *string, const void *data, size_t len);
struct source *source_crunched(struct source_string *string, const struct crunched_file *file);

/* count sectors of a block device from sector first. block_read's errors, -ENOMEM. The device stays open. */
struct source_block {
	struct source source;
	struct block *block;
	uint64_t next, left; /* sectors */
	uint8_t *buf;
};
struct source *source_block(struct source_block *range, struct block *block, uint64_t first, uint64_t count);

/* Sinks ---------------------------------------------------------------------------------------------------------- */

/* The caller's memory; full when len has become size. */
struct sink_buffer {
	struct sink sink;
	uint8_t *data;
	size_t size, len;
};
struct sink *sink_buffer(struct sink_buffer *buffer, void *data, size_t size);

/* Forgets what it gets, and counts it. */
struct sink_null {
	struct sink sink;
	uint64_t bytes, pieces;
};
struct sink *sink_null(struct sink_null *null);

/* Flows ---------------------------------------------------------------------------------------------------------- */

/* Replaces each piece by another, which stays until the next call: through data and len, which are first those of the
 * piece. 0, or an error that fails the stream. */
struct flow_map {
	struct sink sink;
	int (*map)(void *context, const void **data, size_t *len);
	void *context;
};
struct sink *flow_map(struct flow_map *map, int (*function)(void *context, const void **data, size_t *len),
	void *context, struct sink *next);

/* Lets the pieces through that keep says true of. */
struct flow_filter {
	struct sink sink;
	bool (*keep)(void *context, const void *data, size_t len);
	void *context;
};
struct sink *flow_filter(struct flow_filter *filter, bool (*keep)(void *context, const void *data, size_t len),
	void *context, struct sink *next);

/* Gives all bytes to the side sink as well, until that is full. */
struct flow_tee {
	struct sink sink;
	struct sink *side;
};
struct sink *flow_tee(struct flow_tee *tee, struct sink *side, struct sink *next);

/* Is full after len bytes. */
struct flow_take {
	struct sink sink;
	uint64_t left;
};
struct sink *flow_take(struct flow_take *take, uint64_t len, struct sink *next);

/* Makes one piece of what lies between two separators, without them: lines, with '\n'. What follows the last one is a
 * piece if it is not empty. -EMSGSIZE: more than max bytes without a separator. */
struct flow_split {
	struct sink sink;
	uint8_t *held; /* the beginning of a piece that goes on; max bytes on the heap while running */
	size_t len, max;
	uint8_t separator;
};
struct sink *flow_split(struct flow_split *split, char separator, size_t max, struct sink *next);

#endif
