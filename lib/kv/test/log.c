/* SPDX-License-Identifier: ISC
 *
 * The store on a block device, as a program sees it: what it opens and refuses, its space, its wear, and what it does
 * when device or memory fail.
 */
#include "disk.h"

#include <skerry/clock.h>

#include "lib/kv/crc32c.h"

/* Time stands still unless a test moves it, and memory ends when a test says so. */
static uint64_t wall_ns = SECOND(1700000000);
static uint64_t allocations, fail_allocation_at = NEVER;

uint64_t platform_clock_wall(void)
{
	return wall_ns;
}

uint64_t platform_clock_monotonic(void)
{
	static uint64_t now;

	return now += 1 + now % 7;
}

void platform_wait(uint64_t deadline_ns)
{
	(void)deadline_ns;
}

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	return allocations++ == fail_allocation_at ? NULL : __interceptor_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return allocations++ == fail_allocation_at ? NULL : __interceptor_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return allocations++ == fail_allocation_at ? NULL : __interceptor_realloc(old, size);
}

/* Helpers ----------------------------------------------------------------------------------------------------- */

static struct kv *open_store(struct block *block)
{
	struct kv *kv;

	assert_int_equal(kv_log_open(block, true, &kv), 0);
	return kv;
}

static struct kv *reopen(struct kv *kv, struct block *block)
{
	kv_close(kv);
	return open_store(block);
}

static int open_status(struct block *block, bool format_blank)
{
	struct kv *kv = NULL;
	int err = kv_log_open(block, format_blank, &kv);

	if (err == 0)
		kv_close(kv);
	else
		assert_null(kv);
	return err;
}

static void set(struct kv *kv, const char *key, const char *text)
{
	assert_int_equal(kv_set(kv, key, text, strlen(text)), 0);
}

static void assert_value(struct kv *kv, const char *key, const char *text)
{
	uint8_t *value;
	size_t len;

	assert_int_equal(kv_get(kv, key, &value, &len), 0);
	assert_string_equal((char *)value, text);
	free(value);
}

/* A value that its number and length tell. */
static void fill(uint8_t *value, size_t len, unsigned number)
{
	for (size_t i = 0; i < len; i++)
		value[i] = (uint8_t)((i >> 8) + i + number * 13);
}

static void set_filled(struct kv *kv, unsigned key, size_t len, unsigned number, int expected)
{
	uint8_t *value = malloc(len + 1);
	char name[16];

	assert_non_null(value);
	fill(value, len, number);
	snprintf(name, sizeof name, "d/%u", key);
	assert_int_equal(kv_set(kv, name, value, len), expected);
	free(value);
}

static void assert_filled(struct kv *kv, const char *name, size_t len, unsigned number)
{
	uint8_t *value, *expected = malloc(len + 1);
	size_t got;

	assert_non_null(expected);
	fill(expected, len, number);
	assert_int_equal(kv_get(kv, name, &value, &got), 0);
	assert_int_equal(got, len);
	assert_memory_equal(value, expected, len);
	free(value);
	free(expected);
}

/* Opening ----------------------------------------------------------------------------------------------------- */

static void a_blank_device_becomes_a_store_only_when_that_is_asked_for(void **state)
{
	struct block *block;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	assert_int_equal(open_status(block, false), -ENODATA);
	assert_int_equal(disk.writes, 0);
	assert_int_equal(open_status(block, true), 0);
	assert_int_equal(open_status(block, false), 0);
	block_close(block);
}

static void what_is_no_store_is_left_alone(void **state)
{
	struct block *block;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		disk_new(512, 128);
		disk.stable[(size_t[]){ 0, 1023, 128 * 512 - 1 }[i]] = 1;
		disk_on();
		block = disk_open();
		assert_int_equal(open_status(block, true), -EBADMSG);
		assert_int_equal(disk.writes, 0);
		assert_int_equal(kv_log_format(block), 0);
		assert_int_equal(open_status(block, false), 0);
		block_close(block);
	}
}

static void a_new_store_has_nothing_of_the_old_one(void **state)
{
	struct block *block;
	struct kv *kv;
	struct kv_list list;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	kv = open_store(block);
	for (unsigned i = 0; i < 30; i++)
		set_filled(kv, i, 700, i, 0);
	kv_close(kv);
	assert_int_equal(kv_log_format(block), 0);
	kv = open_store(block);
	assert_int_equal(kv_list(kv, "", &list), 0);
	assert_int_equal(list.count, 0);
	kv_list_free(&list);
	set(kv, "x", "new");
	kv = reopen(kv, block);
	assert_int_equal(kv_list(kv, "", &list), 0);
	assert_int_equal(list.count, 1);
	kv_list_free(&list);
	kv_close(kv);
	block_close(block);
}

