/* SPDX-License-Identifier: ISC
 *
 * Allocations, counted and at times refused.
 */
#include "memory.h"

#include <string.h>

#include "failure.h"
#include "prng.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static struct {
	uint64_t count, failures;
	uint32_t fail_in_10000;
	struct prng prng;
} heap;

void memory_fails(uint32_t in_10000, uint64_t seed)
{
	heap.fail_in_10000 = in_10000;
	heap.failures = 0;
	heap.prng.state = seed;
}

uint64_t memory_count(void)
{
	return heap.count;
}

uint64_t memory_failures(void)
{
	return heap.failures;
}

static bool refuses(void)
{
	bool refused = prng_happens(&heap.prng, heap.fail_in_10000);

	heap.failures += refused;
	return refused;
}

void *__wrap_malloc(size_t size)
{
	void *memory = refuses() ? NULL : __real_malloc(size);

	heap.count += memory != NULL;
	return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *memory = refuses() ? NULL : __real_calloc(count, size);

	heap.count += memory != NULL;
	return memory;
}

void *__wrap_realloc(void *old, size_t size)
{
	void *memory = refuses() ? NULL : __real_realloc(old, size);

	heap.count += !old && memory;
	return memory;
}

void __wrap_free(void *memory)
{
	heap.count -= memory != NULL;
	__real_free(memory);
}

void *memory_own(size_t bytes)
{
	void *memory = __real_calloc(1, bytes);

	check(memory, "no memory for %zu bytes", bytes);
	return memory;
}

void memory_free_own(void *memory)
{
	__real_free(memory);
}
