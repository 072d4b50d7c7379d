/* SPDX-License-Identifier: ISC
 *
 * Codecs as flows: there and back for every wrapping and cut, known answers, and input that is wrong or ends early.
 */
#include "probe.h"

#include <skerry/codec.h>

enum { TEXT_LEN = 100000, PACKED_MAX = 120000 };

static uint8_t text[TEXT_LEN], packed[PACKED_MAX], unpacked[TEXT_LEN + 1];

static void make_text(void)
{
	unsigned random = 7;

	for (size_t i = 0; i < TEXT_LEN; i++) {
		random = random * 1103515245u + 12345u;
		text[i] = i % 300 < 150 ? (uint8_t) "streams of bytes "[i % 17] : (uint8_t)(random >> 16);
	}
}

static size_t pack(enum codec_wrapping wrapping, int level)
{
	struct source_string string;
	struct flow_zlib flow;
	struct sink_buffer buffer;

	assert_int_equal(
		stream_run(source_bytes(&string, text, TEXT_LEN),
			flow_deflate(&flow, wrapping, level, sink_buffer(&buffer, packed, PACKED_MAX)), FOREVER),
		STREAM_COMPLETE);
	return buffer.len;
}

/* In pieces of this size. */
static int unpack(enum codec_wrapping wrapping, size_t len, size_t cut, struct sink_buffer *buffer)
{
	static struct stream_piece pieces[PACKED_MAX];
	struct source_array array;
	struct flow_zlib flow;
	size_t count = 0;
	int err;

	for (size_t at = 0; at < len; at += cut)
		pieces[count++] = (struct stream_piece){ packed + at, len - at < cut ? len - at : cut };
	err = stream_run(source_array(&array, pieces, count),
		flow_inflate(&flow, wrapping, sink_buffer(buffer, unpacked, sizeof unpacked)), FOREVER);
	source_stop(&array.source, 0);
	return err;
}

TASK_TEST(every_wrapping_and_level_comes_back_however_it_is_cut)
{
	static const int levels[] = { 0, 1, 6, 9 };
	static const size_t cuts[] = { 1, 7, 4096, PACKED_MAX };
	struct sink_buffer buffer;

	make_text();
	for (enum codec_wrapping wrapping = CODEC_RAW; wrapping <= CODEC_GZIP; wrapping++)
		for (size_t i = 0; i < 4; i++) {
			size_t len = pack(wrapping, levels[i]);

			assert_true(levels[i] == 0 ? len > TEXT_LEN : len < TEXT_LEN * 2 / 3);
			/* Where the last piece ends with the stream, the source may not know yet that it is empty. */
			assert_true(unpack(wrapping, len, cuts[i], &buffer) >= 0);
			assert_int_equal(buffer.len, TEXT_LEN);
			assert_memory_equal(unpacked, text, TEXT_LEN);
		}
}

TASK_TEST(gzip_of_another_tool_is_read)
{
	/* printf skerry | gzip -n */
	static const uint8_t gz[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x2b, 0xce, 0x4e, 0x2d, 0x2a, 0xaa, 4, 0,
		0x73, 0xf1, 0xcb, 0xbd, 6, 0, 0, 0 };
	struct sink_buffer buffer;

	memcpy(packed, gz, sizeof gz);
	assert_true(unpack(CODEC_GZIP, sizeof gz, sizeof gz, &buffer) >= 0);
	assert_int_equal(buffer.len, 6);
	assert_memory_equal(unpacked, "skerry", 6);
}

TASK_TEST(every_truncation_fails)
{
	struct sink_buffer buffer;
	size_t len;

	make_text();
	len = pack(CODEC_GZIP, 9);
	for (size_t cut = 0; cut < len; cut += cut < len - 20 ? 997 : 1)
		assert_int_equal(unpack(CODEC_GZIP, cut, PACKED_MAX, &buffer), -EBADMSG);
}

