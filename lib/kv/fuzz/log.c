/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a block device with a log on it, as far as the input gives it; zeros follow. Sums and seals are put
 * right first along the way that an opening takes, or no mutation would come any further. What opens is written on.
 */
#include <skerry/block.h>

#include "lib/kv/crc32c.h"
#include "lib/kv/log.h"
#include "walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTOR = 512, SECTORS = 64, PAYLOAD = SECTOR - LOG_SEAL_BYTES };

static uint8_t image[SECTORS * SECTOR];

int platform_block_open(const char *name, struct platform_block_info *info)
{
	(void)name;
	*info = (struct platform_block_info){ sizeof image, SECTOR, false };
	return 0;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	(void)handle;
	memcpy(sector, image + offset, SECTOR);
	return 0;
}

int platform_block_write(int handle, uint64_t offset, const void *sector)
{
	(void)handle;
	memcpy(image + offset, sector, SECTOR);
	return 0;
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

static uint8_t *sector_at(uint64_t position)
{
	return image + (LOG_MARKS + position % (SECTORS - LOG_MARKS)) * SECTOR;
}

/* The record at a position names the one before, and is sealed. Returns its sectors. */
static uint64_t seal_record(uint64_t position, uint32_t *seal)
{
	uint8_t *sector = sector_at(position), place[12];
	uint64_t key_len = log_number(sector + 6, 2), value_len = log_number(sector + 48, 8);
	uint64_t count = (LOG_HEADER_BYTES + key_len + value_len % (SECTORS * SECTOR) + PAYLOAD - 1) / PAYLOAD;

	log_put(sector + 32, *seal, 4);
	*seal = crc32c(0, sector, PAYLOAD);
	log_put(sector + PAYLOAD, *seal, LOG_SEAL_BYTES);
	for (uint64_t i = 1; i < count; i++) {
		sector = sector_at(position + i);
		log_put(place, *seal, 4);
		log_put(place + 4, i, 8);
		log_put(sector + PAYLOAD, crc32c(crc32c(0, place, sizeof place), sector, PAYLOAD), LOG_SEAL_BYTES);
	}
	return count;
}

static void put_right(void)
{
	const uint8_t *mark = image;
	uint64_t position;
	uint32_t seal;

	for (size_t i = 0; i < LOG_MARKS; i++) {
		uint8_t *sector = image + i * SECTOR;

		if (log_number(sector, 8))
			log_put(sector + 60, crc32c(0, sector, 60), 4);
	}
	if (log_number(image + SECTOR + 32, 8) > log_number(image + 32, 8))
		mark = image + SECTOR;
	position = log_number(mark + 40, 8);
	seal = (uint32_t)log_number(mark + 56, 4);
	for (uint64_t end = position + SECTORS; position < end;) {
		if (log_number(sector_at(position), 4) != log_number((const uint8_t *)"SKVR", 4))
			break;
		position += seal_record(position, &seal);
	}
}

/* Errors are what a damaged store is expected to give. */
static void write_on(struct kv *kv)
{
	static uint8_t value[3000];
	struct kv_list list;

	for (size_t i = 0; i < 12; i++)
		(void)!kv_set(kv, i % 2 ? "written/on" : "a/b", value, i * 250);
	if (kv_list(kv, "", &list) == 0 && list.count > 0) {
		(void)!kv_rename(kv, list.entries[0].name, "renamed");
		(void)!kv_remove(kv, list.entries[list.count - 1].name);
		kv_list_free(&list);
	}
	(void)!kv_set(kv, "last", value, 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct block *block;
	struct kv *kv;

	if (size > sizeof image)
		return 0;
	memset(image, 0, sizeof image);
	memcpy(image, data, size);
	if (size > 0 && data[size - 1] != 0xff) /* else: that wrong sums are refused */
		put_right();
	if (block_open("disk", &block) < 0)
		abort();
	for (size_t i = 0; i < 2; i++) {
		if (kv_log_open(block, true, &kv) < 0)
			break;
		if (i == 0)
			write_on(kv);
		walk_store(kv);
	}
	block_close(block);
	return 0;
}
