/* SPDX-License-Identifier: ISC
 *
 * What a stack tells of the groups that it hears (RFC 3810; RFC 2710 for routers of version 1; RFC 3590).
 */
#include <stdio.h>

#include "lib/net/test/cable6.h"

#define US        "2001:db8::2"
#define OUR_GROUP "ff02::1:ff00:2"
#define ROUTER    "fe80::1"
#define ALL_NODES "ff02::1"

enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4, RECORDS = 8, RECORD_LEN = 20 };

static struct cable *cable;
static struct packet packet;

static int setup(void **state)
{
	(void)state;
	cable = cable6_open(US, 64, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	return 0;
}

/* What a report says about a group: its record's type, or 0. */
static uint8_t record_of(const struct frame *report, const char *group)
{
	const uint8_t *message = body_of(report);
	struct ip_address wanted = ip6(group);

	for (size_t i = 0; i < wire_get16(message + 6); i++)
		if (memcmp(message + RECORDS + i * RECORD_LEN + 4, wanted.bytes, 16) == 0)
			return message[RECORDS + i * RECORD_LEN];
	return 0;
}

static void give_query(const char *to, const char *group, uint16_t delay_ms, size_t version)
{
	uint8_t body[20] = { 0 };

	if (group)
		memcpy(body, ip6(group).bytes, 16);
	put_icmp6(&packet, ROUTER, to, MLD_QUERY, 0, (uint32_t)delay_ms << 16, body, version == 1 ? 16 : 20);
	give_packet(cable, &packet);
}

/* RFC 3810, 5.2.14 and 6.1: to all routers of version 2, at once and again; with a Router Alert and a hop limit of 1 */
static void joining_is_reported_twice_before_the_address_is_asked_for(void **state)
{
	const struct frame *frame;
	struct ip_address to, from;
	const uint8_t *header;
	uint64_t first;

	(void)state;
	cable = cable_new();
	assert_int_equal(cable6_open_stack(cable, &(struct stack_config){ .ipv6_address = ipv6_key(US, 64) }), 0);
	pass(SECOND(1));
	do {
		frame = expect_icmp6(cable, MLD_REPORT_2);
		header = frame->bytes + NET_ETHERNET_HEADER;
		to = destination_of(frame);
		from = source_of(frame);
		assert_address(&to, "ff02::16");
		assert_address(&from, "::"); /* RFC 3590, 4: there is no address yet */
		assert_int_equal(header[IPV6_HOP_LIMIT], 1);
		assert_int_equal(header[IPV6_NEXT_HEADER], IPV6_HOP_BY_HOP);
		assert_memory_equal(header + IPV6_HEADER, "\x3a\0\5\2\0\0", 6);
		expect_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION);
	} while (record_of(frame, OUR_GROUP) == 0);
	assert_int_equal(record_of(frame, OUR_GROUP), TO_EXCLUDE);
	first = frame->sent_at;
	pass(SECOND(2));
	while ((frame = find_icmp6(cable, MLD_REPORT_2)) && record_of(frame, OUR_GROUP) == 0)
		;
	assert_non_null(frame);
	assert_in_range(frame->sent_at - first, 0, MLD_UNSOLICITED_NS);
	while ((frame = find_icmp6(cable, MLD_REPORT_2)))
		assert_int_equal(record_of(frame, OUR_GROUP), 0);
	cable_close(cable);
}

/* 6.2: within the time that the query gives */
static void a_general_query_is_answered_with_all_groups(void **state)
{
	struct ip_address link_local = address_of(cable, IPV6_LINK_LOCAL), group = ipv6_solicited_node(&link_local);
	struct ip_address from;
	uint64_t asked = virtual_now;
	const struct frame *frame;
	unsigned ours = 0, link = 0;
	char text[IP_TEXT_MAX];

	(void)state;
	ip_format(&group, text);
	give_query(ALL_NODES, NULL, 1000, 2);
	pass(SECOND(2));
	while ((frame = find_icmp6(cable, MLD_REPORT_2))) {
		from = source_of(frame);
		assert_true(ipv6_is_link_local(&from));
		assert_in_range(frame->sent_at - asked, 0, MSEC(1001));
		ours += record_of(frame, OUR_GROUP) == IS_EXCLUDE;
		link += record_of(frame, text) == IS_EXCLUDE;
		assert_int_equal(record_of(frame, ALL_NODES), 0); /* 6: never reported */
	}
	assert_int_equal(ours, 1);
	assert_int_equal(link, 1);
}

static void a_query_for_a_group_is_answered_by_its_members(void **state)
{
	const struct frame *frame;

	(void)state;
	give_query("ff02::1:ff00:99", "ff02::1:ff00:99", 100, 2);
	give_query(ALL_NODES, "ff02::1:ff00:99", 100, 2);
	pass(SECOND(1));
	assert_null(find_icmp6(cable, MLD_REPORT_2));
	give_query(OUR_GROUP, OUR_GROUP, 100, 2);
	pass(SECOND(1));
	frame = find_icmp6(cable, MLD_REPORT_2);
	assert_non_null(frame);
	assert_int_equal(record_of(frame, OUR_GROUP), IS_EXCLUDE);
	assert_int_equal(wire_get16(body_of(frame) + 6), 1);
}

