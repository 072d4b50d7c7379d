/* SPDX-License-Identifier: ISC
 *
 * Archives as streams: what is written is read back by ours and by the system's own tools, for every cut; what is cut
 * off, changed or hostile fails, and all that was opened is closed as failed.
 */
#include "lib/stream/test/probe.h"

#include <skerry/archive.h>
#include <skerry/queue.h>
#include <skerry/zip.h>

enum { ARCHIVE_ROOM = 1 << 20, FILES_MAX = 16, CONTENT_ROOM = 70000 };

static uint8_t bytes[ARCHIVE_ROOM];

/* A collection of what a reader shows, each file's content whole. */
struct shown {
	char name[ARCHIVE_NAME_MAX + 1];
	struct archive_entry entry;
	struct probe_flow end;
	struct sink_buffer buffer;
	uint8_t content[CONTENT_ROOM];
};
static struct shown shown[FILES_MAX];
static size_t shown_count;

static int show(void *context, const struct archive_entry *entry, struct sink **content)
{
	struct shown *here = &shown[shown_count];

	(void)context;
	if (shown_count == FILES_MAX)
		return -E2BIG;
	shown_count++;
	here->entry = *entry;
	here->end = (struct probe_flow){ 0 };
	strcpy(here->name, entry->name);
	if (entry->kind == ARCHIVE_FILE)
		*content = probe_flow(&here->end, sink_buffer(&here->buffer, here->content, CONTENT_ROOM));
	return 0;
}

typedef struct sink *archive_sink(struct sink_archive *archive, archive_visit *visit, void *context);

static int read_archive(archive_sink *kind, const uint8_t *data, size_t len, size_t cut)
{
	struct sink_archive archive;
	int err = sink_start(kind(&archive, show, NULL));

	shown_count = 0;
	for (size_t at = 0; err == 0 && at < len; at += cut) {
		/* A copy of its own, so that a read beyond it is seen. */
		size_t piece_len = len - at < cut ? len - at : cut;
		uint8_t *piece = malloc(piece_len);

		assert_non_null(piece);
		memcpy(piece, data + at, piece_len);
		ssize_t taken = sink_push(&archive.sink, piece, piece_len, FOREVER);
		free(piece);
		if (taken < 0)
			err = (int)taken;
	}
	err = sink_stop(&archive.sink, err, FOREVER);
	for (size_t i = 0; i < shown_count; i++)
		if (shown[i].entry.kind == ARCHIVE_FILE)
			assert_int_equal(shown[i].end.probe.stops, 1);
	return err;
}

/* Samples --------------------------------------------------------------------------------------------------------- */

static uint8_t noise[CONTENT_ROOM];

