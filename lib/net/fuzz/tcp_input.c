/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: any sequence of segments, of the user's calls and of time, to one connection. Its invariants hold
 * after each, and in the end it gives its memory back.
 *
 * The input is a program of one-byte commands with their operands: see command(). Sequence numbers are near those the
 * connection expects, so that mutations reach its depths.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/tcp_core.h"
#include "lib/net/tcp_sequence.h"

struct program {
	const uint8_t *data;
	size_t size, at;
};

static bool full;

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t next(struct program *program)
{
	return program->at < program->size ? program->data[program->at++] : 0;
}

/* -128 to 127, or, each with an own meaning of far, something far away. */
static uint32_t near(struct program *program, uint32_t base)
{
	uint8_t byte = next(program);

	if (byte == 0x80)
		return base + (uint32_t)next(program) * 0x01010101u;
	if (byte == 0x81)
		return base + (uint32_t)next(program) * 257u;
	return base + byte - (byte > 0x81 ? 256u : 0u);
}

static int take(struct tcp_sink *sink, const struct tcp_segment *segment)
{
	uint8_t header[TCP_HEADER_MAX];
	struct tcp_segment parsed;
	size_t len, pieces = 0;

	(void)sink;
	if (full)
		return -EAGAIN;
	len = tcp_segment_build(segment, header);
	must_hold(tcp_segment_parse(header, len, &parsed) == 0);
	for (size_t i = 0; i < segment->count; i++)
		pieces += segment->pieces[i].len;
	must_hold(pieces == segment->len);
	return 0;
}

static void receive(struct tcp_connection *c, struct program *program, uint64_t now)
{
	static uint8_t payload[2048];
	struct tcp_segment segment = { 0 };
	uint8_t options;

	segment.flags = next(program);
	segment.seq = near(program, c->rcv_nxt);
	segment.ack = near(program, c->snd_una);
	segment.window = (uint16_t)(next(program) * 257u);
	segment.len = next(program) * 8u;
	options = next(program);
	if (options & 1) {
		segment.options.has_timestamp = true;
		segment.options.timestamp = near(program, c->timestamp_recent);
		segment.options.timestamp_echo = near(program, tcp_timestamp(c, now));
	}
	if (options & 2)
		segment.ack = near(program, c->snd_nxt);
	segment.options.mss = (uint16_t)(options & 4 ? next(program) * 10u : 0);
	segment.options.has_window_shift = options & 8;
	segment.options.window_shift = options & 16 ? next(program) : 3;
	segment.options.sack_permitted = options & 32;
	segment.options.sack_count = options & 64 ? next(program) % (TCP_SACK_BLOCKS + 1) : 0;
	for (int i = 0; i < segment.options.sack_count; i++) {
		segment.options.sack[i].begin = c->snd_una + next(program) * 16u;
		segment.options.sack[i].end = near(program, segment.options.sack[i].begin);
	}
	segment.pieces[0] = (struct platform_piece){ .data = payload, .len = segment.len };
	segment.count = segment.len > 0;
	tcp_core_input(c, &segment, now);
}

static void command(struct tcp_connection *c, struct program *program, uint64_t *now)
{
	static uint8_t bytes[4096];

	switch (next(program) % 12) {
	case 0:
	case 1:
	case 2:
	case 3:
		receive(c, program, *now);
		break;
	case 4:
		*now += MSEC(next(program));
		break;
	case 5:
		*now += SECOND(next(program));
		break;
	case 6:
		if (tcp_core_deadline(c) != FOREVER && tcp_core_deadline(c) > *now)
			*now = tcp_core_deadline(c);
		tcp_core_expire(c, *now);
		break;
	case 7:
		(void)tcp_core_write(c, bytes, next(program) * 16u);
		break;
	case 8:
		(void)tcp_core_read(c, bytes, next(program) * 16u);
		break;
	case 9:
		(void)tcp_core_finish(c);
		break;
	case 10:
		full = next(program) & 1;
		break;
	default:
		tcp_core_output(c, *now);
		/* Not before: what was thought lost may be in flight after all, which input shows, and output times. */
		must_hold(c->state == TCP_CLOSED || tcp_pipe(c) == 0 || c->timers[TCP_TIMER_RETRANSMIT] != FOREVER);
		break;
	}
}

