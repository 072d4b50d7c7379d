/* SPDX-License-Identifier: ISC
 *
 * A directory of the host as a store: what it does not reach, what others leave in it, and a writer that is killed.
 */
#include "lib/kv/test/tree.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct kv *open_new(void)
{
	struct kv *kv;

	shell("rm -rf d && mkdir d");
	assert_int_equal(kv_directory_open("d", false, &kv), 0);
	return kv;
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
	assert_string_equal((char *)value, text);
	free(value);
}

static void files_are_values(void **state)
{
	struct kv *kv = open_new();

	(void)state;
	shell("mkdir -p d/a/b && printf hello >d/a/b/c");
	assert_value(kv, "a/b/c", "hello");
	set(kv, "x/y", "world");
	shell("test \"$(cat d/x/y)\" = world");
	assert_int_equal(kv_remove(kv, "a"), 0);
	assert_int_equal(kv_rename(kv, "x/y", "z"), 0);
	kv_close(kv);
	shell("test \"$(find d)\" = \"$(printf 'd\\nd/z')\"");
}

static void nothing_outside_is_reached(void **state)
{
	struct kv *kv = open_new();
	struct kv_list list;
	enum kv_kind kind;
	uint8_t *value;
	size_t len;

	(void)state;
	shell("mkdir outside && echo secret >outside/file && ln -s ../outside d/out && ln -s ../outside/file d/leaf &&"
	      "ln -s \"$PWD/outside/file\" d/absolute && mkfifo d/pipe");
	assert_int_equal(kv_exists(kv, "out", &kind), -ENOENT);
	assert_int_equal(kv_get(kv, "out/file", &value, &len), -ENOENT);
	assert_int_equal(kv_get(kv, "leaf", &value, &len), -ENOENT);
	assert_int_equal(kv_get(kv, "absolute", &value, &len), -ENOENT);
	assert_int_equal(kv_get(kv, "pipe", &value, &len), -ENOENT);
	assert_int_equal(kv_get(kv, "../outside/file", &value, &len), -EINVAL);
	assert_int_equal(kv_set(kv, "out/new", "x", 1), -EACCES);
	assert_int_equal(kv_set(kv, "leaf", "x", 1), -EACCES);
	assert_int_equal(kv_remove(kv, "out/file"), -ENOENT);
	assert_int_equal(kv_remove(kv, "out"), -ENOENT);
	set(kv, "v", "1");
	assert_int_equal(kv_rename(kv, "v", "out/v"), -EACCES);
	assert_int_equal(kv_rename(kv, "v", "leaf"), -EACCES);
	assert_int_equal(kv_list(kv, "", &list), 0);
	assert_int_equal(list.count, 1);
	kv_list_free(&list);
	assert_int_equal(kv_remove(kv, ""), 0);
	kv_close(kv);
	shell("test \"$(cat outside/file)\" = secret && test \"$(ls outside)\" = file && test -L d/leaf && rm -r "
	      "outside");
}

static void a_dictionary_goes_with_links_in_it_but_not_with_their_targets(void **state)
{
	struct kv *kv = open_new();

	(void)state;
	shell("mkdir -p outside d/a/b/c/d && echo secret >outside/file && ln -s ../../outside d/a/out && echo x "
	      ">d/a/b/c/d/e &&"
	      "p=d/a && for i in $(seq 100); do p=$p/deep; done && mkdir -p $p && echo x >$p/x");
	assert_int_equal(kv_remove(kv, "a"), 0);
	kv_close(kv);
	shell("test -z \"$(ls -A d)\" && test -f outside/file && rm -r outside");
}

static void what_the_store_needs_for_itself_is_no_key(void **state)
{
	struct kv *kv = open_new();
	struct kv_list list;
	enum kv_kind kind;

	(void)state;
	set(kv, "a", "1");
	assert_int_equal(kv_set(kv, ".skerry", "x", 1), -EINVAL);
	assert_int_equal(kv_set(kv, ".skerry/part", "x", 1), -EINVAL);
	assert_int_equal(kv_exists(kv, ".skerry", &kind), -EINVAL);
	assert_int_equal(kv_rename(kv, "a", ".skerry/x"), -EINVAL);
	set(kv, ".skerryx", "2");
	set(kv, "b/.skerry", "3");
	assert_int_equal(kv_list(kv, "", &list), 0);
	assert_int_equal(list.count, 3);
	kv_list_free(&list);
	kv_close(kv);
}

static void what_a_writer_that_died_has_left_is_cleared(void **state)
{
	struct kv *kv;

	(void)state;
	shell("rm -rf d && mkdir -p d/.skerry/0/a/b d/.skerry/1 && echo torn >d/.skerry/part && echo x "
	      ">d/.skerry/0/a/b/c &&"
	      "echo y >d/.skerry/0/a/d && echo good >d/value");
	assert_int_equal(kv_directory_open("d", false, &kv), 0);
	shell("test -z \"$(ls -A d/.skerry)\"");
	assert_value(kv, "value", "good\n");
	kv_close(kv);
	shell("test \"$(ls -A d)\" = value");
}

