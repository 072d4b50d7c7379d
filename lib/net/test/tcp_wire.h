/* SPDX-License-Identifier: ISC
 *
 * A small language for TCP tests: one connection, and the test as its peer, in virtual time.
 *
 *	send(w, .seq = 1, .ack = 1, .flags = A, .data = "hello");      the peer sends
 *	expect(w, .seq = 1, .ack = 6, .flags = A);                     the connection has sent exactly this
 *	expect_nothing(w);
 *	advance(w, MSEC(40));                                          time passes; timers fire at their exact times
 *
 * Sequence numbers are relative to the initial one of whoever uses them: the SYN is 0, the first byte 1. Both initial
 * numbers lie just below 2^32, so that every test crosses the wrap. Each segment is built and parsed as on a wire.
 */
#ifndef NET_TEST_TCP_WIRE_H
#define NET_TEST_TCP_WIRE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/tcp_core.h"
#include "lib/net/tcp_sequence.h"

enum { F = TCP_FIN, S = TCP_SYN, R = TCP_RST, P = TCP_PSH, A = TCP_ACK, U = TCP_URG, E = TCP_ECE, C = TCP_CWR };
enum { MSS = 1000, WIRE_QUEUE = 512, WIRE_PAYLOAD = 65536 };
#define OUR_ISS   0xffffff80u
#define THEIR_ISS 0xffffffe0u

/* What to send, or to expect. Zero means: the default when sending, not looked at when expecting. */
struct shape {
	uint32_t seq, ack;
	unsigned flags;
	const char *data;
	size_t len;      /* of the payload; with data NULL: that many bytes of the pattern at seq */
	uint32_t window; /* as on the wire; sending: 65535 by default */
	bool closed;     /* the window is 0 */
	bool congested;  /* marked by a router */
	struct tcp_options options;
	bool no_options; /* expecting: there are none */
	uint16_t segment_bytes;
};

struct wire_segment {
	struct tcp_segment segment;
	uint8_t *payload;
};

struct wire {
	struct tcp_sink sink;
	struct tcp_connection c;
	struct tcp_config config;
	struct stack_counters counters;
	struct pool pool;
	uint64_t now;
	int sink_error; /* what the sink answers instead of taking segments */
	struct wire_segment queue[WIRE_QUEUE];
	size_t first, count;
	uint64_t last_sent_at;
};

/* The byte of either stream at this relative sequence number. */
static inline uint8_t pattern(uint32_t seq)
{
	return (uint8_t)(seq * 31u + (seq >> 8));
}

static inline int wire_take(struct tcp_sink *sink, const struct tcp_segment *segment)
{
	struct wire *w = (struct wire *)((char *)sink - offsetof(struct wire, sink));
	struct wire_segment *sent = &w->queue[(w->first + w->count) % WIRE_QUEUE];
	uint8_t bytes[TCP_HEADER_MAX + WIRE_PAYLOAD];
	size_t len;

	if (w->sink_error)
		return w->sink_error;
	assert_true(w->count < WIRE_QUEUE);
	assert_true(segment->len <= w->c.mss || segment->segment_bytes == w->c.mss);
	len = tcp_segment_build(segment, bytes);
	for (size_t i = 0; i < segment->count; i++) {
		memcpy(bytes + len, segment->pieces[i].data, segment->pieces[i].len);
		len += segment->pieces[i].len;
	}
	assert_int_equal(tcp_segment_parse(bytes, len, &sent->segment), 0);
	assert_int_equal(sent->segment.len, segment->len);
	sent->segment.segment_bytes = segment->segment_bytes;
	sent->segment.retransmission = segment->retransmission;
	sent->segment.fragmentable = segment->fragmentable;
	sent->segment.ecn_capable = segment->ecn_capable;
	sent->payload = malloc(sent->segment.len + 1);
	memcpy(sent->payload, sent->segment.pieces[0].data, sent->segment.len);
	w->count++;
	w->last_sent_at = w->now;
	return 0;
}

static inline struct wire *wire_new(void)
{
	struct wire *w = calloc(1, sizeof *w);

	w->sink.send = wire_take;
	w->pool.limit_bytes = 1u << 24;
	w->now = SECOND(1000);
	w->config = (struct tcp_config){ .sink = &w->sink,
		.counters = &w->counters,
		.pool = &w->pool,
		.ring_max = 65536,
		.iss = OUR_ISS,
		.timestamp_base = 7,
		.tuning = tcp_defaults,
		.mss = MSS };
	return w;
}

