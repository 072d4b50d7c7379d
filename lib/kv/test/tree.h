/* SPDX-License-Identifier: ISC
 *
 * For tests of stores on images: files of the host, a tree of them as a store in memory to compare with, and a block
 * device that is an image in memory.
 */
#ifndef KV_TEST_TREE_H
#define KV_TEST_TREE_H

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include <skerry/block.h>
#include <skerry/kv.h>

/* The working directory of the tests: one of their own, removed at their end. */
static char tree_directory[] = "/tmp/skerry-kv-XXXXXX";

static inline int tree_enter(void **state)
{
	(void)state;
	return mkdtemp(tree_directory) ? chdir(tree_directory) : -1;
}

static inline int tree_remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline int tree_leave(void **state)
{
	(void)state;
	return chdir("/") || nftw(tree_directory, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

struct image {
	uint8_t *data;
	size_t size;
};

static inline struct image read_image(const char *path)
{
	struct image image;
	struct stat status;
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	image.size = (size_t)status.st_size;
	image.data = malloc(image.size + 1);
	assert_non_null(image.data);
	assert_int_equal(fread(image.data, 1, image.size, file), image.size);
	fclose(file);
	return image;
}

static struct kv *tree_store;
static size_t tree_skip;

static inline int tree_add(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)walk;
	if (kind == FTW_F) {
		struct image file = read_image(path);

		assert_int_equal(kv_set(tree_store, path + tree_skip, file.data, file.size), 0);
		free(file.data);
	}
	return 0;
}

/* The digest of the host's files below a directory. */
static inline void tree_digest(const char *directory, uint8_t digest[KV_DIGEST_LEN])
{
	tree_skip = strlen(directory) + 1;
	assert_int_equal(kv_memory_open(64u << 20, &tree_store), 0);
	assert_int_equal(nftw(directory, tree_add, 16, FTW_PHYS), 0);
	assert_int_equal(kv_digest(tree_store, "", digest), 0);
	kv_close(tree_store);
}

/* Asserts that what key names in the store is the host's directory, byte for byte. */
static inline void assert_tree(struct kv *kv, const char *key, const char *directory)
{
	uint8_t expected[KV_DIGEST_LEN], digest[KV_DIGEST_LEN];

	tree_digest(directory, expected);
	assert_int_equal(kv_digest(kv, key, digest), 0);
	assert_memory_equal(digest, expected, sizeof digest);
}

/* The block device "disk": this image. */
static struct image disk;
static uint32_t disk_sector_bytes = 512;
static uint64_t disk_failing_sector = UINT64_MAX;

int platform_block_open(const char *name, struct platform_block_info *info)
{
	(void)name;
	*info = (struct platform_block_info){ disk.size / disk_sector_bytes * disk_sector_bytes, disk_sector_bytes,
		true };
	return 0;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	(void)handle;
	assert_true(offset % disk_sector_bytes == 0 && offset + disk_sector_bytes <= disk.size);
	if (offset / disk_sector_bytes == disk_failing_sector)
		return -EIO;
	memcpy(sector, disk.data + offset, disk_sector_bytes);
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

#endif
