/* SPDX-License-Identifier: ISC
 *
 * An allocator that fails once, at the nth request, and counts what is live: the program's malloc and its family, for
 * all that it is linked with, in front of the address sanitizer's. Include it once.
 */
#ifndef STREAM_TEST_ALLOCATION_H
#define STREAM_TEST_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *block, size_t size);
void __interceptor_free(void *block);

static size_t allocations_until_failure; /* 0: none fails */
static long allocations_live;

static bool allocation_fails(void)
{
	return allocations_until_failure > 0 && --allocations_until_failure == 0;
}

static void *allocated(void *block)
{
	allocations_live += block != NULL;
	return block;
}

void *malloc(size_t size)
{
	return allocation_fails() ? NULL : allocated(__interceptor_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : allocated(__interceptor_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
	if (allocation_fails())
		return NULL;
	return block ? __interceptor_realloc(block, size) : allocated(__interceptor_malloc(size));
}

void free(void *block)
{
	allocations_live -= block != NULL;
	__interceptor_free(block);
}

char *strndup(const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	char *copy = malloc(len + 1);

	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, strlen(text));
}

/* Runs it again and again, each time with the next allocation failing, until none is left to fail. Each such run must
 * give -ENOMEM (or succeed all the same, if it says that it goes on) and leave nothing behind, and the last one 0. How
 * many runs have failed. */
static inline size_t fail_each_allocation(int (*run)(void), bool goes_on)
{
	size_t failures = 0;

	for (size_t number = 1;; number++) {
		long live = allocations_live;
		bool failed;
		int result;

		allocations_until_failure = number;
		result = run();
		failed = allocations_until_failure == 0;
		allocations_until_failure = 0;
		if (!(failed && goes_on && result == 0))
			assert_int_equal(result, failed ? -ENOMEM : 0);
		assert_int_equal(allocations_live, live);
		if (!failed)
			return failures;
		failures += result < 0;
	}
}

#endif
