/* SPDX-License-Identifier: ISC
 *
 * The allocator: two-level segregated fit over one region of memory.
 *
 * The region is cut into blocks that lie end to end, each opened by a header of 16 bytes that says how long it and
 * the block before it are, so both neighbours are found without a search. Free blocks hang in lists by size class:
 * a level per power of two, cut into CLASSES equal steps. Two levels of bitmaps say which lists hold a block, so
 * finding one that fits is two bit scans. Lengths count units of 16 bytes in 32 bits: regions reach 64 GiB.
 *
 * Invariants, all checked by heap_check():
 *   - the blocks fill the region exactly and end with a block of state END, which is a header and nothing more;
 *   - no two free blocks are neighbours: freeing merges at once;
 *   - a free block is in the one list of its class, and a list's bits are set if and only if it has a block;
 *   - each header's check word fits its content and address. It is read before a header is believed, so an overrun
 *     of the block before, or a pointer that heap_alloc() never gave, panics instead of corrupting the lists. This
 *     finds faults; it holds no secret and so does not stop an attacker who may write what he likes.
 * A freed block's header stays behind as FREE with a valid check also when it is merged into its neighbour, so the
 * usual double free is reported by name.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <skerry/heap.h>
#include <skerry/log.h>

enum {
	UNIT = 16,
	CLASS_BITS = 4,
	CLASSES = 1 << CLASS_BITS, /* steps within a power of two: at most 1/16 of a search is rounded away */
	LEVELS = 33 - CLASS_BITS,  /* level 0 holds the lengths below CLASSES; then one level per power of two */
	HEADER = 16,
	UNITS_MIN = 2, /* a header, and room for the links of a free block */
};

/* Arbitrary words: a header's state differs from what data is likely to hold. */
enum state { IN_USE = 0x5a11e5e5, FREE = 0x0f4ee0f4, END = 0x3e4df001 };

struct block {
	uint32_t units;      /* length with this header */
	uint32_t prev_units; /* length of the block before this in memory; 0: there is none */
	uint32_t state;
	uint32_t check;
	struct block *next, *prev; /* neighbours in the list, only while free; used blocks hold data here */
};

struct heap {
	uint32_t level_map;         /* bit n: class_map[n] is not 0 */
	uint32_t class_map[LEVELS]; /* bit n: lists[level][n] is not empty */
	struct block *lists[LEVELS][CLASSES];
	struct block *first;
	struct heap_usage usage;
};

struct class
{
	unsigned level, index;
};

/* Headers --------------------------------------------------------------------------------------------------- */

static uint32_t header_check(const struct block *block)
{
	uint64_t mix = (uintptr_t)block ^ ((uint64_t)block->units << 32 | block->prev_units);

	mix = (mix ^ block->state) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(mix >> 32);
}

static void header_set(struct block *block, uint32_t units, uint32_t prev_units, enum state state)
{
	block->units = units;
	block->prev_units = prev_units;
	block->state = state;
	block->check = header_check(block);
}

/* Apart from header_verify(), to keep that small enough to be inlined everywhere. */
static _Noreturn __attribute__((noinline)) void header_smashed(const struct block *block)
{
	panic("heap: the header at %p is smashed", (const void *)block);
}

static void header_verify(const struct block *block)
{
	if (block->check != header_check(block))
		header_smashed(block);
}

static struct block *block_at(struct block *block, uint32_t units)
{
	return (struct block *)(void *)((char *)block + (size_t)units * UNIT);
}

static struct block *block_after(struct block *block)
{
	struct block *after = block_at(block, block->units);

	header_verify(after);
	return after;
}

static void *block_data(struct block *block)
{
	return (char *)block + HEADER;
}

/* The used block whose data this is; anything else is the caller's fault. */
static struct block *block_of(void *data)
{
	struct block *block = (struct block *)(void *)((char *)data - HEADER);

	if ((uintptr_t)data % UNIT != 0)
		panic("heap: %p is not the start of a block", data);
	header_verify(block);
	if (block->state != IN_USE)
		panic("heap: the block at %p is freed twice or used after it was freed", data);
	return block;
}

/* Lists ----------------------------------------------------------------------------------------------------- */

/* The class whose lengths include this one. */
static struct class class_of(uint32_t units)
{
	unsigned log2;

	if (units < CLASSES)
		return (struct class){ 0, units };
	log2 = 31u - (unsigned)__builtin_clz(units);
	return (struct class){ log2 - CLASS_BITS + 1, (units >> (log2 - CLASS_BITS)) - CLASSES };
}

static void list_insert(struct heap *heap, struct block *block)
{
	struct class class = class_of(block->units);
	struct block **head = &heap->lists[class.level][class.index];

	block->prev = NULL;
	block->next = *head;
	if (*head)
		(*head)->prev = block;
	*head = block;
	heap->class_map[class.level] |= 1u << class.index;
	heap->level_map |= 1u << class.level;
}

