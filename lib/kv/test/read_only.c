/* SPDX-License-Identifier: ISC
 *
 * Key-value stores that are only read: one tree, in each kind of store, reads the same.
 */
#include "tree.h"

#include <skerry/crunch.h>

static uint8_t large[100003];

static int make_tree(void **state)
{
	FILE *file;

	if (tree_enter(state) != 0)
		return -1;
	shell("mkdir -p t/sub/deeper && printf 'foo\\n' >t/secret && : >t/empty && echo two >t/sub/two && echo x "
	      ">t/sub/deeper/x");
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (uint8_t)(i * i >> 7);
	file = fopen("t/sub/large.bin", "wb");
	if (!file || fwrite(large, 1, sizeof large, file) != sizeof large || fclose(file) != 0)
		return -1;
	shell("tar -C t -cf a.tar . && truncate -s %65536 a.tar && rm -f fat.img && truncate -s 1M fat.img &&"
	      "mkfs.fat fat.img >/dev/null && mcopy -s -i fat.img t/* ::/");
	return 0;
}

static struct block *block;

static struct kv *open_crunch(void)
{
	static const struct crunched_file files[] = {
		{ .name = "web/t/sub/two", .data = (const uint8_t *)"two\n", .len = 4 },
		{ .name = "web/t/secret", .data = (const uint8_t *)"foo\n", .len = 4 },
		{ .name = "web/t/sub/large.bin", .data = large, .len = sizeof large },
		{ .name = "web/t/empty", .data = large, .len = 0 },
		{ .name = "web/t/sub/deeper/x", .data = (const uint8_t *)"x\n", .len = 2 },
	};
	static const struct crunched_file *const list[] = { &files[0], &files[1], &files[2], &files[3], &files[4] };
	struct kv *kv;

	assert_int_equal(kv_crunch_open(list, 5, "web/t/", &kv), 0);
	return kv;
}

static struct kv *open_tar(void)
{
	struct kv *kv;

	disk = read_image("a.tar");
	assert_int_equal(kv_tar_open(kv_image_of_memory(disk.data, disk.size), &kv), 0);
	return kv;
}

static struct kv *open_tar_on_block(void)
{
	struct kv *kv;

	disk = read_image("a.tar");
	assert_int_equal(block_open("disk", &block), 0);
	assert_int_equal(kv_tar_open(kv_image_of_block(block), &kv), 0);
	return kv;
}

static struct kv *open_fat(void)
{
	struct kv *kv;

	disk = read_image("fat.img");
	assert_int_equal(kv_fat_open(kv_image_of_memory(disk.data, disk.size), &kv), 0);
	return kv;
}

static struct kv *open_fat_on_block(void)
{
	struct kv *kv;

	disk = read_image("fat.img");
	assert_int_equal(block_open("disk", &block), 0);
	assert_int_equal(kv_fat_open(kv_image_of_block(block), &kv), 0);
	return kv;
}

static struct kv *open_directory(void)
{
	struct kv *kv;

	assert_int_equal(kv_directory_open("t", true, &kv), 0);
	return kv;
}

/* A test's state is the function that opens its store. */
struct kind {
	struct kv *(*open)(void);
};

static struct kv *open_store(void **state)
{
	return ((const struct kind *)*state)->open();
}

static void close_store(struct kv *kv)
{
	kv_close(kv);
	block_close(block);
	block = NULL;
	free(disk.data);
	disk.data = NULL;
}

static void the_tree_is_there_bit_for_bit(void **state)
{
	struct kv *kv = open_store(state);

	assert_tree(kv, "", "t");
	assert_tree(kv, "/sub", "t/sub");
	close_store(kv);
}

static void values_are_got_whole_and_in_ranges(void **state)
{
	static uint8_t buf[sizeof large];
	struct kv *kv = open_store(state);
	uint8_t *value;
	uint64_t size;
	size_t len;

	assert_int_equal(kv_get(kv, "/secret", &value, &len), 0);
	assert_int_equal(len, 4);
	assert_string_equal((char *)value, "foo\n");
	free(value);
	assert_int_equal(kv_get(kv, "empty", &value, &len), 0);
	assert_int_equal(len, 0);
	free(value);
	assert_int_equal(kv_size(kv, "sub/large.bin", &size), 0);
	assert_int_equal(size, sizeof large);
	for (size_t offset = 0, span = 1; offset + span < sizeof large; offset += 4093, span = span * 7 % 9001) {
		assert_int_equal(kv_read(kv, "sub/large.bin", offset, buf, span), span);
		assert_memory_equal(buf, large + offset, span);
	}
	assert_int_equal(kv_read(kv, "sub/large.bin", sizeof large - 5, buf, sizeof buf), 5);
	assert_int_equal(kv_read(kv, "sub/large.bin", sizeof large, buf, sizeof buf), 0);
	assert_int_equal(kv_read(kv, "sub/large.bin", UINT64_MAX, buf, sizeof buf), 0);
	close_store(kv);
}

