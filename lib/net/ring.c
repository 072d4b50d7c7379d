/* SPDX-License-Identifier: ISC
 *
 * A byte ring that has memory only while it holds bytes. One copy in, one copy out (or none: ring_pieces); memory
 * is taken and grown off the hot path.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>

#include "ring.h"

/* No single ring is promised more than this fraction of what the pool has left: the rings of a few busy flows cannot
 * starve the others, and a flood meets ever smaller windows before it meets the limit. */
enum { ROOM_FRACTION = 4 };

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void ring_init(struct ring *ring, struct pool *pool, uint32_t size_max)
{
	must(size_max >= RING_SIZE_MIN && (size_max & (size_max - 1)) == 0);
	*ring = (struct ring){ .pool = pool, .size_max = size_max, .size_first = RING_SIZE_MIN };
}

/* The ring has no use any more for its present memory. */
static void drop_memory(struct ring *ring)
{
	if (ring->data != ring->lent)
		pool_free(ring->pool, ring->data, ring->size);
}

void ring_release(struct ring *ring)
{
	if (!ring->data)
		return;
	drop_memory(ring);
	ring->size_first =
		ring->used_most > ring->size / 4 || ring->size == RING_SIZE_MIN ? ring->size : ring->size / 2;
	ring->data = NULL;
	ring->size = ring->start = ring->len = ring->used_most = 0;
}

/* How many bytes the ring may hold if it takes no more than its share of what the pool has left, and at least of it if
 * there is so much. */
static uint32_t reach(const struct ring *ring, size_t least)
{
	size_t left = pool_left(ring->pool);
	size_t share = left / ROOM_FRACTION > RING_SIZE_MIN ? left / ROOM_FRACTION : RING_SIZE_MIN;

	if (left < least || share < ring->size)
		share = ring->size;
	return share < ring->size_max ? (uint32_t)share : ring->size_max;
}

uint32_t ring_room(const struct ring *ring)
{
	uint32_t most = reach(ring, RING_SIZE_MIN);

	return most > ring->len ? most - ring->len : 0;
}

/* Copies between memory and the ring, around its end. */
static void copy_in(struct ring *ring, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
	uint32_t begin = (ring->start + offset) & (ring->size - 1);
	uint32_t first = min_u32(len, ring->size - begin);

	memcpy(ring->data + begin, bytes, first);
	memcpy(ring->data, bytes + first, len - first);
}

static void copy_out(const struct ring *ring, uint32_t offset, uint8_t *buf, uint32_t len)
{
	uint32_t begin = (ring->start + offset) & (ring->size - 1);
	uint32_t first = min_u32(len, ring->size - begin);

	memcpy(buf, ring->data + begin, first);
	memcpy(buf + first, ring->data, len - first);
}

/* Exchanges the memory for one of size bytes, which holds at least what is in use. */
static int resize(struct ring *ring, uint32_t size)
{
	uint8_t *data;

	data = pool_alloc(ring->pool, size); /* old and new exist together during the copy */
	if (!data)
		return -ENOMEM;
	if (ring->size)
		copy_out(ring, 0, data, ring->size);
	drop_memory(ring);
	ring->data = data;
	ring->size = size;
	ring->start = 0;
	return 0;
}

static int reserve(struct ring *ring, uint32_t bytes)
{
	uint32_t size = ring->size ? ring->size : RING_SIZE_MIN;

	if (bytes > ring->size_max)
		return -ENOBUFS;
	while (size < bytes)
		size *= 2;
	if (!ring->size && ring->size_first > size && resize(ring, ring->size_first) == 0)
		return 0;
	return size == ring->size ? 0 : resize(ring, size);
}

int ring_put(struct ring *ring, uint32_t offset, const void *bytes, uint32_t len)
{
	int err;

	must(offset >= ring->len);
	if (len == 0)
		return 0;
	if (len > ring->size_max || offset > ring->size_max - len)
		return -ENOBUFS;
	err = reserve(ring, offset + len);
	if (err < 0)
		return err;
	copy_in(ring, offset, bytes, len);
	if (ring->used_most < offset + len)
		ring->used_most = offset + len;
	return 0;
}

void ring_extend(struct ring *ring, uint32_t len)
{
	must(len <= ring->size - ring->len);
	ring->len += len;
}

int ring_append(struct ring *ring, const void *bytes, size_t len)
{
	/* Those who write leave memory to receive with. */
	uint32_t most = reach(ring, RING_SIZE_MIN * ROOM_FRACTION);
	uint32_t take = most > ring->len ? most - ring->len : 0;

	if (take > len)
		take = (uint32_t)len;
	while (take > 0 && reserve(ring, ring->len + take) < 0)
		take /= 2; /* what there is may still hold a part */
	if (take == 0)
		return len > 0 && ring->len == 0 ? -ENOMEM : 0;
	copy_in(ring, ring->len, bytes, take);
	ring->len += take;
	if (ring->used_most < ring->len)
		ring->used_most = ring->len;
	return (int)take;
}

size_t ring_take(struct ring *ring, void *buf, size_t size)
{
	uint32_t len = size < ring->len ? (uint32_t)size : ring->len;

	if (len == 0)
		return 0;
	copy_out(ring, 0, buf, len);
	ring_consume(ring, len);
	return len;
}

void ring_lend(struct ring *ring)
{
	ring_return(ring);
	ring->lent = ring->data;
	ring->lent_size = ring->size;
}

void ring_return(struct ring *ring)
{
	uint8_t *lent = ring->lent;

	ring->lent = NULL;
	if (lent != ring->data)
		pool_free(ring->pool, lent, ring->lent_size);
}

void ring_consume(struct ring *ring, uint32_t len)
{
	must(len <= ring->len);
	if (ring->lent)
		ring_return(ring);
	if (len == 0)
		return;
	ring->start = (ring->start + len) & (ring->size - 1);
	ring->len -= len;
}

size_t ring_pieces(const struct ring *ring, uint32_t offset, uint32_t len, struct platform_piece pieces[2])
{
	uint32_t begin, first;

	must(offset <= ring->len && len <= ring->len - offset);
	if (len == 0)
		return 0;
	begin = (ring->start + offset) & (ring->size - 1);
	first = min_u32(len, ring->size - begin);
	pieces[0] = (struct platform_piece){ .data = ring->data + begin, .len = first };
	pieces[1] = (struct platform_piece){ .data = ring->data, .len = len - first };
	return first == len ? 1 : 2;
}