static const struct sample {
	const char *name;
	size_t len;
} samples[] = {
	{ "README", 13 },
	{ "empty", 0 },
	{ "block", 512 },
	{ "a-name-of-more-than-one-hundred-bytes-which-does-not-fit-the-old-header-and-so-needs-a-record-of-its-own-"
	  "before-it.txt",
		1000 },
	{ "large.bin", CONTENT_ROOM - 1 },
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static int write_samples(struct archive *archive)
{
	int err = 0;

	for (size_t i = 0; i < CONTENT_ROOM; i++)
		noise[i] = (uint8_t)(i * i >> 7);
	for (size_t i = 0; err == 0 && i < SAMPLES; i++) {
		struct source_string string;

		err = stream_run(source_bytes(&string, noise, samples[i].len),
			archive_file(archive, samples[i].name, samples[i].len, SECOND(1700000000 + 2 * i)), FOREVER);
	}
	return err;
}

static size_t write_archive(bool zip, int level)
{
	struct archive archive;
	struct sink_buffer buffer;
	struct sink *out = sink_buffer(&buffer, bytes, sizeof bytes);

	assert_int_equal(zip ? archive_open_zip(&archive, level, out) : archive_open_tar(&archive, out), 0);
	assert_int_equal(archive_close(&archive, write_samples(&archive), FOREVER), 0);
	return buffer.len;
}

static void assert_samples_shown(void)
{
	assert_int_equal(shown_count, SAMPLES);
	for (size_t i = 0; i < SAMPLES; i++) {
		assert_string_equal(shown[i].name, samples[i].name);
		assert_int_equal(shown[i].entry.mtime_s, 1700000000 + 2 * i);
		assert_int_equal(shown[i].buffer.len, samples[i].len);
		assert_memory_equal(shown[i].content, noise, samples[i].len);
		assert_int_equal(shown[i].end.probe.error, 0);
	}
}

static const size_t cuts[] = { 1, 3, 511, 512, 513, 10000, ARCHIVE_ROOM };
enum { CUTS = sizeof cuts / sizeof cuts[0] };

TASK_TEST(tar_comes_back_however_it_is_cut)
{
	size_t len = write_archive(false, 0);

	assert_int_equal(len % 512, 0);
	for (size_t i = 0; i < CUTS; i++) {
		assert_int_equal(read_archive(sink_untar, bytes, len, cuts[i]), 0);
		assert_samples_shown();
	}
}

TASK_TEST(zip_comes_back_however_it_is_cut)
{
	for (int level = 0; level <= 9; level += 3) {
		size_t len = write_archive(true, level);

		for (size_t i = 0; i < CUTS; i++) {
			assert_int_equal(read_archive(sink_unzip, bytes, len, cuts[i]), 0);
			assert_samples_shown();
		}
	}
}

/* Runs a command whose input is the archive, or whose output becomes it: the length, or its failure. */
static size_t from_command(const char *command)
{
	FILE *pipe = popen(command, "r");
	size_t len;

	assert_non_null(pipe);
	len = fread(bytes, 1, sizeof bytes, pipe);
	assert_int_equal(pclose(pipe), 0);
	return len;
}

TASK_TEST(archives_of_the_system_s_tools_are_read)
{
	static const char *const commands[] = {
		"d=$(mktemp -d) && cd $d && mkdir s && echo hello >s/file && ln -s file s/link && tar c s; rm -r $d",
		"d=$(mktemp -d) && cd $d && mkdir s && echo hello >s/file && tar c --format=pax ./s; rm -r $d",
		"/usr/bin/python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.stdout.buffer, \"w\","
		" zipfile.ZIP_DEFLATED); z.writestr(\"s/\", \"\"); z.writestr(\"s/file\", \"hello\\n\"); z.close()'",
		"/usr/bin/python3 -c 'import io, sys, zipfile; b = io.BytesIO(); z = zipfile.ZipFile(b, \"w\");"
		" z.writestr(\"s/\", \"\"); z.writestr(\"s/file\", \"hello\\n\"); z.comment = b\"remark\"; z.close();"
		" sys.stdout.buffer.write(b.getvalue())'",
	};

	for (size_t i = 0; i < 4; i++) {
		size_t len = from_command(commands[i]);

		assert_int_equal(read_archive(i < 2 ? sink_untar : sink_unzip, bytes, len, 100), 0);
		assert_int_equal(shown_count, i == 0 ? 3 : 2);
		assert_string_equal(shown[0].name, i < 2 ? "s" : "s");
		assert_int_equal(shown[0].entry.kind, ARCHIVE_DIRECTORY);
		size_t file = strcmp(shown[1].name, "s/file") == 0 ? 1 : 2;
		assert_string_equal(shown[file].name, "s/file");
		assert_int_equal(shown[file].buffer.len, 6);
		assert_memory_equal(shown[file].content, "hello\n", 6);
	}
}

TASK_TEST(system_s_tools_read_what_is_written)
{
	for (int zip = 0; zip < 2; zip++) {
		char path[] = "/tmp/skerry-archive-XXXXXX", command[256];
		size_t len = write_archive(zip, 6);
		int fd = mkstemp(path);

		assert_true(fd >= 0);
		assert_int_equal(write(fd, bytes, len), len);
		close(fd);
		snprintf(command, sizeof command,
			zip ? "unzip -tqq %s"
			    : "test $(tar xOf %s large.bin | wc -c) = 69999 && tar tf %s | grep -q before-it.txt",
			path, path);
		int status = system(command);
		unlink(path);
		assert_int_equal(status, 0);
	}
}

TASK_TEST(archive_that_is_cut_off_anywhere_fails)
{
	for (int zip = 0; zip < 2; zip++) {
		size_t len = write_archive(zip, 6), end = zip ? len : len - 1024;

		for (size_t cut = 0; cut < end; cut += cut < len - 2000 ? 613 : 1) {
			assert_int_equal(read_archive(zip ? sink_unzip : sink_untar, bytes, cut, 4096),
				!zip && cut >= len - 512 ? 0 : -EBADMSG);
			if (cut < 13 + 30)
				assert_true(shown_count == 0 || shown[0].end.probe.error == -EBADMSG);
		}
	}
}

TASK_TEST(content_with_a_wrong_checksum_is_stopped_as_failed)
{
	size_t len = write_archive(true, 0); /* stored blocks: the change does not break DEFLATE */
	uint8_t *content = memmem(bytes, len, noise, 13);

	assert_non_null(content);
	content[5] ^= 1;
	assert_int_equal(read_archive(sink_unzip, bytes, len, 4096), -EBADMSG);
	assert_int_equal(shown_count, 1);
	assert_int_equal(shown[0].end.probe.error, -EBADMSG);
}

TASK_TEST(name_that_leads_out_fails)
{
	uint8_t *name;
	size_t len = write_archive(true, 6);

	name = memmem(bytes, len, "README", 6);
	memcpy(name, "../etc", 6);
	assert_int_equal(read_archive(sink_unzip, bytes, len, 4096), -EBADMSG);
	assert_int_equal(shown_count, 0);
	memcpy(name, "//a/./", 6);
	assert_int_equal(read_archive(sink_unzip, bytes, len, 4096), 0);
	assert_string_equal(shown[0].name, "a");
}

TASK_TEST(sink_that_is_full_or_missing_skips_the_rest_of_its_entry)
{
	size_t len = write_archive(false, 0);
	struct sink_archive tar;
	struct source_string string;

	memset(bytes + 512, 'x', 13);
	assert_int_equal(read_archive(sink_untar, bytes, len, 4096), 0);
	assert_memory_equal(shown[0].content, "xxxxxxxxxxxxx", 13);
	shown_count = FILES_MAX;
	assert_int_equal(stream_run(source_bytes(&string, bytes, len), sink_untar(&tar, show, NULL), FOREVER), -E2BIG);
}

TASK_TEST(tar_refuses_content_of_another_size_and_names_that_are_not_clean)
{
	static const struct {
		const char *name;
		uint64_t size;
		int error;
	} wrong[] = { { "a", 4, -EMSGSIZE }, { "a", 6, -EMSGSIZE }, { "../a", 5, -EINVAL }, { "/a", 5, -EINVAL },
		{ "", 5, -EINVAL } };

	for (size_t i = 0; i < 5; i++) {
		struct archive archive;
		struct source_string string;
		struct probe_flow out = { 0 };
		struct sink_null null;

		assert_int_equal(archive_open_tar(&archive, probe_flow(&out, sink_null(&null))), 0);
		assert_int_equal(stream_run(source_string(&string, "12345"),
					 archive_file(&archive, wrong[i].name, wrong[i].size, 0), FOREVER),
			wrong[i].error);
		assert_int_equal(archive_close(&archive, 0, FOREVER), wrong[i].error);
		assert_int_equal(out.probe.stops, 1);
		assert_int_equal(out.probe.error, wrong[i].error);
	}
}

TASK_TEST(failed_file_can_not_become_a_complete_archive)
{
	for (int zip = 0; zip < 2; zip++) {
		struct archive archive;
		struct probe_source from = { .probe = { .fail_at = 2, .fail_with = -ECONNRESET } };
		struct probe_flow out = { 0 };
		struct sink_null null;
		struct sink *sink = probe_flow(&out, sink_null(&null));

		assert_int_equal(zip ? archive_open_zip(&archive, 6, sink) : archive_open_tar(&archive, sink), 0);
		assert_int_equal(stream_run(probe_source(&from, 100, 10), archive_file(&archive, "a", 100, 0), FOREVER),
			-ECONNRESET);
		assert_int_equal(archive_close(&archive, 0, FOREVER), -ECONNRESET);
		assert_int_equal(out.probe.error, -ECONNRESET);
	}
}

static int produce_zip(void *context, struct sink *into)
{
	struct archive archive;
	int err = archive_open_zip(&archive, 6, into);

	(void)context;
	return err < 0 ? err : archive_close(&archive, write_samples(&archive), FOREVER);
}

TASK_TEST(archive_that_a_task_makes_is_a_source)
{
	struct source_task from;
	struct sink_archive zip;

	shown_count = 0;
	assert_int_equal(stream_run(source_task(&from, 1000, produce_zip, NULL), sink_unzip(&zip, show, NULL), FOREVER),
		STREAM_LEFT);
	source_stop(&from.source, 0);
	assert_samples_shown();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tar_comes_back_however_it_is_cut),
		cmocka_unit_test(zip_comes_back_however_it_is_cut),
		cmocka_unit_test(archives_of_the_system_s_tools_are_read),
		cmocka_unit_test(system_s_tools_read_what_is_written),
		cmocka_unit_test(archive_that_is_cut_off_anywhere_fails),
		cmocka_unit_test(content_with_a_wrong_checksum_is_stopped_as_failed),
		cmocka_unit_test(name_that_leads_out_fails),
		cmocka_unit_test(sink_that_is_full_or_missing_skips_the_rest_of_its_entry),
		cmocka_unit_test(tar_refuses_content_of_another_size_and_names_that_are_not_clean),
		cmocka_unit_test(failed_file_can_not_become_a_complete_archive),
		cmocka_unit_test(archive_that_a_task_makes_is_a_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