static void assert_names(struct kv *kv, const char *key, const char *expected)
{
	struct kv_list list;
	char text[256] = "";

	assert_int_equal(kv_list(kv, key, &list), 0);
	for (size_t i = 0; i < list.count; i++) {
		strcat(text, list.entries[i].name);
		strcat(text, list.entries[i].kind == KV_DICTIONARY ? "/ " : " ");
	}
	kv_list_free(&list);
	assert_string_equal(text, expected);
}

static void lists_are_in_order(void **state)
{
	struct kv *kv = open_store(state);

	assert_names(kv, "", "empty secret sub/ ");
	assert_names(kv, "sub", "deeper/ large.bin two ");
	assert_names(kv, "/sub/deeper", "x ");
	close_store(kv);
}

static void what_is_not_there_has_its_error(void **state)
{
	struct kv *kv = open_store(state);
	uint8_t digest[KV_DIGEST_LEN];
	struct kv_list list;
	enum kv_kind kind;
	uint64_t number;
	char buf[4];

	assert_int_equal(kv_exists(kv, "nonesuch", &kind), -ENOENT);
	assert_int_equal(kv_exists(kv, "sub/nonesuch/x", &kind), -ENOENT);
	assert_int_equal(kv_exists(kv, "secret/x", &kind), -ENOTDIR);
	assert_int_equal(kv_exists(kv, "sub/", &kind), -EINVAL);
	assert_int_equal(kv_exists(kv, "sub/../secret", &kind), -EINVAL);
	assert_int_equal(kv_size(kv, "sub", &number), -EISDIR);
	assert_int_equal(kv_read(kv, "sub", 0, buf, 1), -EISDIR);
	assert_int_equal(kv_list(kv, "secret", &list), -ENOTDIR);
	assert_int_equal(kv_list(kv, "nonesuch", &list), -ENOENT);
	assert_int_equal(kv_last_modified(kv, "nonesuch", &number), -ENOENT);
	assert_int_equal(kv_digest(kv, "nonesuch", digest), -ENOENT);
	close_store(kv);
}

static void nothing_can_be_written(void **state)
{
	struct kv *kv = open_store(state);

	assert_int_equal(kv_set(kv, "new", "x", 1), -EROFS);
	assert_int_equal(kv_set(kv, "secret", "x", 1), -EROFS);
	assert_int_equal(kv_remove(kv, "secret"), -EROFS);
	assert_int_equal(kv_rename(kv, "secret", "new"), -EROFS);
	assert_tree(kv, "", "t");
	close_store(kv);
}

static void crunched_files_need_the_prefix_and_have_no_times(void **state)
{
	const struct crunched_file a = { .name = "web/t/a", .data = large, .len = 3 };
	const struct crunched_file *const files[] = { &a, &a };
	struct kv *kv = NULL;
	uint64_t time = 1;

	(void)state;
	assert_int_equal(kv_crunch_open(files, 1, "www/", &kv), -EINVAL);
	assert_int_equal(kv_crunch_open(files, 1, "web/t/a", &kv), -EINVAL);
	assert_int_equal(kv_crunch_open(files, 2, "", &kv), -EEXIST);
	assert_null(kv);
	assert_int_equal(kv_crunch_open(files, 1, "web/", &kv), 0);
	assert_int_equal(kv_last_modified(kv, "t/a", &time), 0);
	assert_int_equal(time, 0);
	kv_close(kv);
}

#define ON(name, store)                                                                                                \
	{                                                                                                              \
#name "_" #store, name, NULL, NULL, (void *)(uintptr_t)&kind_##store                                   \
	}
#define EACH(name)                                                                                                     \
	ON(name, crunch), ON(name, tar), ON(name, tar_on_block), ON(name, fat), ON(name, fat_on_block),                \
		ON(name, directory)

static const struct kind kind_crunch = { open_crunch }, kind_tar = { open_tar },
			 kind_tar_on_block = { open_tar_on_block }, kind_fat = { open_fat },
			 kind_fat_on_block = { open_fat_on_block }, kind_directory = { open_directory };

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(the_tree_is_there_bit_for_bit),
		EACH(values_are_got_whole_and_in_ranges),
		EACH(lists_are_in_order),
		EACH(what_is_not_there_has_its_error),
		EACH(nothing_can_be_written),
		cmocka_unit_test(crunched_files_need_the_prefix_and_have_no_times),
	};

	return cmocka_run_group_tests(tests, make_tree, tree_leave);
}
