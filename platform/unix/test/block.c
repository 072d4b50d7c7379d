/* SPDX-License-Identifier: ISC
 *
 * Block devices in files of the host: what they say of themselves, what is transferred, and what is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <skerry/block.h>

#include "platform/unix/devices.h"

/* What reaches the host's stable storage, and whether it fails. */
static int synced, sync_result;

int fdatasync(int fd)
{
	(void)fd;
	synced++;
	errno = EIO;
	return sync_result;
}

static char path[] = "/tmp/skerry-block-XXXXXX";

/* The device "disk" stands for a file all along; tests change what the file is. */
static int name_device(void **state)
{
	static char option[64];
	char error[128];
	int fd = mkstemp(path);

	(void)state;
	snprintf(option, sizeof option, "--block:disk=%s", path);
	return fd < 0 || close(fd) < 0 || device_option(option, error, sizeof error) != 1;
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void sector_size(const char *option)
{
	char error[128];

	assert_int_equal(device_option(option, error, sizeof error), 1);
}

/* The file's bytes are their place's, modulo 251. */
static void make_file(size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		fputc((int)(i % 251), file);
	assert_int_equal(fclose(file), 0);
}

static void assert_file(size_t at, const void *expected, size_t len)
{
	char *found = malloc(len);
	int fd = open(path, O_RDONLY);

	assert_non_null(found);
	assert_int_equal(pread(fd, found, len, (off_t)at), len);
	assert_memory_equal(found, expected, len);
	close(fd);
	free(found);
}

static struct block *open_disk(void)
{
	struct block *block;

	assert_int_equal(block_open("disk", &block), 0);
	return block;
}

static void a_disk_says_its_sectors_and_that_it_can_be_written(void **state)
{
	static const char *const options[] = { "--block-sector-size:disk=512", "--block-sector-size:disk=4096",
		"--block-sector-size:disk=65536" };

	(void)state;
	make_file(2 * 65536);
	for (size_t i = 0; i < 3; i++) {
		struct block *block;

		sector_size(options[i]);
		block = open_disk();
		assert_int_equal(block->info.sector_bytes, 512u << (i == 0 ? 0 : i == 1 ? 3 : 7));
		assert_int_equal(block->info.capacity_bytes, 2 * 65536);
		assert_false(block->info.read_only);
		assert_string_equal(block->name, "disk");
		block_close(block);
	}
	sector_size(options[0]);
}

static void several_sectors_are_transferred_at_a_time(void **state)
{
	uint8_t sectors[5 * 512], zeros[5 * 512] = { 0 };
	struct block *block;

	(void)state;
	make_file(20 * 512);
	block = open_disk();
	assert_int_equal(block_read(block, 7, 5, sectors), 0);
	for (size_t i = 0; i < sizeof sectors; i++)
		assert_int_equal(sectors[i], (7 * 512 + i) % 251);
	assert_int_equal(block_write(block, 0, 5, zeros), 0);
	assert_int_equal(block_write(block, 15, 5, zeros), 0);
	assert_int_equal(block_write(block, 20, 0, zeros), 0);
	assert_file(0, zeros, sizeof zeros);
	assert_file(15 * 512, zeros, sizeof zeros);
	assert_file(7 * 512, sectors, sizeof sectors);
	block_close(block);
}

static void what_goes_beyond_the_end_is_refused_whole(void **state)
{
	uint8_t sectors[5 * 512] = { 0 }, last[3 * 512];
	struct block *block;

	(void)state;
	make_file(20 * 512);
	block = open_disk();
	assert_int_equal(block_read(block, 17, 3, last), 0);
	assert_int_equal(block_read(block, 17, 4, sectors), -ERANGE);
	assert_int_equal(block_read(block, 20, 1, sectors), -ERANGE);
	assert_int_equal(block_read(block, UINT64_MAX, 2, sectors), -ERANGE);
	assert_int_equal(block_read(block, 1, SIZE_MAX, sectors), -ERANGE);
	assert_int_equal(block_write(block, 17, 4, sectors), -ERANGE);
	assert_int_equal(block_write(block, UINT64_MAX - 1, 3, sectors), -ERANGE);
	assert_file(17 * 512, last, sizeof last);
	block_close(block);
}

static void a_file_that_cannot_be_written_is_a_read_only_disk(void **state)
{
	uid_t user = geteuid();
	uint8_t sector[512];
	struct block *block, *again;

	(void)state;
	make_file(4 * 512);
	assert_int_equal(chmod(path, 0444), 0);
	if (user == 0)
		assert_int_equal(seteuid(65534), 0);
	block = open_disk();
	assert_int_equal(seteuid(user), 0);
	assert_true(block->info.read_only);
	assert_int_equal(block_read(block, 1, 1, sector), 0);
	assert_int_equal(block_write(block, 1, 1, sector), -EROFS);
	assert_int_equal(block_write(block, 4, 1, sector), -ERANGE);
	assert_int_equal(block_open("disk", &again), -EBUSY);
	block_close(block);
	assert_int_equal(chmod(path, 0644), 0);
}

static void a_flush_reaches_the_host(void **state)
{
	struct block *block;

	(void)state;
	make_file(4 * 512);
	block = open_disk();
	synced = sync_result = 0;
	assert_int_equal(block_flush(block), 0);
	assert_int_equal(synced, 1);
	sync_result = -1;
	assert_int_equal(block_flush(block), -EIO);
	block_close(block);
}

static void what_the_host_transfers_in_part_is_an_error(void **state)
{
	uint8_t sectors[4 * 512] = { 0 };
	struct rlimit limit;
	struct block *block;

	(void)state;
	make_file(8 * 512);
	block = open_disk();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 2 * 512 + 100, limit.rlim_max }), 0);
	assert_int_equal(block_write(block, 1, 1, sectors), 0);
	assert_int_equal(block_write(block, 2, 1, sectors), -EIO);
	assert_int_equal(block_write(block, 1, 4, sectors), -EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(truncate(path, 2 * 512 + 100), 0);
	assert_int_equal(block_read(block, 1, 1, sectors), 0);
	assert_int_equal(block_read(block, 2, 1, sectors), -EIO);
	assert_int_equal(block_read(block, 0, 4, sectors), -EIO);
	block_close(block);
}