TASK_TEST(changed_bytes_never_come_out_as_complete)
{
	struct sink_buffer buffer;
	size_t len;

	make_text();
	len = pack(CODEC_GZIP, 9);
	for (size_t at = 10; at < len; at += 499) {
		packed[at] ^= 0x10;
		assert_true(unpack(CODEC_GZIP, len, PACKED_MAX, &buffer) < 0 || buffer.len == sizeof unpacked);
		packed[at] ^= 0x10;
	}
}

TASK_TEST(what_follows_the_compressed_stream_is_left_to_the_byte)
{
	struct source_string string;
	struct flow_zlib flow;
	struct sink_null null;
	struct sink_buffer buffer;
	char rest[16] = { 0 };
	size_t len;

	make_text();
	len = pack(CODEC_ZLIB, 6);
	memcpy(packed + len, "what follows", 12);
	source_bytes(&string, packed, len + 12);
	assert_int_equal(
		stream_run(&string.source, flow_inflate(&flow, CODEC_ZLIB, sink_null(&null)), FOREVER), STREAM_LEFT);
	assert_int_equal(null.bytes, TEXT_LEN);
	assert_int_equal(stream_run(&string.source, sink_buffer(&buffer, rest, 16), FOREVER), STREAM_COMPLETE);
	assert_string_equal(rest, "what follows");
}

/* A bomb: what is behind bounds it, and what is not wanted is never made. */
TASK_TEST(take_bounds_what_is_decompressed)
{
	struct probe_source from = { 0 };
	struct flow_zlib deflate, inflate;
	struct flow_take take;
	struct sink_null null;

	assert_int_equal(stream_run(probe_source(&from, 1 << 26, 65536),
				 flow_deflate(&deflate, CODEC_RAW, 9,
					 flow_inflate(&inflate, CODEC_RAW, flow_take(&take, 1000, sink_null(&null)))),
				 FOREVER),
		STREAM_LEFT);
	source_stop(&from.source, 0);
	assert_int_equal(null.bytes, 1000);
	assert_true(from.left > 1 << 24);
}

TASK_TEST(no_such_level_fails_and_tells_both_ends)
{
	struct probe_source from = { 0 };
	struct probe_flow flow = { 0 };
	struct flow_zlib deflate;
	struct sink_null null;

	assert_int_equal(stream_run(probe_source(&from, 10, 10),
				 flow_deflate(&deflate, CODEC_RAW, 10, probe_flow(&flow, sink_null(&null))), FOREVER),
		-EINVAL);
	assert_int_equal(from.probe.error, -EINVAL);
	assert_int_equal(flow.probe.error, -EINVAL);
}

/* FIPS 180-2, B.1 and B.2. */
TASK_TEST(sha256_has_the_known_answers)
{
	static const struct {
		const char *text;
		uint8_t begin[4];
	} known[] = {
		{ "abc", { 0xba, 0x78, 0x16, 0xbf } },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", { 0x24, 0x8d, 0x6a, 0x61 } },
		{ "", { 0xe3, 0xb0, 0xc4, 0x42 } },
	};

	for (size_t i = 0; i < 3; i++) {
		struct source_string string;
		struct sink_sha256 hash;
		struct flow_tee tee;
		struct sink_null null;

		assert_int_equal(stream_run(source_string(&string, known[i].text),
					 flow_tee(&tee, sink_sha256(&hash), sink_null(&null)), FOREVER),
			STREAM_COMPLETE);
		assert_memory_equal(hash.digest, known[i].begin, 4);
		assert_int_equal(null.bytes, strlen(known[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_and_level_comes_back_however_it_is_cut),
		cmocka_unit_test(gzip_of_another_tool_is_read),
		cmocka_unit_test(every_truncation_fails),
		cmocka_unit_test(changed_bytes_never_come_out_as_complete),
		cmocka_unit_test(what_follows_the_compressed_stream_is_left_to_the_byte),
		cmocka_unit_test(take_bounds_what_is_decompressed),
		cmocka_unit_test(no_such_level_fails_and_tells_both_ends),
		cmocka_unit_test(sha256_has_the_known_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
