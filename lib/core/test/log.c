/* SPDX-License-Identifier: ISC
 *
 * The log, as its reader sees it on the console.
 */
#include <errno.h>
#include <regex.h>
#include <time.h>

#include <skerry/log.h>

#include "lib/core/test/dies.h"

LOG_SOURCE(application);

/* More sources, as other files would declare them, some under one name. */
#define MORE_SOURCE(variable, text)                                                                                    \
	static struct log_source variable                                                                              \
		__attribute__((section("log_sources"), used, aligned(16))) = { .name = text, .level = LOG_INFO }
MORE_SOURCE(tcp, "tcp");
MORE_SOURCE(tcp_too, "tcp");
MORE_SOURCE(ipv4, "ipv4");

static int reset_levels(void **state)
{
	char error[1];

	(void)state;
	return log_configure("info", error, sizeof error);
}

static void assert_output_matches(const char *pattern)
{
	regex_t regex;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&regex, apart_output, 0, NULL, 0) != 0)
		fail_msg("expected %s in \"%s\"", pattern, apart_output);
	regfree(&regex);
}

static void a_line_has_time_level_source_and_text(void **state)
{
	(void)state;
	apart(log_info("hello %d", 7));
	assert_output_matches("^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} -00:00: INF "
			      "\\[application\\] hello 7\n$");
}

static void a_line_shows_the_time_of_writing_in_utc(void **state)
{
	struct tm tm = { 0 };
	time_t before = time(NULL), written;

	(void)state;
	apart(log_info("now"));
	assert_non_null(strptime(apart_output, "%Y-%m-%d %H:%M:%S -00:00: INF", &tm));
	written = timegm(&tm);
	assert_true(written >= before && written <= time(NULL));
}

static void every_level_has_its_tag(void **state)
{
	char error[1];

	(void)state;
	assert_int_equal(log_configure("debug", error, sizeof error), 0);
	apart({
		log_app("1");
		log_error("2");
		log_warn("3");
		log_info("4");
		log_debug("5");
	});
	assert_output_matches("^.*APP .* 1\n.*ERR .* 2\n.*WRN .* 3\n.*INF .* 4\n.*DBG .* 5\n$");
}

static int evaluations;

static int evaluate(void)
{
	return ++evaluations;
}

static void what_the_level_holds_back_is_not_even_evaluated(void **state)
{
	(void)state;
	evaluations = 0;
	apart(log_debug("%d", evaluate()));
	assert_string_equal(apart_output, "");
	log_debug("%d", evaluate());
	assert_int_equal(evaluations, 0);
}

static void quiet_lets_nothing_through(void **state)
{
	char error[1];

	(void)state;
	assert_int_equal(log_configure("quiet", error, sizeof error), 0);
	apart(log_app("hello"));
	assert_string_equal(apart_output, "");
}

static void control_characters_cannot_forge_a_line(void **state)
{
	(void)state;
	apart(log_info("a\nb\rc\033[2Jd\te\177f\302\233g"));
	assert_output_matches("a\\?b\\?c\\?\\[2Jd\\?e\\?f.\\?g\n$");
	apart(log_info("na\303\257ve \342\202\254 \302\240"));
	assert_output_matches("na\303\257ve \342\202\254 \302\240\n$");
}

static void a_long_line_is_cut_and_still_ends_in_a_newline(void **state)
{
	char text[3 * LOG_LINE_MAX];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	apart(log_info("%s", text));
	assert_int_equal(strlen(apart_output), LOG_LINE_MAX);
	assert_int_equal(apart_output[LOG_LINE_MAX - 1], '\n');
	assert_int_equal(apart_output[LOG_LINE_MAX - 2], 'x');
	/* All lengths around the limit: nothing but the newline is lost. */
	for (size_t len = 440; len < 480; len++) {
		apart(log_info("%.*s", (int)len, text));
		assert_int_equal(apart_output[strlen(apart_output) - 1], '\n');
		assert_null(strstr(apart_output, "x?"));
		assert_int_equal(
			strlen(apart_output) < LOG_LINE_MAX ? strspn(strchr(apart_output, 'x'), "x") : len, len);
	}
}