static void a_disk_is_opened_once_and_by_one_program(void **state)
{
	struct block *block, *again;
	int other;

	(void)state;
	make_file(4 * 512);
	block = open_disk();
	assert_int_equal(block_open("disk", &again), -EBUSY);
	assert_int_equal(block_open("nonesuch", &again), -ENODEV);
	other = open(path, O_RDWR);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	block_close(block);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(block_open("disk", &again), -ENODEV);
	close(other);
	block_close(open_disk());
}

/* What opening says on the console, which must be that it refuses. */
static void assert_refusal(const char *expected)
{
	char said[512] = "", whole[600];
	int pipes[2], console = dup(STDERR_FILENO);
	struct block *block;

	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(dup2(pipes[1], STDERR_FILENO), STDERR_FILENO);
	assert_int_equal(block_open("disk", &block), -ENODEV);
	assert_int_equal(dup2(console, STDERR_FILENO), STDERR_FILENO);
	assert_true(read(pipes[0], said, sizeof said - 1) > 0);
	snprintf(whole, sizeof whole, "block \"disk\": %s: %s\n", path, expected);
	assert_string_equal(said, whole);
	close(pipes[0]);
	close(pipes[1]);
	close(console);
}

static void what_is_no_disk_is_refused_with_a_line_that_says_what_to_do(void **state)
{
	(void)state;
	make_file(0);
	assert_refusal("empty: give it a size with truncate -s 16M");
	make_file(1000);
	assert_refusal("its size is not a multiple of the sector size: round it up with truncate -s %512, or whatever "
		       "--block-sector-size says");
	assert_int_equal(unlink(path), 0);
	assert_refusal("No such file or directory: make it with truncate -s 16M");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refusal("neither a file nor a disk: give one");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refusal("Is a directory");
	assert_int_equal(rmdir(path), 0);
	make_file(512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_says_its_sectors_and_that_it_can_be_written),
		cmocka_unit_test(several_sectors_are_transferred_at_a_time),
		cmocka_unit_test(what_goes_beyond_the_end_is_refused_whole),
		cmocka_unit_test(a_file_that_cannot_be_written_is_a_read_only_disk),
		cmocka_unit_test(a_flush_reaches_the_host),
		cmocka_unit_test(what_the_host_transfers_in_part_is_an_error),
		cmocka_unit_test(a_disk_is_opened_once_and_by_one_program),
		cmocka_unit_test(what_is_no_disk_is_refused_with_a_line_that_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, name_device, remove_file);
}
