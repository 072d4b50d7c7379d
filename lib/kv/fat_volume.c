/* SPDX-License-Identifier: ISC
 *
 * A FAT volume: its geometry is checked against the image once, so that clusters and table entries that pass
 * is_cluster() can be read without leaving the image.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "fat_volume.h"

static uint32_t get16(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t get32(const uint8_t *bytes)
{
	return get16(bytes) | get16(bytes + 2) << 16;
}

static bool is_power_of_two(uint32_t number)
{
	return number && !(number & (number - 1));
}

/* What the boot sector says, in sectors unless named otherwise. */
struct geometry {
	uint32_t sector_bytes, cluster, reserved, tables, root_entries, total, table, active_table;
};

static int decode_boot_sector(const uint8_t *boot, struct geometry *g)
{
	bool fat32 = get16(boot + 22) == 0;
	uint32_t flags = fat32 ? get16(boot + 40) : 0;

	*g = (struct geometry){
		.sector_bytes = get16(boot + 11),
		.cluster = boot[13],
		.reserved = get16(boot + 14),
		.tables = boot[16],
		.root_entries = get16(boot + 17),
		.total = get16(boot + 19) ? get16(boot + 19) : get32(boot + 32),
		.table = fat32 ? get32(boot + 36) : get16(boot + 22),
		.active_table = flags & 0x80 ? flags & 15 : 0,
	};
	if (get16(boot + 510) != 0xaa55 || (boot[0] != 0xeb && boot[0] != 0xe9))
		return -EBADMSG;
	if (!is_power_of_two(g->sector_bytes) || g->sector_bytes < 512 || g->sector_bytes > 4096)
		return -EBADMSG;
	if (!is_power_of_two(g->cluster) || g->reserved == 0 || g->table == 0 || g->active_table >= g->tables)
		return -EBADMSG;
	return fat32 == (g->root_entries == 0) ? 0 : -EBADMSG;
}

static int place_parts(struct fat_volume *volume, const struct geometry *g, uint32_t root_cluster)
{
	uint64_t root = (uint64_t)g->reserved + (uint64_t)g->tables * g->table;
	uint64_t root_sectors = ((uint64_t)g->root_entries * FAT_ENTRY + g->sector_bytes - 1) / g->sector_bytes;
	uint64_t data = root + root_sectors, clusters, table_entries;

	if (g->total <= data || (uint64_t)g->total * g->sector_bytes > volume->image.size)
		return -EBADMSG;
	clusters = (g->total - data) / g->cluster;
	/* The count of clusters tells 12 bits from 16; 32 have no root directory of fixed size, however few they are.
	 */
	volume->bits = g->root_entries == 0 ? 32 : clusters < 4085 ? 12 : 16;
	table_entries = (uint64_t)g->table * g->sector_bytes * 8 / volume->bits;
	if (clusters == 0 || clusters + 2 > table_entries || clusters > 0x0ffffff5 ||
		(volume->bits == 16 && clusters > 65524))
		return -EBADMSG;
	volume->cluster_count = (uint32_t)clusters;
	volume->cluster_bytes = g->cluster * g->sector_bytes;
	volume->table_offset = ((uint64_t)g->reserved + (uint64_t)g->active_table * g->table) * g->sector_bytes;
	volume->root_offset = root * g->sector_bytes;
	volume->root_bytes = (uint64_t)g->root_entries * FAT_ENTRY;
	volume->root_cluster = volume->bits == 32 ? root_cluster : 0;
	volume->data_offset = data * g->sector_bytes;
	return 0;
}

int fat_volume_init(struct fat_volume *volume, struct kv_image image)
{
	struct geometry geometry;
	uint8_t *boot = volume->window;
	int err;

	volume->image = image;
	volume->window_offset = UINT64_MAX;
	if (image.size < FAT_WINDOW)
		return -EBADMSG;
	err = image.read(&image, 0, boot, FAT_WINDOW);
	if (err == 0)
		err = decode_boot_sector(boot, &geometry);
	return err ? err : place_parts(volume, &geometry, get32(boot + 44));
}

