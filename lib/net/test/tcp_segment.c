/* SPDX-License-Identifier: ISC
 *
 * TCP's wire format against hostile bytes (RFC 9293, 3.1 and MUST-4 to MUST-7, MUST-64 to MUST-69), and the ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/net/ring.h"
#include "lib/net/tcp_segment.h"
#include "lib/net/tcp_sequence.h"

/* Parses a header with these options in memory of exactly its size, so that the sanitizer sees each byte too far. */
static int parse_options(const uint8_t *options, size_t len, struct tcp_segment *segment)
{
	size_t padded = (len + 3) / 4 * 4;
	uint8_t *bytes = calloc(1, TCP_HEADER + padded);
	int err;

	bytes[12] = (uint8_t)((TCP_HEADER + padded) / 4 << 4);
	memcpy(bytes + TCP_HEADER, options, len);
	err = tcp_segment_parse(bytes, TCP_HEADER + padded, segment);
	free(bytes);
	return err;
}
#define OPTIONS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void short_segments_are_malformed(void **state)
{
	struct tcp_segment segment;

	(void)state;
	for (size_t len = 0; len < TCP_HEADER; len++) {
		uint8_t *bytes = calloc(1, len + 1);
		assert_int_equal(tcp_segment_parse(bytes, len, &segment), -EBADMSG);
		free(bytes);
	}
}

static void data_offset_below_five_or_past_the_end_is_malformed(void **state)
{
	uint8_t bytes[TCP_HEADER + 8] = { 0 };
	struct tcp_segment segment;

	(void)state;
	for (unsigned offset = 0; offset < 16; offset++) {
		bytes[12] = (uint8_t)(offset << 4);
		assert_int_equal(
			tcp_segment_parse(bytes, sizeof bytes, &segment), offset >= 5 && offset <= 7 ? 0 : -EBADMSG);
		if (offset >= 5 && offset <= 7)
			assert_int_equal(segment.len, 8 - (offset - 5) * 4);
	}
}

static void illegal_option_lengths_are_malformed(void **state)
{
	struct tcp_segment segment;

	(void)state;
	assert_int_equal(parse_options(OPTIONS(2, 0, 0, 0), &segment), -EBADMSG);
	assert_int_equal(parse_options(OPTIONS(2, 1, 0, 0), &segment), -EBADMSG);
	assert_int_equal(parse_options(OPTIONS(2, 5, 0, 0), &segment), -EBADMSG);
	assert_int_equal(parse_options(OPTIONS(99, 255, 0, 0), &segment), -EBADMSG);
	assert_int_equal(parse_options(OPTIONS(1, 1, 1, 2), &segment), -EBADMSG); /* no room for its length */
	assert_int_equal(parse_options(OPTIONS(1, 1, 1, 8), &segment), -EBADMSG);
	assert_int_equal(parse_options(OPTIONS(5, 34, 0, 0), &segment), -EBADMSG);
}

static void unknown_and_misshapen_options_are_skipped(void **state)
{
	struct tcp_segment segment;

	(void)state;
	assert_int_equal(parse_options(OPTIONS(254, 2, 99, 6, 1, 2, 3, 4, 2, 4, 5, 0xb4), &segment), 0);
	assert_int_equal(segment.options.mss, 1460);
	assert_int_equal(parse_options(OPTIONS(2, 3, 9, 3, 4, 1, 1, 8, 3, 0, 4, 3, 0), &segment), 0);
	assert_int_equal(segment.options.mss, 0);
	assert_false(segment.options.has_window_shift || segment.options.has_timestamp);
	assert_int_equal(parse_options(OPTIONS(0, 2, 4, 5, 0xb4), &segment), 0); /* behind the end of the list */
	assert_int_equal(segment.options.mss, 0);
	assert_int_equal(parse_options(OPTIONS(1, 1, 1, 2, 4, 5, 0xb4), &segment), 0); /* MUST-64 */
	assert_int_equal(segment.options.mss, 1460);
	assert_int_equal(parse_options(OPTIONS(5, 9, 0, 0, 0, 0, 0, 0, 0), &segment), 0);
	assert_int_equal(segment.options.sack_count, 0);
}

