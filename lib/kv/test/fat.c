/* SPDX-License-Identifier: ISC
 *
 * FAT images that mkfs.fat and mtools made, in each width, and images that lie.
 */
#include "tree.h"

#include <skerry/clock.h>

static int make_tree(void **state)
{
	if (tree_enter(state) != 0)
		return -1;
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("TZ", "UTC", 1);
	/* mtools gives names that fit 8 and 3 bytes of its code page no long ones. */
	shell("mkdir -p t/sub/deeper/three t/many && cd t && printf 'foo\\n' >secret && : >empty && echo 8 >UPPER.TXT "
	      "&&"
	      "echo l >lower.txt && echo m >Mixed.Case && head -c 300001 /dev/urandom >sub/big &&"
	      "head -c 4096 /dev/urandom >sub/deeper/four.bin && echo a >'\xc3\xa4.txt' && echo o >'\xc3\x96.TXT' &&"
	      "echo e >'the \xe2\x82\xac.txt' && echo d >sub/.hidden &&"
	      "echo x >sub/deeper/three/$(printf 'x%.0s' $(seq 240)) &&"
	      "for i in $(seq 100); do echo $i >\"many/a rather long name, number $i\"; done &&"
	      "touch -d '2024-02-29 12:34:56' secret && touch -d '1999-12-31 23:59:58' empty");
	return 0;
}

/* Between the files of the tree others are deleted, so that big ones lie in pieces. */
static void make_image(const char *options, const char *size)
{
	char command[512];

	snprintf(command, sizeof command,
		"rm -f fat.img && truncate -s %s fat.img && mkfs.fat %s fat.img >/dev/null 2>&1 && i=\"-i fat.img\" &&"
		"for n in 1 2 3 4 5 6; do head -c 40000 /dev/zero | mcopy $i - ::/gap$n || exit; done &&"
		"mdel $i ::/gap1 ::/gap3 ::/gap5 && mcopy -sm $i t ::/t && mdel $i ::/gap2 ::/gap4 ::/gap6",
		size, options);
	shell(command);
	disk = read_image("fat.img");
}

static void assert_image(struct kv_image image)
{
	struct kv *kv;
	uint64_t modified;
	char buf[8] = "";

	assert_int_equal(kv_fat_open(image, &kv), 0);
	assert_tree(kv, "t", "t");
	assert_int_equal(kv_last_modified(kv, "t/secret", &modified), 0);
	assert_int_equal(modified, SECOND(1709210096));
	assert_int_equal(kv_last_modified(kv, "t/empty", &modified), 0);
	assert_int_equal(modified, SECOND(946684798));
	assert_int_equal(kv_read(kv, "t/secret", 2, buf, sizeof buf), 2);
	assert_string_equal(buf, "o\n");
	assert_int_equal(kv_set(kv, "t/new", "x", 1), -EROFS);
	kv_close(kv);
}

static void each_width_is_read_in_memory_and_on_a_block_device(void **state)
{
	static const struct {
		const char *options, *size;
		uint32_t sector_bytes;
	} volumes[] = { { "-F 12", "1440K", 512 }, { "-F 12 -s 8 -n LABEL", "8M", 4096 }, { "-F 16 -s 1", "8M", 512 },
		{ "-F 16 -S 2048 -s 1", "24M", 2048 }, { "-F 16 -f 1 -r 16", "16M", 512 }, { "-F 32 -s 1", "40M", 512 },
		{ "-F 32 -S 1024 -s 1", "70M", 1024 } };

	(void)state;
	for (size_t i = 0; i < sizeof volumes / sizeof *volumes; i++) {
		struct block *block;

		make_image(volumes[i].options, volumes[i].size);
		assert_image(kv_image_of_memory(disk.data, disk.size));
		disk_sector_bytes = volumes[i].sector_bytes;
		assert_int_equal(block_open("disk", &block), 0);
		assert_image(kv_image_of_block(block));
		block_close(block);
		free(disk.data);
	}
	disk_sector_bytes = 512;
}

/* A volume of 360 clusters with little in it: a full directory of two clusters, one in it, and a file of two. */
static void make_small(void)
{
	shell("rm -f fat.img && truncate -s 200K fat.img && mkfs.fat -F 12 -s 1 -f 1 -r 16 fat.img >/dev/null &&"
	      "mmd -i fat.img ::/OUTER ::/OUTER/INNER && head -c 1000 /dev/zero | mcopy -i fat.img - ::/CHAIN.BIN &&"
	      "for i in $(seq 20); do echo | mcopy -i fat.img - ::/OUTER/$i || exit; done");
	disk = read_image("fat.img");
}

static int open_status(void)
{
	struct kv *kv;
	int err = kv_fat_open(kv_image_of_memory(disk.data, disk.size), &kv);

	if (err == 0)
		kv_close(kv);
	return err;
}

static uint8_t *entry_of(const char name[11])
{
	uint8_t *entry = memmem(disk.data, disk.size, name, 11);

	assert_non_null(entry);
	return entry;
}

static unsigned cluster_of(const uint8_t *entry)
{
	return (unsigned)(entry[26] | entry[27] << 8);
}