static void list_remove(struct heap *heap, struct block *block)
{
	struct class class = class_of(block->units);
	struct block **head = &heap->lists[class.level][class.index];

	if ((block->prev ? block->prev->next : *head) != block || (block->next && block->next->prev != block))
		panic("heap: the free block at %p was written to", block_data(block));
	if (block->prev)
		block->prev->next = block->next;
	else
		*head = block->next;
	if (block->next)
		block->next->prev = block->prev;
	if (*head)
		return;
	heap->class_map[class.level] &= ~(1u << class.index);
	if (heap->class_map[class.level] == 0)
		heap->level_map &= ~(1u << class.level);
}

/* A free block of at least this length, or NULL. */
static struct block *list_find(struct heap *heap, uint32_t units)
{
	struct class own = class_of(units);
	struct class class = own;
	uint32_t map;

	/* Any block of a class above the request's own is long enough. */
	map = heap->class_map[class.level] & (uint32_t)(~0ull << (class.index + 1));
	if (map == 0) {
		map = heap->level_map & (uint32_t)(~0ull << (class.level + 1));
		if (map != 0) {
			class.level = (unsigned)__builtin_ctz(map);
			map = heap->class_map[class.level];
		}
	}
	if (map != 0)
		return heap->lists[class.level][__builtin_ctz(map)];
	/* One of its own class may be; the first is tried, so that a freed block can be had again. */
	if (heap->lists[own.level][own.index] && heap->lists[own.level][own.index]->units >= units)
		return heap->lists[own.level][own.index];
	return NULL;
}

/* Splitting and merging ------------------------------------------------------------------------------------- */

/* Sets a block's length and state, and tells the block after it. */
static void block_set(struct block *block, uint32_t units, enum state state)
{
	struct block *after = block_at(block, units);

	header_set(block, units, block->prev_units, state);
	header_verify(after);
	header_set(after, after->units, units, after->state);
}

/* Makes a free block of these units, which are in no list, merged with its free neighbours. */
static void block_release(struct heap *heap, struct block *block, uint32_t units)
{
	struct block *after = block_at(block, units);
	struct block *before = block;

	header_verify(after);
	if (after->state == FREE) {
		list_remove(heap, after);
		units += after->units;
	}
	if (block->prev_units != 0) {
		before = (struct block *)(void *)((char *)block - (size_t)block->prev_units * UNIT);
		header_verify(before);
	}
	if (before != block && before->state == FREE) {
		list_remove(heap, before);
		header_set(block, block->units, block->prev_units, FREE); /* a double free will meet this */
		units += before->units;
		block = before;
	}
	block_set(block, units, FREE);
	list_insert(heap, block);
}

/* Cuts what is beyond the first units off a used block, if it is enough for a block. */
static void block_trim(struct heap *heap, struct block *block, uint32_t units)
{
	uint32_t rest_units = block->units - units;
	struct block *rest;

	if (rest_units < UNITS_MIN)
		return;
	rest = block_at(block, units);
	header_set(rest, rest_units, units, IN_USE);
	header_set(block, units, block->prev_units, IN_USE);
	block_release(heap, rest, rest_units);
}

/* Takes a free block of at least this length out of its list and marks it used, whole; NULL: none. */
static struct block *block_take(struct heap *heap, uint32_t units)
{
	struct block *block = list_find(heap, units);

	if (!block)
		return NULL;
	header_verify(block);
	must(block->state == FREE);
	list_remove(heap, block);
	block_set(block, block->units, IN_USE);
	return block;
}

/* The length of a block for so many bytes, 0 when there can be none. */
static uint32_t units_for(size_t size)
{
	size_t units;

	if (size > SIZE_MAX - HEADER - UNIT)
		return 0;
	units = (size + HEADER + UNIT - 1) / UNIT;
	if (units > UINT32_MAX)
		return 0;
	return units < UNITS_MIN ? UNITS_MIN : (uint32_t)units;
}

static void usage_count(struct heap *heap, uint32_t units, uint32_t old_units)
{
	heap->usage.used_bytes += (size_t)units * UNIT;
	heap->usage.used_bytes -= (size_t)old_units * UNIT;
	if (heap->usage.used_bytes > heap->usage.peak_bytes)
		heap->usage.peak_bytes = heap->usage.used_bytes;
}

/* The interface --------------------------------------------------------------------------------------------- */

struct heap *heap_init(void *region, size_t size)
{
	size_t skip = -(uintptr_t)region % UNIT;
	size_t head = (sizeof(struct heap) + UNIT - 1) / UNIT * UNIT;
	struct heap *heap;
	struct block *end;
	size_t units;

	if (size < skip + head + (UNITS_MIN + 1) * UNIT)
		return NULL;
	units = (size - skip - head) / UNIT - 1; /* the last unit holds END */
	if (units > UINT32_MAX)
		units = UINT32_MAX;
	heap = (struct heap *)(void *)((char *)region + skip);
	memset(heap, 0, sizeof *heap);
	heap->first = (struct block *)(void *)((char *)heap + head);
	heap->usage.total_bytes = units * UNIT;
	header_set(heap->first, (uint32_t)units, 0, FREE);
	end = block_at(heap->first, (uint32_t)units);
	header_set(end, 1, (uint32_t)units, END);
	list_insert(heap, heap->first);
	return heap;
}