static void syn_options_stand_in_linux_order(void **state)
{
	static const uint8_t wanted[] = { 2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7 };
	struct tcp_segment segment = {
		.flags = TCP_SYN,
		.options = { .mss = 1460,
			.sack_permitted = true,
			.has_timestamp = true,
			.timestamp = 1,
			.timestamp_echo = 2,
			.has_window_shift = true,
			.window_shift = 7 },
	};
	uint8_t header[TCP_HEADER_MAX];

	(void)state;
	assert_int_equal(tcp_segment_build(&segment, header), TCP_HEADER + sizeof wanted);
	assert_memory_equal(header + TCP_HEADER, wanted, sizeof wanted);
}

static void what_is_built_is_parsed_the_same(void **state)
{
	struct tcp_segment segment = {
		.source_port = 0x1234,
		.destination_port = 0x5678,
		.seq = 0x9abcdef0,
		.ack = 0x0fedcba9,
		.flags = TCP_ACK | TCP_PSH | TCP_URG,
		.window = 0xbeef,
		.urgent_pointer = 0xcafe,
		.options = { .has_timestamp = true,
			.timestamp = 0xa1a2a3a4,
			.timestamp_echo = 0xb1b2b3b4,
			.sack_count = 4,
			.sack = { { 1, 2 }, { 3, 4 }, { 0xfffffff0, 5 }, { 7, 8 } } },
	};
	uint8_t header[TCP_HEADER_MAX];
	struct tcp_segment parsed;
	size_t len = tcp_segment_build(&segment, header);

	(void)state;
	assert_int_equal(len, TCP_HEADER + 12 + 4 + 3 * 8); /* the fourth block has no room beside timestamps */
	assert_int_equal(tcp_segment_parse(header, len, &parsed), 0);
	assert_int_equal(parsed.source_port, 0x1234);
	assert_int_equal(parsed.destination_port, 0x5678);
	assert_int_equal(parsed.seq, 0x9abcdef0);
	assert_int_equal(parsed.ack, 0x0fedcba9);
	assert_int_equal(parsed.flags, segment.flags);
	assert_int_equal(parsed.window, 0xbeef);
	assert_int_equal(parsed.urgent_pointer, 0xcafe);
	assert_int_equal(parsed.options.timestamp, 0xa1a2a3a4);
	assert_int_equal(parsed.options.timestamp_echo, 0xb1b2b3b4);
	assert_int_equal(parsed.options.sack_count, 3);
	assert_int_equal(parsed.options.sack[2].begin, 0xfffffff0);
	assert_int_equal(parsed.len, 0);
}

static void mss_and_the_other_offers_stand_on_syns_only(void **state)
{
	static const unsigned flags[] = { TCP_ACK, TCP_ACK | TCP_FIN, TCP_ACK | TCP_PSH, TCP_RST, TCP_RST | TCP_ACK };

	(void)state;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		struct tcp_segment parsed, segment = { .flags = (uint8_t)flags[i],
			.options = {
				.mss = 1460, .sack_permitted = true, .has_window_shift = true, .window_shift = 7 } };
		uint8_t header[TCP_HEADER_MAX];
		size_t len = tcp_segment_build(&segment, header);
		assert_int_equal(len, TCP_HEADER); /* MUST-65 */
		assert_int_equal(tcp_segment_parse(header, len, &parsed), 0);
		assert_int_equal(parsed.options.mss, 0);
	}
}

static void sequence_numbers_compare_across_the_wrap(void **state)
{
	(void)state;
	for (uint32_t base = 0xfffffff0u; base != 0x10; base++) {
		assert_true(seq_before(base, base + 1));
		assert_true(seq_before(base, base + 0x7fffffff));
		assert_false(seq_before(base, base));
		assert_false(seq_before(base + 1, base));
		assert_true(seq_after(base + 5, base));
		assert_true(seq_within(base + 9, base, 10));
		assert_false(seq_within(base + 10, base, 10));
		assert_true(seq_between(base + 10, base, base + 10));
		assert_int_equal(seq_later(base, base + 3), base + 3);
		assert_int_equal(seq_earlier(base, base + 3), base);
	}
}

