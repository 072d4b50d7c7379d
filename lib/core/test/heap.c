/* SPDX-License-Identifier: ISC
 *
 * The allocator: what each call promises, and long random sequences against a model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <skerry/heap.h>

#include "lib/core/test/dies.h"

enum { REGION = 1 << 20 };

static _Alignas(64) uint8_t region[REGION + 64];

static struct heap *new_heap(void)
{
	struct heap *heap = heap_init(region, REGION);

	assert_non_null(heap);
	heap_check(heap);
	return heap;
}

static struct heap_usage usage_of(const struct heap *heap)
{
	struct heap_usage usage;

	heap_usage(heap, &usage);
	return usage;
}

static void a_region_too_small_is_refused_and_any_other_works(void **state)
{
	size_t smallest = 0;

	(void)state;
	for (size_t skip = 0; skip < 16; skip++)
		for (size_t size = 0; size < 8192; size += 5) {
			struct heap *heap = heap_init(region + skip, size);
			void *block;

			if (!heap)
				continue;
			if (smallest == 0)
				smallest = size;
			heap_check(heap);
			block = heap_alloc(heap, 1);
			assert_non_null(block);
			assert_true((uint8_t *)block + heap_block_size(block) <= region + skip + size);
			memset(block, 0xff, heap_block_size(block));
			heap_check(heap);
		}
	assert_true(smallest > 0 && smallest < 8000);
}

static void every_block_is_aligned_to_16_and_holds_what_was_asked(void **state)
{
	struct heap *heap = new_heap();

	(void)state;
	for (size_t size = 0; size < 300; size++) {
		void *block = heap_alloc(heap, size);

		assert_non_null(block);
		assert_int_equal((uintptr_t)block % 16, 0);
		assert_true(heap_block_size(block) >= size && heap_block_size(block) <= size + 31);
		memset(block, 0xa5, size);
		heap_check(heap);
	}
}

static void size_zero_gives_distinct_blocks(void **state)
{
	struct heap *heap = new_heap();
	void *a = heap_alloc(heap, 0), *b = heap_alloc(heap, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	heap_free(heap, a);
	heap_free(heap, b);
	heap_free(heap, NULL);
	heap_check(heap);
}

static void aligned_blocks_are_aligned_whatever_lies_before(void **state)
{
	(void)state;
	for (size_t skip = 0; skip < 20; skip++)
		for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
			struct heap *heap = new_heap();
			void *before = heap_alloc(heap, skip * 16), *block;

			block = heap_alloc_aligned(heap, alignment, 100);
			assert_non_null(block);
			assert_int_equal((uintptr_t)block % alignment, 0);
			assert_true(heap_block_size(block) >= 100 && heap_block_size(block) < 144);
			memset(block, 1, 100);
			heap_check(heap);
			heap_free(heap, before);
			heap_free(heap, block);
			heap_check(heap);
			assert_int_equal(usage_of(heap).used_bytes, 0);
		}
}

static void an_alignment_that_is_no_power_of_two_panics(void **state)
{
	struct heap *heap = new_heap();

	(void)state;
	assert_dies("does not hold", heap_alloc_aligned(heap, 48, 1));
	assert_dies("does not hold", heap_alloc_aligned(heap, 0, 1));
}

static void freed_neighbours_merge_in_every_order(void **state)
{
	static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
		{ 2, 1, 0 } };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct heap *heap = new_heap();
		size_t total = usage_of(heap).total_bytes;
		void *blocks[3], *whole;

		for (size_t n = 0; n < 3; n++)
			blocks[n] = heap_alloc(heap, 1000 * (n + 1));
		for (size_t n = 0; n < 3; n++) {
			heap_free(heap, blocks[orders[i][n]]);
			heap_check(heap);
		}
		whole = heap_alloc(heap, total - 16);
		assert_non_null(whole);
		heap_check(heap);
	}
}

static void all_memory_can_be_had_again_and_again(void **state)
{
	struct heap *heap = new_heap();
	size_t total = usage_of(heap).total_bytes;

	(void)state;
	for (int i = 0; i < 3; i++) {
		void *whole = heap_alloc(heap, total - 16);

		assert_non_null(whole);
		assert_int_equal(usage_of(heap).used_bytes, total);
		assert_null(heap_alloc(heap, 0));
		heap_check(heap);
		heap_free(heap, whole);
	}
	assert_null(heap_alloc(heap, total - 15));
}

static void exhaustion_is_an_error_and_memory_comes_back(void **state)
{
	struct heap *heap = new_heap();
	size_t counts[2] = { 0, 0 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		void **chain = NULL, **block;

		while ((block = heap_alloc(heap, 700)) != NULL) {
			*block = chain;
			chain = block;
			counts[round]++;
		}
		heap_check(heap);
		assert_null(heap_resize(heap, chain, 5000));
		assert_null(heap_alloc_aligned(heap, 4096, 700));
		heap_check(heap);
		while (chain) {
			block = *chain;
			heap_free(heap, chain);
			chain = block;
		}
		heap_check(heap);
		assert_int_equal(usage_of(heap).used_bytes, 0);
	}
	assert_int_equal(counts[0], counts[1]);
	assert_true(counts[0] > REGION / 800);
}

static void absurd_sizes_are_refused(void **state)
{
	struct heap *heap = new_heap();
	void *block = heap_alloc(heap, 10);
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 32, SIZE_MAX / 2 + 1,
		(size_t)1 << 36, ((size_t)1 << 36) - 1, ((size_t)1 << 36) - 16, REGION };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_null(heap_alloc(heap, sizes[i]));
		assert_null(heap_alloc_aligned(heap, 64, sizes[i]));
		assert_null(heap_alloc_aligned(heap, (size_t)1 << 63, sizes[i]));
		assert_null(heap_resize(heap, block, sizes[i]));
	}
	heap_check(heap);
}

static void shrinking_and_growing_stay_in_place_where_there_is_room(void **state)
{
	struct heap *heap = new_heap();
	uint8_t *block = heap_alloc(heap, 1000), *wall;

	(void)state;
	for (int i = 0; i < 1000; i++)
		block[i] = (uint8_t)i;
	assert_ptr_equal(heap_resize(heap, block, 5000), block);
	heap_check(heap);
	assert_true(heap_block_size(block) >= 5000);
	assert_ptr_equal(heap_resize(heap, block, 100), block);
	heap_check(heap);
	assert_true(heap_block_size(block) < 132);
	wall = heap_alloc(heap, 1);
	assert_ptr_equal(heap_resize(heap, block, 100), block);
	assert_true(wall > block && wall < block + 256);
	for (int i = 0; i < 100; i++)
		assert_int_equal(block[i], (uint8_t)i);
}

static void growing_against_a_neighbour_moves_with_the_content(void **state)
{
	struct heap *heap = new_heap();
	uint8_t *block = heap_alloc(heap, 1000), *moved;
	void *wall = heap_alloc(heap, 1);

	(void)state;
	for (int i = 0; i < 1000; i++)
		block[i] = (uint8_t)(i * 7);
	moved = heap_resize(heap, block, 3000);
	assert_non_null(moved);
	assert_ptr_not_equal(moved, block);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(moved[i], (uint8_t)(i * 7));
	heap_check(heap);
	assert_int_equal(usage_of(heap).block_count, 2);
	heap_free(heap, wall);
	assert_non_null(heap_resize(heap, NULL, 4));
	assert_int_equal(usage_of(heap).block_count, 2);
}

static void usage_counts_blocks_with_headers_and_remembers_the_peak(void **state)
{
	struct heap *heap = new_heap();
	void *a = heap_alloc(heap, 1000), *b = heap_alloc(heap, 2000);
	struct heap_usage usage = usage_of(heap);

	(void)state;
	assert_int_equal(usage.used_bytes, heap_block_size(a) + heap_block_size(b) + 32);
	assert_int_equal(usage.block_count, 2);
	assert_int_equal(usage.peak_bytes, usage.used_bytes);
	heap_free(heap, a);
	heap_free(heap, b);
	assert_int_equal(usage_of(heap).used_bytes, 0);
	assert_int_equal(usage_of(heap).block_count, 0);
	assert_int_equal(usage_of(heap).peak_bytes, usage.peak_bytes);
	b = heap_resize(heap, heap_alloc(heap, 100), 10000);
	assert_true(usage_of(heap).peak_bytes == heap_block_size(b) + 16);
}

static void a_double_free_panics(void **state)
{
	struct heap *heap = new_heap();
	void *a = heap_alloc(heap, 100), *b = heap_alloc(heap, 100), *wall = heap_alloc(heap, 100);

	(void)state;
	heap_free(heap, a);
	assert_dies("freed twice", heap_free(heap, a));
	heap_free(heap, b); /* merges into a */
	assert_dies("freed twice", heap_free(heap, b));
	assert_dies("freed twice", heap_resize(heap, b, 10));
	heap_free(heap, wall); /* merges with both sides */
	assert_dies("freed twice", heap_free(heap, wall));
	assert_dies("freed twice", heap_free(heap, a));
}

