/* SPDX-License-Identifier: ISC
 *
 * Out of memory, in every stage and at every allocation: the run returns -ENOMEM, and nothing is left behind.
 */
#include "lib/stream/test/probe.h"

#include "lib/stream/test/allocation.h"

#include <skerry/archive.h>
#include <skerry/codec.h>
#include <skerry/file_stream.h>
#include <skerry/kv_stream.h>
#include <skerry/queue.h>
#include <skerry/tcp_stream.h>

enum { ROOM = 1 << 17, CONTENT_BYTES = 40000, DISK_BYTES = 8192, SECTOR_BYTES = 512 };

static uint8_t content[CONTENT_BYTES], made[ROOM];
static size_t made_len;

/* What a run comes to: a stream that its sink has ended is complete as well. */
static int run(struct source *source, struct sink *sink)
{
	int err = stream_run(source, sink, FOREVER);

	if (err == STREAM_LEFT)
		source_stop(source, 0);
	return err < 0 ? err : 0;
}

static struct source *some_bytes(struct source_string *string)
{
	return source_bytes(string, content, sizeof content);
}

static struct source *made_bytes(struct source_string *string)
{
	return source_bytes(string, made, made_len);
}

static struct sink *into_made(struct sink_buffer *buffer)
{
	return sink_buffer(buffer, made, sizeof made);
}

static int keep_made(const struct sink_buffer *buffer, int err)
{
	if (err == 0)
		made_len = buffer->len;
	return err;
}

/* Stages that allocate nothing ------------------------------------------------------------------------------------ */

static int same(void *context, const void **data, size_t *len)
{
	(void)context;
	(void)data;
	(void)len;
	return 0;
}

static bool every(void *context, const void *data, size_t len)
{
	(void)context;
	(void)data;
	(void)len;
	return true;
}

static int run_in_memory(void)
{
	static const struct crunched_file file = { "a", "text/plain", "\"t\"", (const uint8_t *)"plain", 5, NULL, 0 };
	struct stream_piece pieces[] = { { content, 100 }, { content, 200 } };
	struct source_array array;
	struct source_string string;
	struct flow_map map;
	struct flow_filter filter;
	struct flow_tee tee;
	struct flow_take take;
	struct sink_null side;
	struct sink_buffer buffer;
	int err = run(source_array(&array, pieces, 2),
		flow_map(&map, same, NULL,
			flow_filter(&filter, every, NULL,
				flow_tee(&tee, sink_null(&side), flow_take(&take, 250, into_made(&buffer))))));

	if (err == 0)
		err = run(source_string(&string, "text"), into_made(&buffer));
	return err == 0 ? run(source_crunched(&string, &file), into_made(&buffer)) : err;
}

TASK_TEST(streams_in_memory_allocate_nothing)
{
	assert_int_equal(fail_each_allocation(run_in_memory, false), 0);
}

/* Sources --------------------------------------------------------------------------------------------------------- */

static char path[] = "/tmp/skerry-memory-XXXXXX", other_path[64];

static int run_files(void)
{
	struct source_file from;
	struct sink_file to;

	return run(source_file(&from, path), sink_file(&to, other_path));
}

TASK_TEST(files_without_memory_fail_and_leave_nothing)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, sizeof content), sizeof content);
	close(fd);
	snprintf(other_path, sizeof other_path, "%s.copy", path);
	assert_int_not_equal(fail_each_allocation(run_files, false), 0);
	assert_int_equal(unlink(other_path), 0);
	unlink(path);
}

int platform_block_open(const char *name, struct platform_block_info *info)
{
	*info = (struct platform_block_info){ DISK_BYTES, SECTOR_BYTES, false };
	return strcmp(name, "disk") == 0 ? 1 : -ENODEV;
}

