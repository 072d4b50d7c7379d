/* SPDX-License-Identifier: ISC
 *
 * The chunked decoder (RFC 9112, 7.1): each body is decoded whole, byte by byte and cut in two at every place; all must
 * give the same data, the same end, and leave the same bytes behind it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../http_chunked.h"

struct outcome {
	enum http_chunked_event event;
	char data[256];
	size_t data_len;
	size_t used;
};

static void feed(struct http_chunked *chunked, struct outcome *outcome, const char *bytes, size_t len)
{
	char *copy = malloc(len + !len);
	const char *input = copy;
	size_t left = len;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	while ((outcome->event = http_chunked_next(chunked, &input, &left)) == HTTP_CHUNKED_DATA) {
		assert_true(chunked->data_len > 0 && outcome->data_len + chunked->data_len <= sizeof outcome->data);
		memcpy(outcome->data + outcome->data_len, chunked->data, chunked->data_len);
		outcome->data_len += chunked->data_len;
	}
	outcome->used += len - left;
	free(copy);
}

/* In pieces: up to cut, then of step bytes. */
static struct outcome decode(const char *bytes, size_t len, size_t cut, size_t step)
{
	struct http_chunked chunked = { 0 };
	struct outcome outcome = { .event = HTTP_CHUNKED_MORE };

	feed(&chunked, &outcome, bytes, cut);
	for (size_t at = cut; at < len && outcome.event == HTTP_CHUNKED_MORE; at += step)
		feed(&chunked, &outcome, bytes + at, len - at < step ? len - at : step);
	return outcome;
}

static struct outcome decode_in_all_ways(const char *text)
{
	size_t len = strlen(text);
	struct outcome whole = decode(text, len, len, 1);

	for (size_t cut = 0; cut <= len; cut++) {
		struct outcome two = decode(text, len, cut, len + 1), bytes = decode(text, len, cut, 1);

		assert_memory_equal(&two, &whole, sizeof whole);
		assert_memory_equal(&bytes, &whole, sizeof whole);
	}
	return whole;
}

static void gives(const char *text, const char *data, size_t rest)
{
	struct outcome outcome = decode_in_all_ways(text);

	assert_int_equal(outcome.event, HTTP_CHUNKED_END);
	assert_int_equal(outcome.data_len, strlen(data));
	assert_memory_equal(outcome.data, data, outcome.data_len);
	assert_int_equal(strlen(text) - outcome.used, rest);
}

static void chunks_are_put_together(void **state)
{
	(void)state;
	gives("5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n", "hello, world", 0);
	gives("0\r\n\r\n", "", 0);
	gives("A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0);
	gives("00a\r\n0123456789\r\n000\r\n\r\n", "0123456789", 0);
	gives("2\r\n\r\n\r\n0\r\n\r\n", "\r\n", 0);
}

static void bytes_behind_the_end_are_left(void **state)
{
	(void)state;
	gives("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "x", 16);
}

/* RFC 9112, 7.1.1 and 7.1.2. */
static void extensions_and_trailers_are_skipped(void **state)
{
	(void)state;
	gives("1;a=b\r\nx\r\n0;c=\"d;e\"\r\n\r\n", "x", 0);
	gives("1 ;a\r\nx\r\n0 \t ; b\r\n\r\n", "x", 0);
	gives("1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nG", "x", 1);
}

static void malformed_chunks_are_errors(void **state)
{
	static const char *const bodies[] = { "\r\n", ";\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\nx\r\n",
		" 1\r\nx\r\n", "1 \r\nx\r\n0\r\n\r\n", "1\nx\r\n", "1\rx", "1\r\nxy", "1\r\nx\n", "1\r\nx\ry",
		"1;a\nx\r\n", "1;a\rb\r\nx", "1;\x01\r\nx", "0\r\n\n", "0\r\nA: b\n\r\n", "0\r\nA\x7f: b\r\n\r\n",
		"10000000000000000\r\n", "fffffffffffffffff\r\n", "ffffffffffffffff\r\nx" };

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		print_message("%s\n", bodies[i]);
		assert_int_equal(decode_in_all_ways(bodies[i]).event, HTTP_CHUNKED_ERROR);
	}
}

static void cut_off_bodies_ask_for_more(void **state)
{
	static const char body[] = "5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n";

	(void)state;
	for (size_t len = 0; len < sizeof body - 1; len++)
		assert_int_equal(decode(body, len, len, 1).event, HTTP_CHUNKED_MORE);
}

static void an_error_is_final(void **state)
{
	struct http_chunked chunked = { 0 };
	const char *input = "x";
	size_t len = 1;

	(void)state;
	assert_int_equal(http_chunked_next(&chunked, &input, &len), HTTP_CHUNKED_ERROR);
	input = "0\r\n\r\n";
	len = 5;
	assert_int_equal(http_chunked_next(&chunked, &input, &len), HTTP_CHUNKED_ERROR);
}

/* A chunk-size line, extensions in many chunks, and trailers, each without an end. */
static void what_is_skipped_is_bounded(void **state)
{
	static const struct {
		const char *begin, *again;
		size_t bound;
	} cases[] = { { "1;", "x", HTTP_CHUNK_LINE_MAX }, { "", "0", HTTP_CHUNK_LINE_MAX },
		{ "", "1;abcdefgh\r\nx\r\n", 2 * HTTP_CHUNK_EXTENSIONS_MAX },
		{ "0\r\n", "A: b\r\n", 2 * HTTP_TRAILERS_MAX } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http_chunked chunked = { 0 };
		struct outcome outcome = { 0 };

		feed(&chunked, &outcome, cases[i].begin, strlen(cases[i].begin));
		while (outcome.event == HTTP_CHUNKED_MORE && outcome.used <= cases[i].bound) {
			outcome.data_len = 0;
			feed(&chunked, &outcome, cases[i].again, strlen(cases[i].again));
		}
		assert_int_equal(outcome.event, HTTP_CHUNKED_ERROR);
	}
}

static void data_read_by_the_caller_is_skipped(void **state)
{
	struct http_chunked chunked = { 0 };
	struct outcome outcome = { 0 };

	(void)state;
	feed(&chunked, &outcome, "a\r\nab", 5);
	assert_int_equal(chunked.left, 8);
	http_chunked_skip(&chunked, 7);
	assert_int_equal(chunked.left, 1);
	http_chunked_skip(&chunked, 1);
	feed(&chunked, &outcome, "\r\n0\r\n\r\n", 7);
	assert_int_equal(outcome.event, HTTP_CHUNKED_END);
	assert_int_equal(outcome.data_len, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_put_together),
		cmocka_unit_test(bytes_behind_the_end_are_left),
		cmocka_unit_test(extensions_and_trailers_are_skipped),
		cmocka_unit_test(malformed_chunks_are_errors),
		cmocka_unit_test(cut_off_bodies_ask_for_more),
		cmocka_unit_test(an_error_is_final),
		cmocka_unit_test(what_is_skipped_is_bounded),
		cmocka_unit_test(data_read_by_the_caller_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
