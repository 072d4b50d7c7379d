/* SPDX-License-Identifier: ISC
 *
 * Tar archives that GNU tar, bsdtar and Python wrote, in each format, and archives that are broken.
 */
#include "tree.h"

#include <skerry/clock.h>

#define TAR "LC_ALL=C tar "

static int make_tree(void **state)
{
	if (tree_enter(state) != 0)
		return -1;
	/* Two directories: what fits ustar, and what needs GNU's or pax's long names. */
	shell("mkdir -p t/plain/sub/deeper t/long && cd t/plain && printf 'foo\\n' >secret && : >empty && : "
	      ">sub/deeper/f &&"
	      "head -c 1000003 /dev/urandom >sub/big && head -c 512 /dev/urandom >sub/block && ln secret sub/hard &&"
	      "ln -s secret soft && d=sub/$(printf 'd%.0s' $(seq 90)) && mkdir -p $d && echo split >$d/$(printf "
	      "'n%.0s' "
	      "$(seq 90)) && touch -d @1234567890 secret && cd ../long && n=$(printf 'x%.0s' $(seq 250)) &&"
	      "mkdir -p $n/$n && echo long >$n/$n/$n && ln $n/$n/$n $n/$n/link && echo umlaut >\xc3\xa4");
	return 0;
}

static struct kv *open_archive(const char *path, struct image *image)
{
	struct kv *kv;

	*image = read_image(path);
	assert_int_equal(kv_tar_open(kv_image_of_memory(image->data, image->size), &kv), 0);
	return kv;
}

static void assert_archive(const char *command, const char *const directories[])
{
	struct image image;
	struct kv *kv;
	uint64_t modified;
	enum kv_kind kind;

	shell(command);
	kv = open_archive("a.tar", &image);
	for (size_t i = 0; directories[i]; i++)
		assert_tree(kv, directories[i] + 2, directories[i]);
	assert_int_equal(kv_last_modified(kv, "plain/secret", &modified), 0);
	assert_int_equal(modified, SECOND(1234567890));
	assert_int_equal(kv_exists(kv, "plain/soft", &kind), -ENOENT);
	assert_int_equal(kv_exists(kv, "plain/sub/deeper", &kind), 0);
	assert_int_equal(kind, KV_DICTIONARY);
	assert_int_equal(kv_set(kv, "new", "x", 1), -EROFS);
	kv_close(kv);
	free(image.data);
}

static const char *const plain[] = { "t/plain", NULL }, *const both[] = { "t/plain", "t/long", NULL };

static void what_gnu_tar_wrote_is_read(void **state)
{
	(void)state;
	assert_archive(TAR "-C t --format=v7 --exclude='nnn*' -cf a.tar plain/secret plain/sub/deeper",
		(const char *[]){ NULL });
	assert_archive(TAR "-C t --format=ustar -cf a.tar plain", plain);
	assert_archive(TAR "-C t --format=oldgnu -cf a.tar plain long", both);
	assert_archive(TAR "-C t --format=gnu -cf a.tar .", both);
	assert_archive(TAR "-C t --format=posix -cf a.tar ./plain ./long", both);
	assert_archive(
		TAR "-C t --format=posix --pax-option=globexthdr.name=g,comment=x -b1 -cf a.tar plain long", both);
}

static void what_bsdtar_wrote_is_read(void **state)
{
	(void)state;
	assert_archive("bsdtar -C t --format=ustar -cf a.tar plain", plain);
	assert_archive("bsdtar -C t --format=gnutar -cf a.tar plain long", both);
	assert_archive("bsdtar -C t --format=pax -cf a.tar plain long", both);
}

static void what_python_wrote_is_read(void **state)
{
	static const char *const formats[] = { "USTAR", "GNU", "PAX" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char command[512];

		snprintf(command, sizeof command,
			"/usr/bin/python3 -c 'import tarfile\nt = tarfile.open(\"a.tar\", \"w\", "
			"format=tarfile.%s_FORMAT)\n"
			"t.add(\"t/plain\", \"plain\")\nif %zu: t.add(\"t/long\", \"long\")\nt.close()'",
			formats[i], i);
		assert_archive(command, i ? both : plain);
	}
}

