/* SPDX-License-Identifier: ISC
 *
 * The memory that a stack holds for others, whatever hosts outside can make it keep, under one limit.
 *
 * Connections themselves, and the data of streams and packets, draw on the same limit, and neither can leave the other
 * with nothing: connections take half of it at most, data three quarters. Packets that wait
 * (datagrams, fragments, those for neighbours and for ourselves) leave an eighth to streams.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include <stddef.h>

struct pool {
	size_t limit_bytes;
	size_t used_bytes; /* of data */
	size_t flow_bytes; /* of connections, which tcp_flow.c counts */
};

/* How much more data there may be. */
size_t pool_left(const struct pool *pool);
/* Memory for data, or for a packet that is to wait: NULL if there may be no more, or there is none. A pool that is NULL
 * has no limit. */
void *pool_alloc(struct pool *pool, size_t bytes);
void *pool_alloc_packet(struct pool *pool, size_t bytes);
/* Gives it back; block NULL is ignored. */
void pool_free(struct pool *pool, void *block, size_t bytes);
#endif