void *heap_alloc(struct heap *heap, size_t size)
{
	uint32_t units = units_for(size);
	struct block *block = units ? block_take(heap, units) : NULL;

	if (!block)
		return NULL;
	block_trim(heap, block, units);
	usage_count(heap, block->units, 0);
	heap->usage.block_count++;
	return block_data(block);
}

void *heap_alloc_aligned(struct heap *heap, size_t alignment, size_t size)
{
	uint32_t units = units_for(size);
	struct block *block, *aligned;
	uint32_t gap_units, room_units;
	uintptr_t data;

	must(alignment != 0 && (alignment & (alignment - 1)) == 0);
	if (alignment <= UNIT)
		return heap_alloc(heap, size);
	/* Room to move the data up to the alignment, and once more if the gap would be too short for a block. */
	if (units == 0 || alignment > SIZE_MAX / 2 - size)
		return NULL;
	room_units = units_for(size + alignment + UNIT);
	block = room_units ? block_take(heap, room_units) : NULL;
	if (!block)
		return NULL;
	data = (uintptr_t)block_data(block);
	gap_units = (uint32_t)((-data & (alignment - 1)) / UNIT);
	if (gap_units != 0 && gap_units < UNITS_MIN)
		gap_units += (uint32_t)(alignment / UNIT);
	aligned = block;
	if (gap_units != 0) {
		aligned = block_at(block, gap_units);
		header_set(aligned, block->units - gap_units, gap_units, IN_USE);
		block_set(aligned, aligned->units, IN_USE);
		block_release(heap, block, gap_units);
	}
	block_trim(heap, aligned, units);
	usage_count(heap, aligned->units, 0);
	heap->usage.block_count++;
	return block_data(aligned);
}

/* Makes a used block this long without moving it; false when its neighbour has not the room. */
static bool resize_in_place(struct heap *heap, struct block *block, uint32_t units)
{
	uint32_t old_units = block->units;
	struct block *after = block_after(block);

	if (units > old_units) {
		if (after->state != FREE || after->units < units - old_units)
			return false;
		list_remove(heap, after);
		block_set(block, old_units + after->units, IN_USE);
	}
	block_trim(heap, block, units);
	usage_count(heap, block->units, old_units);
	return true;
}

void *heap_resize(struct heap *heap, void *data, size_t size)
{
	uint32_t units = units_for(size);
	struct block *block;
	void *moved;

	if (!data)
		return heap_alloc(heap, size);
	block = block_of(data);
	if (units == 0)
		return NULL;
	if (resize_in_place(heap, block, units))
		return data;
	moved = heap_alloc(heap, size);
	if (!moved)
		return NULL;
	memcpy(moved, data, heap_block_size(data));
	heap_free(heap, data);
	return moved;
}

void heap_free(struct heap *heap, void *data)
{
	struct block *block;

	if (!data)
		return;
	block = block_of(data);
	heap->usage.used_bytes -= (size_t)block->units * UNIT;
	heap->usage.block_count--;
	block_release(heap, block, block->units);
}

size_t heap_block_size(const void *data)
{
	const struct block *block = (const struct block *)(const void *)((const char *)data - HEADER);

	header_verify(block);
	return (size_t)block->units * UNIT - HEADER;
}

void heap_usage(const struct heap *heap, struct heap_usage *usage)
{
	*usage = heap->usage;
}

/* Checking --------------------------------------------------------------------------------------------------- */

/* The number of blocks in the lists, each of which must be free and in the list of its class. */
static size_t check_lists(const struct heap *heap)
{
	size_t count = 0;

	for (unsigned level = 0; level < LEVELS; level++) {
		must(!(heap->level_map >> level & 1) == !heap->class_map[level]);
		for (unsigned index = 0; index < CLASSES; index++) {
			const struct block *block = heap->lists[level][index];

			must(!(heap->class_map[level] >> index & 1) == !block);
			for (const struct block *prev = NULL; block; prev = block, block = block->next) {
				struct class class = class_of(block->units);

				must(class.level == level && class.index == index);
				must(block->state == FREE && block->prev == prev);
				count++;
			}
		}
	}
	return count;
}

void heap_check(const struct heap *heap)
{
	struct block *block = heap->first;
	size_t used_bytes = 0, used_count = 0, free_bytes = 0, free_count = 0;
	uint32_t prev_units = 0;
	bool prev_free = false;

	for (header_verify(block); block->state != END; block = block_after(block)) {
		bool is_free = block->state == FREE;

		must(is_free || block->state == IN_USE);
		must(!(is_free && prev_free));
		must(block->prev_units == prev_units && block->units >= UNITS_MIN);
		*(is_free ? &free_bytes : &used_bytes) += (size_t)block->units * UNIT;
		*(is_free ? &free_count : &used_count) += 1;
		prev_units = block->units;
		prev_free = is_free;
	}
	must(block->prev_units == prev_units);
	must(used_bytes + free_bytes == heap->usage.total_bytes);
	must(used_bytes == heap->usage.used_bytes && used_count == heap->usage.block_count);
	must(heap->usage.peak_bytes >= used_bytes);
	must(check_lists(heap) == free_count);
}