static void a_device_needs_64_sectors(void **state)
{
	struct block *block;

	(void)state;
	for (uint64_t sectors = 1; sectors <= KV_LOG_SECTORS_MIN; sectors += 9) {
		int expected = sectors < KV_LOG_SECTORS_MIN ? -ENOSPC : 0;

		disk_new(512, sectors);
		block = disk_open();
		assert_int_equal(open_status(block, true), expected);
		assert_int_equal(kv_log_format(block), expected);
		assert_true(expected == 0 || disk.writes == 0);
		block_close(block);
	}
}

static void a_read_only_device_is_read(void **state)
{
	struct block *block;
	struct kv *kv;

	(void)state;
	disk_new(512, 128);
	disk.info.read_only = true;
	block = disk_open();
	assert_int_equal(open_status(block, true), -EROFS);
	assert_int_equal(kv_log_format(block), -EROFS);
	block_close(block);
	disk.info.read_only = false;
	block = disk_open();
	kv = open_store(block);
	set(kv, "a", "1");
	kv_close(kv);
	block_close(block);
	disk.info.read_only = true;
	block = disk_open();
	kv = open_store(block);
	assert_value(kv, "a", "1");
	assert_int_equal(kv_set(kv, "a", "2", 1), -EROFS);
	assert_int_equal(kv_remove(kv, "a"), -EROFS);
	assert_int_equal(kv_rename(kv, "a", "b"), -EROFS);
	kv_close(kv);
	block_close(block);
}

static void a_device_that_refuses_writes_is_read_on(void **state)
{
	struct block *block;
	struct kv *kv;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	kv = open_store(block);
	set(kv, "a", "1");
	disk.refuse = true;
	assert_int_equal(kv_set(kv, "a", "2", 1), -EROFS);
	assert_int_equal(kv_remove(kv, "a"), -EROFS);
	assert_int_equal(kv_set(kv, "b", "2", 1), -EROFS);
	assert_value(kv, "a", "1");
	disk.refuse = false;
	set(kv, "a", "2");
	assert_value(kv, "a", "2");
	kv = reopen(kv, block);
	assert_value(kv, "a", "2");
	kv_close(kv);
	block_close(block);
}

static void the_device_must_be_as_it_was_when_formatted(void **state)
{
	struct block *block;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	assert_int_equal(kv_log_format(block), 0);
	block_close(block);
	disk.info.sector_bytes = 4096;
	block = disk_open();
	assert_int_equal(open_status(block, true), -EINVAL);
	block_close(block);
	disk.info.sector_bytes = 512;
	disk.info.capacity_bytes = 127 * 512;
	block = disk_open();
	assert_int_equal(open_status(block, true), -EBADMSG);
	block_close(block);
	disk.info.capacity_bytes = 256 * 512; /* what was added stays unused */
	block = disk_open();
	assert_int_equal(open_status(block, true), 0);
	block_close(block);
}

static void every_size_of_sector_will_do(void **state)
{
	(void)state;
	for (uint32_t sector_bytes = 512; sector_bytes <= 65536; sector_bytes *= 2) {
		char long_key[KV_KEY_MAX + 1];
		struct block *block;
		struct kv *kv;

		memset(long_key, 'k', KV_KEY_MAX);
		long_key[KV_KEY_MAX] = '\0';
		disk_new(sector_bytes, 80);
		block = disk_open();
		kv = open_store(block);
		/* Around each number of bytes that fills sectors. */
		for (size_t len = 0; len < 3 * sector_bytes; len += sector_bytes / 2 - 3) {
			set_filled(kv, 1, len, 1, 0);
			assert_filled(kv, "d/1", len, 1);
			kv = reopen(kv, block);
			assert_filled(kv, "d/1", len, 1);
		}
		set(kv, long_key, "long");
		kv = reopen(kv, block);
		assert_value(kv, long_key, "long");
		kv_close(kv);
		block_close(block);
	}
}

