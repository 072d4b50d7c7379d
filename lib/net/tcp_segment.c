/* SPDX-License-Identifier: ISC
 *
 * TCP's wire format. Parsing takes two steps: all lengths are checked once, then bytes are read by accessors that
 * cannot fail. No byte of the packet is changed and no struct lies over it.
 */
#include <errno.h>
#include <string.h>

#include "tcp_segment.h"

enum {
	KIND_END,
	KIND_NOP,
	KIND_MSS,
	KIND_WINDOW_SCALE,
	KIND_SACK_PERMITTED,
	KIND_SACK,
	KIND_TIMESTAMPS = 8,
	KIND_FAST_OPEN = 34
};
enum { LEN_MSS = 4, LEN_WINDOW_SCALE = 3, LEN_SACK_PERMITTED = 2, LEN_TIMESTAMPS = 10, LEN_SACK_BLOCK = 8 };

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t get32(const uint8_t *bytes)
{
	return (uint32_t)get16(bytes) << 16 | get16(bytes + 2);
}

static uint8_t *put16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
	return bytes + 2;
}

static uint8_t *put32(uint8_t *bytes, uint32_t value)
{
	return put16(put16(bytes, value >> 16), value);
}

static void parse_sack(const uint8_t *option, size_t len, struct tcp_options *options)
{
	size_t count = (len - 2) / LEN_SACK_BLOCK;

	if (len != 2 + count * LEN_SACK_BLOCK || count > TCP_SACK_BLOCKS)
		return;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *block = option + 2 + i * LEN_SACK_BLOCK;
		options->sack[i] = (struct tcp_range){ .begin = get32(block), .end = get32(block + 4) };
	}
	options->sack_count = (uint8_t)count;
}

static void parse_fast_open(const uint8_t *option, size_t len, struct tcp_fast_cookie *cookie)
{
	size_t bytes = len - 2;

	if (bytes % 2 != 0 || bytes > TCP_FAST_COOKIE_MAX || (bytes > 0 && bytes < TCP_FAST_COOKIE_MIN))
		return;
	cookie->present = true;
	cookie->len = (uint8_t)bytes;
	memcpy(cookie->bytes, option + 2, bytes);
}

static void parse_option(const uint8_t *option, size_t len, struct tcp_options *options)
{
	if (option[0] == KIND_MSS && len == LEN_MSS) {
		options->mss = get16(option + 2);
	} else if (option[0] == KIND_WINDOW_SCALE && len == LEN_WINDOW_SCALE) {
		options->window_shift = option[2];
		options->has_window_shift = true;
	} else if (option[0] == KIND_SACK_PERMITTED && len == LEN_SACK_PERMITTED) {
		options->sack_permitted = true;
	} else if (option[0] == KIND_TIMESTAMPS && len == LEN_TIMESTAMPS) {
		options->timestamp = get32(option + 2);
		options->timestamp_echo = get32(option + 6);
		options->has_timestamp = true;
	} else if (option[0] == KIND_SACK) {
		parse_sack(option, len, options);
	} else if (option[0] == KIND_FAST_OPEN) {
		parse_fast_open(option, len, &options->fast_open);
	}
}

/* Every turn moves on by at least one byte, so this ends; an option's bytes are read only once its length is known
 * to lie in the header. */
static int parse_options(const uint8_t *bytes, size_t len, struct tcp_options *options)
{
	size_t at = 0;

	*options = (struct tcp_options){ 0 };
	while (at < len && bytes[at] != KIND_END) {
		if (bytes[at] == KIND_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || bytes[at + 1] < 2 || bytes[at + 1] > len - at)
			return -EBADMSG;
		parse_option(bytes + at, bytes[at + 1], options);
		at += bytes[at + 1];
	}
	return 0;
}

int tcp_segment_parse(const uint8_t *bytes, size_t len, struct tcp_segment *segment)
{
	size_t header;

	if (len < TCP_HEADER || len > UINT16_MAX)
		return -EBADMSG;
	header = (size_t)(bytes[12] >> 4) * 4;
	if (header < TCP_HEADER || header > len)
		return -EBADMSG;
	if (parse_options(bytes + TCP_HEADER, header - TCP_HEADER, &segment->options) < 0)
		return -EBADMSG;
	segment->source_port = get16(bytes);
	segment->destination_port = get16(bytes + 2);
	segment->seq = get32(bytes + 4);
	segment->ack = get32(bytes + 8);
	segment->flags = bytes[13];
	segment->window = get16(bytes + 14);
	segment->urgent_pointer = get16(bytes + 18);
	segment->len = (uint32_t)(len - header);
	segment->pieces[0] = (struct platform_piece){ .data = bytes + header, .len = segment->len };
	segment->count = segment->len > 0;
	segment->segment_bytes = 0;
	segment->retransmission = segment->congested = false;
	return 0;
}