static void an_overrun_panics_at_the_next_free(void **state)
{
	struct heap *heap = new_heap();
	uint8_t *a = heap_alloc(heap, 96), *b = heap_alloc(heap, 96);

	(void)state;
	a[heap_block_size(a)] ^= 1;
	assert_dies("smashed", heap_free(heap, b));
	assert_dies("smashed", heap_free(heap, a));
	assert_dies("smashed", heap_resize(heap, a, 500));
	assert_dies("smashed", heap_block_size(b));
	assert_dies("smashed", heap_check(heap));
}

static void foreign_pointers_panic(void **state)
{
	struct heap *heap = new_heap();
	uint8_t *a = heap_alloc(heap, 96);
	static _Alignas(16) uint8_t foreign[64];

	(void)state;
	memset(a, 0, 96);
	assert_dies("not the start", heap_free(heap, a + 8));
	assert_dies("smashed", heap_free(heap, a + 16));
	assert_dies("smashed", heap_free(heap, foreign + 16));
}

static void a_write_to_a_freed_block_panics_when_it_is_used_again(void **state)
{
	struct heap *heap = new_heap();
	void **a = heap_alloc(heap, 100), *other = heap_alloc(heap, 100), *b = heap_alloc(heap, 100);
	void *wall = heap_alloc(heap, 100);

	(void)state;
	(void)wall;
	heap_free(heap, a);
	heap_free(heap, b); /* the list is b, a: they do not touch */
	a[1] = other;
	assert_dies("was written to", heap_free(heap, other));
}

