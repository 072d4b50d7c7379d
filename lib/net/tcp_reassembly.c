/* SPDX-License-Identifier: ISC
 *
 * Received payload goes into the ring where its sequence number says, once; `ranges` remembers what lies beyond a
 * gap: a sorted row, searched by halves. It grows by need, out of the pool, to TCP_RANGES_MAX; what would need one more
 * is dropped, and comes again. So a segment costs its search and, at worst, a move of 8 KiB, whatever the peer sends.
 * Newer bytes overwrite older ones.
 */
#include <stdlib.h>
#include <string.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

void tcp_forget_ranges(struct tcp_connection *c)
{
	if (!c->ranges)
		return;
	pool_free(c->rx.pool, c->ranges, c->range_room * sizeof c->ranges[0]);
	c->ranges = NULL;
	c->range_count = c->range_room = c->recent_count = 0;
}

/* Takes count ranges from index on out of the row. */
static void remove_ranges(struct tcp_connection *c, uint32_t index, uint32_t count)
{
	memmove(c->ranges + index, c->ranges + index + count, (c->range_count - index - count) * sizeof c->ranges[0]);
	c->range_count -= count;
	if (c->range_count == 0)
		tcp_forget_ranges(c);
}

/* Whether one more range has a place. */
static bool make_room(struct tcp_connection *c)
{
	uint32_t room = c->range_room ? c->range_room * 2 : TCP_RANGES_FIRST;
	struct pool *pool = c->rx.pool;
	struct tcp_range *ranges;

	if (c->range_count < c->range_room)
		return true;
	ranges = room > TCP_RANGES_MAX ? NULL : pool_alloc(pool, room * sizeof *ranges);
	if (!ranges)
		return false;
	if (c->ranges)
		memcpy(ranges, c->ranges, c->range_count * sizeof *ranges);
	pool_free(pool, c->ranges, c->range_room * sizeof *ranges);
	c->ranges = ranges;
	c->range_room = room;
	return true;
}

/* The first range that reaches seq: its end is not before it. */
static uint32_t find_range(const struct tcp_connection *c, uint32_t seq)
{
	uint32_t low = 0, high = c->range_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;
		if (seq_before(c->ranges[middle].end, seq))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* What lies in this range is no longer to be reported by itself. */
static void forget_recent(struct tcp_connection *c, uint32_t begin, uint32_t end)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < c->recent_count; i++) {
		if (seq_before(c->recent[i].begin, begin) || seq_after(c->recent[i].end, end))
			c->recent[kept++] = c->recent[i];
	}
	c->recent_count = kept;
}

static void note_recent(struct tcp_connection *c, struct tcp_range range)
{
	forget_recent(c, range.begin, range.end);
	if (c->recent_count < TCP_SACK_BLOCKS)
		c->recent_count++;
	memmove(c->recent + 1, c->recent, (c->recent_count - 1u) * sizeof c->recent[0]);
	c->recent[0] = range;
}

/* What of begin to end is held already: the first such part is reported (RFC 2883, 4). */
static void note_twice(struct tcp_connection *c, const struct tcp_range *held, uint32_t begin, uint32_t end)
{
	begin = seq_later(begin, held->begin);
	end = seq_earlier(end, held->end);
	if (seq_before(begin, end) && c->twice.begin == c->twice.end)
		c->twice = (struct tcp_range){ begin, end };
}

/* Adds begin to end to the row, merged with the ranges it meets. false: no room for one more. */
static bool insert_range(struct tcp_connection *c, uint32_t begin, uint32_t end)
{
	struct tcp_range merged = { .begin = begin, .end = end };
	uint32_t first = find_range(c, begin), last = first;

	for (; last < c->range_count && !seq_after(c->ranges[last].begin, end); last++) {
		note_twice(c, &c->ranges[last], begin, end);
		merged.begin = seq_earlier(merged.begin, c->ranges[last].begin);
		merged.end = seq_later(merged.end, c->ranges[last].end);
	}
	if (last > first + 1) {
		remove_ranges(c, first + 1, last - first - 1);
	} else if (last == first) {
		if (!make_room(c))
			return false;
		memmove(c->ranges + first + 1, c->ranges + first, (c->range_count - first) * sizeof c->ranges[0]);
		c->range_count++;
	}
	c->ranges[first] = merged;
	note_recent(c, merged);
	return true;
}

/* Bytes that waited behind a gap which a segment from there has closed now join the queue. */
static void absorb_ranges(struct tcp_connection *c, uint32_t from)
{
	uint32_t count = 0, end = c->rcv_nxt;

	while (count < c->range_count && !seq_after(c->ranges[count].begin, c->rcv_nxt)) {
		note_twice(c, &c->ranges[count], from, end);
		if (seq_after(c->ranges[count].end, c->rcv_nxt)) {
			ring_extend(&c->rx, c->ranges[count].end - c->rcv_nxt);
			c->rcv_nxt = c->ranges[count].end;
		}
		count++;
	}
	if (count > 0) {
		forget_recent(c, from, c->rcv_nxt);
		remove_ranges(c, 0, count);
	}
}

bool tcp_reassemble(struct tcp_connection *c, const struct tcp_segment *segment)
{
	uint32_t gap = segment->seq - c->rcv_nxt;

	/* Memory first: a range that is remembered is there. */
	if (ring_put(&c->rx, c->rx.len + gap, segment->pieces[0].data, segment->len) < 0) {
		tcp_drop(c, DROP_TCP_NO_MEMORY);
		return false;
	}
	if (gap > 0) {
		if (insert_range(c, segment->seq, segment->seq + segment->len)) {
			c->config.counters->TcpExtTCPOFOQueue++;
			return true;
		}
		tcp_drop(c, DROP_TCP_TOO_MANY_GAPS);
		return false;
	}
	ring_extend(&c->rx, segment->len);
	c->rcv_nxt += segment->len;
	absorb_ranges(c, segment->seq);
	return true;
}

/* The latest first, which is what RFC 2018 asks: the first block holds the segment that caused this ACK, the others
 * repeat those reported before. */
uint8_t tcp_report_ranges(const struct tcp_connection *c, struct tcp_range *blocks, uint8_t max)
{
	uint8_t count = c->recent_count < max ? c->recent_count : max;

	memcpy(blocks, c->recent, count * sizeof blocks[0]);
	return count;
}
