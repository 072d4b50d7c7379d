/* SPDX-License-Identifier: ISC
 *
 * DEFLATE and its inverse as flows. zlib reads the piece where it is and writes into one buffer, which goes on whenever
 * it is full; nothing else is copied.
 */
#include <errno.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include <skerry/codec.h>

enum { WINDOW_BITS = 15, GZIP_BITS = 16, MEMORY_LEVEL = 8 };

struct zlib_state {
	z_stream z;
	bool started, ended;
	uint8_t out[STREAM_BUFFER_BYTES];
};

static int window_bits(enum codec_wrapping wrapping)
{
	switch (wrapping) {
	case CODEC_RAW:
		return -WINDOW_BITS;
	case CODEC_GZIP:
		return WINDOW_BITS + GZIP_BITS;
	case CODEC_ZLIB:
	default:
		return WINDOW_BITS;
	}
}

static int errno_of(int status)
{
	switch (status) {
	case Z_OK:
	case Z_STREAM_END:
	case Z_BUF_ERROR: /* nothing to do for now */
		return 0;
	case Z_MEM_ERROR:
		return -ENOMEM;
	case Z_STREAM_ERROR:
		return -EINVAL;
	default:
		return -EBADMSG;
	}
}

/* Runs zlib until it has taken its input and given what it then has, its stream has ended, or the next sink is full. */
static int run_zlib(struct flow_zlib *flow, int (*step)(z_stream *z, int flush), int flush, uint64_t deadline)
{
	struct zlib_state *state = flow->state;
	z_stream *z = &state->z;
	int err = 0;

	do {
		int status;

		z->next_out = state->out;
		z->avail_out = sizeof state->out;
		status = step(z, flush);
		err = errno_of(status);
		state->ended = status == Z_STREAM_END;
		if (err == 0 && z->avail_out < sizeof state->out)
			err = sink_feed(flow->sink.next, state->out, sizeof state->out - z->avail_out, deadline);
	} while (err == 0 && !state->ended && (z->avail_in > 0 || z->avail_out == 0) && !sink_full(flow->sink.next));
	return err;
}

static ssize_t push(
	struct flow_zlib *flow, const void *data, size_t len, int (*step)(z_stream *z, int flush), uint64_t deadline)
{
	enum { STEP = 1 << 30 }; /* zlib counts input in unsigned int */
	z_stream *z = &flow->state->z;
	size_t taken = 0;
	int err = 0;

	while (err == 0 && taken < len && !flow->state->ended && !sink_full(flow->sink.next)) {
		uInt given = len - taken < STEP ? (uInt)(len - taken) : STEP;

		z->next_in = (const uint8_t *)data + taken;
		z->avail_in = given;
		err = run_zlib(flow, step, Z_NO_FLUSH, deadline);
		taken += given - z->avail_in;
	}
	return err < 0 ? err : (ssize_t)taken;
}

static struct zlib_state *new_state(struct flow_zlib *flow)
{
	flow->state = malloc(sizeof *flow->state);
	if (flow->state) {
		flow->state->z = (z_stream){ 0 };
		flow->state->started = flow->state->ended = false;
	}
	return flow->state;
}

/* Deflate ------------------------------------------------------------------------------------------------------- */

static int deflate_init(struct sink *sink)
{
	struct flow_zlib *flow = (struct flow_zlib *)sink;
	int err;

	if (flow->level < 0 || flow->level > 9)
		return -EINVAL;
	if (!new_state(flow))
		return -ENOMEM;
	err = errno_of(deflateInit2(&flow->state->z, flow->level, Z_DEFLATED, window_bits(flow->wrapping), MEMORY_LEVEL,
		Z_DEFAULT_STRATEGY));
	flow->state->started = err == 0;
	return err;
}

static ssize_t deflate_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	return push((struct flow_zlib *)sink, data, len, deflate, deadline);
}

static int deflate_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct flow_zlib *flow = (struct flow_zlib *)sink;

	if (!flow->state)
		return error;
	flow->state->z.avail_in = 0;
	if (error == 0 && !sink_full(sink->next))
		error = run_zlib(flow, deflate, Z_FINISH, deadline);
	if (flow->state->started)
		deflateEnd(&flow->state->z);
	free(flow->state);
	flow->state = NULL;
	return error;
}

static const struct sink_ops deflate_ops = { .init = deflate_init, .push = deflate_push, .stop = deflate_stop };

struct sink *flow_deflate(struct flow_zlib *flow, enum codec_wrapping wrapping, int level, struct sink *next)
{
	*flow = (struct flow_zlib){
		.sink = { .ops = &deflate_ops, .next = next }, .wrapping = wrapping, .level = level
	};
	return &flow->sink;
}

/* Inflate ------------------------------------------------------------------------------------------------------- */

static int inflate_init(struct sink *sink)
{
	struct flow_zlib *flow = (struct flow_zlib *)sink;
	int err;

	if (!new_state(flow))
		return -ENOMEM;
	err = errno_of(inflateInit2(&flow->state->z, window_bits(flow->wrapping)));
	flow->state->started = err == 0;
	return err;
}

static ssize_t inflate_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct flow_zlib *flow = (struct flow_zlib *)sink;

	return push(flow, data, len, inflate, deadline);
}

static bool inflate_full(const struct sink *sink)
{
	const struct flow_zlib *flow = (const struct flow_zlib *)sink;

	return flow->state->ended || sink_full(sink->next);
}

static int inflate_stop(struct sink *sink, int error, uint64_t deadline)
{
	struct flow_zlib *flow = (struct flow_zlib *)sink;

	(void)deadline;
	if (!flow->state)
		return error;
	if (error == 0 && !inflate_full(sink))
		error = -EBADMSG;
	if (flow->state->started)
		inflateEnd(&flow->state->z);
	free(flow->state);
	flow->state = NULL;
	return error;
}

static const struct sink_ops inflate_ops = { inflate_init, inflate_push, inflate_full, inflate_stop };

struct sink *flow_inflate(struct flow_zlib *flow, enum codec_wrapping wrapping, struct sink *next)
{
	*flow = (struct flow_zlib){ .sink = { .ops = &inflate_ops, .next = next }, .wrapping = wrapping };
	return &flow->sink;
}
