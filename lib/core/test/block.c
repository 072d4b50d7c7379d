/* SPDX-License-Identifier: ISC
 *
 * Block devices, over a platform of the test's own: one device of 16 sectors that counts its calls and fails on demand.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <skerry/block.h>

enum { SECTOR = 512, SECTORS = 16, HANDLE = 5 };

static uint8_t disk[SECTORS * SECTOR];
static struct platform_block_info disk_info;
static int open_count, transfers, flushes;
static int failing_transfer; /* the one that fails; 0: none */

int platform_block_open(const char *name, struct platform_block_info *info)
{
	if (strcmp(name, "disk") != 0)
		return -ENODEV;
	if (open_count > 0)
		return -EBUSY;
	open_count++;
	*info = disk_info;
	return HANDLE;
}

static int transfer(int handle, uint64_t offset)
{
	assert_int_equal(handle, HANDLE);
	assert_int_equal(offset % SECTOR, 0);
	assert_true(offset <= sizeof disk - SECTOR);
	return ++transfers == failing_transfer ? -EIO : 0;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	int err = transfer(handle, offset);

	if (err == 0)
		memcpy(sector, disk + offset, SECTOR);
	return err;
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	int err = transfer(handle, offset);

	if (err == 0)
		memcpy(disk + offset, sector, SECTOR);
	return err;
}

int platform_block_flush(int handle)
{
	assert_int_equal(handle, HANDLE);
	flushes++;
	return -EIO;
}

void platform_block_close(int handle)
{
	assert_int_equal(handle, HANDLE);
	open_count--;
}

static int open_disk(void **state)
{
	struct block *block = NULL;

	for (size_t i = 0; i < sizeof disk; i++)
		disk[i] = (uint8_t)(i / SECTOR + i);
	disk_info = (struct platform_block_info){ sizeof disk, SECTOR, false };
	transfers = failing_transfer = 0;
	if (block_open("disk", &block) != 0)
		return -1;
	*state = block;
	return 0;
}

static int close_disk(void **state)
{
	block_close(*state);
	return open_count;
}

static void an_unknown_or_open_device_is_refused(void **state)
{
	struct block *block = NULL;

	(void)state;
	assert_int_equal(block_open("tape", &block), -ENODEV);
	assert_int_equal(block_open("disk", &block), -EBUSY);
	assert_null(block);
	block_close(NULL);
}

static void the_device_s_shape_is_shown(void **state)
{
	struct block *block = *state;

	assert_int_equal(block->info.capacity_bytes, SECTORS * SECTOR);
	assert_int_equal(block->info.sector_bytes, SECTOR);
	assert_false(block->info.read_only);
}

static void sectors_are_read_and_written_in_order(void **state)
{
	struct block *block = *state;
	uint8_t buf[3 * SECTOR];

	assert_int_equal(block_read(block, 2, 3, buf), 0);
	assert_memory_equal(buf, disk + 2 * SECTOR, sizeof buf);
	memset(buf, 0xee, sizeof buf);
	assert_int_equal(block_write(block, 13, 3, buf), 0);
	assert_memory_equal(disk + 13 * SECTOR, buf, sizeof buf);
	assert_int_equal(disk[13 * SECTOR - 1], (uint8_t)(12 + 13 * SECTOR - 1));
	assert_int_equal(transfers, 6);
}

static void what_lies_beyond_the_end_is_refused_before_any_transfer(void **state)
{
	struct block *block = *state;
	static const struct {
		uint64_t first;
		size_t count;
	} beyond[] = { { SECTORS, 1 }, { SECTORS - 1, 2 }, { 0, SECTORS + 1 }, { UINT64_MAX, 1 }, { 1, SIZE_MAX },
		{ UINT64_MAX / SECTOR + 1, 1 }, { SECTORS + 1, 0 } };
	static uint8_t buf[(SECTORS + 1) * SECTOR];

	for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
		assert_int_equal(block_read(block, beyond[i].first, beyond[i].count, buf), -ERANGE);
		assert_int_equal(block_write(block, beyond[i].first, beyond[i].count, buf), -ERANGE);
	}
	assert_int_equal(transfers, 0);
	assert_int_equal(block_read(block, SECTORS, 0, buf), 0);
	assert_int_equal(block_read(block, 0, SECTORS, buf), 0);
	assert_int_equal(transfers, SECTORS);
}

static void a_read_only_device_is_not_written(void **state)
{
	struct block *block = *state;
	uint8_t buf[SECTOR] = { 0 };

	block->info.read_only = true;
	assert_int_equal(block_write(block, 0, 1, buf), -EROFS);
	assert_int_equal(transfers, 0);
	assert_int_equal(block_read(block, 0, 1, buf), 0);
}

static void an_error_ends_the_transfer_and_is_returned(void **state)
{
	struct block *block = *state;
	uint8_t buf[4 * SECTOR] = { 0 };

	failing_transfer = 2;
	assert_int_equal(block_read(block, 0, 4, buf), -EIO);
	assert_int_equal(transfers, 2);
	failing_transfer = 4;
	assert_int_equal(block_write(block, 0, 4, buf), -EIO);
	assert_int_equal(transfers, 4);
	assert_int_equal(block_flush(block), -EIO);
	assert_int_equal(flushes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_unknown_or_open_device_is_refused, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(the_device_s_shape_is_shown, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(sectors_are_read_and_written_in_order, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(
			what_lies_beyond_the_end_is_refused_before_any_transfer, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(a_read_only_device_is_not_written, open_disk, close_disk),
		cmocka_unit_test_setup_teardown(an_error_ends_the_transfer_and_is_returned, open_disk, close_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