static void a_value_may_take_a_quarter_of_the_device(void **state)
{
	enum { SIZE = 4 << 20 };
	struct block *block;
	struct kv *kv;
	uint8_t buf[1000], expected[sizeof buf];

	(void)state;
	disk_new(4096, 4096);
	block = disk_open();
	kv = open_store(block);
	set_filled(kv, 1, SIZE, 1, 0);
	set_filled(kv, 1, SIZE, 2, 0);
	kv = reopen(kv, block);
	assert_filled(kv, "d/1", SIZE, 2);
	for (size_t at = 0; at < SIZE - sizeof buf; at += 65413) {
		assert_int_equal(kv_read(kv, "d/1", at, buf, sizeof buf), sizeof buf);
		for (size_t i = 0; i < sizeof buf; i++)
			expected[i] = (uint8_t)(((at + i) >> 8) + at + i + 2 * 13);
		assert_memory_equal(buf, expected, sizeof buf);
	}
	set_filled(kv, 2, 2 * SIZE, 3, -ENOSPC);
	assert_filled(kv, "d/1", SIZE, 2);
	kv_close(kv);
	block_close(block);
}

static void all_is_there_again_with_its_time(void **state)
{
	struct block *block;
	struct kv *kv;
	struct kv_list list;
	uint64_t time;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	kv = open_store(block);
	wall_ns = SECOND(1600000000) + 1;
	set(kv, "a/b/c", "1");
	wall_ns = SECOND(1700000000) + 5;
	set(kv, "a/b/d", "2");
	set(kv, "gone/x", "3");
	set(kv, "replaced", "old");
	set(kv, "source", "new");
	assert_int_equal(kv_rename(kv, "a/b", "moved/here"), 0);
	assert_int_equal(kv_rename(kv, "source", "replaced"), 0);
	assert_int_equal(kv_remove(kv, "gone"), 0);
	for (size_t i = 0; i < 3; i++) {
		kv = reopen(kv, block);
		assert_int_equal(kv_list(kv, "", &list), 0);
		assert_int_equal(list.count, 2);
		kv_list_free(&list);
		assert_value(kv, "moved/here/c", "1");
		assert_value(kv, "moved/here/d", "2");
		assert_value(kv, "replaced", "new");
		assert_int_equal(kv_last_modified(kv, "moved/here/c", &time), 0);
		assert_int_equal(time, SECOND(1600000000) + 1);
		/* Far enough for all to be written again. */
		for (unsigned n = 0; n < 300; n++)
			set_filled(kv, n % 3, 900, n, 0);
		assert_int_equal(kv_remove(kv, "d"), 0);
	}
	kv_close(kv);
	block_close(block);
}

/* Space ------------------------------------------------------------------------------------------------------- */

static unsigned fill_up(struct kv *kv, size_t len)
{
	unsigned count = 0;
	int err = 0;

	while (err == 0) {
		uint8_t value[8192];
		char name[16];

		fill(value, len, count);
		snprintf(name, sizeof name, "d/%u", count);
		err = kv_set(kv, name, value, len);
		count += err == 0;
		assert_true(err == 0 || err == -ENOSPC);
		assert_true(count < 10000);
	}
	return count;
}

static void a_full_store_keeps_all_and_can_be_emptied_and_filled_again(void **state)
{
	static const size_t lens[] = { 0, 300, 600, 5000 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		size_t len = lens[i], sectors = len / 500 + 1;
		unsigned count = 0;
		struct block *block;
		struct kv *kv;
		char name[16];

		disk_new(512, 256);
		block = disk_open();
		kv = open_store(block);
		for (size_t round = 0; round < 4; round++) {
			unsigned filled = fill_up(kv, len);

			assert_true(round == 0 || filled == count);
			count = filled;
			/* All but two marks, an eighth, the largest value and a few sectors. */
			assert_true((count + 1) * sectors > 254 - 254 / 8 - 17 - sectors);
			set_filled(kv, 0, len + 4000, 0, -ENOSPC);
			kv = reopen(kv, block);
			for (unsigned n = 0; n < count; n++) {
				snprintf(name, sizeof name, "d/%u", n);
				assert_filled(kv, name, len, n);
			}
			for (unsigned n = 0; n < count; n++) {
				snprintf(name, sizeof name, "d/%u", n);
				assert_int_equal(kv_remove(kv, name), 0);
			}
		}
		kv_close(kv);
		block_close(block);
	}
}