static void one_program_at_a_time_writes(void **state)
{
	struct kv *kv = open_new(), *other = NULL;

	(void)state;
	assert_int_equal(kv_directory_open("d", false, &other), -EBUSY);
	assert_null(other);
	assert_int_equal(kv_directory_open("d", true, &other), 0);
	set(kv, "a", "1");
	assert_value(other, "a", "1");
	kv_close(other);
	kv_close(kv);
	assert_int_equal(kv_directory_open("d", false, &kv), 0);
	kv_close(kv);
}

static void what_cannot_be_opened_has_its_error(void **state)
{
	struct kv *kv = NULL;

	(void)state;
	shell("rm -rf d && echo x >file");
	assert_int_equal(kv_directory_open("d", false, &kv), -ENOENT);
	assert_int_equal(kv_directory_open("file", true, &kv), -ENOTDIR);
	assert_null(kv);
}

static void keys_that_would_become_too_deep_or_long_stop_a_rename(void **state)
{
	struct kv *kv = open_new();
	char key[KV_KEY_MAX + 1], name[201];

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	snprintf(key, sizeof key, "a/%s/%s/%s/%s", name, name, name, name);
	set(kv, key, "long");
	assert_int_equal(kv_rename(kv, "a", name), 0);
	assert_int_equal(kv_rename(kv, name, "a"), 0);
	snprintf(key, sizeof key, "%s/%s", name, name);
	assert_int_equal(kv_rename(kv, "a", key), -ENAMETOOLONG);
	assert_int_equal(kv_remove(kv, "a"), 0);
	kv_close(kv);
	shell("test -z \"$(ls -A d)\"");
}

static void two_names_of_one_file_become_one(void **state)
{
	struct kv *kv = open_new();
	enum kv_kind kind;

	(void)state;
	set(kv, "a", "1");
	shell("ln d/a d/b");
	assert_int_equal(kv_rename(kv, "a", "b"), 0);
	assert_int_equal(kv_exists(kv, "a", &kind), -ENOENT);
	assert_value(kv, "b", "1");
	shell("ln d/b d/c");
	set(kv, "b", "2");
	assert_value(kv, "c", "1");
	kv_close(kv);
}

static void a_host_that_takes_no_more_bytes_keeps_the_old_value(void **state)
{
	static uint8_t big[8192];
	struct kv *kv = open_new();
	struct rlimit limit;

	(void)state;
	set(kv, "a", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, limit.rlim_max }), 0);
	assert_int_equal(kv_set(kv, "a", big, sizeof big), -ENOSPC);
	assert_int_equal(kv_set(kv, "new/b", big, sizeof big), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_value(kv, "a", "old");
	kv_close(kv);
	shell("test \"$(ls -A d)\" = a");
}

/* A child sets one of two values, over and over, until it is killed; then the value is one of them, whole. On a machine
 * that is busy the child may be killed before it has begun: until both values were there, it begins again. */
static void a_writer_that_is_killed_leaves_an_old_or_a_new_value(void **state)
{
	enum { SIZE = 200000, KILLS = 30, KILLS_MAX = 1000 };
	static uint8_t values[2][SIZE];
	struct kv *kv = open_new();
	size_t seen[2] = { 0 };

	(void)state;
	memset(values[1], 1, SIZE);
	assert_int_equal(kv_set(kv, "v", values[0], SIZE), 0);
	kv_close(kv);
	for (useconds_t i = 0; i < KILLS || (i < KILLS_MAX && !(seen[0] && seen[1])); i++) {
		pid_t child = fork();
		uint8_t *value;
		size_t len;

		assert_true(child >= 0);
		if (child == 0) {
			if (kv_directory_open("d", false, &kv) != 0)
				_exit(1);
			for (size_t n = 0; kv_set(kv, "v", values[n % 2], SIZE) == 0; n++)
				;
			_exit(2);
		}
		usleep(2000 + i % 100 * 137);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		assert_int_equal(kv_directory_open("d", false, &kv), 0);
		assert_int_equal(kv_get(kv, "v", &value, &len), 0);
		assert_int_equal(len, SIZE);
		assert_memory_equal(value, values[value[0] == 1], SIZE);
		seen[value[0] == 1]++;
		free(value);
		kv_close(kv);
	}
	assert_true(seen[0] > 0 && seen[1] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_values),
		cmocka_unit_test(nothing_outside_is_reached),
		cmocka_unit_test(a_dictionary_goes_with_links_in_it_but_not_with_their_targets),
		cmocka_unit_test(what_the_store_needs_for_itself_is_no_key),
		cmocka_unit_test(what_a_writer_that_died_has_left_is_cleared),
		cmocka_unit_test(one_program_at_a_time_writes),
		cmocka_unit_test(what_cannot_be_opened_has_its_error),
		cmocka_unit_test(keys_that_would_become_too_deep_or_long_stop_a_rename),
		cmocka_unit_test(two_names_of_one_file_become_one),
		cmocka_unit_test(a_host_that_takes_no_more_bytes_keeps_the_old_value),
		cmocka_unit_test(a_writer_that_is_killed_leaves_an_old_or_a_new_value),
	};

	return cmocka_run_group_tests(tests, tree_enter, tree_leave);
}
