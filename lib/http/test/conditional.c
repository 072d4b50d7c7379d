/* SPDX-License-Identifier: ISC
 *
 * Accept-Encoding, If-None-Match, and the head of a response.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <skerry/clock.h>

#include "../http_conditional.h"
#include "../http_head.h"

/* RFC 9110, 12.4.2 and 12.5.3. */
static void gzip_is_sent_to_those_who_ask(void **state)
{
	static const char *const yes[] = { "gzip", "GZIP", "deflate, gzip", "x-gzip", "gzip;q=1", "gzip;q=0.001", "*",
		"br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip ; q=0.5", "identity;q=0.5, gzip;q=0.5", "*;q=0.2",
		"gzip;Q=1.000", "gzip, *;q=0", "gzip, deflate, br, zstd" };
	static const char *const no[] = { "", "br", "gzip;q=0", "gzip;q=0.000", "gzip; q=0", "*;q=0", "identity",
		"gzip;q=0, *", "gzip;q=0.2, identity;q=0.3", "gzipped", "gzi", "gzip;q=2", "gzip;q=x", "gzip;q",
		"gzip;", "gzip;q=0.5x", "gzip;q=1.5", "gzip;q=0.0005" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		print_message("%s\n", yes[i]);
		assert_true(http_accepts_gzip(yes[i]));
	}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
		print_message("not: %s\n", no[i]);
		assert_false(http_accepts_gzip(no[i]));
	}
	assert_false(http_accepts_gzip(NULL));
}

/* RFC 9110, 13.1.2 and 8.8.3.2. */
static void entity_tags_are_compared_weakly(void **state)
{
	static const char *const yes[] = { "\"a,b\"", "W/\"a,b\"", "\"x\", \"a,b\"", " , \"x\" ,W/\"a,b\"", "*", " *" };
	static const char *const no[] = { "", "a,b", "\"a\"", "\"a,b", "\"A,B\"", "\"x\"", "\"a,b-gzip\"", "\"x\", *",
		"w/\"a,b\"", "\"", "W/" };

	(void)state;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		assert_true(http_etag_matches(yes[i], "\"a,b\""));
		assert_true(http_etag_matches(yes[i], "W/\"a,b\""));
	}
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_false(http_etag_matches(no[i], "\"a,b\""));
	assert_false(http_etag_matches(NULL, "\"a,b\""));
}

static void variants_have_their_own_entity_tag(void **state)
{
	char etag[HTTP_ETAG_MAX];

	(void)state;
	http_gzip_etag("\"abc\"", etag);
	assert_string_equal(etag, "\"abc-gzip\"");
}

/* RFC 9110, 5.6.7 has this date. */
static void dates_have_the_fixed_form(void **state)
{
	char date[HTTP_DATE_MAX];

	(void)state;
	http_date(SECOND(784111777) + 5, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	http_date(0, date);
	assert_string_equal(date, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date(UINT64_MAX, date);
	assert_string_equal(date, "Sun, 21 Jul 2554 23:34:33 GMT");
}

static void fields_that_would_break_the_message_are_found(void **state)
{
	(void)state;
	assert_true(http_field_is_safe("X-Name", "some text, \"quoted\"\t\xc3\xa4"));
	assert_true(http_field_is_safe("X", ""));
	assert_false(http_field_is_safe("", "x"));
	assert_false(http_field_is_safe("X Y", "x"));
	assert_false(http_field_is_safe("X:", "x"));
	assert_false(http_field_is_safe("X\r\nY", "x"));
	assert_false(http_field_is_safe("X", "a\r\nSet-Cookie: b"));
	assert_false(http_field_is_safe("X", "a\n"));
	assert_false(http_field_is_safe("X", "\x7f"));
}

static void head_is_built_and_never_overrun(void **state)
{
	static const char whole[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nA: b\r\n";
	char buf[sizeof whole];

	(void)state;
	for (size_t size = 0; size < sizeof whole; size++) {
		struct http_head head = { .buf = buf, .size = size };

		memset(buf, '~', sizeof buf);
		http_head_status(&head, 404);
		http_head_number(&head, "Content-Length", 12);
		http_head_field(&head, "A", "b");
		assert_int_equal(head.full, size < sizeof whole - 1);
		assert_int_equal(buf[size], '~');
		if (!head.full)
			assert_memory_equal(buf, whole, sizeof whole - 1);
	}
}

static void every_status_has_a_reason(void **state)
{
	(void)state;
	assert_string_equal(http_reason(200), "OK");
	assert_string_equal(http_reason(431), "Request Header Fields Too Large");
	for (int status = 200; status < 600; status++)
		assert_true(strlen(http_reason(status)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_is_sent_to_those_who_ask),
		cmocka_unit_test(entity_tags_are_compared_weakly),
		cmocka_unit_test(variants_have_their_own_entity_tag),
		cmocka_unit_test(dates_have_the_fixed_form),
		cmocka_unit_test(fields_that_would_break_the_message_are_found),
		cmocka_unit_test(head_is_built_and_never_overrun),
		cmocka_unit_test(every_status_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