/* 5.1.3: floating point from 32768 on: 0x8fff is (0xfff | 0x1000) << 3 */
static void a_long_response_time_is_floating_point(void **state)
{
	uint64_t latest = 0, asked;

	(void)state;
	for (int i = 0; i < 40; i++) {
		const struct frame *frame;

		asked = virtual_now;
		give_query(OUR_GROUP, OUR_GROUP, 0x8fff, 2);
		pass(SECOND(70));
		frame = find_icmp6(cable, MLD_REPORT_2);
		assert_non_null(frame);
		assert_in_range(frame->sent_at - asked, 0, MSEC(65528 + 1));
		latest = frame->sent_at - asked > latest ? frame->sent_at - asked : latest;
		drop_sent(cable);
	}
	assert_true(latest > SECOND(40));
}

static void queries_that_cannot_be_are_dropped(void **state)
{
	static const struct {
		const char *from;
		uint8_t hop_limit;
		size_t len;
	} cases[] = { { US, 1, 20 }, { "2001:db8::1", 1, 20 }, { ROUTER, 64, 20 }, { ROUTER, 1, 15 },
		{ ROUTER, 1, 18 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put_icmp6(&packet, cases[i].from, ALL_NODES, MLD_QUERY, 0, 0, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
			cases[i].len);
		packet.bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT] = cases[i].hop_limit;
		give_packet(cable, &packet);
	}
	pass(SECOND(2));
	assert_null(find_icmp6(cable, MLD_REPORT_2));
}

/* RFC 3810, 8.2.1 and RFC 2710, 4 */
static void to_a_router_of_version_1_its_reports_are_sent(void **state)
{
	struct ip_address to, group = ip6(OUR_GROUP);
	const struct frame *frame;

	(void)state;
	give_query(ALL_NODES, NULL, 1000, 1);
	pass(SECOND(2));
	while ((frame = find_icmp6(cable, MLD_REPORT_1))) {
		to = destination_of(frame);
		if (ip_equal(&to, &group))
			break;
	}
	assert_non_null(frame);
	assert_memory_equal(body_of(frame) + 8, to.bytes, 16);
	drop_sent(cable);
	/* Another's report makes ours needless. */
	give_query(OUR_GROUP, OUR_GROUP, 1000, 1);
	put_icmp6(&packet, "fe80::77", OUR_GROUP, MLD_REPORT_1, 0, 0, ip6(OUR_GROUP).bytes, 16);
	give_packet(cable, &packet);
	pass(SECOND(2));
	assert_null(find_icmp6(cable, MLD_REPORT_1));
	/* When it was not heard for long, reports are of version 2 again. */
	pass(MLD_OLD_QUERIER_NS);
	drop_sent(cable);
	give_query(OUR_GROUP, OUR_GROUP, 1000, 2);
	pass(SECOND(2));
	assert_non_null(find_icmp6(cable, MLD_REPORT_2));
}

static void a_group_whose_address_is_gone_is_left(void **state)
{
	struct ipv6 *machine = machine_of(cable);
	struct ip_address us = ip6(US);
	const struct frame *frame;

	(void)state;
	ipv6_remove_address(machine, ipv6_find_address(machine, &us), virtual_now);
	ipv6_settle(own_of(cable)->ipv6);
	frame = find_icmp6(cable, MLD_REPORT_2);
	assert_non_null(frame);
	assert_int_equal(record_of(frame, OUR_GROUP), TO_INCLUDE);
	pass(SECOND(2));
	frame = find_icmp6(cable, MLD_REPORT_2);
	assert_non_null(frame);
	assert_int_equal(record_of(frame, OUR_GROUP), TO_INCLUDE);
	put_icmp6(&packet, "2001:db8::1", OUR_GROUP, ICMPV6_ECHO_REQUEST, 0, 0, "abc", 3);
	give_packet(cable, &packet);
	assert_null(find_icmp6(cable, ICMPV6_ECHO_REPLY));
	pass(SECOND(10));
	assert_null(find_icmp6(cable, MLD_REPORT_2));
	assert_int_equal(machine->mld.count, 2);
}

/* Addresses whose last 24 bits are the same share a group. */
static void a_group_of_two_addresses_is_left_with_the_second(void **state)
{
	struct ipv6 *machine = machine_of(cable);
	struct ipv6_own_address own = { .address = ip6("2001:db8:7::2"),
		.prefix_len = 64,
		.origin = IPV6_STATIC,
		.preferred_until = FOREVER,
		.valid_until = FOREVER };
	struct ip_address us = ip6(US), group = ip6(OUR_GROUP);

	(void)state;
	assert_non_null(ipv6_add_address(machine, &own, 0, virtual_now));
	ipv6_settle(own_of(cable)->ipv6);
	pass(SECOND(3));
	ipv6_remove_address(machine, ipv6_find_address(machine, &us), virtual_now);
	assert_true(mld_is_member(machine, &group));
	ipv6_remove_address(machine, ipv6_find_address(machine, &own.address), virtual_now);
	assert_false(mld_is_member(machine, &group));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joining_is_reported_twice_before_the_address_is_asked_for),
		TEST(a_general_query_is_answered_with_all_groups),
		TEST(a_query_for_a_group_is_answered_by_its_members),
		TEST(a_long_response_time_is_floating_point),
		TEST(queries_that_cannot_be_are_dropped),
		TEST(to_a_router_of_version_1_its_reports_are_sent),
		TEST(a_group_whose_address_is_gone_is_left),
		TEST(a_group_of_two_addresses_is_left_with_the_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