/* A model: the test knows each live block's place, size and fill byte; nothing may overlap or change. */
struct model_block {
	uint8_t *data;
	size_t size;
	uint8_t fill;
};

static uint32_t prng_state;

static uint32_t prng(void)
{
	prng_state ^= prng_state << 13;
	prng_state ^= prng_state >> 17;
	prng_state ^= prng_state << 5;
	return prng_state;
}

static size_t random_size(void)
{
	static const size_t scales[] = { 16, 128, 1024, 1024, 16384, 120000 };

	return prng() % scales[prng() % 6];
}

static void assert_filled(const struct model_block *block, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (block->data[i] != block->fill)
			fail_msg("byte %zu of a block of %zu changed", i, block->size);
}

/* Puts a new or resized block into its slot, unless memory was out. */
static void model_store(struct model_block *slot, void *data, size_t size, uint8_t fill)
{
	if (!data)
		return;
	*slot = (struct model_block){ data, size, fill };
	assert_true(heap_block_size(data) >= size);
	memset(data, fill, size);
}

static void model_step(struct heap *heap, struct model_block *slot)
{
	size_t size = random_size();
	size_t alignment = (size_t)1 << prng() % 13;

	if (!slot->data) {
		void *data = prng() % 4 == 0 ? heap_alloc_aligned(heap, alignment, size) : heap_alloc(heap, size);

		model_store(slot, data, size, (uint8_t)prng());
		return;
	}
	assert_filled(slot, slot->size);
	if (prng() % 3 == 0) {
		void *data = heap_resize(heap, slot->data, size);

		if (data) {
			slot->data = data;
			assert_filled(slot, size < slot->size ? size : slot->size);
		}
		model_store(slot, data, size, (uint8_t)prng());
		return;
	}
	heap_free(heap, slot->data);
	slot->data = NULL;
}

