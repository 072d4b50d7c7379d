/* SPDX-License-Identifier: ISC
 *
 * DHCP messages, by RFC 2131, 2 and 4.1, RFC 2132 and RFC 3396.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/dhcp_message.h"

enum { SNAME = 44, FILE_NAME = 108 };

/* A DISCOVER as a client may send it: its fixed part, and the options given here. */
static size_t put(uint8_t *bytes, const void *options, size_t len)
{
	static const uint8_t head[] = { 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 7, 0x80, 0 };
	static const uint8_t mac[] = { 2, 0, 0, 0, 0, 7 };
	static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };

	memset(bytes, 0, DHCP_MESSAGE_MAX);
	memcpy(bytes, head, sizeof head);
	memcpy(bytes + 28, mac, sizeof mac);
	memcpy(bytes + 236, cookie, sizeof cookie);
	memcpy(bytes + DHCP_FIXED, options, len);
	return DHCP_FIXED + len;
}

static uint8_t bytes[DHCP_MESSAGE_MAX];
static struct dhcp_message message;

static int parse(const char *options, size_t len)
{
	size_t total = put(bytes, options, len);

	return dhcp_message_parse(bytes, total, &message);
}
#define PARSE(text) parse("" text, sizeof text - 1)

static void the_fields_lie_where_the_rfc_says(void **state)
{
	(void)state;
	assert_int_equal(PARSE("\x35\1\1\xff"), 0);
	assert_int_equal(message.op, DHCP_FROM_CLIENT);
	assert_int_equal(message.type, DHCP_DISCOVER);
	assert_int_equal(message.xid, 0x12345678);
	assert_int_equal(message.secs, 7);
	assert_int_equal(message.flags, DHCP_FLAG_BROADCAST);
	assert_memory_equal(message.mac, "\2\0\0\0\0\7", 6);
	assert_int_equal(message.options.len, 0);
	memcpy(bytes + 12, "\x0a\0\0\1\x0a\0\0\2\x0a\0\0\3\x0a\0\0\4", 16);
	assert_int_equal(dhcp_message_parse(bytes, DHCP_FIXED + 4, &message), 0);
	assert_int_equal(message.client, 0x0a000001);
	assert_int_equal(message.yours, 0x0a000002);
	assert_int_equal(message.server, 0x0a000003);
	assert_int_equal(message.relay, 0x0a000004);
}

static void what_is_no_dhcp_on_ethernet_is_refused(void **state)
{
	static const size_t fields[] = { 0, 1, 2, 236, 239 };

	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		size_t len = put(bytes, "\x35\1\1\xff", 4);

		bytes[fields[i]] = 98;
		assert_int_equal(dhcp_message_parse(bytes, len, &message), -EBADMSG);
	}
	put(bytes, "\x35\1\1\xff", 4);
	for (size_t len = 0; len < DHCP_FIXED + 3; len++)
		assert_int_equal(dhcp_message_parse(bytes, len, &message), -EBADMSG);
	assert_int_equal(dhcp_message_parse(bytes, DHCP_MESSAGE_MAX + 1, &message), -EBADMSG);
	assert_int_equal(PARSE("\xff"), -EBADMSG); /* BOOTP: no type */
	assert_int_equal(PARSE("\x35\1\0\xff"), -EBADMSG);
	assert_int_equal(PARSE("\x35\1\x09\xff"), -EBADMSG);
	assert_int_equal(PARSE("\x35\2\1\1\xff"), -EBADMSG);
	assert_int_equal(PARSE("\x35\1\1\x35\1\1\xff"), -EBADMSG);
}

static void padding_and_what_follows_the_end_is_skipped(void **state)
{
	uint8_t name[8];

	(void)state;
	assert_int_equal(PARSE("\0\0\x0c\3web\0\x35\1\1\0\xff\x0f\1x"), 0);
	assert_int_equal(dhcp_options_get(&message.options, DHCP_HOST_NAME, name, sizeof name), 3);
	assert_memory_equal(name, "web", 3);
	assert_int_equal(dhcp_options_get(&message.options, DHCP_DOMAIN_NAME, NULL, 0), -ENOENT);
	assert_int_equal(PARSE("\x35\1\1"), 0); /* without an end, the message's is as good */
}

static void an_option_beyond_the_end_is_refused(void **state)
{
	(void)state;
	assert_int_equal(PARSE("\x35\1\1\x0c"), -EBADMSG);
	assert_int_equal(PARSE("\x35\1\1\x0c\4web"), -EBADMSG);
	assert_int_equal(PARSE("\x35\1\1\x0c\xff"), -EBADMSG);
}

static void the_length_is_told_when_the_buffer_is_small_and_an_empty_option_is_there(void **state)
{
	uint8_t two[2];

	(void)state;
	assert_int_equal(PARSE("\x35\1\1\x0c\3web\x50\0\xff"), 0);
	assert_int_equal(dhcp_options_get(&message.options, DHCP_HOST_NAME, two, sizeof two), 3);
	assert_memory_equal(two, "we", 2);
	assert_int_equal(dhcp_options_get(&message.options, 0x50, two, sizeof two), 0);
}