static inline void wire_drop(struct wire *w)
{
	while (w->count > 0) {
		free(w->queue[w->first].payload);
		w->first = (w->first + 1) % WIRE_QUEUE;
		w->count--;
	}
}

/* Also checks that the connection has given all of its memory back. */
static inline void wire_free(struct wire *w)
{
	wire_drop(w);
	tcp_core_fini(&w->c);
	assert_int_equal(w->pool.used_bytes, 0);
	free(w);
}

static inline struct tcp_segment wire_shape(struct wire *w, const struct shape *shape, uint8_t *payload)
{
	struct tcp_segment segment = {
		.seq = shape->seq + THEIR_ISS,
		.ack = shape->flags & A ? shape->ack + OUR_ISS : 0,
		.flags = (uint8_t)shape->flags,
		.window = (uint16_t)(shape->closed   ? 0
				     : shape->window ? shape->window
						     : 65535),
		.options = shape->options,
		.len = (uint32_t)(shape->data && !shape->len ? strlen(shape->data) : shape->len),
	};

	(void)w;
	for (uint32_t i = 0; i < segment.len; i++)
		payload[i] = shape->data ? (uint8_t)shape->data[i] : pattern(shape->seq + !!(shape->flags & S) + i);
	segment.pieces[0] = (struct platform_piece){ .data = payload, .len = segment.len };
	segment.count = segment.len > 0;
	return segment;
}

/* The peer's segment, without the output that follows a batch. */
static inline void wire_input(struct wire *w, struct shape shape)
{
	uint8_t payload[WIRE_PAYLOAD], header[TCP_HEADER_MAX];
	struct tcp_segment segment = wire_shape(w, &shape, payload), parsed;
	size_t len = tcp_segment_build(&segment, header);
	uint8_t *bytes = malloc(len + segment.len);

	memcpy(bytes, header, len);
	memcpy(bytes + len, payload, segment.len);
	assert_int_equal(tcp_segment_parse(bytes, len + segment.len, &parsed), 0);
	parsed.congested = shape.congested;
	tcp_core_input(&w->c, &parsed, w->now);
	free(bytes); /* the core keeps no pointer: the sanitizer would see it */
}

static inline void wire_send(struct wire *w, struct shape shape)
{
	wire_input(w, shape);
	tcp_core_output(&w->c, w->now);
}

static inline const char *flag_names(unsigned flags, char text[9])
{
	static const char names[] = "FSRPAUEC";
	size_t at = 0;

	for (unsigned i = 0; i < 8; i++) {
		if (flags & 1u << i)
			text[at++] = names[i];
	}
	text[at] = '\0';
	return text;
}

static inline void wire_show(const char *what, const struct tcp_segment *segment)
{
	char flags[9];

	print_error("%s: seq %u ack %u %s len %u window %u\n", what, segment->seq - OUR_ISS, segment->ack - THEIR_ISS,
		flag_names(segment->flags, flags), segment->len, segment->window);
}

static inline bool wire_matches(const struct wire_segment *sent, const struct shape *shape)
{
	const struct tcp_segment *segment = &sent->segment;
	size_t len = shape->data && !shape->len ? strlen(shape->data) : shape->len;

	if (segment->seq - OUR_ISS != shape->seq || segment->flags != shape->flags || segment->len != len ||
		segment->segment_bytes != shape->segment_bytes)
		return false;
	if ((shape->flags & A) && segment->ack - THEIR_ISS != shape->ack)
		return false;
	if ((shape->window && segment->window != shape->window) || (shape->closed && segment->window != 0))
		return false;
	for (uint32_t i = 0; i < len; i++) {
		if (sent->payload[i] !=
			(shape->data ? (uint8_t)shape->data[i] : pattern(shape->seq + !!(shape->flags & S) + i)))
			return false;
	}
	if (shape->options.mss && segment->options.mss != shape->options.mss)
		return false;
	return true;
}