static void a_full_store_can_be_written_on_at_bounded_cost_and_wears_evenly(void **state)
{
	enum { SECTORS = 1024, LEN = 1200, SETS = 20000 };
	struct block *block;
	uint64_t most = 0, before, total;
	uint32_t low = UINT32_MAX, high = 0;
	unsigned count;
	struct kv *kv;

	(void)state;
	disk_new(512, SECTORS);
	block = disk_open();
	kv = open_store(block);
	count = fill_up(kv, LEN) - 2;
	for (unsigned i = count; i < count + 2; i++) {
		char name[16];

		snprintf(name, sizeof name, "d/%u", i);
		assert_int_equal(kv_remove(kv, name), 0);
	}
	total = disk.writes;
	for (unsigned i = 0; i < SETS; i++) {
		before = disk.writes;
		set_filled(kv, i * 7919 % count, LEN, i, 0);
		most = disk.writes - before > most ? disk.writes - before : most;
	}
	total = disk.writes - total;
	assert_true(total / SETS <= 3 * 9);
	assert_true(most <= 3 + 3 * 8 + 3 + 1);
	for (size_t i = 2; i < SECTORS; i++) {
		low = disk.wear[i] < low ? disk.wear[i] : low;
		high = disk.wear[i] > high ? disk.wear[i] : high;
	}
	assert_true(high - low <= 2);
	assert_true(disk.wear[0] <= low && disk.wear[1] <= low);
	kv_close(kv);
	block_close(block);
}

static void names_that_become_longer_need_space_as_well(void **state)
{
	char to[401], name[KV_KEY_MAX + 1];
	struct block *block;
	unsigned count, fitting;
	struct kv *kv;

	(void)state;
	memset(to, 'n', 400);
	to[400] = '\0';
	for (fitting = 0, count = 10;; count += 10) {
		int err;

		disk_new(512, 256);
		block = disk_open();
		kv = open_store(block);
		for (unsigned i = 0; i < count; i++)
			set_filled(kv, i, 300, i, 0);
		err = kv_rename(kv, "d", to);
		assert_true(err == 0 || err == -ENOSPC);
		/* Whichever it was, all can be written once around. */
		for (unsigned i = 0; i < 600; i++) {
			snprintf(name, sizeof name, "%s/%u", err ? "d" : to, i % count);
			set(kv, "other", "value");
			assert_filled(kv, name, 300, i % count);
		}
		kv = reopen(kv, block);
		for (unsigned i = 0; i < count; i++) {
			snprintf(name, sizeof name, "%s/%u", err ? "d" : to, i);
			assert_filled(kv, name, 300, i);
			assert_int_equal(kv_remove(kv, name), 0);
		}
		kv_close(kv);
		block_close(block);
		if (err)
			break;
		fitting = count;
	}
	assert_true(fitting >= 80 && fitting <= 110);
}

static void a_store_takes_65536_values(void **state)
{
	struct block *block;
	struct kv_list list;
	struct kv *kv;
	char name[16];

	(void)state;
	disk_new(512, 80000);
	block = disk_open();
	kv = open_store(block);
	for (unsigned i = 0; i < KV_LOG_KEYS_MAX; i++) {
		snprintf(name, sizeof name, "%02x/%05u", i >> 8, i);
		assert_int_equal(kv_set(kv, name, NULL, 0), 0);
	}
	assert_int_equal(kv_set(kv, "more", NULL, 0), -ENOSPC);
	assert_int_equal(kv_set(kv, name, "x", 1), 0);
	kv = reopen(kv, block);
	assert_int_equal(kv_list(kv, "", &list), 0);
	assert_int_equal(list.count, 256);
	kv_list_free(&list);
	assert_int_equal(kv_set(kv, "more", NULL, 0), -ENOSPC);
	assert_int_equal(kv_remove(kv, name), 0);
	assert_int_equal(kv_set(kv, "more", NULL, 0), 0);
	kv_close(kv);
	block_close(block);
}

/* Failures ---------------------------------------------------------------------------------------------------- */

/* Sets, moves and removes enough for values to be written again. 0, or the first error, in *step how far it came. */
static int workload(struct kv *kv, unsigned *step)
{
	int err = kv_remove(kv, "d");

	*step = 0;
	if (err == 0 || err == -ENOENT)
		err = kv_remove(kv, "e");
	err = err == -ENOENT ? 0 : err;
	for (; err == 0 && *step < 40; ++*step) {
		uint8_t value[900];
		char name[16];

		snprintf(name, sizeof name, "d/%u", *step % 5);
		fill(value, sizeof value, *step);
		err = kv_set(kv, name, value, sizeof value);
		if (err == 0 && *step % 8 == 7)
			err = kv_rename(kv, "d", "e");
		if (err == 0 && *step % 8 == 7)
			err = kv_remove(kv, "e/1");
		if (err == 0 && *step % 8 == 7)
			err = kv_rename(kv, "e", "d");
	}
	return err;
}

