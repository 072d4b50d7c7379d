/* SPDX-License-Identifier: ISC
 *
 * Ten checks of a block device: what is written at its two ends is read back, and what lies beyond its end is refused.
 *
 * The sectors that it writes are lost: run it on a disk without anything of worth, of 12 sectors or more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/block.h>
#include <skerry/log.h>
#include <skerry/text.h>

LOG_SOURCE(block);

enum { RUN_MAX = 12 }; /* sectors that one check transfers at most */

static int started, passed, failed;

static void check(bool good, const char *what, uint64_t first, size_t count)
{
	if (good) {
		passed++;
	} else {
		failed++;
		log_error("%s failed: %zu sectors from sector %" PRIu64, what, count, first);
	}
}

/* Each sector of each check is unlike all others, so that one in a wrong place, or left from before, is seen. */
static void fill(uint8_t *buf, size_t sector_bytes, uint64_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t *sector = buf + i * sector_bytes;
		char line[64];
		size_t len = text_format(line, sizeof line, "check %d, sector %" PRIu64 "\n", started, first + i);

		for (size_t at = 0; at < sector_bytes; at++)
			sector[at] = (uint8_t)line[at % len];
	}
}

static void check_write_and_read(struct block *disk, uint8_t *buf, uint64_t first, size_t count)
{
	size_t size = count * disk->info.sector_bytes;
	uint8_t *back = buf + size;

	started++;
	fill(buf, disk->info.sector_bytes, first, count);
	memset(back, 0, size);
	check(block_write(disk, first, count, buf) == 0 && block_read(disk, first, count, back) == 0 &&
			memcmp(buf, back, size) == 0,
		"write and read", first, count);
}

static void check_refused(int (*transfer)(struct block *, uint64_t, size_t, uint8_t *), const char *what,
	struct block *disk, uint8_t *buf, uint64_t first, size_t count)
{
	started++;
	log_error("Expecting error output from the following operation...");
	check(transfer(disk, first, count, buf) == -ERANGE, what, first, count);
}

static int read_sectors(struct block *disk, uint64_t first, size_t count, uint8_t *buf)
{
	return block_read(disk, first, count, buf);
}

static int write_sectors(struct block *disk, uint64_t first, size_t count, uint8_t *buf)
{
	fill(buf, disk->info.sector_bytes, first, count);
	return block_write(disk, first, count, buf);
}

int start(struct block *disk)
{
	uint64_t sectors = disk->info.capacity_bytes / disk->info.sector_bytes;
	uint8_t *buf = malloc(2 * RUN_MAX * (size_t)disk->info.sector_bytes);

	if (!buf)
		return -ENOMEM;
	log_info("sectors = %" PRIu64, sectors);
	log_info("read_write=%s", disk->info.read_only ? "false" : "true");
	log_info("sector_size=%" PRIu32, disk->info.sector_bytes);
	check_write_and_read(disk, buf, 0, 1);
	check_write_and_read(disk, buf, sectors - 1, 1);
	check_write_and_read(disk, buf, 0, 2);
	check_write_and_read(disk, buf, sectors - 2, 2);
	check_write_and_read(disk, buf, 0, RUN_MAX);
	check_write_and_read(disk, buf, sectors - RUN_MAX, RUN_MAX);
	check_refused(write_sectors, "refusing a write", disk, buf, sectors, 1);
	check_refused(write_sectors, "refusing a write", disk, buf, sectors - (RUN_MAX - 1), RUN_MAX);
	check_refused(read_sectors, "refusing a read", disk, buf, sectors, 1);
	check_refused(read_sectors, "refusing a read", disk, buf, sectors - (RUN_MAX - 1), RUN_MAX);
	free(buf);
	log_info("Test sequence finished");
	log_info("Total tests started: %d", started);
	log_info("Total tests passed:  %d", passed);
	log_info("Total tests failed:  %d", failed);
	return failed ? 1 : 0;
}
