/* SPDX-License-Identifier: ISC
 *
 * A game with a high score that outlives the program. A sector is a slot for one game: "LOTO", the high score, and the
 * CRC-32 of both, numbers of four bytes with the most significant first; zeros follow.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <skerry/block.h>
#include <skerry/log.h>
#include <skerry/random.h>

#include "keys.h"

LOG_SOURCE(application);

enum { MAGIC = 0, SCORE = 4, SUM = 8, STATE_BYTES = 12 };
enum { STATUS_BAD_SLOT = 5, STATUS_BAD_STATE = 6 };

static void put(uint8_t *to, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(number >> (24 - 8 * i));
}

static uint32_t number_at(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static int write_score(struct block *disk, uint8_t *sector, uint64_t slot, uint32_t score)
{
	int err;

	memset(sector, 0, disk->info.sector_bytes);
	memcpy(sector + MAGIC, "LOTO", 4);
	put(sector + SCORE, score);
	put(sector + SUM, (uint32_t)crc32(0, sector, SUM));
	err = block_write(disk, slot, 1, sector);
	if (err == 0)
		return 0;
	log_error("Error writing new state: %s", err == -EROFS ? "the disk is read-only" : "the disk fails");
	return STATUS_BAD_STATE;
}

static int read_score(struct block *disk, uint8_t *sector, uint64_t slot, uint32_t *score)
{
	if (block_read(disk, slot, 1, sector) < 0) {
		log_error("Error reading: the disk fails");
	} else if (memcmp(sector + MAGIC, "LOTO", 4) != 0) {
		log_error("Error reading state: bad magic; is this lottery data?");
	} else if (number_at(sector + SUM) != crc32(0, sector, SUM)) {
		log_error("Error reading state: bad checksum; possible data corruption");
	} else {
		*score = number_at(sector + SCORE);
		return 0;
	}
	return STATUS_BAD_STATE;
}

static int play(struct block *disk, uint8_t *sector, uint64_t slot)
{
	uint32_t best, draw = random_u32();
	int status = read_score(disk, sector, slot, &best);

	if (status)
		return status;
	if (draw > best)
		log_app("YOU WON! You beat the old high score %" PRIu32 " with %" PRIu32 "!", best, draw);
	else if (draw == best)
		log_app("TIE! You tied with the high score %" PRIu32, best);
	else
		log_app("YOU LOST! With %" PRIu32 " you didn't beat the high score %" PRIu32, draw, best);
	log_info("Saving new game state...");
	status = write_score(disk, sector, slot, draw > best ? draw : best);
	if (status)
		return status;
	log_info("Done!");
	log_app("Thank you for playing! Exiting...");
	return 0;
}

static int reset_all(struct block *disk, uint8_t *sector, uint64_t slots)
{
	int status = 0;

	for (uint64_t slot = 0; status == 0 && slot < slots; slot++)
		status = write_score(disk, sector, slot, 0);
	if (status == 0)
		log_app("All %" PRIu64 " game slots reset.", slots);
	return status;
}

static int run(struct block *disk, uint8_t *sector)
{
	uint64_t slots = disk->info.capacity_bytes / disk->info.sector_bytes, slot = (uint64_t)keys.slot;
	int status;

	if (keys.slot < 0 || slot >= slots) {
		log_error("Invalid sector %" PRId64, keys.slot);
		return STATUS_BAD_SLOT;
	}
	if (keys.reset_all)
		return reset_all(disk, sector, slots);
	if (!keys.reset)
		return play(disk, sector, slot);
	status = write_score(disk, sector, slot, 0);
	if (status == 0)
		log_app("Reset game slot %" PRIu64 ".", slot);
	return status;
}

int start(struct block *disk)
{
	uint8_t *sector = malloc(disk->info.sector_bytes);
	int status = sector ? random_init() : -ENOMEM;

	if (status == 0)
		status = run(disk, sector);
	free(sector);
	return status;
}