/* A store in which "keep" is; its workload fails at some operation. */
static void assert_survives(struct block *block, struct kv *kv, int expected)
{
	bool reading = disk.fail_read_at != NEVER;
	enum kv_kind kind;
	unsigned step;

	assert_int_equal(workload(kv, &step), expected);
	disk.fail_read_at = disk.fail_write_at = disk.fail_flush_at = fail_allocation_at = NEVER;
	assert_value(kv, "keep", "safe");
	if (expected == -EIO && !reading) {
		uint64_t writes = disk.writes;

		assert_int_equal(kv_set(kv, "after", "x", 1), -EIO);
		assert_int_equal(kv_remove(kv, "keep"), -EIO);
		assert_int_equal(disk.writes, writes);
	}
	kv = reopen(kv, block);
	assert_value(kv, "keep", "safe");
	assert_int_equal(kv_exists(kv, "after", &kind), -ENOENT);
	assert_int_equal(kv_remove(kv, ""), 0);
	set(kv, "d/4", "written on");
	assert_value(kv, "d/4", "written on");
	kv_close(kv);
}

static struct kv *open_with_keep(struct block **block)
{
	struct kv *kv;

	disk_new(512, 72);
	*block = disk_open();
	kv = open_store(*block);
	set(kv, "keep", "safe");
	disk.reads = disk.writes = disk.flushes = allocations = 0;
	return kv;
}

static void an_error_of_the_device_at_any_moment_changes_nothing(void **state)
{
	struct block *block;
	struct kv *kv;
	uint64_t counts[3];
	unsigned step;

	(void)state;
	kv = open_with_keep(&block);
	assert_int_equal(workload(kv, &step), 0);
	counts[0] = disk.reads;
	counts[1] = disk.writes;
	counts[2] = disk.flushes;
	kv_close(kv);
	block_close(block);
	for (size_t which = 0; which < 3; which++) {
		for (uint64_t at = 0; at < counts[which]; at++) {
			kv = open_with_keep(&block);
			*(uint64_t *[]){ &disk.fail_read_at, &disk.fail_write_at, &disk.fail_flush_at }[which] = at;
			assert_survives(block, kv, -EIO);
			block_close(block);
		}
	}
}

static void an_error_of_the_device_while_opening_is_told(void **state)
{
	struct block *block;
	struct kv *kv = open_with_keep(&block);
	uint64_t reads;
	unsigned step;

	(void)state;
	assert_int_equal(workload(kv, &step), 0);
	kv_close(kv);
	disk_on();
	kv_close(open_store(block));
	reads = disk.reads;
	for (uint64_t at = 0; at < reads; at++) {
		disk_on();
		disk.fail_read_at = at;
		assert_int_equal(open_status(block, true), -EIO);
	}
	disk_on();
	kv = open_store(block);
	assert_value(kv, "keep", "safe");
	kv_close(kv);
	block_close(block);
}

static void memory_that_runs_out_at_any_moment_changes_nothing(void **state)
{
	struct block *block;
	struct kv *kv = open_with_keep(&block);
	uint64_t count;
	unsigned step;

	(void)state;
	assert_int_equal(workload(kv, &step), 0);
	count = allocations;
	kv_close(kv);
	block_close(block);
	for (uint64_t at = 0; at < count; at += 1 + at / 100) {
		kv = open_with_keep(&block);
		fail_allocation_at = at;
		assert_survives(block, kv, -ENOMEM);
		block_close(block);
	}
}

static void memory_that_runs_out_while_opening_is_told(void **state)
{
	struct block *block;
	struct kv *kv = open_with_keep(&block);
	int err = -ENOMEM;

	(void)state;
	set(kv, "a/b", "1");
	assert_int_equal(kv_rename(kv, "a", "c"), 0);
	kv_close(kv);
	for (uint64_t at = 0; err == -ENOMEM; at++) {
		allocations = 0;
		fail_allocation_at = at;
		err = kv_log_open(block, false, &kv);
		fail_allocation_at = NEVER;
		assert_true(at < 100);
	}
	assert_int_equal(err, 0);
	assert_value(kv, "c/b", "1");
	kv_close(kv);
	block_close(block);
}