int platform_block_read(int handle, uint64_t offset, void *sector)
{
	(void)handle;
	memcpy(sector, content + offset, SECTOR_BYTES);
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

static struct block *disk;

static int run_sectors(void)
{
	struct source_block range;
	struct sink_null null;

	return run(source_block(&range, disk, 0, DISK_BYTES / SECTOR_BYTES), sink_null(&null));
}

TASK_TEST(block_range_without_memory_fails_and_leaves_nothing)
{
	assert_int_equal(block_open("disk", &disk), 0);
	assert_int_equal(fail_each_allocation(run_sectors, false), 1);
	block_close(disk);
}

static struct kv *store;

static int run_value(void)
{
	struct source_kv value;
	struct sink_null null;

	return run(source_kv(&value, store, "key"), sink_null(&null));
}

TASK_TEST(value_without_memory_fails_and_leaves_nothing)
{
	assert_int_equal(kv_memory_open(ROOM, &store), 0);
	assert_int_equal(kv_set(store, "key", content, sizeof content), 0);
	assert_int_not_equal(fail_each_allocation(run_value, false), 0);
	kv_close(store);
}

/* A flow whose peer has ended its stream already. */
static struct tcp *flow;

static int run_flow(void)
{
	struct source_tcp from;
	struct sink_null null;

	return run(source_tcp(&from, flow), sink_null(&null));
}

TASK_TEST(tcp_flow_without_memory_fails_and_leaves_nothing)
{
	struct ip_endpoint server = { .address = ip_from_v4((const uint8_t[]){ 127, 0, 0, 1 }), .port = 0 };
	struct tcp_listener *listener;
	struct stack *stack;
	struct tcp *client;

	assert_int_equal(stack_open_host(&stack), 0);
	for (server.port = 20000; tcp_listen(stack, server.port, &listener) < 0; server.port++)
		;
	assert_int_equal(tcp_connect(stack, &server, &client, FOREVER), 0);
	assert_int_equal(tcp_accept(listener, &flow, FOREVER), 0);
	tcp_close(client);
	assert_int_equal(fail_each_allocation(run_flow, false), 1);
	tcp_close(flow);
	tcp_unlisten(listener);
	stack_close(stack);
}

/* Queues ---------------------------------------------------------------------------------------------------------- */

static int run_queue(void)
{
	struct queue *queue = queue_new(ROOM);
	struct source_string string;
	struct source_queue from;
	struct sink_queue to;
	struct sink_null null;
	int err;

	if (!queue)
		return -ENOMEM;
	err = stream_run(some_bytes(&string), sink_queue(&to, queue), FOREVER);
	if (err < 0)
		source_stop(source_queue(&from, queue), err);
	else
		err = run(source_queue(&from, queue), sink_null(&null));
	return err;
}

TASK_TEST(queue_without_memory_fails_and_leaves_nothing)
{
	assert_int_equal(
		fail_each_allocation(run_queue, true), 2); /* itself, and its first piece; it asks for another again */
}

static int produce(void *context, struct sink *into)
{
	struct source_string string;

	(void)context;
	return run(some_bytes(&string), into);
}

static int run_task(void)
{
	struct source_task from;
	struct sink_null null;

	return run(source_task(&from, 5000, produce, NULL), sink_null(&null));
}

TASK_TEST(task_source_without_memory_fails_and_leaves_nothing)
{
	assert_int_equal(fail_each_allocation(run_task, true), 2);
}

/* Flows ----------------------------------------------------------------------------------------------------------- */

static int run_split(void)
{
	struct source_string string;
	struct flow_split split;
	struct sink_null null;

	return run(some_bytes(&string), flow_split(&split, 'x', sizeof content, sink_null(&null)));
}

static int run_sha256(void)
{
	struct source_string string;
	struct flow_tee tee;
	struct sink_sha256 hash;
	struct sink_null null;

	return run(some_bytes(&string), flow_tee(&tee, sink_sha256(&hash), sink_null(&null)));
}

static enum codec_wrapping wrapping;

static int run_deflate(void)
{
	struct source_string string;
	struct flow_zlib deflate;
	struct sink_buffer buffer;

	return keep_made(&buffer, run(some_bytes(&string), flow_deflate(&deflate, wrapping, 6, into_made(&buffer))));
}

static int run_inflate(void)
{
	struct source_string string;
	struct flow_zlib inflate;
	struct sink_null null;

	return run(made_bytes(&string), flow_inflate(&inflate, wrapping, sink_null(&null)));
}

TASK_TEST(split_hash_deflate_and_inflate_without_memory_fail_and_leave_nothing)
{
	assert_int_equal(fail_each_allocation(run_split, false), 1);
	assert_int_equal(fail_each_allocation(run_sha256, false), 1);
	for (wrapping = CODEC_RAW; wrapping <= CODEC_GZIP; wrapping++) {
		assert_in_range(fail_each_allocation(run_deflate, false), 3, 9);
		assert_in_range(fail_each_allocation(run_inflate, false), 2, 9);
	}
}

/* Archives -------------------------------------------------------------------------------------------------------- */

static const char long_name[] =
	"a-name-of-more-than-one-hundred-bytes-which-does-not-fit-the-old-header-and-so-needs-a-record-of-its-own";

static int write_files(struct archive *archive)
{
	static const char *const names[] = { "first", long_name, "last" };
	int err = 0;

	for (size_t i = 0; err == 0 && i < 3; i++) {
		struct source_string string;

		err = run(some_bytes(&string), archive_file(archive, names[i], sizeof content, SECOND(1700000000)));
	}
	return archive_close(archive, err, FOREVER);
}

static int write_tar(void)
{
	struct archive archive;
	struct sink_buffer buffer;
	int err = archive_open_tar(&archive, into_made(&buffer));

	return keep_made(&buffer, err < 0 ? err : write_files(&archive));
}

static int write_zip(void)
{
	struct archive archive;
	struct sink_buffer buffer;
	int err = archive_open_zip(&archive, 6, into_made(&buffer));

	return keep_made(&buffer, err < 0 ? err : write_files(&archive));
}

static struct sink_sha256 hash;

static int visit(void *context, const struct archive_entry *entry, struct sink **sink)
{
	(void)context;
	(void)entry;
	*sink = sink_sha256(&hash);
	return 0;
}

static int read_tar(void)
{
	struct source_string string;
	struct sink_archive tar;

	return run(made_bytes(&string), sink_untar(&tar, visit, NULL));
}

static int read_zip(void)
{
	struct source_string string;
	struct sink_archive zip;

	return run(made_bytes(&string), sink_unzip(&zip, visit, NULL));
}

TASK_TEST(archives_without_memory_fail_and_leave_nothing)
{
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (uint8_t)(i * i >> 7);
	fail_each_allocation(write_tar, false);
	assert_true(made_len > 3 * sizeof content);
	assert_in_range(fail_each_allocation(read_tar, false), 6, 100);
	assert_in_range(fail_each_allocation(write_zip, false), 5, 100);
	assert_in_range(fail_each_allocation(read_zip, false), 5, 100);
}

/* All at once: files become a tar archive in a task, compressed, queued, read and hashed. */
static int produce_tar(void *context, struct sink *into)
{
	struct archive archive;
	int err = archive_open_tar(&archive, into);

	(void)context;
	return err < 0 ? err : write_files(&archive);
}

static int run_all(void)
{
	struct source_task from;
	struct flow_zlib deflate, inflate;
	struct sink_archive tar;

	return run(source_task(&from, 1000, produce_tar, NULL),
		flow_deflate(
			&deflate, CODEC_GZIP, 6, flow_inflate(&inflate, CODEC_GZIP, sink_untar(&tar, visit, NULL))));
}

TASK_TEST(chain_of_all_without_memory_fails_and_leaves_nothing)
{
	assert_in_range(fail_each_allocation(run_all, true), 15, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_in_memory_allocate_nothing),
		cmocka_unit_test(files_without_memory_fail_and_leave_nothing),
		cmocka_unit_test(block_range_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(value_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(tcp_flow_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(queue_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(task_source_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(split_hash_deflate_and_inflate_without_memory_fail_and_leave_nothing),
		cmocka_unit_test(archives_without_memory_fail_and_leave_nothing),
		cmocka_unit_test(chain_of_all_without_memory_fails_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
