/* SPDX-License-Identifier: ISC
 *
 * A FAT volume: where its parts lie, chains of clusters, and the raw entries of directories.
 */
#ifndef KV_FAT_VOLUME_H
#define KV_FAT_VOLUME_H

#include <skerry/kv.h>

enum {
	FAT_ENTRY = 32,            /* bytes of a directory entry */
	FAT_WINDOW = 512,          /* bytes read at once, of the table and of directories */
	FAT_DIRECTORY_MAX = 65536, /* entries of a directory: what the format allows */
};

struct fat_volume {
	struct kv_image image;
	unsigned bits; /* 12, 16 or 32 */
	uint32_t cluster_bytes, cluster_count;
	uint32_t root_cluster;            /* FAT32 */
	uint64_t root_offset, root_bytes; /* FAT12 and FAT16 */
	uint64_t table_offset, data_offset;
	uint64_t window_offset; /* of the bytes below; UINT64_MAX: none */
	uint8_t window[FAT_WINDOW];
};

/* Checks the boot sector, so that table and clusters lie within the image. 0, -EBADMSG, -EIO, -ENOMEM. */
int fat_volume_init(struct fat_volume *volume, struct kv_image image);

/* The cluster that follows in a chain, 0 at its end. 0, or -EBADMSG for a cluster that there is not. */
int fat_next_cluster(struct fat_volume *volume, uint32_t cluster, uint32_t *next);
/* Where a cluster's bytes lie: 0, or -EBADMSG. */
int fat_cluster_offset(const struct fat_volume *volume, uint32_t cluster, uint64_t *offset);

/* Reads a directory's raw entries in their order. */
struct fat_directory {
	struct fat_volume *volume;
	uint32_t cluster;      /* 0: the root of FAT12 and FAT16 */
	uint64_t offset, left; /* in this cluster, or of the root */
	uint32_t entry_count;
	uint8_t window[FAT_WINDOW];
	size_t used;
};
/* Cluster 0: the root directory. */
int fat_directory_open(struct fat_directory *directory, struct fat_volume *volume, uint32_t cluster);
/* 1: an entry; 0: the end; or -EBADMSG, also for a directory that does not end, -EIO, -ENOMEM. */
int fat_directory_next(struct fat_directory *directory, const uint8_t **entry);

#endif