/* Damage and what cuts leave ---------------------------------------------------------------------------------- */

/* Whether what a damaged store holds is what it held after one of its last changes: never anything else. */
static bool is_one_of(struct kv *kv, uint8_t (*digests)[KV_DIGEST_LEN], size_t count)
{
	uint8_t digest[KV_DIGEST_LEN];
	int err = kv_digest(kv, "", digest);

	if (err) {
		assert_int_equal(err, -EBADMSG);
		return true;
	}
	for (size_t i = 0; i < count; i++)
		if (memcmp(digest, digests[i], sizeof digest) == 0)
			return true;
	return false;
}

static void damage_anywhere_is_found_and_gives_no_other_bytes(void **state)
{
	enum { CHANGES = 12, BYTES = 512 * 64 };
	static uint8_t digests[2][KV_DIGEST_LEN];
	size_t refused = 0, damaged = 0, whole = 0;
	struct block *block;
	struct kv *kv;

	(void)state;
	disk_new(512, 64);
	block = disk_open();
	kv = open_store(block);
	for (unsigned i = 0; i < CHANGES; i++) {
		set_filled(kv, i % 7, i * 100, i, 0);
		assert_int_equal(kv_digest(kv, "", digests[i % 2]), 0);
	}
	kv_close(kv);
	for (size_t at = 0; at < BYTES; at += 3) {
		int err;

		disk_on();
		disk.view[at] ^= (uint8_t)(1u << at % 8);
		err = kv_log_open(block, true, &kv);
		assert_true(err == 0 || err == -EBADMSG || err == -ENOTSUP || err == -EINVAL);
		refused += err != 0;
		if (err == 0) {
			uint8_t digest[KV_DIGEST_LEN];
			int got = kv_digest(kv, "", digest);

			damaged += got != 0;
			whole += got == 0;
			/* Damage to the last record cannot be told from a cut. */
			if (!is_one_of(kv, digests, 2))
				fail_msg("damage at byte %zu gives what never was", at);
			kv_close(kv);
		}
	}
	assert_true(refused > 100 && damaged > 100 && whole > 100);
	block_close(block);
}

static void a_record_or_mark_that_is_wiped_out_is_missed(void **state)
{
	struct block *block;
	struct kv *kv;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	kv = open_store(block);
	for (unsigned i = 0; i < 20; i++)
		set_filled(kv, i, 100, i, 0);
	kv_close(kv);
	for (size_t i = 0; i < 19; i++) {
		disk_on();
		memset(disk.view + (2 + i) * 512, 0, 512);
		assert_int_equal(open_status(block, false), -EBADMSG);
	}
	disk_on();
	kv = open_store(block);
	for (unsigned i = 0; i < 300; i++)
		set_filled(kv, 0, 100, i, 0);
	kv_close(kv);
	for (size_t i = 0; i < 2; i++) { /* the marks */
		disk_on();
		memset(disk.view + i * 512, 0, 512);
		assert_int_equal(open_status(block, false), -EBADMSG);
	}
	block_close(block);
}

static void a_damaged_value_can_be_removed_and_its_space_won_back(void **state)
{
	struct block *block;
	struct kv *kv;
	uint8_t *value;
	size_t len;

	(void)state;
	disk_new(512, 128);
	block = disk_open();
	kv = open_store(block);
	set_filled(kv, 1, 2000, 1, 0);
	set_filled(kv, 2, 2000, 2, 0);
	disk_on();
	disk.view[4 * 512] ^= 1; /* the third sector of the first value */
	kv = reopen(kv, block);
	assert_int_equal(kv_get(kv, "d/1", &value, &len), -EBADMSG);
	assert_filled(kv, "d/2", 2000, 2);
	for (unsigned i = 0;; i++) {
		char small[8];
		int err;

		snprintf(small, sizeof small, "%u", i);
		err = kv_set(kv, "other", small, strlen(small));
		assert_true(i < 1000);
		if (err == 0)
			continue;
		assert_int_equal(err, -EBADMSG);
		break;
	}
	assert_int_equal(kv_remove(kv, "d/1"), 0);
	for (unsigned i = 0; i < 300; i++)
		set_filled(kv, 3, 2000, i, 0);
	kv = reopen(kv, block);
	assert_filled(kv, "d/2", 2000, 2);
	assert_filled(kv, "d/3", 2000, 299);
	kv_close(kv);
	block_close(block);
}

