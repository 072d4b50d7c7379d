/* SPDX-License-Identifier: ISC
 *
 * The allocator behind malloc() in a guest: two-level segregated fit over one region of memory.
 * Masmano et al., "TLSF: a New Dynamic Memory Allocator for Real-Time Systems" (ECRTS 2004).
 *
 * Every operation is O(1) with no loop over blocks. A heap is plain memory: no globals, no system calls, so tests
 * make as many as they like. Programs call malloc(); this header is for platforms, tests and statistics.
 */
#ifndef SKERRY_HEAP_H
#define SKERRY_HEAP_H

#include <stddef.h>

struct heap;

struct heap_usage {
	size_t total_bytes; /* of the region, without the heap's own head */
	size_t used_bytes;  /* handed out, each block with its header */
	size_t peak_bytes;  /* the highest used_bytes so far */
	size_t block_count; /* blocks handed out */
};

/* Makes a heap inside region (any alignment). Returns NULL if size is too small to hold one. */
struct heap *heap_init(void *region, size_t size);

/* size bytes, 16-byte aligned; size 0 gives a unique block of the smallest size. NULL: no memory. */
void *heap_alloc(struct heap *heap, size_t size);
/* The same at this alignment (a power of two). */
void *heap_alloc_aligned(struct heap *heap, size_t alignment, size_t size);
/* Grows or shrinks in place where it can, else moves. On NULL the old block is untouched. block NULL allocates. */
void *heap_resize(struct heap *heap, void *block, size_t size);
/* Takes back a block of this heap; NULL is ignored. A double free or a smashed header panics. */
void heap_free(struct heap *heap, void *block);
/* Bytes that the block can hold: at least what was asked for. */
size_t heap_block_size(const void *block);

void heap_usage(const struct heap *heap, struct heap_usage *usage);
/* Walks all blocks and panics if an invariant does not hold. For tests: O(blocks). */
void heap_check(const struct heap *heap);

#endif
