/* SPDX-License-Identifier: ISC
 *
 * The command line: what each option means, and the line for each that is wrong.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tender/common/options.h"

enum { ARGUMENTS_MAX = 80 };

static struct tender_options options;
static struct tender_error error;

/* Parses the words after the program's name, which a space separates. */
static int parse(const char *line)
{
	static char copy[16384];
	char *argv[ARGUMENTS_MAX + 1] = { "skerry-spt" };
	int argc = 1;

	assert_true(strlen(line) < sizeof copy);
	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc < ARGUMENTS_MAX);
		argv[argc++] = word;
	}
	return tender_options_parse(argc, argv, ABI_TARGET_SPT, &options, &error);
}

static void expect_error(const char *line, const char *text)
{
	assert_int_equal(parse(line), -EINVAL);
	assert_string_equal(error.text, text);
}

static void image_alone_takes_the_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("x.spt"), 0);
	assert_int_equal(options.action, TENDER_RUN);
	assert_string_equal(options.image_path, "x.spt");
	assert_int_equal(options.mem_bytes, 512ull << 20);
	assert_int_equal(options.device_count, 0);
	assert_string_equal(options.cmdline, "");
}

static void everything_at_once_is_understood(void **state)
{
	(void)state;
	assert_int_equal(
		parse("--mem=16 --net-mac:service=02:00:5e:AB:cd:01 --net:service=tap0 --block:storage=a=b.img "
		      "--block-sector-size:storage=4096 -- x.spt --ipv4=10.0.0.2/24 -l *:debug"),
		0);
	assert_int_equal(options.mem_bytes, 16 << 20);
	assert_int_equal(options.device_count, 2);
	assert_string_equal(options.devices[0].name, "service");
	assert_int_equal(options.devices[0].type, MANIFEST_NET_BASIC);
	assert_string_equal(options.devices[0].backend, "tap0");
	assert_true(options.devices[0].has_mac);
	assert_memory_equal(options.devices[0].mac, "\x02\x00\x5e\xab\xcd\x01", 6);
	assert_string_equal(options.devices[1].name, "storage");
	assert_string_equal(options.devices[1].backend, "a=b.img");
	assert_int_equal(options.devices[1].sector_bytes, 4096);
	assert_string_equal(options.image_path, "x.spt");
	assert_string_equal(options.cmdline, "--ipv4=10.0.0.2/24 -l *:debug");
}

static void options_after_the_image_are_the_guests(void **state)
{
	(void)state;
	assert_int_equal(parse("x.spt --mem=1 --help -- a"), 0);
	assert_int_equal(options.action, TENDER_RUN);
	assert_string_equal(options.cmdline, "--mem=1 --help -- a");
}

static void image_after_dashes_may_look_like_an_option(void **state)
{
	(void)state;
	assert_int_equal(parse("-- --help"), 0);
	assert_string_equal(options.image_path, "--help");
}

static void help_and_version_need_no_image(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), 0);
	assert_int_equal(options.action, TENDER_HELP);
	assert_int_equal(parse("--mem=5 --version"), 0);
	assert_int_equal(options.action, TENDER_SHOW_VERSION);
}

static void missing_image_is_named(void **state)
{
	(void)state;
	expect_error("", "no image; expected [OPTION]... [--] IMAGE [ARG]... (see --help)");
	expect_error("--mem=16 --", "no image; expected [OPTION]... [--] IMAGE [ARG]... (see --help)");
}

static void unknown_options_are_named_with_what_is_known(void **state)
{
	static const char *const words[] = { "--memory=5", "-x", "--net-ma:a=b", "-", "--=" };

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char expected[256];

		snprintf(expected, sizeof expected,
			"unknown option \"%s\"; expected --mem, --net, --net-mac, --block, --block-sector-size, --help "
			"or "
			"--version",
			words[i]);
		expect_error(words[i], expected);
	}
}

static void malformed_options_are_named_with_their_form(void **state)
{
	(void)state;
	expect_error("--mem", "option \"--mem\"; expected --mem=MB");
	expect_error("--mem:a=5", "option \"--mem:a=5\"; expected --mem=MB");
	expect_error("--net=tap0", "option \"--net=tap0\"; expected --net:NAME=IFACE");
	expect_error("--net:a", "option \"--net:a\"; expected --net:NAME=IFACE");
	expect_error("--help=1", "option \"--help=1\"; expected --help");
	expect_error("--net:a=", "--net:a: no value; expected what to attach");
	expect_error("--net:=tap0", "--net: device name \"\"; expected 1 to 67 of [A-Za-z0-9]");
	expect_error("--block:a_b=x", "--block: device name \"a_b\"; expected 1 to 67 of [A-Za-z0-9]");
}

