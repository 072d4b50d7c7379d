/* SPDX-License-Identifier: ISC
 *
 * Recording what goes through a device: pcapng (draft-ietf-opsawg-pcapng) in a ring of bytes. All numbers are
 * big-endian, which its byte-order magic allows; each block is written whole or not at all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/capture.h>
#include <skerry/clock.h>
#include <skerry/task.h>

#include "wire.h"

enum { SECTION_HEADER = 0x0a0d0d0a, BYTE_ORDER_MAGIC = 0x1a2b3c4d, INTERFACE_DESCRIPTION = 1, ENHANCED_PACKET = 6 };
enum {
	SECTION_BYTES = 28,
	INTERFACE_BYTES = 44,
	PACKET_HEAD = 28,
	PACKET_TAIL = 28,
	NAME_MAC = 6,
	TIME_RESOLUTION = 9
};
enum { FLAGS = 2, DROP_COUNT = 4, INBOUND = 1, OUTBOUND = 2, LINK_ETHERNET = 1, NANOSECONDS = 9 };

struct capture {
	struct net base;
	struct net *under;
	struct capture_config config;
	uint64_t lost, lost_before; /* all; and those that the record tells of already */
	struct wait_queue readable;
	size_t start, len; /* of what is in the ring */
	uint8_t ring[];
};

static struct capture *capture_of(struct net *net)
{
	return (struct capture *)net;
}

/* The ring ---------------------------------------------------------------------------------------------------- */

/* There is room. */
static void put(struct capture *capture, const void *data, size_t len)
{
	size_t size = capture->config.buffer_bytes, at = (capture->start + capture->len) % size;
	size_t first = len < size - at ? len : size - at;

	if (first > 0)
		memcpy(capture->ring + at, data, first);
	if (len > first)
		memcpy(capture->ring, (const uint8_t *)data + first, len - first);
	capture->len += len;
}

static void put_file_header(struct capture *capture)
{
	uint8_t bytes[SECTION_BYTES + INTERFACE_BYTES] = { 0 }, *at = bytes + SECTION_BYTES;

	wire_put32(bytes, SECTION_HEADER);
	wire_put32(bytes + 4, SECTION_BYTES);
	wire_put32(bytes + 8, BYTE_ORDER_MAGIC);
	wire_put16(bytes + 12, 1); /* version 1.0, of a length that is not known */
	memset(bytes + 16, 0xff, 8);
	wire_put32(bytes + 24, SECTION_BYTES);
	wire_put32(at, INTERFACE_DESCRIPTION);
	wire_put32(at + 4, INTERFACE_BYTES);
	wire_put16(at + 8, LINK_ETHERNET);
	wire_put32(at + 12, (uint32_t)capture->config.snap_bytes);
	wire_put16(at + 16, NAME_MAC);
	wire_put16(at + 18, 6);
	memcpy(at + 20, capture->base.info.mac, 6);
	wire_put16(at + 28, TIME_RESOLUTION);
	wire_put16(at + 30, 1);
	at[32] = NANOSECONDS;
	wire_put32(at + 40, INTERFACE_BYTES); /* behind the four zeros that end its options */
	put(capture, bytes, sizeof bytes);
}

/* Frames ------------------------------------------------------------------------------------------------------ */

struct frame {
	const struct platform_piece *pieces;
	size_t count, len;
	bool outgoing;
};

static bool is_wanted(const struct capture *capture, const struct frame *frame)
{
	uint8_t head[CAPTURE_HEAD];
	size_t len = 0;

	if (!capture->config.wants)
		return true;
	for (size_t i = 0; i < frame->count && len < sizeof head; i++) {
		size_t left = sizeof head - len, part = frame->pieces[i].len < left ? frame->pieces[i].len : left;

		if (part > 0)
			memcpy(head + len, frame->pieces[i].data, part);
		len += part;
	}
	return capture->config.wants(capture->config.context, frame->outgoing, head, len);
}

