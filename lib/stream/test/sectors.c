/* SPDX-License-Identifier: ISC
 *
 * A range of a block device as a stream, over a platform of the test's own whose device fails on demand.
 */
#include "probe.h"

enum { SECTOR = 512, SECTORS = 100 };

static uint8_t disk[SECTORS * SECTOR];
static uint64_t failing_offset = UINT64_MAX;

int platform_block_open(const char *name, struct platform_block_info *info)
{
	*info = (struct platform_block_info){ sizeof disk, SECTOR, false };
	return strcmp(name, "disk") == 0 ? 1 : -ENODEV;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	(void)handle;
	if (offset == failing_offset)
		return -EIO;
	memcpy(sector, disk + offset, SECTOR);
	return 0;
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	(void)handle;
	(void)offset;
	(void)sector;
	return -EROFS;
}

int platform_block_flush(int handle)
{
	(void)handle;
	return 0;
}

void platform_block_close(int handle)
{
	(void)handle;
}

static int copy_range(uint64_t first, uint64_t count, struct sink_buffer *buffer)
{
	static uint8_t copy[sizeof disk + 1];
	struct source_block range;
	struct block *block = NULL;
	int err;

	for (size_t i = 0; i < sizeof disk; i++)
		disk[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(block_open("disk", &block), 0);
	err = stream_run(source_block(&range, block, first, count), sink_buffer(buffer, copy, sizeof copy), FOREVER);
	block_close(block);
	return err;
}

TASK_TEST(every_range_arrives_whole)
{
	static const uint64_t counts[] = { 0, 1, 31, 32, 33, 64, SECTORS };
	struct sink_buffer buffer;

	for (size_t i = 0; i < 7; i++)
		for (uint64_t first = 0; first <= SECTORS - counts[i]; first += 3) {
			assert_int_equal(copy_range(first, counts[i], &buffer), STREAM_COMPLETE);
			assert_int_equal(buffer.len, counts[i] * SECTOR);
			assert_memory_equal(buffer.data, disk + first * SECTOR, counts[i] * SECTOR);
		}
}

TASK_TEST(range_beyond_the_end_and_a_bad_sector_fail)
{
	struct sink_buffer buffer;

	assert_int_equal(copy_range(SECTORS - 1, 2, &buffer), -ERANGE);
	assert_int_equal(copy_range(UINT64_MAX, 2, &buffer), -ERANGE);
	failing_offset = 40 * SECTOR;
	assert_int_equal(copy_range(0, SECTORS, &buffer), -EIO);
	failing_offset = UINT64_MAX;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_range_arrives_whole),
		cmocka_unit_test(range_beyond_the_end_and_a_bad_sector_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
