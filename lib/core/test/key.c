/* SPDX-License-Identifier: ISC
 *
 * The boot arguments: typed values, defaults, help, and one clear line for each mistake.
 */
#include <skerry/key.h>
#include <skerry/log.h>

#include "lib/core/test/dies.h"

LOG_SOURCE(application);

static struct {
	const char *hello, *name;
	int64_t port, any;
	bool yes, verbose;
	struct key_ipv4 gateway, ipv4;
} keys;

static const struct key table[] = {
	{ .name = "hello", .type = &key_type_string, .doc = "What to say.", .initial = "Hi", .value = &keys.hello },
	{ .name = "title", .letter = 't', .type = &key_type_string, .doc = "Whom to greet.", .value = &keys.name },
	{ .name = "port",
		.letter = 'p',
		.type = &key_type_int,
		.doc = "TCP port.",
		.initial = "9000",
		.min = 1,
		.max = 65535,
		.value = &keys.port },
	{ .name = "any", .type = &key_type_int, .doc = "Any number.", .value = &keys.any },
	{ .name = "yes", .type = &key_type_bool, .doc = "Yes or no.", .initial = "true", .value = &keys.yes },
	{ .name = "verbose", .letter = 'v', .type = &key_type_flag, .doc = "Say more.", .value = &keys.verbose },
	{ .name = "ipv4-gateway", .type = &key_type_ipv4, .doc = "Gateway.", .value = &keys.gateway },
	{ .name = "ipv4", .type = &key_type_prefix, .doc = "Address.", .initial = "10.0.0.2/24", .value = &keys.ipv4 },
};

enum { ARGS_MAX = 16 };

/* Parses the arguments, which end with NULL. */
static int parse(const char *first, ...)
{
	static char words[ARGS_MAX][80]; /* the keys point into these */
	char program[] = "web", *argv[ARGS_MAX + 2] = { program };
	va_list args;
	int argc = 1;

	va_start(args, first);
	for (const char *arg = first; arg && argc <= ARGS_MAX; arg = va_arg(args, const char *)) {
		argv[argc] = words[argc - 1];
		assert_true(snprintf(argv[argc++], sizeof *words, "%s", arg) < (int)sizeof *words);
	}
	va_end(args);
	return key_parse(table, sizeof table / sizeof *table, argc, argv);
}

static void assert_ipv4(const struct key_ipv4 *ip, int a, int b, int c, int d, int prefix_len)
{
	uint8_t expected[4] = { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d };

	assert_true(ip->set);
	assert_memory_equal(ip->address, expected, 4);
	assert_int_equal(ip->prefix_len, prefix_len);
}

static void without_arguments_keys_have_their_defaults(void **state)
{
	(void)state;
	memset(&keys, 0xff, sizeof keys);
	assert_int_equal(parse(NULL), 0);
	assert_string_equal(keys.hello, "Hi");
	assert_null(keys.name);
	assert_int_equal(keys.port, 9000);
	assert_int_equal(keys.any, 0);
	assert_true(keys.yes);
	assert_false(keys.verbose);
	assert_false(keys.gateway.set);
	assert_ipv4(&keys.ipv4, 10, 0, 0, 2, 24);
}

static void every_form_of_an_argument_is_understood(void **state)
{
	(void)state;
	assert_int_equal(parse("--port=1", NULL), 0);
	assert_int_equal(keys.port, 1);
	assert_int_equal(parse("--port", "2", "-v", NULL), 0);
	assert_int_equal(keys.port, 2);
	assert_true(keys.verbose);
	assert_int_equal(parse("-p", "3", NULL), 0);
	assert_int_equal(keys.port, 3);
	assert_false(keys.verbose);
	assert_int_equal(parse("-p4", "--verbose", NULL), 0);
	assert_int_equal(keys.port, 4);
	assert_true(keys.verbose);
	assert_int_equal(parse("--title=a=b", "--hello=", NULL), 0);
	assert_string_equal(keys.name, "a=b");
	assert_string_equal(keys.hello, "");
	assert_int_equal(parse("--title", "--port=7", NULL), 0);
	assert_string_equal(keys.name, "--port=7");
	assert_int_equal(parse("--yes=false", "--ipv4-gateway=192.168.1.254", "--ipv4=0.0.0.0/0", NULL), 0);
	assert_false(keys.yes);
	assert_ipv4(&keys.gateway, 192, 168, 1, 254, 32);
	assert_ipv4(&keys.ipv4, 0, 0, 0, 0, 0);
}

