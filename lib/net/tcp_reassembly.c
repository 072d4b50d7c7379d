/* SPDX-License-Identifier: ISC
 *
 * Received payload goes into the ring where its sequence number says, once; `ranges` remembers what lies beyond a
 * gap. There are at most TCP_RANGES of them, so each step is bounded whatever the peer sends; what would need one more
 * is dropped, and comes again. Newer bytes overwrite older ones.
 */
#include <stdlib.h>
#include <string.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

void tcp_forget_ranges(struct tcp_connection *c)
{
	free(c->ranges);
	c->ranges = NULL;
	c->range_count = 0;
}

/* Takes count ranges from index on out of the list. */
static void remove_ranges(struct tcp_connection *c, uint32_t index, uint32_t count)
{
	memmove(c->ranges + index, c->ranges + index + count, (c->range_count - index - count) * sizeof c->ranges[0]);
	c->range_count -= count;
	if (c->range_count == 0)
		tcp_forget_ranges(c);
}

/* Adds begin to end to the list, merged with the ranges it meets. false: no room for one more. */
static bool insert_range(struct tcp_connection *c, uint32_t begin, uint32_t end)
{
	struct tcp_held_range merged = { .begin = begin, .end = end, .stamp = ++c->range_stamp };
	uint32_t first = 0, last;

	while (first < c->range_count && seq_before(c->ranges[first].end, begin))
		first++;
	if (first < c->range_count && !seq_after(c->ranges[first].begin, begin) &&
		!seq_before(c->ranges[first].end, end))
		c->twice = (struct tcp_range){ .begin = begin, .end = end };
	for (last = first; last < c->range_count && !seq_after(c->ranges[last].begin, end); last++) {
		merged.begin = seq_earlier(merged.begin, c->ranges[last].begin);
		merged.end = seq_later(merged.end, c->ranges[last].end);
	}
	if (last > first) {
		c->ranges[first] = merged;
		if (last - first > 1)
			remove_ranges(c, first + 1, last - first - 1);
		return true;
	}
	if (c->range_count == TCP_RANGES)
		return false;
	if (!c->ranges && !(c->ranges = malloc(TCP_RANGES * sizeof c->ranges[0])))
		return false;
	memmove(c->ranges + first + 1, c->ranges + first, (c->range_count - first) * sizeof c->ranges[0]);
	c->ranges[first] = merged;
	c->range_count++;
	return true;
}

/* Bytes that waited behind a gap which is closed now join the queue. */
static void absorb_ranges(struct tcp_connection *c)
{
	uint32_t count = 0;

	while (count < c->range_count && !seq_after(c->ranges[count].begin, c->rcv_nxt)) {
		if (seq_after(c->ranges[count].end, c->rcv_nxt)) {
			ring_extend(&c->rx, c->ranges[count].end - c->rcv_nxt);
			c->rcv_nxt = c->ranges[count].end;
		}
		count++;
	}
	if (count > 0)
		remove_ranges(c, 0, count);
}

bool tcp_reassemble(struct tcp_connection *c, const struct tcp_segment *segment)
{
	uint32_t gap = segment->seq - c->rcv_nxt;

	/* Memory first: a range that is remembered is there. */
	if (ring_put(&c->rx, c->rx.len + gap, segment->pieces[0].data, segment->len) < 0)
		return false;
	if (gap > 0)
		return insert_range(c, segment->seq, segment->seq + segment->len);
	ring_extend(&c->rx, segment->len);
	c->rcv_nxt += segment->len;
	absorb_ranges(c);
	return true;
}

/* The latest first, which is what RFC 2018 asks: the first block holds the segment that caused this ACK, the others
 * repeat those reported before. */
uint8_t tcp_report_ranges(const struct tcp_connection *c, struct tcp_range *blocks, uint8_t max)
{
	uint32_t below = UINT32_MAX; /* ages less than this are reported already, age 0 being the latest */
	uint8_t count = 0;
	bool any = false;

	while (count < max && count < c->range_count) {
		const struct tcp_held_range *next = NULL;
		for (uint32_t i = 0; i < c->range_count; i++) {
			uint32_t age = c->range_stamp - c->ranges[i].stamp;
			if ((!any || age > below) && (!next || age < c->range_stamp - next->stamp))
				next = &c->ranges[i];
		}
		if (!next)
			break;
		blocks[count++] = (struct tcp_range){ .begin = next->begin, .end = next->end };
		below = c->range_stamp - next->stamp;
		any = true;
	}
	return count;
}