/* Puts back sectors of an earlier moment, as a cut can that lost some of the writes since. */
static void put_back(const uint8_t *image, size_t first, size_t count)
{
	memcpy(disk.view + first * 512, image + first * 512, count * 512);
}

static void sectors_of_two_attempts_are_no_record(void **state)
{
	static uint8_t before[64 * 512], value[1400];
	struct block *block;
	struct kv *kv;
	enum kv_kind kind;

	(void)state;
	disk_new(512, 64);
	block = disk_open();
	kv = open_store(block);
	set(kv, "a", "1");
	memcpy(before, disk.view, sizeof before);
	/* Two values that begin alike, set at the same time of day: of the first attempt the last two of three sectors
	 * survive, of the next the first. */
	for (uint8_t attempt = 0; attempt < 2; attempt++) {
		kv = reopen(kv, block);
		memset(value + 500, attempt, sizeof value - 500);
		assert_int_equal(kv_set(kv, "b", value, sizeof value), 0);
		put_back(before, attempt == 0 ? 3 : 4, attempt == 0 ? 1 : 2);
		memcpy(before, disk.view, sizeof before);
	}
	kv = reopen(kv, block);
	assert_int_equal(kv_exists(kv, "b", &kind), -ENOENT);
	assert_value(kv, "a", "1");
	kv_close(kv);
	block_close(block);
}

static void what_a_cut_left_behind_the_end_does_not_come_back(void **state)
{
	static uint8_t before[64 * 512];
	struct block *block;
	struct kv *kv;
	enum kv_kind kind;
	uint32_t seal;

	(void)state;
	disk_new(512, 64);
	block = disk_open();
	kv = open_store(block);
	memcpy(before, disk.view, sizeof before);
	set(kv, "a", "1");
	set(kv, "lost", "x");
	put_back(before, 2, 1);
	/* As it was written if nothing was settled between the two. */
	disk.view[3 * 512 + 5] = 0;
	seal = crc32c(0, disk.view + 3 * 512, 508);
	memcpy(disk.view + 3 * 512 + 508, &seal, sizeof seal);
	kv = reopen(kv, block);
	assert_int_equal(kv_exists(kv, "lost", &kind), -ENOENT);
	set(kv, "b", "2");
	kv = reopen(kv, block);
	assert_int_equal(kv_exists(kv, "lost", &kind), -ENOENT);
	assert_value(kv, "b", "2");
	kv_close(kv);
	block_close(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blank_device_becomes_a_store_only_when_that_is_asked_for),
		cmocka_unit_test(what_is_no_store_is_left_alone),
		cmocka_unit_test(a_new_store_has_nothing_of_the_old_one),
		cmocka_unit_test(a_device_needs_64_sectors),
		cmocka_unit_test(a_read_only_device_is_read),
		cmocka_unit_test(a_device_that_refuses_writes_is_read_on),
		cmocka_unit_test(the_device_must_be_as_it_was_when_formatted),
		cmocka_unit_test(every_size_of_sector_will_do),
		cmocka_unit_test(a_value_may_take_a_quarter_of_the_device),
		cmocka_unit_test(all_is_there_again_with_its_time),
		cmocka_unit_test(a_full_store_keeps_all_and_can_be_emptied_and_filled_again),
		cmocka_unit_test(a_full_store_can_be_written_on_at_bounded_cost_and_wears_evenly),
		cmocka_unit_test(names_that_become_longer_need_space_as_well),
		cmocka_unit_test(a_store_takes_65536_values),
		cmocka_unit_test(an_error_of_the_device_at_any_moment_changes_nothing),
		cmocka_unit_test(an_error_of_the_device_while_opening_is_told),
		cmocka_unit_test(memory_that_runs_out_at_any_moment_changes_nothing),
		cmocka_unit_test(memory_that_runs_out_while_opening_is_told),
		cmocka_unit_test(damage_anywhere_is_found_and_gives_no_other_bytes),
		cmocka_unit_test(a_record_or_mark_that_is_wiped_out_is_missed),
		cmocka_unit_test(a_damaged_value_can_be_removed_and_its_space_won_back),
		cmocka_unit_test(sectors_of_two_attempts_are_no_record),
		cmocka_unit_test(what_a_cut_left_behind_the_end_does_not_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
