/* SPDX-License-Identifier: ISC
 *
 * Files as streams: copied whole, and a failed stream leaves what was there before.
 */
#include "lib/stream/test/probe.h"

#include <skerry/file_stream.h>

enum { FILE_LEN = 100000 };

static char directory[] = "/tmp/skerry-file-XXXXXX";
static char from[64], to[64], part[64];

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory + sizeof directory - 7, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(from, sizeof from, "%s/from", directory);
	snprintf(to, sizeof to, "%s/to", directory);
	snprintf(part, sizeof part, "%s/to.part", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(from);
	unlink(to);
	return rmdir(directory); /* so nothing else was left */
}

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t read_file(const char *path, void *buf, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(buf, 1, size, file);
	fclose(file);
	return len;
}

TASK_TEST(file_is_copied_whole_and_replaces_another)
{
	static uint8_t content[FILE_LEN], copy[FILE_LEN + 1];
	struct source_file source;
	struct sink_file sink;

	for (size_t i = 0; i < FILE_LEN; i++)
		content[i] = (uint8_t)(i * 2654435761u >> 13);
	write_file(from, content, FILE_LEN);
	write_file(to, "old", 3);
	assert_int_equal(stream_run(source_file(&source, from), sink_file(&sink, to), FOREVER), STREAM_COMPLETE);
	assert_int_equal(read_file(to, copy, sizeof copy), FILE_LEN);
	assert_memory_equal(copy, content, FILE_LEN);
	assert_int_equal(access(part, F_OK), -1);
}

TASK_TEST(stream_that_fails_leaves_the_old_file_and_no_part)
{
	char copy[8];
	struct probe_source source = { .probe = { .fail_at = 3, .fail_with = -EBADMSG } };
	struct sink_file sink;

	write_file(to, "old", 3);
	assert_int_equal(stream_run(probe_source(&source, 1000, 10), sink_file(&sink, to), FOREVER), -EBADMSG);
	assert_int_equal(read_file(to, copy, sizeof copy), 3);
	assert_int_equal(access(part, F_OK), -1);
}

TASK_TEST(missing_file_and_directory_are_errors_and_a_source_that_was_never_run_holds_nothing)
{
	char path[96];
	struct source_file source;
	struct sink_file sink;
	struct source_string string;
	struct sink_null null;

	assert_int_equal(stream_run(source_file(&source, from), sink_null(&null), FOREVER), -ENOENT);
	assert_int_equal(stream_run(source_file(&source, directory), sink_null(&null), FOREVER), -EISDIR);
	snprintf(path, sizeof path, "%s/no/file", directory);
	assert_int_equal(stream_run(source_string(&string, "x"), sink_file(&sink, path), FOREVER), -ENOENT);
	assert_int_equal(stream_run(source_file(&source, from), sink_file(&sink, to), FOREVER), -ENOENT);
	assert_int_equal(access(part, F_OK), -1);
	source_stop(source_file(&source, from), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			file_is_copied_whole_and_replaces_another, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
			stream_that_fails_leaves_the_old_file_and_no_part, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
			missing_file_and_directory_are_errors_and_a_source_that_was_never_run_holds_nothing,
			make_directory, remove_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