/* The oldest segment not yet expected; gone after the call, but stays readable until the next one. */
static inline const struct tcp_segment *wire_expect(struct wire *w, const char *file, int line, struct shape shape)
{
	struct wire_segment *sent = &w->queue[w->first];
	struct tcp_segment wanted = { .seq = shape.seq + OUR_ISS,
		.ack = shape.ack + THEIR_ISS,
		.flags = (uint8_t)shape.flags,
		.len = (uint32_t)shape.len,
		.window = (uint16_t)shape.window };

	if (shape.data && !shape.len)
		wanted.len = (uint32_t)strlen(shape.data);
	if (w->count == 0 || !wire_matches(sent, &shape)) {
		wire_show("expected", &wanted);
		if (w->count > 0)
			wire_show("sent", &sent->segment);
		else
			print_error("sent: nothing\n");
		_fail(file, line);
	}
	free(sent->payload);
	sent->payload = NULL;
	w->first = (w->first + 1) % WIRE_QUEUE;
	w->count--;
	return &sent->segment;
}

static inline void wire_expect_nothing(struct wire *w, const char *file, int line)
{
	if (w->count > 0) {
		wire_show("expected nothing, sent", &w->queue[w->first].segment);
		_fail(file, line);
	}
}

#define send(w, ...)        wire_send((w), (struct shape){ __VA_ARGS__ })
#define input(w, ...)       wire_input((w), (struct shape){ __VA_ARGS__ })
#define expect(w, ...)      wire_expect((w), __FILE__, __LINE__, (struct shape){ __VA_ARGS__ })
#define expect_nothing(w)   wire_expect_nothing((w), __FILE__, __LINE__)
#define assert_state(w, st) assert_string_equal(tcp_state_names[(w)->c.state], tcp_state_names[st])

/* Time passes; every timer on the way fires at its own time. */
static inline void advance(struct wire *w, uint64_t ns)
{
	uint64_t end = w->now + ns;

	while (tcp_core_deadline(&w->c) <= end) {
		if (w->now < tcp_core_deadline(&w->c))
			w->now = tcp_core_deadline(&w->c);
		tcp_core_expire(&w->c, w->now);
	}
	w->now = end;
}

/* The user's calls, each followed by output as its wrapper does. */
static inline void write_bytes(struct wire *w, uint32_t seq, size_t len)
{
	uint8_t bytes[WIRE_PAYLOAD];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(seq + i);
	assert_int_equal(tcp_core_write(&w->c, bytes, len), len);
	tcp_core_output(&w->c, w->now);
}

static inline void read_bytes(struct wire *w, uint32_t seq, size_t len)
{
	uint8_t bytes[WIRE_PAYLOAD];

	assert_int_equal(tcp_core_read(&w->c, bytes, len), len);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], pattern(seq + i));
	tcp_core_output(&w->c, w->now);
}

static inline ssize_t read_any(struct wire *w)
{
	uint8_t bytes[16];
	ssize_t len = tcp_core_read(&w->c, bytes, sizeof bytes);

	tcp_core_output(&w->c, w->now);
	return len;
}

static inline void finish(struct wire *w)
{
	assert_int_equal(tcp_core_finish(&w->c), 0);
	tcp_core_output(&w->c, w->now);
}

static inline void close_it(struct wire *w)
{
	tcp_core_close(&w->c, w->now);
	tcp_core_output(&w->c, w->now);
}

static inline void open_active(struct wire *w)
{
	tcp_core_connect(&w->c, &w->config, w->now);
	tcp_core_output(&w->c, w->now);
}

static inline void wire_open_passive(struct wire *w, struct shape shape)
{
	uint8_t payload[WIRE_PAYLOAD];
	struct tcp_segment syn = wire_shape(w, &shape, payload);

	tcp_core_accept(&w->c, &w->config, &syn, w->now);
	tcp_core_output(&w->c, w->now);
}
#define open_passive(w, ...) wire_open_passive((w), (struct shape){ .flags = S, __VA_ARGS__ })

/* An established connection to a peer with these SYN options. */
#define established(...) wire_established((struct tcp_options){ .mss = MSS, __VA_ARGS__ })
static inline struct wire *wire_established(struct tcp_options options)
{
	struct wire *w = wire_new();

	wire_open_passive(w, (struct shape){ .flags = S, .options = options });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	wire_send(w, (struct shape){ .seq = 1, .ack = 1, .flags = A });
	assert_state(w, TCP_ESTABLISHED);
	expect_nothing(w);
	return w;
}

#endif