static bool is_cluster(const struct fat_volume *volume, uint32_t cluster)
{
	return cluster >= 2 && cluster - 2 < volume->cluster_count;
}

int fat_cluster_offset(const struct fat_volume *volume, uint32_t cluster, uint64_t *offset)
{
	if (!is_cluster(volume, cluster))
		return -EBADMSG;
	*offset = volume->data_offset + (uint64_t)(cluster - 2) * volume->cluster_bytes;
	return 0;
}

/* A byte of the table, which is read in windows: neighbours in a chain are mostly neighbours here. */
static int read_table_byte(struct fat_volume *volume, uint64_t offset, uint8_t *byte)
{
	uint64_t window = offset - offset % FAT_WINDOW;

	if (window != volume->window_offset) {
		int err = volume->image.read(&volume->image, volume->table_offset + window, volume->window, FAT_WINDOW);

		volume->window_offset = err ? UINT64_MAX : window;
		if (err)
			return err;
	}
	*byte = volume->window[offset % FAT_WINDOW];
	return 0;
}

int fat_next_cluster(struct fat_volume *volume, uint32_t cluster, uint32_t *next)
{
	uint64_t offset = (uint64_t)cluster * volume->bits / 8;
	uint32_t value, mask = volume->bits == 32 ? 0x0fffffff : (1u << volume->bits) - 1;
	uint8_t bytes[4] = { 0 };

	if (!is_cluster(volume, cluster))
		return -EBADMSG;
	for (size_t i = 0; i < (volume->bits + 7) / 8; i++) {
		int err = read_table_byte(volume, offset + i, &bytes[i]);

		if (err)
			return err;
	}
	/* Entries of 12 bits begin at a byte and in the middle of one in turn. */
	value = get32(bytes) >> (volume->bits == 12 && cluster % 2 ? 4 : 0) & mask;
	if (value >= (mask & ~7u))
		value = 0;
	else if (!is_cluster(volume, value))
		return -EBADMSG;
	*next = value;
	return 0;
}

int fat_directory_open(struct fat_directory *directory, struct fat_volume *volume, uint32_t cluster)
{
	*directory = (struct fat_directory){ .volume = volume, .used = FAT_WINDOW };
	directory->cluster = cluster ? cluster : volume->root_cluster;
	if (!directory->cluster) {
		directory->offset = volume->root_offset;
		directory->left = volume->root_bytes;
		return 0;
	}
	directory->left = volume->cluster_bytes;
	return fat_cluster_offset(volume, directory->cluster, &directory->offset);
}

/* Goes to the next cluster when this one is read. 1: there are bytes; 0: the end. */
static int find_bytes(struct fat_directory *directory)
{
	uint32_t next;
	int err;

	if (directory->left > 0)
		return 1;
	if (!directory->cluster)
		return 0;
	err = fat_next_cluster(directory->volume, directory->cluster, &next);
	if (err || next == 0)
		return err;
	directory->cluster = next;
	directory->left = directory->volume->cluster_bytes;
	err = fat_cluster_offset(directory->volume, next, &directory->offset);
	return err ? err : 1;
}

int fat_directory_next(struct fat_directory *directory, const uint8_t **entry)
{
	const struct kv_image *image = &directory->volume->image;

	if (directory->used == FAT_WINDOW || directory->left == 0) {
		int more = find_bytes(directory);
		size_t len = directory->left < FAT_WINDOW ? (size_t)directory->left : FAT_WINDOW;

		if (more > 0)
			more = image->read(image, directory->offset, directory->window, len);
		else
			return more;
		if (more)
			return more;
		directory->used = 0;
	}
	if (directory->entry_count++ == FAT_DIRECTORY_MAX)
		return -EBADMSG;
	*entry = directory->window + directory->used;
	directory->used += FAT_ENTRY;
	directory->offset += FAT_ENTRY;
	directory->left -= FAT_ENTRY;
	return (*entry)[0] != 0;
}