static void ring_wraps_grows_and_keeps_every_byte(void **state)
{
	struct pool pool = { .limit_bytes = 1 << 20 };
	uint32_t in = 0, out = 0, seed = 1;
	uint8_t bytes[5000];
	struct ring ring;

	(void)state;
	ring_init(&ring, &pool, 16384);
	for (int i = 0; i < 20000; i++) {
		seed = seed * 1664525u + 1013904223u;
		size_t len = (seed >> 8) % sizeof bytes;
		if (seed >> 31) {
			for (uint32_t at = 0; at < len; at++)
				bytes[at] = (uint8_t)(in + at);
			int taken = ring_append(&ring, bytes, len);
			assert_in_range(taken, 0, len);
			in += (uint32_t)taken;
		} else {
			len = ring_take(&ring, bytes, len);
			for (uint32_t at = 0; at < len; at++)
				assert_int_equal(bytes[at], (uint8_t)(out + at));
			out += (uint32_t)len;
		}
		assert_int_equal(ring.len, in - out);
		if (ring.len == 0)
			ring_release(&ring);
	}
	ring_release(&ring);
	assert_int_equal(pool.used_bytes, 0);
}

static void ring_keeps_what_was_put_beyond_its_end_while_it_grows(void **state)
{
	struct pool pool = { .limit_bytes = 1 << 20 };
	struct platform_piece pieces[2];
	uint8_t bytes[4000], back[8000];
	struct ring ring;

	(void)state;
	ring_init(&ring, &pool, 16384);
	memset(bytes, 1, sizeof bytes);
	assert_int_equal(ring_append(&ring, bytes, 1500), 1500);
	ring_consume(&ring, 1400);
	memset(bytes, 2, sizeof bytes);
	assert_int_equal(ring_put(&ring, 1900, bytes, 100), 0); /* around the end of 2048 bytes */
	assert_int_equal(ring_put(&ring, 4000, bytes, 4000), 0);
	memset(bytes, 3, sizeof bytes);
	assert_int_equal(ring_put(&ring, 100, bytes, 1800), 0);
	ring_extend(&ring, 1900);
	assert_int_equal(ring.len, 2000);
	assert_int_equal(ring_pieces(&ring, 0, 2000, pieces), 1);
	assert_int_equal(ring_take(&ring, back, sizeof back), 2000);
	assert_int_equal(back[99], 1);
	assert_int_equal(back[100], 3);
	assert_int_equal(back[1899], 3);
	assert_int_equal(back[1900], 2);
	assert_int_equal(ring_put(&ring, 16384, bytes, 1), -ENOBUFS);
	assert_int_equal(ring_put(&ring, UINT32_MAX, bytes, 4000), -ENOBUFS);
	ring_release(&ring);
}

static void rings_share_the_pool_and_stop_at_its_limit(void **state)
{
	struct pool pool = { .limit_bytes = 65536 };
	static uint8_t bytes[65536];
	struct ring rings[40];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		int taken;
		ring_init(&rings[i], &pool, 65536);
		taken = ring_append(&rings[i], bytes, sizeof bytes);
		assert_in_range(
			taken + 65536, 65536 - ENOMEM, 65536 + 16384); /* a quarter of what is left, or nothing */
		if (i < 4)
			assert_true(taken >= 4096);
	}
	assert_in_range(pool.used_bytes, 32768, 65536);
	assert_int_equal(ring_append(&rings[39], bytes, 1), -ENOMEM);
	/* What arrives may use the rest: its sender was promised so before. */
	assert_int_equal(ring_put(&rings[39], 0, bytes, 2048), 0);
	for (size_t i = 0; i < 40; i++)
		ring_release(&rings[i]);
	assert_int_equal(pool.used_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_segments_are_malformed),
		cmocka_unit_test(data_offset_below_five_or_past_the_end_is_malformed),
		cmocka_unit_test(illegal_option_lengths_are_malformed),
		cmocka_unit_test(unknown_and_misshapen_options_are_skipped),
		cmocka_unit_test(syn_options_stand_in_linux_order),
		cmocka_unit_test(what_is_built_is_parsed_the_same),
		cmocka_unit_test(mss_and_the_other_offers_stand_on_syns_only),
		cmocka_unit_test(sequence_numbers_compare_across_the_wrap),
		cmocka_unit_test(ring_wraps_grows_and_keeps_every_byte),
		cmocka_unit_test(ring_keeps_what_was_put_beyond_its_end_while_it_grows),
		cmocka_unit_test(rings_share_the_pool_and_stop_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
