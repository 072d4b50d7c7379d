/* SPDX-License-Identifier: ISC
 *
 * Formatted text, compared with the host's snprintf() over all combinations of flags, widths, precisions and values.
 */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <skerry/text.h>

static char ours[1024], theirs[1024];

static void assert_same(size_t len, int their_len, const char *format)
{
	if (len != (size_t)their_len || strcmp(ours, theirs) != 0)
		fail_msg("\"%s\": \"%s\" (%zu), but snprintf gives \"%s\" (%d)", format, ours, len, theirs, their_len);
}

/* The format is built at run time, which is what these tests are about. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#define compare(format, ...)                                                                                           \
	assert_same(text_format(ours, sizeof ours, format, __VA_ARGS__),                                               \
		snprintf(theirs, sizeof theirs, format, __VA_ARGS__), format)

static const char *const sizes[] = { "", "1", "7", "25", ".", ".0", ".1", ".3", ".9", ".24", "12.0", "12.5", "30.26" };
enum { SIZES = sizeof sizes / sizeof *sizes, FLAGS = 32 };

/* %, the flags of a set, a size, a length and a conversion. */
static const char *make_format(unsigned flags, const char *size, const char *length, char conversion)
{
	static char format[32];
	char *end = format;

	*end++ = '%';
	for (unsigned i = 0; i < 5; i++)
		if (flags >> i & 1)
			*end++ = "-0+ #"[i];
	sprintf(end, "%s%s%c", size, length, conversion);
	return format;
}

static void integers_are_as_in_the_c_library(void **state)
{
	static const long long numbers[] = { 0, 1, -1, 7, 8, 42, -128, 255, 256, 32768, 65535, INT_MAX, INT_MIN,
		UINT_MAX, LLONG_MAX, LLONG_MIN, 1234567890123456789 };

	(void)state;
	for (const char *conversion = "diuoxX"; *conversion; conversion++)
		for (unsigned flags = 0; flags < FLAGS; flags++)
			for (size_t s = 0; s < SIZES; s++)
				for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
					compare(make_format(flags, sizes[s], "", *conversion), (int)numbers[n]);
					compare(make_format(flags, sizes[s], "hh", *conversion), (int)numbers[n]);
					compare(make_format(flags, sizes[s], "h", *conversion), (int)numbers[n]);
					compare(make_format(flags, sizes[s], "l", *conversion), (long)numbers[n]);
					compare(make_format(flags, sizes[s], "ll", *conversion), numbers[n]);
					compare(make_format(flags, sizes[s], "j", *conversion), (intmax_t)numbers[n]);
					compare(make_format(flags, sizes[s], "z", *conversion), (size_t)numbers[n]);
					compare(make_format(flags, sizes[s], "t", *conversion), (ptrdiff_t)numbers[n]);
				}
}

static void strings_and_characters_are_as_in_the_c_library(void **state)
{
	static const char *const texts[] = { "", "a", "hello, world", "na\303\257ve" };

	(void)state;
	for (unsigned flags = 0; flags < 2; flags++)
		for (size_t s = 0; s < SIZES; s++) {
			for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
				compare(make_format(flags, sizes[s], "", 's'), texts[n]);
			compare(make_format(flags, sizes[s][0] == '.' ? "" : sizes[s], "", 'c'), 'x');
		}
	/* Without a 0 where the precision ends the reading. */
	compare("%.3s|%.*s|%*d|%-*d|%*d", (const char[3]){ 'a', 'b', 'c' }, 2, "xyz", 5, 1, 6, 2, -7, 3);
	compare("100%% of %s %d %c", "text", 3, 'c');
	compare("%p", (void *)ours);
	text_format(ours, sizeof ours, make_format(0, "", "", 's'), (const char *)NULL);
	assert_string_equal(ours, "(null)");
}

static void numbers_with_a_point_are_rounded_as_in_the_c_library(void **state)
{
	static const double numbers[] = { 0, -0.0, 1, -1, 0.5, 1.5, 2.5, 0.25, 0.125, 0.375, 9.5, 99.5, 0.95, 0.995,
		999.9996, 1e-5, 5e-7, 4.9999999e-7, 1e-17, 5e-18, 1e-30, 5e-324, 3.14159265358979, 1e15,
		123456789.987654321, 9007199254740993.0, 18446744073709549568.0, 0.1, 0.3, 1.0 / 3, 2.0 / 3,
		0.99999999999999989, 0.5000000000000001, 0.49999999999999994, 1e-10, 1.2345678e-12, INFINITY,
		-INFINITY };
	uint64_t seed = 1;

	(void)state;
	for (unsigned flags = 0; flags < FLAGS; flags++)
		for (size_t s = 0; s < SIZES; s++)
			for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
				if (!strchr(sizes[s], '2') || sizes[s][0] == '1') /* no more than 17 digits */
					compare(make_format(flags, sizes[s], "", 'f'), numbers[n]);
	for (int i = 0; i < 200000; i++) {
		double number;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		number = ldexp((double)(seed >> 11), (int)(seed % 140) - 130);
		compare("%.*f", (int)(seed >> 20) % 18, i & 1 ? number : -number);
	}
	compare("%Lf", 0.75L);
	compare("%F %f", (double)-INFINITY, (double)NAN);
}

static void what_a_double_can_hold_beyond_is_only_compared(void **state)
{
	(void)state;
	text_format(ours, sizeof ours, "%f %.1f %g %e", 0x1p64, -1e300, 0.5, 1.25);
	assert_string_equal(ours, ">18446744073709551615 <-18446744073709551615 0.500000 1.250000");
}

static void a_small_buffer_is_cut_and_the_length_is_told(void **state)
{
	(void)state;
	for (size_t size = 0; size < 20; size++) {
		char *exact = malloc(size ? size : 1);

		exact[0] = 'z';
		assert_int_equal(text_format(exact, size, "%s %05d", "hello", 42), 11);
		if (size > 0) {
			snprintf(theirs, size, "%s %05d", "hello", 42);
			assert_string_equal(exact, theirs);
		} else {
			assert_int_equal(exact[0], 'z');
		}
		free(exact);
	}
	assert_int_equal(text_format(NULL, 0, "%d", 123), 3);
}

static void an_unknown_conversion_ends_the_interpretation(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = { { "%d %n %d", "1 %n %d" }, { "%d %y", "1 %y" }, { "%d %", "1 %" }, { "%d %5", "1 %5" },
		{ "%d %ls %d", "1 %ls %d" }, { "%d %lc", "1 %lc" }, { "%d %-", "1 %-" }, { "%d %l", "1 %l" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		text_format(ours, sizeof ours, cases[i].format, 1, 2, 3);
		assert_string_equal(ours, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_as_in_the_c_library),
		cmocka_unit_test(strings_and_characters_are_as_in_the_c_library),
		cmocka_unit_test(numbers_with_a_point_are_rounded_as_in_the_c_library),
		cmocka_unit_test(what_a_double_can_hold_beyond_is_only_compared),
		cmocka_unit_test(a_small_buffer_is_cut_and_the_length_is_told),
		cmocka_unit_test(an_unknown_conversion_ends_the_interpretation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
