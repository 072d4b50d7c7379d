/* SPDX-License-Identifier: ISC
 *
 * The parser of request heads, by clause of RFC 9110 and 9112. Each head is parsed whole and byte by byte, in a block
 * of exactly its size so that the sanitizers see a byte read too much; both must tell the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../http_parse.h"

enum { LIMIT = 8192 };
#define HOST "Host: a\r\n"

static struct http_request request;
static char *block;

static int teardown(void **state)
{
	(void)state;
	free(block);
	block = NULL;
	return 0;
}

static char *copy_of(const char *bytes, size_t len)
{
	char *copy = malloc(len + !len);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return copy;
}

/* Byte by byte: what the parser sees later lies elsewhere, as after a buffer that was read into. */
static int parse_slowly(struct http_request *slow, const char *bytes, size_t len)
{
	int status = HTTP_HEAD_MORE;

	http_request_init(slow, LIMIT);
	for (size_t n = 1; n <= len && status == HTTP_HEAD_MORE; n++) {
		char *copy = copy_of(bytes, n);

		status = http_request_feed(slow, copy, n);
		free(copy);
	}
	return status;
}

static int parse_bytes(const char *bytes, size_t len)
{
	struct http_request slow;
	int status;

	free(block);
	block = copy_of(bytes, len);
	http_request_init(&request, LIMIT);
	status = http_request_feed(&request, block, len);
	assert_int_equal(parse_slowly(&slow, bytes, len), status);
	assert_int_equal(slow.head_len, request.head_len);
	assert_int_equal(slow.line_count, request.line_count);
	assert_int_equal(slow.content_length, request.content_length);
	assert_int_equal(slow.chunked, request.chunked);
	assert_ptr_equal(slow.reason, request.reason);
	return status;
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void field_is(const char *name, const char *value)
{
	const char *found = http_request_field(&request, name);

	assert_non_null(found);
	assert_string_equal(found, value);
}

static void request_line_is_cut_into_method_path_and_query(void **state)
{
	(void)state;
	assert_int_equal(parse("GET /a/b?c=d%20e HTTP/1.1\r\n" HOST "\r\nbody"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.method, "GET");
	assert_string_equal(request.path, "/a/b");
	assert_string_equal(request.query, "c=d%20e");
	assert_int_equal(request.minor, 1);
	assert_int_equal(request.head_len, strlen("GET /a/b?c=d%20e HTTP/1.1\r\n" HOST "\r\n"));
	assert_true(request.keep_alive);
	assert_false(request.chunked);
	assert_int_equal(request.content_length, 0);
}

static void incomplete_head_asks_for_more(void **state)
{
	static const char *const heads[] = { "", "G", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\n" HOST, "GET / HTTP/1.1\r\n" HOST "\r", "\r\n", "\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		assert_int_equal(parse(heads[i]), HTTP_HEAD_MORE);
}

/* RFC 9112, 2.2. */
static void empty_lines_before_the_request_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(parse("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "/");
}

/* RFC 9110, 5.1 and 5.5. */
static void fields_are_found_without_case_and_trimmed(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/1.1\r\nHOST:\t a \t\r\nX-Empty:\r\nX-Some: a  b\xc3\xa4\r\n\r\n"),
		HTTP_HEAD_COMPLETE);
	field_is("host", "a");
	field_is("x-EMPTY", "");
	field_is("X-Some", "a  b\xc3\xa4");
	assert_null(http_request_field(&request, "X"));
	assert_null(http_request_field(&request, "X-Some-Other"));
}

/* RFC 9110, 5.3. */
static void fields_of_one_name_are_joined_in_order(void **state)
{
	(void)state;
	assert_int_equal(
		parse("GET / HTTP/1.1\r\nA: 1\r\nB: x\r\n" HOST "a:2\r\nC:\r\nb: y \r\nA:  3\r\nD: end\r\n\r\n"),
		HTTP_HEAD_COMPLETE);
	assert_int_equal(request.line_count, 5);
	field_is("A", "1, 2, 3");
	field_is("B", "x, y");
	field_is("C", "");
	field_is("D", "end");
	field_is("Host", "a");
}

static void shortest_names_and_empty_values_are_joined_in_place(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/1.0\r\na:\r\na:\r\na:1\r\nb:2\r\na:\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_int_equal(request.line_count, 2);
	field_is("a", ", , 1, ");
	field_is("b", "2");
}

/* RFC 9112, 3.2. */
static void path_is_decoded_and_query_is_not(void **state)
{
	(void)state;
	assert_int_equal(parse("GET /%41%2f%C3%a4%25?%41 HTTP/1.0\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "/A/\xc3\xa4%");
	assert_string_equal(request.query, "%41");
	assert_int_equal(parse("GET /? HTTP/1.0\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.query, "");
}

/* RFC 9112, 3.2.2. */
static void absolute_target_gives_path_and_host(void **state)
{
	(void)state;
	assert_int_equal(parse("GET http://b:80/x?y HTTP/1.1\r\n" HOST "\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "/x");
	assert_string_equal(request.query, "y");
	field_is("Host", "b:80");
	assert_int_equal(parse("GET HTTPS://[::1] HTTP/1.1\r\n" HOST "\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "/");
	assert_string_equal(request.query, "");
	field_is("Host", "[::1]");
	assert_int_equal(parse("GET http://b?q=/ HTTP/1.0\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "/");
	assert_string_equal(request.query, "q=/");
	assert_int_equal(parse("OPTIONS http://b HTTP/1.1\r\n" HOST "\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "*");
	assert_int_equal(parse("GET http:/// HTTP/1.1\r\n" HOST "\r\n"), 400);
	assert_int_equal(parse("GET http://u@b/ HTTP/1.1\r\n" HOST "\r\n"), 400);
	assert_int_equal(parse("GET ftp://b/ HTTP/1.1\r\n" HOST "\r\n"), 400);
}

/* RFC 9112, 3.2.3 and 3.2.4. */
static void asterisk_is_for_options_only(void **state)
{
	(void)state;
	assert_int_equal(parse("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), HTTP_HEAD_COMPLETE);
	assert_string_equal(request.path, "*");
	assert_int_equal(parse("GET * HTTP/1.1\r\n" HOST "\r\n"), 400);
	assert_int_equal(parse("CONNECT b:80 HTTP/1.1\r\n" HOST "\r\n"), 501);
}

static void malformed_request_lines_are_refused(void **state)
{
	static const char *const lines[] = { "GET", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1",
		"GET /a b HTTP/1.1", "GET / http/1.1", "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/1.1x",
		"GET / HTTP/11.1", "GET /\tHTTP/1.1", "GET /\x80 HTTP/1.1", "GET /#f HTTP/1.1", "GET a HTTP/1.1",
		"G(T / HTTP/1.1", "GET /%4 HTTP/1.1", "GET /% HTTP/1.1", "GET /%zz HTTP/1.1", "GET /%00 HTTP/1.1",
		"{} / HTTP/1.1", "GET ? HTTP/1.1" };
	char head[256];

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		snprintf(head, sizeof head, "%s\r\n" HOST "\r\n", lines[i]);
		print_message("%s", head);
		assert_int_equal(parse(head), 400);
		assert_non_null(request.reason);
	}
}

/* RFC 9110, 2.5 and 6.2; RFC 9113, 3.4 has the preface. */
static void other_major_versions_are_refused_and_later_minor_ones_served(void **state)
{
	(void)state;
	assert_int_equal(parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
	assert_int_equal(parse("GET / HTTP/0.9\r\n\r\n"), 505);
	assert_int_equal(parse("GET / HTTP/3.0\r\n\r\n"), 505);
	assert_int_equal(parse("GET / HTTP/1.7\r\n" HOST "\r\n"), HTTP_HEAD_COMPLETE);
	assert_int_equal(request.minor, 1);
}

/* RFC 9112, 3.2. */
static void host_is_required_once_and_valid(void **state)
{
	static const char *const bad[] = { "", "Host: a\r\nHost: a\r\n", "Host: a\r\nX: y\r\nhOST: b\r\n",
		"Host:\r\nHost: a\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n", "Host: a:b\r\n",
		"Host: [::1\r\n", "Host: [::g]\r\n", "Host: a:1:2\r\n", "Host: http://a\r\n", "Host: a#\r\n",
		"Host: [\r\n", "Host: ]\r\n" };
	static const char *const good[] = { "Host: a\r\n", "Host:\r\n", "Host: a:8080\r\n", "Host: a:\r\n",
		"Host: 10.0.0.2\r\n", "Host: [fe80::1]:80\r\n", "Host: a_b-c.d\r\n" };
	char head[256];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(head, sizeof head, "GET / HTTP/1.1\r\n%s\r\n", bad[i]);
		assert_int_equal(parse(head), 400);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		snprintf(head, sizeof head, "GET / HTTP/1.1\r\n%s\r\n", good[i]);
		assert_int_equal(parse(head), HTTP_HEAD_COMPLETE);
	}
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), HTTP_HEAD_COMPLETE);
}

/* RFC 9112, 2.2, 5, 5.1 and 5.2. */
static void malformed_lines_are_refused(void **state)
{
	static const char *const heads[] = { "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
		"GET / HTTP/1.1\rHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n" HOST "\r\n",
		"GET / HTTP/1.1\r\n" HOST "nocolon\r\n\r\n", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n",
		"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "GET / HTTP/1.1\r\n" HOST "\tX: b\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", "GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "X\x0b: a\r\n\r\n", "GET / HTTP/1.1\r\n" HOST "X(Y): a\r\n\r\n", "\n" };

	(void)state;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		assert_int_equal(parse(heads[i]), 400);
		assert_non_null(request.reason);
	}
	assert_int_equal(parse_bytes("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29), 400);
}

static void another_protocol_is_refused_at_its_first_byte(void **state)
{
	(void)state;
	assert_int_equal(parse_bytes("\x16\x03\x01", 3), 400); /* TLS */
}

/* Where two parsers could disagree on a message's end (RFC 9112, 6.1, 6.3 and 11.2). */
static void ambiguous_framing_is_refused(void **state)
{
	static const struct {
		const char *fields;
		int status;
	} cases[] = {
		{ "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400 },
		{ "Content-Length: 5\r\nContent-Length: 5\r\n", 400 },
		{ "Content-Length: 5\r\ncontent-length: 6\r\n", 400 },
		{ "Content-Length: 5, 5\r\n", 400 },
		{ "Content-Length: +5\r\n", 400 },
		{ "Content-Length: -5\r\n", 400 },
		{ "Content-Length: 0x5\r\n", 400 },
		{ "Content-Length: 5 5\r\n", 400 },
		{ "Content-Length: 5;\r\n", 400 },
		{ "Content-Length: \r\n", 400 },
		{ "Content-Length:\r\nContent-Length: 5\r\n", 400 },
		{ "Content-Length: 5\r\nContent-Length:\r\n", 400 },
		{ "Content-Length : 5\r\n", 400 },
		{ "Content-Length: 5\r\n Transfer-Encoding: chunked\r\n", 400 },
		{ "Content-Length: 18446744073709551621\r\n", 413 },
		{ "Content-Length: 9223372036854775808\r\n", 413 },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400 },
		{ "Transfer-Encoding: chunked, chunked\r\n", 400 },
		{ "Transfer-Encoding: chunked, identity\r\n", 400 },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400 },
		{ "Transfer-Encoding: chunked;q=1\r\n", 400 },
		{ "Transfer-Encoding: \"chunked\"\r\n", 400 },
		{ "Transfer-Encoding: chunked x\r\n", 400 },
		{ "Transfer-Encoding:\r\n", 400 },
		{ "Transfer-Encoding: ,\r\n", 400 },
		{ "Transfer-Encoding : chunked\r\n", 400 },
		{ "Transfer-Encoding: \x0b"
		  "chunked\r\n",
			400 },
		{ "Transfer-Encoding: identity\r\n", 501 },
		{ "Transfer-Encoding: gzip\r\n", 501 },
		{ "Transfer-Encoding: gzip, chunked\r\n", 501 },
		{ "Transfer-Encoding: xchunked\r\n", 501 },
		{ "Transfer-Encoding: chunke\r\n", 501 },
	};
	char head[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(head, sizeof head, "POST / HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
		print_message("%s", cases[i].fields);
		assert_int_equal(parse(head), cases[i].status);
	}
	assert_int_equal(parse("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

static void framing_is_told(void **state)
{
	(void)state;
	assert_int_equal(parse("POST / HTTP/1.1\r\n" HOST "Content-Length: 0042\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_int_equal(request.content_length, 42);
	assert_int_equal(
		parse("POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775799\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_true(request.content_length == UINT64_C(9223372036854775799));
	assert_int_equal(parse("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_true(request.chunked);
	assert_int_equal(
		parse("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: , chunked ,\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_true(request.chunked);
}

/* RFC 9112, 9.3. */
static void persistence_follows_version_and_connection(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_false(request.keep_alive);
	assert_int_equal(
		parse("GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_false(request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_true(request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_false(request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_true(request.keep_alive);
	assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_false(request.keep_alive);
}

/* RFC 9110, 10.1.1. */
static void only_100_continue_may_be_expected(void **state)
{
	(void)state;
	assert_int_equal(parse("POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_true(request.expects_continue);
	assert_int_equal(parse("POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n"), 417);
	assert_int_equal(parse("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue, x\r\n\r\n"), 417);
	assert_int_equal(parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), HTTP_HEAD_COMPLETE);
	assert_false(request.expects_continue);
}

static void head_up_to_the_limit_is_taken_and_one_byte_more_refused(void **state)
{
	static const char begin[] = "GET / HTTP/1.1\r\n" HOST "X: ";
	char head[LIMIT + 16];
	size_t len = sizeof begin - 1;

	(void)state;
	memcpy(head, begin, len);
	memset(head + len, 'x', sizeof head - len);
	memcpy(head + LIMIT - 4, "\r\n\r\n", 4);
	assert_int_equal(parse_bytes(head, LIMIT), HTTP_HEAD_COMPLETE);
	assert_int_equal(request.head_len, LIMIT);
	head[LIMIT - 4] = 'x';
	memcpy(head + LIMIT - 3, "\r\n\r\n", 4);
	assert_int_equal(parse_bytes(head, LIMIT), HTTP_HEAD_MORE);
	assert_int_equal(parse_bytes(head, LIMIT + 1), 431);
}

/* RFC 9112, 3. */
static void request_line_over_the_limit_is_refused_with_414(void **state)
{
	char head[LIMIT + 16];

	(void)state;
	memset(head, 'x', sizeof head);
	memcpy(head, "GET /", 5);
	assert_int_equal(parse_bytes(head, sizeof head), 414);
}

static void more_fields_than_the_table_holds_are_refused_with_431(void **state)
{
	char head[LIMIT];
	size_t len = (size_t)sprintf(head, "GET / HTTP/1.0\r\n");

	(void)state;
	for (int i = 0; i < HTTP_FIELDS_MAX; i++)
		len += (size_t)sprintf(head + len, "X%d: y\r\n", i);
	strcpy(head + len, "\r\n");
	assert_int_equal(parse(head), HTTP_HEAD_COMPLETE);
	assert_int_equal(request.line_count, HTTP_FIELDS_MAX);
	strcpy(head + len, "Z: y\r\n\r\n");
	assert_int_equal(parse(head), 431);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(request_line_is_cut_into_method_path_and_query, teardown),
		cmocka_unit_test_teardown(incomplete_head_asks_for_more, teardown),
		cmocka_unit_test_teardown(empty_lines_before_the_request_are_skipped, teardown),
		cmocka_unit_test_teardown(fields_are_found_without_case_and_trimmed, teardown),
		cmocka_unit_test_teardown(fields_of_one_name_are_joined_in_order, teardown),
		cmocka_unit_test_teardown(shortest_names_and_empty_values_are_joined_in_place, teardown),
		cmocka_unit_test_teardown(path_is_decoded_and_query_is_not, teardown),
		cmocka_unit_test_teardown(absolute_target_gives_path_and_host, teardown),
		cmocka_unit_test_teardown(asterisk_is_for_options_only, teardown),
		cmocka_unit_test_teardown(malformed_request_lines_are_refused, teardown),
		cmocka_unit_test_teardown(other_major_versions_are_refused_and_later_minor_ones_served, teardown),
		cmocka_unit_test_teardown(host_is_required_once_and_valid, teardown),
		cmocka_unit_test_teardown(malformed_lines_are_refused, teardown),
		cmocka_unit_test_teardown(another_protocol_is_refused_at_its_first_byte, teardown),
		cmocka_unit_test_teardown(ambiguous_framing_is_refused, teardown),
		cmocka_unit_test_teardown(framing_is_told, teardown),
		cmocka_unit_test_teardown(persistence_follows_version_and_connection, teardown),
		cmocka_unit_test_teardown(only_100_continue_may_be_expected, teardown),
		cmocka_unit_test_teardown(head_up_to_the_limit_is_taken_and_one_byte_more_refused, teardown),
		cmocka_unit_test_teardown(request_line_over_the_limit_is_refused_with_414, teardown),
		cmocka_unit_test_teardown(more_fields_than_the_table_holds_are_refused_with_431, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