static void an_archive_on_a_block_device_is_read(void **state)
{
	(void)state;
	shell(TAR "-C t -cf a.tar plain long && truncate -s %65536 a.tar");
	disk = read_image("a.tar");
	for (disk_sector_bytes = 512; disk_sector_bytes <= 65536; disk_sector_bytes *= 8) {
		struct block *block;
		struct kv *kv;
		char buf[3] = "";

		assert_int_equal(block_open("disk", &block), 0);
		assert_int_equal(kv_tar_open(kv_image_of_block(block), &kv), 0);
		assert_tree(kv, "", "t");
		assert_int_equal(kv_read(kv, "plain/secret", 1, buf, 2), 2);
		assert_string_equal(buf, "oo");
		disk_failing_sector = 0;
		kv_close(kv);
		assert_int_equal(kv_tar_open(kv_image_of_block(block), &kv), -EIO);
		disk_failing_sector = UINT64_MAX;
		block_close(block);
	}
	disk_sector_bytes = 512;
	free(disk.data);
}

static void the_last_entry_of_a_name_counts_and_empty_directories_are_there(void **state)
{
	struct image image;
	struct kv *kv;
	enum kv_kind kind;
	uint8_t *value;
	size_t len;

	(void)state;
	shell("mkdir void && echo one >twice && " TAR "-cf a.tar twice void && echo two2 >twice && " TAR
	      "-rf a.tar twice");
	kv = open_archive("a.tar", &image);
	assert_int_equal(kv_get(kv, "twice", &value, &len), 0);
	assert_string_equal((char *)value, "two2\n");
	assert_int_equal(kv_exists(kv, "void", &kind), 0);
	assert_int_equal(kind, KV_DICTIONARY);
	free(value);
	kv_close(kv);
	free(image.data);
}

static int open_status(const uint8_t *data, size_t size)
{
	struct kv *kv;
	int err = kv_tar_open(kv_image_of_memory(data, size), &kv);

	if (err == 0)
		kv_close(kv);
	return err;
}

static void an_archive_that_is_cut_or_damaged_is_refused(void **state)
{
	static const uint8_t zeros[1024];
	struct image image;

	(void)state;
	shell(TAR "-C t/plain -b1 --format=ustar -cf a.tar sub/block secret");
	image = read_image("a.tar");
	assert_int_equal(image.size, 6 * 512);
	assert_int_equal(open_status(image.data, image.size), 0);
	for (size_t size = 1; size < image.size; size++) {
		/* Whole entries are an archive, also without end mark or the last filling; one end block is enough. */
		int expected = size == 1024 || (size >= 1536 + 4 && size <= 2048) || size >= 2560 ? 0 : -EBADMSG;

		if (open_status(image.data, size) != expected)
			fail_msg("cut to %zu bytes: not %d", size, expected);
	}
	for (size_t at = 0; at < 512; at++) {
		/* All but the filling behind the sum itself. */
		image.data[at] ^= 1;
		assert_int_equal(open_status(image.data, image.size), at == 155 ? 0 : -EBADMSG);
		image.data[at] ^= 1;
	}
	assert_int_equal(open_status(zeros, sizeof zeros), 0);
	assert_int_equal(open_status(zeros, 0), 0);
	free(image.data);
}

static void what_leads_out_or_cannot_be_told_is_refused(void **state)
{
	struct image image;

	(void)state;
	shell("cd t && " TAR "-P -cf ../a.tar ../t/plain/secret");
	image = read_image("a.tar");
	assert_int_equal(open_status(image.data, image.size), -EBADMSG);
	free(image.data);
	shell("truncate -s 1M holes && echo x >>holes && " TAR "--sparse --format=gnu -cf a.tar holes");
	image = read_image("a.tar");
	assert_int_equal(open_status(image.data, image.size), -ENOTSUP);
	free(image.data);
	shell(TAR "--sparse --format=posix -cf a.tar holes");
	image = read_image("a.tar");
	assert_int_equal(open_status(image.data, image.size), -ENOTSUP);
	free(image.data);
	shell("d=$(printf 'd/%.0s' $(seq 40)) && mkdir -p $d && echo x >$d/x && " TAR "-cf a.tar d");
	image = read_image("a.tar");
	assert_int_equal(open_status(image.data, image.size), -ENAMETOOLONG);
	free(image.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_gnu_tar_wrote_is_read),
		cmocka_unit_test(what_bsdtar_wrote_is_read),
		cmocka_unit_test(what_python_wrote_is_read),
		cmocka_unit_test(an_archive_on_a_block_device_is_read),
		cmocka_unit_test(the_last_entry_of_a_name_counts_and_empty_directories_are_there),
		cmocka_unit_test(an_archive_that_is_cut_or_damaged_is_refused),
		cmocka_unit_test(what_leads_out_or_cannot_be_told_is_refused),
	};

	return cmocka_run_group_tests(tests, make_tree, tree_leave);
}