/* Changes the table, which begins in the second sector. */
static void set_next(unsigned cluster, unsigned next)
{
	uint8_t *at = disk.data + 512 + cluster * 3 / 2;

	if (cluster % 2) {
		at[0] = (uint8_t)((at[0] & 0x0f) | next << 4);
		at[1] = (uint8_t)(next >> 4);
	} else {
		at[0] = (uint8_t)next;
		at[1] = (uint8_t)((at[1] & 0xf0) | next >> 8);
	}
}

static void directories_that_lead_into_each_other_are_refused(void **state)
{
	uint8_t *outer, *inner;
	uint8_t own;

	(void)state;
	make_small();
	outer = entry_of("OUTER      ");
	inner = entry_of("INNER      ");
	own = inner[26];
	assert_int_equal(open_status(), 0);
	inner[26] = outer[26];
	assert_int_equal(open_status(), -EBADMSG);
	inner[26] = 0;
	assert_int_equal(open_status(), -EBADMSG);
	inner[26] = 0xff;
	inner[27] = 0xff;
	assert_int_equal(open_status(), -EBADMSG);
	inner[26] = own;
	inner[27] = 0;
	assert_int_equal(open_status(), 0);
	set_next(cluster_of(outer), cluster_of(outer));
	assert_int_equal(open_status(), -EBADMSG);
	free(disk.data);
}

static int get_status(const char *key)
{
	struct kv *kv;
	uint8_t *value;
	size_t len;
	int err;

	assert_int_equal(kv_fat_open(kv_image_of_memory(disk.data, disk.size), &kv), 0);
	err = kv_get(kv, key, &value, &len);
	if (err == 0)
		free(value);
	kv_close(kv);
	return err;
}

static void a_file_whose_chain_does_not_fit_it_cannot_be_read(void **state)
{
	uint8_t *entry;
	unsigned first;

	(void)state;
	make_small();
	entry = entry_of("CHAIN   BIN");
	first = cluster_of(entry);
	assert_int_equal(get_status("CHAIN.BIN"), 0);
	set_next(first, 0xfff);
	assert_int_equal(get_status("CHAIN.BIN"), -EBADMSG);
	set_next(first, 0);
	assert_int_equal(get_status("CHAIN.BIN"), -EBADMSG);
	set_next(first, 0xff7);
	assert_int_equal(get_status("CHAIN.BIN"), -EBADMSG);
	set_next(first, first); /* a loop ends with the file's size */
	assert_int_equal(get_status("CHAIN.BIN"), 0);
	entry[26] = entry[27] = 0;
	assert_int_equal(get_status("CHAIN.BIN"), -EBADMSG);
	entry[30] = 0xff; /* a size beyond all clusters */
	assert_int_equal(open_status(), -EBADMSG);
	free(disk.data);
}

static void an_image_that_is_cut_or_no_fat_is_refused(void **state)
{
	size_t size;

	(void)state;
	make_small();
	size = disk.size;
	for (disk.size = 0; disk.size < size; disk.size += 512)
		assert_int_equal(open_status(), -EBADMSG);
	assert_int_equal(open_status(), 0);
	disk.data[510] = 0;
	assert_int_equal(open_status(), -EBADMSG);
	memset(disk.data, 0, size);
	assert_int_equal(open_status(), -EBADMSG);
	free(disk.data);
}

static void a_long_name_that_is_not_whole_gives_way_to_the_short_one(void **state)
{
	struct kv *kv;
	enum kv_kind kind;
	uint8_t *entry;

	(void)state;
	make_small();
	shell("echo x | mcopy -i fat.img - '::/a long name'");
	free(disk.data);
	disk = read_image("fat.img");
	entry = entry_of("ALONGN~1   ");
	assert_int_equal(kv_fat_open(kv_image_of_memory(disk.data, disk.size), &kv), 0);
	assert_int_equal(kv_exists(kv, "a long name", &kind), 0);
	assert_int_equal(kv_exists(kv, "ALONGN~1", &kind), -ENOENT);
	kv_close(kv);
	memcpy(entry - 32 + 1, "\x3c\xd8\xdd\xdf", 4); /* U+1F3DD, a pair in UTF-16; then half of one */
	memcpy(entry - 32 + 5, "\xdd\xdf", 2);
	assert_int_equal(kv_fat_open(kv_image_of_memory(disk.data, disk.size), &kv), 0);
	assert_int_equal(kv_exists(kv, "\xf0\x9f\x8f\x9d\xef\xbf\xbdong name", &kind), 0);
	kv_close(kv);
	entry[-32 + 13]++; /* the sum that ties the two together */
	assert_int_equal(kv_fat_open(kv_image_of_memory(disk.data, disk.size), &kv), 0);
	assert_int_equal(kv_exists(kv, "a long name", &kind), -ENOENT);
	assert_int_equal(kv_exists(kv, "ALONGN~1", &kind), 0);
	kv_close(kv);
	free(disk.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_width_is_read_in_memory_and_on_a_block_device),
		cmocka_unit_test(directories_that_lead_into_each_other_are_refused),
		cmocka_unit_test(a_file_whose_chain_does_not_fit_it_cannot_be_read),
		cmocka_unit_test(an_image_that_is_cut_or_no_fat_is_refused),
		cmocka_unit_test(a_long_name_that_is_not_whole_gives_way_to_the_short_one),
	};

	return cmocka_run_group_tests(tests, make_tree, tree_leave);
}