static void levels_are_set_by_source_and_later_items_win(void **state)
{
	char error[200] = "untouched";

	(void)state;
	assert_int_equal(log_configure("tcp:debug,*:warning", error, sizeof error), 0);
	assert_int_equal(tcp.level, LOG_WARNING);
	assert_int_equal(log_configure("*:warning,tcp:debug", error, sizeof error), 0);
	assert_int_equal(tcp.level, LOG_DEBUG);
	assert_int_equal(tcp_too.level, LOG_DEBUG);
	assert_int_equal(ipv4.level, LOG_WARNING);
	assert_int_equal(log_source.level, LOG_WARNING);
	assert_int_equal(log_configure("quiet,ipv4:app,application:error", error, sizeof error), 0);
	assert_int_equal(tcp.level, LOG_QUIET);
	assert_int_equal(ipv4.level, LOG_APP);
	assert_int_equal(log_source.level, LOG_ERROR);
	assert_string_equal(error, "untouched");
}

static void an_unknown_source_is_named_with_the_known_ones(void **state)
{
	char error[200];

	(void)state;
	assert_int_equal(log_configure("tcp:debug,udp:debug", error, sizeof error), -EINVAL);
	assert_non_null(strstr(error, "\"udp\""));
	assert_non_null(strstr(error, "application"));
	assert_non_null(strstr(error, "ipv4"));
	assert_non_null(strstr(error, "tcp"));
	assert_null(strstr(strstr(error, "tcp") + 3, "tcp")); /* once */
}

static void a_mistake_changes_nothing(void **state)
{
	static const char *const mistakes[] = { "", ",", "tcp", "tcp:", ":debug", "tcp:loud", "debug,tcp:debug,",
		"debug,", "tcp:debug:info", "debug,nobody:info", "DEBUG", "tc:debug", "tcp :debug", "debug info" };
	char error[200];

	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		error[0] = 0;
		assert_int_equal(log_configure(mistakes[i], error, sizeof error), -EINVAL);
		assert_true(strlen(error) > 20);
		assert_int_equal(tcp.level, LOG_INFO);
		assert_int_equal(log_source.level, LOG_INFO);
	}
}

static void an_error_is_cut_at_the_size_of_its_buffer(void **state)
{
	(void)state;
	for (size_t size = 1; size < 100; size++) {
		char *error = malloc(size);

		assert_int_equal(log_configure("udp:debug", error, size), -EINVAL);
		assert_true(strlen(error) < size);
		free(error);
	}
}

static void a_panic_names_its_place_and_ends_the_program(void **state)
{
	(void)state;
	assert_dies("lib/core/test/log.c:", panic("%d apples", 3));
	assert_output_matches("^lib/core/test/log\\.c:[0-9]+: 3 apples\n$");
	must(1 + 1 == 2);
	assert_dies("1 + 1 == 3 does not hold", must(1 + 1 == 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_has_time_level_source_and_text, reset_levels),
		cmocka_unit_test_setup(a_line_shows_the_time_of_writing_in_utc, reset_levels),
		cmocka_unit_test_setup(every_level_has_its_tag, reset_levels),
		cmocka_unit_test_setup(what_the_level_holds_back_is_not_even_evaluated, reset_levels),
		cmocka_unit_test_setup(quiet_lets_nothing_through, reset_levels),
		cmocka_unit_test_setup(control_characters_cannot_forge_a_line, reset_levels),
		cmocka_unit_test_setup(a_long_line_is_cut_and_still_ends_in_a_newline, reset_levels),
		cmocka_unit_test_setup(levels_are_set_by_source_and_later_items_win, reset_levels),
		cmocka_unit_test_setup(an_unknown_source_is_named_with_the_known_ones, reset_levels),
		cmocka_unit_test_setup(a_mistake_changes_nothing, reset_levels),
		cmocka_unit_test_setup(an_error_is_cut_at_the_size_of_its_buffer, reset_levels),
		cmocka_unit_test_setup(a_panic_names_its_place_and_ends_the_program, reset_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