/* The spans of what is in flight lie in a row, and their bytes are counted. */
static void check_flight(const struct tcp_connection *c)
{
	const struct tcp_flight *flight = &c->flight;
	uint32_t lost = 0, sacked = 0;

	must_hold(flight->count <= flight->room && flight->room <= TCP_SPANS_MAX);
	must_hold(flight->bytes[TCP_SPAN_LOST] + flight->bytes[TCP_SPAN_SACKED] <= c->snd_nxt - c->snd_una);
	for (const struct tcp_span *span = flight->spans; span < flight->spans + flight->count; span++) {
		uint32_t len = tcp_span_end(flight, span) - span->begin;
		must_hold(len > 0 && len <= flight->end - flight->spans[0].begin);
		lost += span->state == TCP_SPAN_LOST ? len : 0;
		sacked += span->state == TCP_SPAN_SACKED ? len : 0;
	}
	must_hold(lost == flight->bytes[TCP_SPAN_LOST] && (sacked == flight->bytes[TCP_SPAN_SACKED] || !c->sack));
	if (flight->count > 0)
		must_hold(flight->spans[0].begin == c->snd_una && flight->end == c->snd_nxt &&
			  flight->spans[0].state != TCP_SPAN_SACKED);
}

static void check(const struct tcp_connection *c)
{
	must_hold(c->state < TCP_STATES && c->state != TCP_LISTEN);
	check_flight(c);
	must_hold(c->timers[TCP_TIMER_RETRANSMIT] == FOREVER || c->timers[TCP_TIMER_PERSIST] == FOREVER);
	must_hold(c->cwnd >= TCP_MSS_MIN - TCP_TIMESTAMP_BYTES || c->state <= TCP_SYN_RECEIVED ||
		  c->loss == TCP_LOSS_RECOVERY);
	must_hold(!seq_before(c->rcv_edge, c->rcv_nxt));
	must_hold(c->range_count <= TCP_RANGES_MAX);
	for (uint32_t i = 0; i < c->range_count; i++)
		must_hold(seq_before(c->ranges[i].begin, c->ranges[i].end) &&
			  seq_after(c->ranges[i].begin, i ? c->ranges[i - 1].end : c->rcv_nxt));
	if (c->state == TCP_CLOSED)
		must_hold(tcp_core_deadline(c) == FOREVER && c->tx.data == NULL && c->ranges == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program program = { .data = data, .size = size };
	struct pool pool = { .limit_bytes = 40000 };
	struct tcp_sink sink = { .send = take };
	struct stack_counters counters = { 0 };
	struct tcp_config config = { .sink = &sink,
		.counters = &counters,
		.pool = &pool,
		.ring_max = 16384,
		.iss = 0xfffffc00u,
		.mss = 1460,
		.tuning = tcp_defaults,
		.timestamp_base = 5 };
	struct tcp_segment syn = { .flags = TCP_SYN, .seq = 0xfffffe00u };
	struct tcp_connection c;
	uint64_t now = SECOND(5);
	uint8_t how = next(&program);

	full = false;
	syn.window = (uint16_t)(how * 257u);
	syn.options.has_timestamp = how & 2;
	syn.options.has_window_shift = how & 4;
	syn.options.sack_permitted = how & 8;
	if (how & 1)
		tcp_core_connect(&c, &config, now);
	else
		tcp_core_accept(&c, &config, &syn, now);
	tcp_core_output(&c, now);
	while (program.at < size) {
		command(&c, &program, &now);
		check(&c);
	}
	if (how & 16)
		tcp_core_close(&c, now);
	else
		tcp_core_abort(&c, -ECONNRESET);
	tcp_core_output(&c, now);
	tcp_core_fini(&c);
	must_hold(pool.used_bytes == 0);
	return 0;
}