static void long_random_sequences_keep_every_invariant(void **state)
{
	enum { SLOTS = 64, SEEDS = 10, STEPS = 3000 };

	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		struct model_block slots[SLOTS] = { 0 };
		struct heap *heap = heap_init(region + seed % 16, REGION - 16 * seed);
		size_t live = 0;

		prng_state = seed * 2654435761u;
		for (int step = 0; step < STEPS; step++) {
			model_step(heap, &slots[prng() % SLOTS]);
			heap_check(heap);
		}
		for (size_t i = 0; i < SLOTS; i++) {
			live += slots[i].data != NULL;
			if (slots[i].data)
				assert_filled(&slots[i], slots[i].size);
		}
		assert_int_equal(usage_of(heap).block_count, live);
		for (size_t i = 0; i < SLOTS; i++)
			heap_free(heap, slots[i].data);
		heap_check(heap);
		assert_int_equal(usage_of(heap).used_bytes, 0);
		assert_non_null(heap_alloc(heap, usage_of(heap).total_bytes - 16));
	}
}

static uint64_t cycles_of_pair(struct heap *heap)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < 200; i++) {
		uint64_t start = __builtin_ia32_rdtsc(), took;

		heap_free(heap, heap_alloc(heap, 3000));
		took = __builtin_ia32_rdtsc() - start;
		best = took < best ? took : best;
	}
	return best;
}

/* 10,000 free blocks too short for the request lie in the way: a search over blocks would take 100 times as long. */
static void an_operation_takes_as_long_with_many_free_blocks_as_with_one(void **state)
{
	enum { COUNT = 10000 };
	struct heap *heap = new_heap();
	uint64_t one = cycles_of_pair(heap), many;
	static void *blocks[2 * COUNT];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT; i++)
		assert_non_null(blocks[i] = heap_alloc(heap, 16));
	for (size_t i = 0; i < 2 * COUNT; i += 2)
		heap_free(heap, blocks[i]);
	heap_check(heap);
	many = cycles_of_pair(heap);
	assert_true(many < 10 * one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_region_too_small_is_refused_and_any_other_works),
		cmocka_unit_test(every_block_is_aligned_to_16_and_holds_what_was_asked),
		cmocka_unit_test(size_zero_gives_distinct_blocks),
		cmocka_unit_test(aligned_blocks_are_aligned_whatever_lies_before),
		cmocka_unit_test(an_alignment_that_is_no_power_of_two_panics),
		cmocka_unit_test(freed_neighbours_merge_in_every_order),
		cmocka_unit_test(all_memory_can_be_had_again_and_again),
		cmocka_unit_test(exhaustion_is_an_error_and_memory_comes_back),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(shrinking_and_growing_stay_in_place_where_there_is_room),
		cmocka_unit_test(growing_against_a_neighbour_moves_with_the_content),
		cmocka_unit_test(usage_counts_blocks_with_headers_and_remembers_the_peak),
		cmocka_unit_test(a_double_free_panics),
		cmocka_unit_test(an_overrun_panics_at_the_next_free),
		cmocka_unit_test(foreign_pointers_panic),
		cmocka_unit_test(a_write_to_a_freed_block_panics_when_it_is_used_again),
		cmocka_unit_test(long_random_sequences_keep_every_invariant),
		cmocka_unit_test(an_operation_takes_as_long_with_many_free_blocks_as_with_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