static uint8_t *build_timestamps(uint8_t *at, const struct tcp_options *options)
{
	*at++ = KIND_TIMESTAMPS;
	*at++ = LEN_TIMESTAMPS;
	at = put32(at, options->timestamp);
	return put32(at, options->timestamp_echo);
}

static uint8_t *build_syn_options(uint8_t *at, const struct tcp_options *options)
{
	if (options->mss) {
		*at++ = KIND_MSS;
		*at++ = LEN_MSS;
		at = put16(at, options->mss);
	}
	/* SACK permitted fills up the timestamps' ten bytes; two NOPs do when it is absent, and the other way round. */
	if (options->sack_permitted || options->has_timestamp) {
		*at++ = options->sack_permitted ? KIND_SACK_PERMITTED : KIND_NOP;
		*at++ = options->sack_permitted ? LEN_SACK_PERMITTED : KIND_NOP;
	}
	if (options->has_timestamp)
		at = build_timestamps(at, options);
	if (options->has_window_shift) {
		*at++ = KIND_NOP;
		*at++ = KIND_WINDOW_SCALE;
		*at++ = LEN_WINDOW_SCALE;
		*at++ = options->window_shift;
	}
	if (options->fast_open.present) {
		*at++ = KIND_FAST_OPEN;
		*at++ = (uint8_t)(2 + options->fast_open.len);
		memcpy(at, options->fast_open.bytes, options->fast_open.len);
		at += options->fast_open.len;
	}
	return at;
}

static uint8_t *build_options(uint8_t *at, const uint8_t *end, const struct tcp_options *options)
{
	size_t count = options->sack_count;

	if (options->has_timestamp) {
		*at++ = KIND_NOP;
		*at++ = KIND_NOP;
		at = build_timestamps(at, options);
	}
	while (count > 0 && (size_t)(end - at) < 4 + count * LEN_SACK_BLOCK)
		count--;
	if (count > 0) {
		*at++ = KIND_NOP;
		*at++ = KIND_NOP;
		*at++ = KIND_SACK;
		*at++ = (uint8_t)(2 + count * LEN_SACK_BLOCK);
		for (size_t i = 0; i < count; i++)
			at = put32(put32(at, options->sack[i].begin), options->sack[i].end);
	}
	return at;
}

size_t tcp_segment_build(const struct tcp_segment *segment, uint8_t header[TCP_HEADER_MAX])
{
	uint8_t *at = header + TCP_HEADER;
	size_t len;

	if (segment->flags & TCP_SYN)
		at = build_syn_options(at, &segment->options);
	else if (!(segment->flags & TCP_RST))
		at = build_options(at, header + TCP_HEADER_MAX, &segment->options);
	while ((at - header) % 4 != 0)
		*at++ = KIND_END; /* zero padding (MUST-69) */
	len = (size_t)(at - header);
	put16(header, segment->source_port);
	put16(header + 2, segment->destination_port);
	put32(header + 4, segment->seq);
	put32(header + 8, segment->ack);
	header[12] = (uint8_t)(len / 4 << 4);
	header[13] = segment->flags;
	put16(header + 14, segment->window);
	put16(header + TCP_CHECKSUM_OFFSET, 0);
	put16(header + 18, segment->urgent_pointer);
	return len;
}

bool tcp_segment_refuse(const struct tcp_segment *segment, struct tcp_segment *reset)
{
	if (segment->flags & TCP_RST)
		return false;
	*reset = (struct tcp_segment){ .source_port = segment->destination_port,
		.destination_port = segment->source_port };
	if (segment->flags & TCP_ACK) {
		reset->flags = TCP_RST;
		reset->seq = segment->ack;
	} else {
		reset->flags = TCP_RST | TCP_ACK;
		reset->ack = segment->seq + tcp_segment_space(segment);
	}
	return true;
}
