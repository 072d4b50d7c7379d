/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: any bytes as a TCP segment. What is parsed lies inside of the input, and when it is built again and
 * parsed again nothing has changed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/tcp_segment.h"

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static void compare(const struct tcp_segment *a, const struct tcp_segment *b)
{
	must_hold(a->seq == b->seq && a->ack == b->ack && a->flags == b->flags && a->window == b->window);
	must_hold(a->source_port == b->source_port && a->destination_port == b->destination_port);
	if (a->flags & TCP_SYN)
		must_hold(a->options.mss == b->options.mss && a->options.window_shift == b->options.window_shift &&
			  a->options.sack_permitted == b->options.sack_permitted);
	if (!(a->flags & TCP_RST) || (a->flags & TCP_SYN))
		must_hold(a->options.has_timestamp == b->options.has_timestamp &&
			  a->options.timestamp == b->options.timestamp &&
			  a->options.timestamp_echo == b->options.timestamp_echo);
	if (!(a->flags & (TCP_RST | TCP_SYN)))
		must_hold(b->options.sack_count <= a->options.sack_count &&
			  memcmp(a->options.sack, b->options.sack, b->options.sack_count * sizeof a->options.sack[0]) ==
				  0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcp_segment segment, again;
	uint8_t header[TCP_HEADER_MAX];
	size_t len;

	if (tcp_segment_parse(data, size, &segment) < 0)
		return 0;
	must_hold(segment.options.sack_count <= TCP_SACK_BLOCKS);
	must_hold(segment.len <= size - TCP_HEADER);
	must_hold((const uint8_t *)segment.pieces[0].data + segment.len == data + size);
	len = tcp_segment_build(&segment, header);
	must_hold(len >= TCP_HEADER && len <= TCP_HEADER_MAX && len % 4 == 0);
	must_hold(tcp_segment_parse(header, len, &again) == 0);
	must_hold(again.len == 0);
	compare(&segment, &again);
	return 0;
}
