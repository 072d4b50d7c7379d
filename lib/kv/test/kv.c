/* SPDX-License-Identifier: ISC
 *
 * Key-value stores that are written: keys, lists, digests and errors, as a program sees them; the same for each kind.
 */
#include "disk.h"

#include <ftw.h>
#include <unistd.h>
#include <sys/stat.h>
#include <bearssl.h>

#include <skerry/clock.h>

enum { STORE_BYTES = 65536 };

static int open_memory(void **state)
{
	struct kv *kv;

	if (kv_memory_open(STORE_BYTES, &kv) != 0)
		return -1;
	*state = kv;
	return 0;
}

static int close_store(void **state)
{
	kv_close(*state);
	return 0;
}

static char directory[] = "/tmp/skerry-kv-XXXXXX";

static int open_directory(void **state)
{
	struct kv *kv;

	strcpy(directory + sizeof directory - 7, "XXXXXX");
	if (!mkdtemp(directory) || kv_directory_open(directory, false, &kv) != 0)
		return -1;
	*state = kv;
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

static int close_directory(void **state)
{
	kv_close(*state);
	return nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct block *block;

static int open_log(void **state)
{
	struct kv *kv;

	disk_new(512, 4 * STORE_BYTES / 512);
	block = disk_open();
	if (kv_log_open(block, true, &kv) != 0)
		return -1;
	*state = kv;
	return 0;
}

static int close_log(void **state)
{
	kv_close(*state);
	block_close(block);
	return 0;
}

static void set(struct kv *kv, const char *key, const char *text)
{
	assert_int_equal(kv_set(kv, key, text, strlen(text)), 0);
}

static void assert_value(struct kv *kv, const char *key, const char *text)
{
	uint8_t *value;
	size_t len;

	assert_int_equal(kv_get(kv, key, &value, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal((char *)value, text);
	free(value);
}

/* The names in a dictionary with a blank between them, dictionaries with '/' behind. */
static void assert_list(struct kv *kv, const char *key, const char *expected)
{
	struct kv_list list;
	char text[1024] = "";

	assert_int_equal(kv_list(kv, key, &list), 0);
	for (size_t i = 0; i < list.count; i++) {
		strcat(text, i ? " " : "");
		strcat(text, list.entries[i].name);
		strcat(text, list.entries[i].kind == KV_DICTIONARY ? "/" : "");
	}
	kv_list_free(&list);
	assert_null(list.entries);
	assert_string_equal(text, expected);
}

static void what_is_set_is_got_whole_and_in_ranges(void **state)
{
	struct kv *kv = *state;
	char buf[16] = "";
	uint64_t size;

	set(kv, "a/b", "hello");
	set(kv, "/a/empty", "");
	assert_value(kv, "/a/b", "hello");
	assert_value(kv, "a/empty", "");
	assert_int_equal(kv_size(kv, "a/b", &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(kv_read(kv, "a/b", 1, buf, 3), 3);
	assert_string_equal(buf, "ell");
	assert_int_equal(kv_read(kv, "a/b", 3, buf, sizeof buf), 2);
	assert_int_equal(kv_read(kv, "a/b", 5, buf, sizeof buf), 0);
	assert_int_equal(kv_read(kv, "a/b", UINT64_MAX, buf, sizeof buf), 0);
	set(kv, "a/b", "new");
	assert_value(kv, "a/b", "new");
}

static void each_of_mirage_s_errors_has_its_case(void **state)
{
	struct kv *kv = *state;
	enum kv_kind kind;
	struct kv_list list;
	uint64_t number;
	char buf[4];

	set(kv, "d/v", "x");
	assert_int_equal(kv_exists(kv, "d", &kind), 0);
	assert_int_equal(kind, KV_DICTIONARY);
	assert_int_equal(kv_exists(kv, "d/v", &kind), 0);
	assert_int_equal(kind, KV_VALUE);
	assert_int_equal(kv_exists(kv, "d/", &kind), -EINVAL);
	assert_int_equal(kv_exists(kv, "v", &kind), -ENOENT);
	assert_int_equal(kv_exists(kv, "d/v/x", &kind), -ENOTDIR);
	assert_int_equal(kv_exists(kv, "d/vv/x", &kind), -ENOENT);
	assert_int_equal(kv_size(kv, "d", &number), -EISDIR);
	assert_int_equal(kv_size(kv, "", &number), -EISDIR);
	assert_int_equal(kv_read(kv, "d", 0, buf, 1), -EISDIR);
	assert_int_equal(kv_list(kv, "d/v", &list), -ENOTDIR);
	assert_int_equal(kv_list(kv, "x", &list), -ENOENT);
	assert_int_equal(kv_set(kv, "d", "x", 1), -EISDIR);
	assert_int_equal(kv_set(kv, "/", "x", 1), -EISDIR);
	assert_int_equal(kv_set(kv, "d/v/w", "x", 1), -ENOTDIR);
	assert_int_equal(kv_remove(kv, "x"), -ENOENT);
	assert_int_equal(kv_remove(kv, "d/v/w"), -ENOTDIR);
	assert_int_equal(kv_last_modified(kv, "x", &number), -ENOENT);
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const wrong[] = { "//", "a//b", "a/", "//a", ".", "..", "a/./b", "a/..", "./a" };
	struct kv *kv = *state;
	char key[KV_KEY_MAX + 2];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(kv_set(kv, wrong[i], "x", 1), -EINVAL);
	set(kv, "...", "three dots are a name");
	set(kv, ".a/..b", "so are these");
	memset(key, 'k', sizeof key);
	for (size_t i = 255; i < sizeof key; i += 256)
		key[i] = '/';
	key[KV_KEY_MAX] = 'k';
	key[KV_KEY_MAX + 1] = '\0';
	assert_int_equal(kv_set(kv, key, "x", 1), -ENAMETOOLONG);
	key[KV_KEY_MAX] = '\0';
	set(kv, key, "the longest");
	assert_value(kv, key, "the longest");
	for (size_t i = 1; i < 2 * KV_DEPTH_MAX + 1; i += 2)
		key[i] = '/';
	key[2 * KV_DEPTH_MAX + 1] = '\0';
	assert_int_equal(kv_set(kv, key, "x", 1), -ENAMETOOLONG);
	key[2 * KV_DEPTH_MAX - 1] = '\0';
	set(kv, key, "the deepest");
	assert_value(kv, key, "the deepest");
}

static void a_list_has_each_name_once_in_order(void **state)
{
	struct kv *kv = *state;

	assert_list(kv, "", "");
	set(kv, "b/x/1", "");
	set(kv, "b-c", "");
	set(kv, "b/y", "");
	set(kv, "b/x/2", "");
	set(kv, "B", "");
	set(kv, "b.c", "");
	set(kv, "\xc3\xa4", "");
	assert_list(kv, "/", "B b/ b-c b.c \xc3\xa4");
	assert_list(kv, "b", "x/ y");
	assert_list(kv, "b/x", "1 2");
}

static void a_dictionary_goes_whole_and_with_its_last_key(void **state)
{
	struct kv *kv = *state;

	set(kv, "a/b/c", "1");
	set(kv, "a/d", "2");
	set(kv, "ab", "3");
	assert_int_equal(kv_remove(kv, "a/d"), 0);
	assert_list(kv, "a", "b/");
	assert_int_equal(kv_remove(kv, "a/b"), 0);
	assert_list(kv, "", "ab");
	assert_int_equal(kv_remove(kv, ""), 0);
	assert_list(kv, "", "");
	assert_int_equal(kv_remove(kv, ""), 0);
}

static void rename_moves_values_and_dictionaries(void **state)
{
	struct kv *kv = *state;

	set(kv, "a/b/c", "1");
	set(kv, "a/b/d", "2");
	set(kv, "a-", "3");
	assert_int_equal(kv_rename(kv, "a", "zz/top"), 0);
	assert_list(kv, "", "a- zz/");
	assert_list(kv, "zz/top/b", "c d");
	assert_value(kv, "zz/top/b/d", "2");
	assert_int_equal(kv_rename(kv, "a-", "zz/top/b/c"), 0);
	assert_value(kv, "zz/top/b/c", "3");
	assert_list(kv, "", "zz/");
	assert_int_equal(kv_rename(kv, "zz/top/b/c", "zz/top/b/c"), 0);
	assert_int_equal(kv_rename(kv, "zz/top/b", "b"), 0);
	assert_list(kv, "", "b/");
	assert_value(kv, "b/c", "3");
}

static void rename_refuses_what_it_cannot_do(void **state)
{
	struct kv *kv = *state;
	char deep[2 * KV_DEPTH_MAX];

	set(kv, "a/b", "1");
	set(kv, "c/d", "2");
	set(kv, "v", "3");
	assert_int_equal(kv_rename(kv, "a", "a/b/c"), -EINVAL);
	assert_int_equal(kv_rename(kv, "a", "a/x"), -EINVAL);
	assert_int_equal(kv_rename(kv, "", "x"), -EINVAL);
	assert_int_equal(kv_rename(kv, "v", "/"), -EEXIST);
	assert_int_equal(kv_rename(kv, "a", "c"), -EEXIST);
	assert_int_equal(kv_rename(kv, "a", "v"), -ENOTDIR);
	assert_int_equal(kv_rename(kv, "v", "a"), -EISDIR);
	assert_int_equal(kv_rename(kv, "v", "a/b/c"), -ENOTDIR);
	assert_int_equal(kv_rename(kv, "x", "y"), -ENOENT);
	for (size_t i = 0; i < sizeof deep; i++)
		deep[i] = i % 2 ? '/' : 'n';
	deep[sizeof deep - 1] = '\0';
	assert_int_equal(kv_rename(kv, "a", deep), -ENAMETOOLONG);
	assert_value(kv, "a/b", "1");
	assert_list(kv, "", "a/ c/ v");
}

static void a_full_store_refuses_and_keeps_what_it_has(void **state)
{
	static uint8_t big[STORE_BYTES];
	struct kv *kv = *state;
	size_t count = 0;
	char key[16];

	set(kv, "old", "value");
	assert_int_equal(kv_set(kv, "old", big, sizeof big), -ENOSPC);
	assert_value(kv, "old", "value");
	assert_int_equal(kv_set(kv, "big", big, sizeof big - 1024), 0);
	assert_int_equal(kv_set(kv, "two", big, 1024), -ENOSPC);
	assert_int_equal(kv_set(kv, "big", big, sizeof big - 1023), 0);
	assert_int_equal(kv_remove(kv, "big"), 0);
	for (int err = 0; err == 0; count++) {
		snprintf(key, sizeof key, "%zu", count);
		err = kv_set(kv, key, NULL, 0);
		assert_true(err == 0 || err == -ENOSPC);
		assert_true(count < STORE_BYTES);
	}
	assert_int_equal(kv_rename(kv, "old",
				 "a-much-longer-name-than-what-it-had-for-which-there-is-no-room-left-"
				 "a-much-longer-name-than-what-it-had-for-which-there-is-no-room-left"),
		-ENOSPC);
	assert_value(kv, "old", "value");
}

static void equal_trees_have_equal_digests(void **state)
{
	struct kv *kv = *state, *other;
	uint8_t a[KV_DIGEST_LEN], b[KV_DIGEST_LEN];
	br_sha256_context hash;

	set(kv, "t/x", "hello");
	set(kv, "t/d/y", "world");
	br_sha256_init(&hash);
	br_sha256_update(&hash, "hello", 5);
	br_sha256_out(&hash, b);
	assert_int_equal(kv_digest(kv, "t/x", a), 0);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(kv_memory_open(STORE_BYTES, &other), 0);
	set(other, "d/y", "world");
	set(other, "x", "hello");
	assert_int_equal(kv_digest(kv, "t", a), 0);
	assert_int_equal(kv_digest(other, "", b), 0);
	assert_memory_equal(a, b, sizeof a);
	assert_int_equal(kv_rename(other, "d", "e"), 0);
	assert_int_equal(kv_digest(other, "", b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(kv_digest(kv, "nonesuch", a), -ENOENT);
	kv_close(other);
}

static void a_value_knows_when_it_was_set_and_a_dictionary_its_latest(void **state)
{
	struct kv *kv = *state;
	uint64_t before = clock_wall(), first, second, latest;

	set(kv, "d/one", "");
	set(kv, "d/two", "");
	assert_int_equal(kv_last_modified(kv, "d/one", &first), 0);
	assert_int_equal(kv_last_modified(kv, "d/two", &second), 0);
	assert_int_equal(kv_last_modified(kv, "d", &latest), 0);
	/* A file's time is the kernel's last tick. */
	assert_true(before - MSEC(20) <= first && first <= second && second <= clock_wall());
	assert_int_equal(latest, second);
}

static void a_large_value_is_read_from_any_place(void **state)
{
	static uint8_t value[STORE_BYTES / 2], buf[sizeof value];
	struct kv *kv = *state;

	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)(i ^ i >> 8);
	assert_int_equal(kv_set(kv, "large", value, sizeof value), 0);
	for (size_t offset = 0, len = 1; offset + len < sizeof value; offset += 1021, len = len * 7 % 4099) {
		assert_int_equal(kv_read(kv, "large", offset, buf, len), len);
		assert_memory_equal(buf, value + offset, len);
	}
	assert_int_equal(kv_read(kv, "large", 0, buf, sizeof buf), sizeof buf);
	assert_memory_equal(buf, value, sizeof buf);
}

static void a_name_goes_from_value_to_dictionary_and_back(void **state)
{
	struct kv *kv = *state;

	for (size_t i = 0; i < 3; i++) {
		set(kv, "x", "value");
		assert_int_equal(kv_remove(kv, "x"), 0);
		set(kv, "x/y/z", "below");
		assert_int_equal(kv_rename(kv, "x/y/z", "w"), 0);
		assert_list(kv, "", "w");
		assert_int_equal(kv_rename(kv, "w", "x"), 0);
		assert_value(kv, "x", "below");
		assert_int_equal(kv_remove(kv, "/"), 0);
	}
}

#define ON(kind, name, open, close)                                                                                    \
	{                                                                                                              \
#name "_" kind, name, open, close, NULL                                                                \
	}
#define EACH(name)                                                                                                     \
	ON("in_memory", name, open_memory, close_store), ON("in_a_directory", name, open_directory, close_directory),  \
		ON("on_a_block_device", name, open_log, close_log)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(what_is_set_is_got_whole_and_in_ranges),
		EACH(each_of_mirage_s_errors_has_its_case),
		EACH(what_is_no_key_is_refused),
		EACH(a_list_has_each_name_once_in_order),
		EACH(a_dictionary_goes_whole_and_with_its_last_key),
		EACH(rename_moves_values_and_dictionaries),
		EACH(rename_refuses_what_it_cannot_do),
		EACH(equal_trees_have_equal_digests),
		EACH(a_value_knows_when_it_was_set_and_a_dictionary_its_latest),
		EACH(a_large_value_is_read_from_any_place),
		EACH(a_name_goes_from_value_to_dictionary_and_back),
		cmocka_unit_test_setup_teardown(a_full_store_refuses_and_keeps_what_it_has, open_memory, close_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
