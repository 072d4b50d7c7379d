/* SPDX-License-Identifier: ISC
 *
 * Who may take how much of what a stack may hold for others.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pool.h"

size_t pool_left(const struct pool *pool)
{
	size_t share = pool->limit_bytes - pool->limit_bytes / 4;
	size_t rest = pool->limit_bytes > pool->flow_bytes ? pool->limit_bytes - pool->flow_bytes : 0;

	share = share < rest ? share : rest;
	return share > pool->used_bytes ? share - pool->used_bytes : 0;
}

static void *alloc(struct pool *pool, size_t bytes, size_t spare)
{
	size_t left = pool ? pool_left(pool) : SIZE_MAX;
	void *block = left < spare || left - spare < bytes ? NULL : malloc(bytes);

	if (block && pool)
		pool->used_bytes += bytes;
	return block;
}

void *pool_alloc(struct pool *pool, size_t bytes)
{
	return alloc(pool, bytes, 0);
}

void *pool_alloc_packet(struct pool *pool, size_t bytes)
{
	return alloc(pool, bytes, pool ? pool->limit_bytes / 8 : 0);
}

void pool_free(struct pool *pool, void *block, size_t bytes)
{
	if (block && pool)
		pool->used_bytes -= bytes;
	free(block);
}