static void memory_is_a_number_in_range(void **state)
{
	static const char *const values[] = { "", "0", "1", "-5", "16MB", "+5", "1048577", "4294967296",
		"18446744073709551618", "0x10" };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char line[64], expected[128];

		snprintf(line, sizeof line, "--mem=%s x.spt", values[i]);
		snprintf(expected, sizeof expected, "--mem: \"%s\"; expected 2 to 1048576 (MB)", values[i]);
		expect_error(line, expected);
	}
	assert_int_equal(parse("--mem=1048576 x.spt"), 0);
	assert_int_equal(options.mem_bytes, 1ull << 40);
}

static void hardware_address_is_unicast(void **state)
{
	static const char *const values[] = { "", "02:00:00:00:00", "02:00:00:00:00:01:02", "02-00-00-00-00-01",
		"2:0:0:0:0:1", "0g:00:00:00:00:01", "01:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00" };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char line[64], expected[128];

		snprintf(line, sizeof line, "--net-mac:a=%s x.spt", values[i]);
		snprintf(expected, sizeof expected,
			"--net-mac:a: \"%s\"; expected a unicast address such as 02:00:00:00:00:01", values[i]);
		expect_error(line, expected);
	}
}

static void sector_size_is_a_power_of_two_in_range(void **state)
{
	static const char *const values[] = { "", "0", "256", "513", "65536", "1e3" };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		char line[64], expected[128];

		snprintf(line, sizeof line, "--block-sector-size:a=%s x.spt", values[i]);
		snprintf(expected, sizeof expected,
			"--block-sector-size:a: \"%s\"; expected a power of two, 512 to 32768", values[i]);
		expect_error(line, expected);
	}
}

static void device_twice_is_named(void **state)
{
	(void)state;
	expect_error("--net:a=tap0 --net:a=tap1 x", "device \"a\": attached twice; expected once");
	expect_error(
		"--net:a=tap0 --block:a=x x", "device \"a\": attached twice, as network and as block; expected one");
}

static void properties_without_a_device_are_named(void **state)
{
	(void)state;
	expect_error("--net-mac:a=02:00:00:00:00:01 x",
		"device \"a\": properties, but nothing attached; expected a --net:a=...");
	expect_error("--block-sector-size:a=512 x",
		"device \"a\": properties, but nothing attached; expected a --block:a=...");
}

static void device_64_is_one_too_many(void **state)
{
	char line[2048] = "";

	(void)state;
	for (int i = 0; i < 64; i++)
		snprintf(line + strlen(line), sizeof line - strlen(line), "--net:n%d=tap%d ", i, i);
	strcat(line, "x");
	expect_error(line, "device \"n63\": one too many; expected at most 63 devices");
}

/* len characters of arguments in three words. */
static int parse_long(size_t len)
{
	static char line[16384] = "x.spt ";

	memset(line + 6, 'a', len);
	line[6 + 10] = line[6 + 20] = ' ';
	line[6 + len] = '\0';
	return parse(line);
}

static void command_line_of_8191_characters_fits(void **state)
{
	(void)state;
	assert_int_equal(parse_long(8191), 0);
	assert_int_equal(strlen(options.cmdline), 8191);
}

static void command_line_of_8192_characters_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_long(8192), -E2BIG);
	assert_string_equal(error.text, "arguments of the image: too long; expected at most 8191 characters");
	assert_int_equal(parse_long(12000), -E2BIG);
}

static void empty_arguments_keep_their_space(void **state)
{
	char *argv[] = { "skerry-spt", "x.spt", "", "a", "", NULL };

	(void)state;
	assert_int_equal(tender_options_parse(5, argv, ABI_TARGET_SPT, &options, &error), 0);
	assert_string_equal(options.cmdline, " a ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image_alone_takes_the_defaults),
		cmocka_unit_test(everything_at_once_is_understood),
		cmocka_unit_test(options_after_the_image_are_the_guests),
		cmocka_unit_test(image_after_dashes_may_look_like_an_option),
		cmocka_unit_test(help_and_version_need_no_image),
		cmocka_unit_test(missing_image_is_named),
		cmocka_unit_test(unknown_options_are_named_with_what_is_known),
		cmocka_unit_test(malformed_options_are_named_with_their_form),
		cmocka_unit_test(memory_is_a_number_in_range),
		cmocka_unit_test(hardware_address_is_unicast),
		cmocka_unit_test(sector_size_is_a_power_of_two_in_range),
		cmocka_unit_test(device_twice_is_named),
		cmocka_unit_test(properties_without_a_device_are_named),
		cmocka_unit_test(device_64_is_one_too_many),
		cmocka_unit_test(command_line_of_8191_characters_fits),
		cmocka_unit_test(command_line_of_8192_characters_is_refused),
		cmocka_unit_test(empty_arguments_keep_their_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