static void later_arguments_win(void **state)
{
	(void)state;
	assert_int_equal(parse("--port=1", "-p2", "--port", "3", NULL), 0);
	assert_int_equal(keys.port, 3);
}

static void numbers_reach_the_ends_of_64_bits(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = { { "0", 0 }, { "-0", 0 }, { "007", 7 }, { "0x1F", 31 }, { "-0x10", -16 }, { "0XfF", 255 },
		{ "9223372036854775807", INT64_MAX }, { "-9223372036854775808", INT64_MIN },
		{ "0x7fffffffffffffff", INT64_MAX }, { "-0x8000000000000000", INT64_MIN } };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(parse("--any", good[i].text, NULL), 0);
		assert_true(keys.any == good[i].value);
	}
}

static void assert_refused(const char *name, const char *value, const char *expected)
{
	apart(apart_leave(parse(name, value, NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
	assert_non_null(strstr(apart_output, name));
	assert_non_null(strstr(apart_output, value));
	if (!strstr(apart_output, expected))
		fail_msg("expected \"%s\" in \"%s\"", expected, apart_output);
	/* one line */
	assert_ptr_equal(strchr(apart_output, '\n'), apart_output + strlen(apart_output) - 1);
}

static void a_bad_value_is_one_line_with_the_expectation_and_status_64(void **state)
{
	static const char *const bad_numbers[] = { "", "-", "x", "1x", " 1", "1 ", "+1", "1.5", "0x", "--1", "1e3",
		"9223372036854775808", "-9223372036854775809", "0x8000000000000000", "18446744073709551617" };
	static const char *const bad_ports[] = { "0", "-1", "65536", "99999999999" };
	static const char *const bad_addresses[] = { "", "10", "10.0.0", "10.0.0.256", "10.0.0.1.", "10.0.0.01",
		"a.b.c.d", "10..0.1", "10.0.0.1/24", "10.0.0.1 ", "010.0.0.1", "10.0.0.99999999999999999999" };
	static const char *const bad_prefixes[] = { "10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/024",
		"10.0.0.1/24x", "10.0.0.1/-1", "10.0.0/24" };

	(void)state;
	for (size_t i = 0; i < sizeof bad_numbers / sizeof *bad_numbers; i++)
		assert_refused("--any", bad_numbers[i], "a whole number");
	for (size_t i = 0; i < sizeof bad_ports / sizeof *bad_ports; i++)
		assert_refused("--port", bad_ports[i], "from 1 to 65535");
	for (size_t i = 0; i < sizeof bad_addresses / sizeof *bad_addresses; i++)
		assert_refused("--ipv4-gateway", bad_addresses[i], "an IPv4 address, such as");
	for (size_t i = 0; i < sizeof bad_prefixes / sizeof *bad_prefixes; i++)
		assert_refused("--ipv4", bad_prefixes[i], "prefix length, such as");
	assert_refused("--yes", "True", "true or false");
}

static void a_missing_or_needless_value_is_refused(void **state)
{
	(void)state;
	assert_refused("--port", "", "from 1 to 65535");
	apart(apart_leave(parse("--port", NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
	assert_string_equal(apart_output, "web: --port: expected a whole number from 1 to 65535\n");
	apart(apart_leave(parse("--verbose=true", NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
	assert_string_equal(apart_output, "web: --verbose \"true\": expected no value\n");
	apart(apart_leave(parse("--help=me", NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
}

static void an_unknown_key_is_named_with_the_nearest(void **state)
{
	(void)state;
	assert_refused("--prot=80", "=80", "did you mean --port?");
	assert_refused("--ipv4-gatway=1", "=1", "did you mean --ipv4-gateway?");
	assert_refused("--log=debug", "debug", "did you mean --logs?");
	assert_refused("--frobnicate=3", "=3", "there is no such key; --help lists all keys");
	assert_refused("-z3", "z3", "there is no such key");
	assert_refused("--p=1", "=1", "there is no such key; --help");
	assert_refused("--an-extremely-long-name-that-no-key-is-near-to", "", "there is no such key; --help");
}

static void words_that_are_no_keys_are_refused(void **state)
{
	static const char *const words[] = { "word", "", "-", "--", "--=x" };

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		assert_refused(words[i], "", "--help");
}

static void help_lists_every_key_with_doc_and_default_and_status_63(void **state)
{
	(void)state;
	apart(apart_leave(parse("--port=1", "--help", "--bad", NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_HELP);
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		assert_non_null(strstr(apart_output, table[i].name));
		assert_non_null(strstr(apart_output, table[i].doc));
	}
	assert_non_null(strstr(apart_output, "usage: web "));
	assert_non_null(strstr(apart_output, "-p, --port=NUMBER\n"));
	assert_non_null(strstr(apart_output, "TCP port. 1 to 65535. Default: 9000\n"));
	assert_non_null(strstr(apart_output, "--help\n"));
	assert_non_null(strstr(apart_output, "-l, --logs="));
}

static void every_program_takes_a_delay_and_a_name(void **state)
{
	(void)state;
	assert_int_equal(parse("--port=1", NULL), 0);
	assert_int_equal(key_boot.delay_s, 0);
	assert_null(key_boot.name);
	assert_int_equal(parse("--port=1", "--delay=7", "--name", "web 2", NULL), 0);
	assert_int_equal(key_boot.delay_s, 7);
	assert_string_equal(key_boot.name, "web 2");
	/* What another parse does not say is not left over. */
	assert_int_equal(parse("--port=1", NULL), 0);
	assert_int_equal(key_boot.delay_s, 0);
	assert_null(key_boot.name);
	assert_refused("--delay", "-1", "expected a whole number from 0 to 1000000");
	assert_refused("--delay", "1000001", "expected a whole number from 0 to 1000000");
	apart(apart_leave(parse("--help", NULL)));
	assert_non_null(strstr(apart_output, "    --delay=NUMBER\n"));
	assert_non_null(strstr(apart_output, "    --name=TEXT\n"));
}

static void logs_sets_log_levels_and_names_unknown_sources(void **state)
{
	(void)state;
	assert_int_equal(parse("-l", "application:debug", NULL), 0);
	assert_int_equal(log_source.level, LOG_DEBUG);
	assert_int_equal(parse("--logs=*:error", NULL), 0);
	assert_int_equal(log_source.level, LOG_ERROR);
	assert_int_equal(parse("-l*:info", NULL), 0);
	assert_int_equal(log_source.level, LOG_INFO);
	assert_refused("--logs", "nobody:debug", "no log source \"nobody\"");
	assert_refused("--logs", "application:loud", "\"loud\"");
}

static void options_of_the_bindings_at_the_front_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(parse("--solo5:debug", "--solo5:quiet", "--port=5", NULL), 0);
	assert_int_equal(keys.port, 5);
	apart(apart_leave(parse("--port=5", "--solo5:debug", NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
}

static void a_bad_default_is_reported_as_such(void **state)
{
	static int64_t value;
	static const struct key bad = {
		.name = "n", .type = &key_type_int, .doc = "N.", .initial = "x", .value = &value
	};
	char program[] = "web", *argv[] = { program, NULL };

	(void)state;
	apart(apart_leave(key_parse(&bad, 1, 1, argv)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
	assert_string_equal(apart_output, "web: default of --n, \"x\": expected a whole number\n");
}

static int mode;
static struct key_list names;
static const struct key other_table[] = {
	{ .name = "mode", .type = &key_type_choice, .doc = "How.", .choices = "fast|small|both", .value = &mode },
	{ .name = "names", .type = &key_type_list, .doc = "Who.", .initial = "ann,bob", .value = &names },
};

/* Parses one argument (NULL: none) with a table of keys. */
static int parse_with(const struct key *keys_used, size_t count, const char *argument)
{
	static char word[80];
	char program[] = "web", *argv[] = { program, word, NULL };

	snprintf(word, sizeof word, "%s", argument ? argument : "");
	return key_parse(keys_used, count, argument ? 2 : 1, argv);
}

static int parse_other(const char *argument)
{
	return parse_with(other_table, 2, argument);
}

/* Items and their text are one allocation. */
static void free_names(void)
{
	free((void *)(uintptr_t)names.items);
	names.items = NULL;
}

static void a_choice_is_its_number_and_minus_one_without_one(void **state)
{
	static const char *const choices[] = { "--mode=fast", "--mode=small", "--mode=both" };

	(void)state;
	assert_int_equal(parse_other(NULL), 0);
	assert_int_equal(mode, -1);
	free_names();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(parse_other(choices[i]), 0);
		assert_int_equal(mode, i);
		free_names();
	}
}

static void what_is_no_choice_is_refused_with_the_choices(void **state)
{
	static const char *const wrong[] = { "--mode=", "--mode=fas", "--mode=fastest", "--mode=|",
		"--mode=fast|small" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		apart(apart_leave(parse_other(wrong[i])));
		assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
		assert_non_null(strstr(apart_output, "expected fast|small|both\n"));
	}
	apart(apart_leave(parse_other("--help")));
	assert_non_null(strstr(apart_output, "--mode=fast|small|both\n"));
}

static void a_list_is_its_items_and_empty_without_text(void **state)
{
	(void)state;
	assert_int_equal(parse_other(NULL), 0);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.items[0], "ann");
	assert_string_equal(names.items[1], "bob");
	free_names();
	assert_int_equal(parse_other("--names=x"), 0);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0], "x");
	free_names();
	assert_int_equal(parse_other("--names="), 0);
	assert_int_equal(names.count, 0);
	free_names();
}

static void a_list_with_an_empty_item_is_refused(void **state)
{
	static const char *const wrong[] = { "--names=,", "--names=a,", "--names=,a", "--names=a,,b" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		apart(apart_leave(parse_other(wrong[i])));
		assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
		assert_non_null(strstr(apart_output, "expected items with commas between them\n"));
	}
}

static void what_is_required_and_not_given_is_named(void **state)
{
	static const char *title;
	static const struct key required = {
		.name = "title", .type = &key_type_string, .doc = "What to say.", .value = &title, .required = true
	};
	static const struct key satisfied = { .name = "title",
		.type = &key_type_string,
		.doc = "D.",
		.value = &title,
		.initial = "Hi",
		.required = true };

	(void)state;
	apart(apart_leave(parse_with(&required, 1, NULL)));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
	assert_string_equal(apart_output, "web: --title=TEXT is required: What to say.\n");
	assert_int_equal(parse_with(&required, 1, "--title=Hello"), 0);
	assert_string_equal(title, "Hello");
	assert_int_equal(parse_with(&satisfied, 1, NULL), 0);
	apart(apart_leave(parse_with(&required, 1, "--help")));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_HELP);
	assert_non_null(strstr(apart_output, "What to say. Required.\n"));
}

static void what_was_chosen_before_has_its_value_and_cannot_be_given(void **state)
{
	static const char *store;
	static const struct key fixed = {
		.name = "store", .type = &key_type_string, .doc = "D.", .value = &store, .initial = "fat", .fixed = true
	};

	(void)state;
	assert_int_equal(parse_with(&fixed, 1, NULL), 0);
	assert_string_equal(store, "fat");
	apart(apart_leave(parse_with(&fixed, 1, "--store=tar")));
	assert_int_equal(WEXITSTATUS(apart_status), EXIT_BAD_ARGUMENT);
	assert_string_equal(apart_output, "web: --store=tar: was chosen when the unikernel was configured\n");
	apart(apart_leave(parse_with(&fixed, 1, "--help")));
	assert_null(strstr(apart_output, "--store"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_arguments_keys_have_their_defaults),
		cmocka_unit_test(every_form_of_an_argument_is_understood),
		cmocka_unit_test(later_arguments_win),
		cmocka_unit_test(numbers_reach_the_ends_of_64_bits),
		cmocka_unit_test(a_bad_value_is_one_line_with_the_expectation_and_status_64),
		cmocka_unit_test(a_missing_or_needless_value_is_refused),
		cmocka_unit_test(an_unknown_key_is_named_with_the_nearest),
		cmocka_unit_test(words_that_are_no_keys_are_refused),
		cmocka_unit_test(help_lists_every_key_with_doc_and_default_and_status_63),
		cmocka_unit_test(every_program_takes_a_delay_and_a_name),
		cmocka_unit_test(logs_sets_log_levels_and_names_unknown_sources),
		cmocka_unit_test(options_of_the_bindings_at_the_front_are_skipped),
		cmocka_unit_test(a_bad_default_is_reported_as_such),
		cmocka_unit_test(a_choice_is_its_number_and_minus_one_without_one),
		cmocka_unit_test(what_is_no_choice_is_refused_with_the_choices),
		cmocka_unit_test(a_list_is_its_items_and_empty_without_text),
		cmocka_unit_test(a_list_with_an_empty_item_is_refused),
		cmocka_unit_test(what_is_required_and_not_given_is_named),
		cmocka_unit_test(what_was_chosen_before_has_its_value_and_cannot_be_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