static void put_packet(struct capture *capture, const struct frame *frame, size_t recorded)
{
	static const uint8_t padding[3];
	size_t padded = (recorded + 3) / 4 * 4, left = recorded;
	uint32_t block_bytes = (uint32_t)(PACKET_HEAD + padded + PACKET_TAIL);
	uint8_t head[PACKET_HEAD] = { 0 }, tail[PACKET_TAIL] = { 0 };
	uint64_t now = clock_wall(), lost = capture->lost - capture->lost_before;

	wire_put32(head, ENHANCED_PACKET);
	wire_put32(head + 4, block_bytes);
	wire_put32(head + 12, (uint32_t)(now >> 32));
	wire_put32(head + 16, (uint32_t)now);
	wire_put32(head + 20, (uint32_t)recorded);
	wire_put32(head + 24, (uint32_t)frame->len);
	put(capture, head, sizeof head);
	for (size_t i = 0; left > 0; i++) {
		size_t part = frame->pieces[i].len < left ? frame->pieces[i].len : left;

		put(capture, frame->pieces[i].data, part);
		left -= part;
	}
	put(capture, padding, padded - recorded);
	wire_put16(tail, FLAGS);
	wire_put16(tail + 2, 4);
	wire_put32(tail + 4, frame->outgoing ? OUTBOUND : INBOUND);
	wire_put16(tail + 8, DROP_COUNT);
	wire_put16(tail + 10, 8);
	wire_put32(tail + 12, (uint32_t)(lost >> 32));
	wire_put32(tail + 16, (uint32_t)lost);
	wire_put32(tail + 24, block_bytes); /* behind the four zeros that end its options */
	put(capture, tail, sizeof tail);
	capture->lost_before = capture->lost;
}

static void record(struct capture *capture, const struct frame *frame)
{
	size_t snap = capture->config.snap_bytes, recorded = snap && frame->len > snap ? snap : frame->len;

	if (!is_wanted(capture, frame))
		return;
	if (PACKET_HEAD + recorded + 3 + PACKET_TAIL > capture->config.buffer_bytes - capture->len) {
		capture->lost++;
		return;
	}
	put_packet(capture, frame, recorded);
	wake_one(&capture->readable);
}

/* The device -------------------------------------------------------------------------------------------------- */

static int capture_send(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct capture *capture = capture_of(net);
	struct frame frame = { .pieces = pieces, .count = count, .outgoing = true };
	int err = capture->under->ops->send(capture->under, pieces, count, meta);

	if (err < 0)
		return err;
	for (size_t i = 0; i < count; i++)
		frame.len += pieces[i].len;
	record(capture, &frame);
	return err;
}

static ssize_t capture_receive(struct net *net, void *buf, size_t size, struct platform_net_meta *meta)
{
	struct capture *capture = capture_of(net);
	ssize_t len = capture->under->ops->receive(capture->under, buf, size, meta);

	if (len > 0) {
		const struct platform_piece piece = { buf, (size_t)len };
		const struct frame frame = { .pieces = &piece, .count = 1, .len = (size_t)len };

		record(capture, &frame);
	}
	return len;
}

static void capture_close(struct net *net)
{
	struct capture *capture = capture_of(net);

	capture->under->ready = NULL;
	free(capture);
}

static void capture_ready(void *context)
{
	struct capture *capture = context;

	if (capture->base.ready)
		capture->base.ready(capture->base.ready_context);
}

static const struct net_ops capture_ops = { capture_send, capture_receive, capture_close };

/* The calls --------------------------------------------------------------------------------------------------- */

int net_capture(struct net *under, const struct capture_config *config, struct net **net)
{
	struct capture_config chosen = config ? *config : (struct capture_config){ 0 };
	struct capture *capture;

	if (chosen.buffer_bytes == 0)
		chosen.buffer_bytes = CAPTURE_BUFFER_DEFAULT;
	if (chosen.buffer_bytes < CAPTURE_BUFFER_MIN || chosen.buffer_bytes > CAPTURE_BUFFER_MAX)
		return -EINVAL;
	if (chosen.snap_bytes > NET_FRAME_MAX)
		chosen.snap_bytes = NET_FRAME_MAX;
	capture = malloc(sizeof *capture + chosen.buffer_bytes);
	if (!capture)
		return -ENOMEM;
	*capture = (struct capture){ .base = { .ops = &capture_ops, .info = under->info }, .under = under };
	capture->config = chosen;
	under->ready = capture_ready;
	under->ready_context = capture;
	put_file_header(capture);
	*net = &capture->base;
	return 0;
}

ssize_t net_capture_read(struct net *net, void *buf, size_t size, uint64_t deadline)
{
	struct capture *capture = capture_of(net);
	size_t bytes = capture->config.buffer_bytes, len;

	while (capture->len == 0) {
		int err = wait_on(&capture->readable, deadline);

		if (err < 0)
			return err;
	}
	len = bytes - capture->start < capture->len ? bytes - capture->start : capture->len;
	if (len > size)
		len = size;
	memcpy(buf, capture->ring + capture->start, len);
	capture->start = (capture->start + len) % bytes;
	capture->len -= len;
	return (ssize_t)len;
}

uint64_t net_capture_lost(const struct net *net)
{
	return ((const struct capture *)net)->lost;
}

void net_capture_restart(struct net *net)
{
	struct capture *capture = capture_of(net);

	capture->start = capture->len = 0;
	capture->lost_before = capture->lost;
	put_file_header(capture);
}
