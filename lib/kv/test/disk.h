/* SPDX-License-Identifier: ISC
 *
 * For tests of the store on a block device: a disk in memory, "disk", whose power can be cut. What is written is only
 * on stable storage when it is flushed; until then a cut may keep it or not.
 */
#ifndef KV_TEST_DISK_H
#define KV_TEST_DISK_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <skerry/block.h>
#include <skerry/kv.h>

enum { DISK_BYTES_MAX = 48 << 20, PENDING_MAX = 16384 };
#define NEVER UINT64_MAX

static struct {
	struct platform_block_info info;
	uint8_t stable[DISK_BYTES_MAX];          /* what a cut leaves */
	uint8_t view[DISK_BYTES_MAX];            /* what is read: with all that was written */
	uint64_t pending[PENDING_MAX];           /* offsets written and not flushed, in order */
	uint8_t pending_sectors[DISK_BYTES_MAX]; /* and what was written there */
	size_t pending_count;
	uint64_t reads, writes, flushes, steps; /* counted */
	uint64_t cut_at;                        /* this step, a write or flush, does not happen, nor what follows */
	uint64_t fail_read_at, fail_write_at, fail_flush_at; /* these, and no other, give -EIO */
	uint32_t wear[DISK_BYTES_MAX / 512];                 /* writes of each sector */
	bool off;
	bool refuse; /* to write: as a device that does not say before that it is read-only */
} disk;

/* Power comes back: the disk is what was stable. */
static inline void disk_on(void)
{
	disk.pending_count = 0;
	memcpy(disk.view, disk.stable, disk.info.capacity_bytes);
	disk.off = false;
	disk.reads = disk.writes = disk.flushes = disk.steps = 0;
	disk.cut_at = disk.fail_read_at = disk.fail_write_at = disk.fail_flush_at = NEVER;
}

/* A disk of so many zero sectors. */
static inline void disk_new(uint32_t sector_bytes, uint64_t sectors)
{
	assert_true(sector_bytes * sectors <= DISK_BYTES_MAX);
	memset(disk.stable, 0, disk.info.capacity_bytes);
	memset(disk.wear, 0, sizeof disk.wear);
	disk.refuse = disk.off = false;
	disk.info = (struct platform_block_info){ sector_bytes * sectors, sector_bytes, false };
	disk_on();
}

/* Keeps the i-th of the writes that were not flushed. */
static inline void disk_keep(size_t i)
{
	memcpy(disk.stable + disk.pending[i], disk.pending_sectors + i * disk.info.sector_bytes,
		disk.info.sector_bytes);
}

static inline struct block *disk_open(void)
{
	struct block *block;

	assert_int_equal(block_open("disk", &block), 0);
	return block;
}

int platform_block_open(const char *name, struct platform_block_info *info)
{
	(void)name;
	*info = disk.info;
	return 0;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	(void)handle;
	assert_true(offset % disk.info.sector_bytes == 0 && offset < disk.info.capacity_bytes);
	if (disk.off || disk.reads++ == disk.fail_read_at)
		return -EIO;
	memcpy(sector, disk.view + offset, disk.info.sector_bytes);
	return 0;
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	size_t size = disk.info.sector_bytes;

	(void)handle;
	assert_true(offset % size == 0 && offset < disk.info.capacity_bytes);
	assert_false(disk.info.read_only);
	if (disk.refuse)
		return -EROFS;
	disk.off |= disk.steps++ == disk.cut_at;
	if (disk.off || disk.writes++ == disk.fail_write_at)
		return -EIO;
	memcpy(disk.view + offset, sector, size);
	disk.wear[offset / size]++;
	assert_true(disk.pending_count < PENDING_MAX && (disk.pending_count + 1) * size <= DISK_BYTES_MAX);
	memcpy(disk.pending_sectors + disk.pending_count * size, sector, size);
	disk.pending[disk.pending_count++] = offset;
	return 0;
}

int platform_block_flush(int handle)
{
	(void)handle;
	disk.off |= disk.steps++ == disk.cut_at;
	if (disk.off || disk.flushes++ == disk.fail_flush_at)
		return -EIO;
	for (size_t i = 0; i < disk.pending_count; i++)
		disk_keep(i);
	disk.pending_count = 0;
	return 0;
}

void platform_block_close(int handle)
{
	(void)handle;
}

#endif
