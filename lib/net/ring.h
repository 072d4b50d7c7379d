/* SPDX-License-Identifier: ISC
 *
 * A byte ring that has memory only while it holds bytes: the send and receive buffers of TCP.
 *
 * A ring is a queue of len bytes. Bytes may also be put beyond its end, in place, where they wait until ring_extend()
 * makes them part of the queue: that is how segments that arrive out of order are kept, without a second copy.
 *
 * Memory is a power of two of bytes, taken when the first byte comes, doubled by need up to size_max, and given back
 * by ring_release(); so ten thousand idle connections cost nothing here. A ring that was emptied and is filled again
 * starts at the size it had, or half of that if it used little of it: a busy flow neither grows nor copies again.
 * All rings of a stack draw on one pool, whose limit bounds what hostile or slow peers can make us hold.
 */
#ifndef NET_RING_H
#define NET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <platform.h>

#include "pool.h"

struct ring {
	uint8_t *data; /* NULL while size is 0 */
	uint8_t *lent; /* memory that a reader looks at: data, or what was data; NULL: none */
	uint32_t lent_size;
	struct pool *pool;   /* NULL: it is gone, and the ring holds nothing but what is lent */
	uint32_t size;       /* 0 or a power of two */
	uint32_t size_max;   /* a power of two, at least RING_SIZE_MIN */
	uint32_t size_first; /* what the next first byte takes */
	uint32_t start;      /* index of the first byte */
	uint32_t len;        /* bytes queued */
	uint32_t used_most;  /* the highest offset in use since memory was taken */
};

/* The smallest memory of a ring: one segment of an Ethernet fits, so a short request or answer takes one step. */
enum { RING_SIZE_MIN = 2048 };

/* Makes an empty ring; the pool is borrowed until ring_release() at the end. */
void ring_init(struct ring *ring, struct pool *pool, uint32_t size_max);

/* Gives the memory back, and the bytes that were in it; but not what is lent. */
void ring_release(struct ring *ring);

/* How many bytes more the queue could take: what the maximum and the pool's present state allow. A promise to the
 * peer (a window), not a reservation. */
uint32_t ring_room(const struct ring *ring);

/* Copies bytes to offset bytes after the queue's start, not before its end; they are not part of the queue yet.
 * 0; -ENOBUFS: beyond size_max; -ENOMEM: the pool or the heap is exhausted, nothing has changed. */
int ring_put(struct ring *ring, uint32_t offset, const void *bytes, uint32_t len);

/* Makes the next len bytes, put before, part of the queue. */
void ring_extend(struct ring *ring, uint32_t len);

/* Appends as many bytes as the pool and the heap allow, which is less than ring_room() when memory is scarce: that
 * many, possibly 0; -ENOMEM only if the ring is empty, since only then no later ring_consume() can help. */
int ring_append(struct ring *ring, const void *bytes, size_t len);

/* Copies out up to size bytes from the front and drops them: how many. */
size_t ring_take(struct ring *ring, void *buf, size_t size);

/* Drops len bytes from the front; len is at most the queue's. Bytes put beyond the end keep their place. Ends a loan.
 */
void ring_consume(struct ring *ring, uint32_t len);

/* The memory in which the queue lies now stays where it is, and what is queued in it the same, whatever happens to the
 * ring, until ring_consume() or ring_return(). */
void ring_lend(struct ring *ring);
void ring_return(struct ring *ring);

/* Where len bytes, offset after the start and all in the queue, lie in memory: one or two pieces (0 if len is 0),
 * valid until the ring changes. */
size_t ring_pieces(const struct ring *ring, uint32_t offset, uint32_t len, struct platform_piece pieces[2]);

#endif
