/* SPDX-License-Identifier: ISC
 *
 * Values of a store as streams.
 */
#include "lib/stream/test/probe.h"

#include <skerry/kv_stream.h>

enum { VALUE_LEN = 3 * STREAM_BUFFER_BYTES / 2 };

TASK_TEST(value_arrives_whole_and_a_missing_one_is_an_error)
{
	static uint8_t value[VALUE_LEN], copy[VALUE_LEN + 1];
	struct source_kv source;
	struct sink_buffer buffer;
	struct kv *kv = NULL;

	for (size_t i = 0; i < VALUE_LEN; i++)
		value[i] = (uint8_t)(i * 2654435761u >> 13);
	assert_int_equal(kv_memory_open(1 << 20, &kv), 0);
	assert_int_equal(kv_set(kv, "a/b", value, VALUE_LEN), 0);
	assert_int_equal(stream_run(source_kv(&source, kv, "a/b"), sink_buffer(&buffer, copy, sizeof copy), FOREVER),
		STREAM_COMPLETE);
	assert_int_equal(buffer.len, VALUE_LEN);
	assert_memory_equal(copy, value, VALUE_LEN);
	assert_int_equal(stream_run(source_kv(&source, kv, "a"), sink_buffer(&buffer, copy, 1), FOREVER), -EISDIR);
	assert_int_equal(stream_run(source_kv(&source, kv, "c"), sink_buffer(&buffer, copy, 1), FOREVER), -ENOENT);
	kv_close(kv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_arrives_whole_and_a_missing_one_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
