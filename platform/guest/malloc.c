/* SPDX-License-Identifier: ISC
 *
 * malloc() and its family on the boot heap, and the stacks of tasks, which come from it too.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <platform.h>
#include <skerry/heap.h>

#include "guest.h"

static struct heap *heap;

void guest_heap_init(void *start, size_t size)
{
	heap = heap_init(start, size);
}

static void *or_enomem(void *block)
{
	if (!block)
		errno = ENOMEM;
	return block;
}

void *malloc(size_t size)
{
	return or_enomem(heap ? heap_alloc(heap, size) : NULL);
}

void free(void *block)
{
	heap_free(heap, block);
}

void *calloc(size_t count, size_t size)
{
	size_t total;
	void *block;

	if (__builtin_mul_overflow(count, size, &total))
		return or_enomem(NULL);
	block = malloc(total);
	return block ? memset(block, 0, total) : NULL;
}

void *realloc(void *block, size_t size)
{
	return or_enomem(heap ? heap_resize(heap, block, size) : NULL);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return or_enomem(heap ? heap_alloc_aligned(heap, alignment, size) : NULL);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	*block = aligned_alloc(alignment, size);
	return *block ? 0 : ENOMEM;
}

void platform_memory(struct platform_memory *memory)
{
	struct heap_usage usage = { 0 };

	if (heap)
		heap_usage(heap, &usage);
	*memory = (struct platform_memory){ usage.total_bytes, usage.used_bytes, usage.peak_bytes };
}

void *platform_stack_new(size_t size)
{
	return malloc(size);
}

void platform_stack_free(void *lowest, size_t size)
{
	(void)size;
	free(lowest);
}