/* RFC 2132, 9.3; RFC 3396, 5: the fields are joined in this order, and so is an option's value */
static void overloaded_fields_are_read_in_order(void **state)
{
	uint8_t joined[16];
	size_t len;

	(void)state;
	len = put(bytes, "\x35\1\1\x34\1\3\xe0\2ab\xff", 11);
	memcpy(bytes + SNAME, "\xe0\2ef\xff", 5);
	memcpy(bytes + FILE_NAME, "\xe0\2cd\xff", 5);
	assert_int_equal(dhcp_message_parse(bytes, len, &message), 0);
	assert_int_equal(dhcp_options_get(&message.options, 0xe0, joined, sizeof joined), 6);
	assert_memory_equal(joined, "abcdef", 6);
	bytes[DHCP_FIXED + 5] = 1; /* the file field alone */
	assert_int_equal(dhcp_message_parse(bytes, len, &message), 0);
	assert_int_equal(dhcp_options_get(&message.options, 0xe0, joined, sizeof joined), 4);
	memcpy(bytes + FILE_NAME, "\x34\1\2\xff", 4); /* which overloads nothing further */
	assert_int_equal(dhcp_message_parse(bytes, len, &message), -EBADMSG);
	memcpy(bytes + FILE_NAME, "\xe0\x80", 2);
	assert_int_equal(dhcp_message_parse(bytes, len, &message), -EBADMSG);
	assert_int_equal(PARSE("\x35\1\1\x34\2\1\1\xff"), -EBADMSG);
}

static void a_long_option_is_split_and_joined(void **state)
{
	static uint8_t value[600], got[700];
	static struct dhcp_options options;

	(void)state;
	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)i;
	options.len = 0;
	assert_int_equal(dhcp_options_add(&options, 224, value, sizeof value), 0);
	assert_int_equal(options.len, 600 + 3 * 2);
	assert_int_equal(options.bytes[1], 255);
	assert_int_equal(dhcp_options_get(&options, 224, got, sizeof got), sizeof value);
	assert_memory_equal(got, value, sizeof value);
	assert_int_equal(dhcp_options_add(&options, 225, value, sizeof value), 0);
	assert_int_equal(dhcp_options_add(&options, 226, value, 300), -EMSGSIZE);
	assert_int_equal(options.len, 2 * 606);
}

static size_t build(size_t max)
{
	message.op = DHCP_FROM_SERVER;
	message.type = DHCP_ACK;
	return dhcp_message_build(&message, bytes, max);
}

static void what_is_short_is_padded_to_bootps_size(void **state)
{
	(void)state;
	memset(&message, 0, sizeof message);
	assert_int_equal(build(DHCP_MESSAGE_ACCEPTED), 300);
	assert_int_equal(bytes[DHCP_FIXED + 3], 255);
	assert_int_equal(bytes[299], 0);
}

static void what_does_not_fit_goes_into_the_other_fields(void **state)
{
	static uint8_t value[200];
	static struct dhcp_message again;
	size_t len;

	(void)state;
	memset(&message, 0, sizeof message);
	memset(value, 'v', sizeof value);
	assert_int_equal(dhcp_options_add(&message.options, 224, value, 200), 0);
	assert_int_equal(dhcp_options_add(&message.options, 225, value, 125), 0);
	assert_int_equal(dhcp_options_add(&message.options, 226, value, 61), 0);
	len = build(DHCP_MESSAGE_ACCEPTED);
	assert_in_range(len, DHCP_FIXED + 200, DHCP_MESSAGE_ACCEPTED);
	assert_int_equal(bytes[FILE_NAME], 225);
	assert_int_equal(bytes[SNAME], 226);
	assert_int_equal(dhcp_message_parse(bytes, len, &again), 0);
	assert_int_equal(again.options.len, message.options.len);
	assert_memory_equal(again.options.bytes, message.options.bytes, message.options.len);
	assert_int_equal(dhcp_options_add(&message.options, 227, value, 60), 0);
	assert_int_equal(dhcp_options_add(&message.options, 228, value, 60), 0);
	assert_int_equal(build(DHCP_MESSAGE_ACCEPTED), 0);
	assert_true(build(DHCP_MESSAGE_MAX) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fields_lie_where_the_rfc_says),
		cmocka_unit_test(what_is_no_dhcp_on_ethernet_is_refused),
		cmocka_unit_test(padding_and_what_follows_the_end_is_skipped),
		cmocka_unit_test(an_option_beyond_the_end_is_refused),
		cmocka_unit_test(the_length_is_told_when_the_buffer_is_small_and_an_empty_option_is_there),
		cmocka_unit_test(overloaded_fields_are_read_in_order),
		cmocka_unit_test(a_long_option_is_split_and_joined),
		cmocka_unit_test(what_is_short_is_padded_to_bootps_size),
		cmocka_unit_test(what_does_not_fit_goes_into_the_other_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
