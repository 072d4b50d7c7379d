/* SPDX-License-Identifier: ISC
 *
 * malloc() and its family, on one heap over the memory that boot found free.
 */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <platform.h>
#include <skerry/heap.h>

#include "guest.h"

static struct heap *heap;

int guest_heap_init(uintptr_t begin, uintptr_t end)
{
	if (end > begin)
		heap = heap_init((void *)begin, end - begin);
	return heap ? 0 : -ENOMEM;
}

static void *or_enomem(void *block)
{
	if (!block)
		errno = ENOMEM;
	return block;
}

void *malloc(size_t size)
{
	return or_enomem(heap_alloc(heap, size));
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
	return or_enomem(heap_resize(heap, block, size));
}

void free(void *block)
{
	heap_free(heap, block);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
	void *allocated;

	if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
		return EINVAL;
	allocated = heap_alloc_aligned(heap, alignment, size);
	if (!allocated)
		return ENOMEM;
	*block = allocated;
	return 0;
}

void *memalign(size_t alignment, size_t size)
{
	if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	return or_enomem(heap_alloc_aligned(heap, alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

size_t malloc_usable_size(void *block)
{
	return block ? heap_block_size(block) : 0;
}

/* What musl's own objects call, so that its malloc stays out. */
void *__libc_malloc(size_t size) __attribute__((alias("malloc"), copy(malloc)));
void *__libc_calloc(size_t count, size_t size) __attribute__((alias("calloc"), copy(calloc)));
void *__libc_realloc(void *block, size_t size) __attribute__((alias("realloc"), copy(realloc)));
void __libc_free(void *block) __attribute__((alias("free"), copy(free)));

void platform_memory(struct platform_memory *memory)
{
	struct heap_usage usage;

	heap_usage(heap, &usage);
	memory->total_bytes = usage.total_bytes;
	memory->used_bytes = usage.used_bytes;
	memory->peak_bytes = usage.peak_bytes;
}

/* A guest cannot change the protection of a page: the scheduler's canary catches the overflow. */
void *platform_stack_new(size_t size)
{
	uint64_t *stack = heap_alloc(heap, size);

	/* What is zero is not written: the host need not back pages that nobody uses. */
	for (size_t i = 0; stack && i < size / sizeof *stack; i++)
		if (stack[i])
			stack[i] = 0;
	return stack;
}

void platform_stack_free(void *lowest, size_t size)
{
	(void)size;
	heap_free(heap, lowest);
}
