/* SPDX-License-Identifier: ISC
 *
 * Groups of IPv4, by the clauses of RFC 1112, 2236 and 3376: a stack, 10.0.0.2/24, that joins and leaves.
 */
#include <skerry/multicast.h>
#include <skerry/route.h>
#include <skerry/udp.h>

#include "lib/net/igmp.h"
#include "lib/net/test/cable.h"

#define ROUTER "10.0.0.1"
#define US     "10.0.0.2"
#define GROUP  "239.129.2.3"
#define OTHER  "239.1.1.1"

enum { HEADER = IPV4_HEADER + 4, QUERY = 0x11, REPORT_1 = 0x12, REPORT_2 = 0x16, LEAVE_2 = 0x17, REPORT_3 = 0x22 };
enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 };

static struct cable *cable, *second;
static struct packet packet;

static int setup(void **state)
{
	(void)state;
	cable = cable_open(US, 24, NULL);
	second = cable_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	cable_close(second);
	return 0;
}

static struct ip_address address(const char *text)
{
	struct ip_address parsed;

	assert_int_equal(ip_parse(text, &parsed), 0);
	return parsed;
}

static int join(const char *group)
{
	struct ip_address parsed = address(group);

	return stack_join_group(cable->stack, NULL, &parsed);
}

static int leave(const char *group)
{
	struct ip_address parsed = address(group);

	return stack_leave_group(cable->stack, NULL, &parsed);
}

/* The next frame must be IGMP to this group, as RFC 3376, 4 says: gives the message. */
static const uint8_t *expect_igmp(const char *to, size_t *len)
{
	const struct frame *frame = take(cable);
	const uint8_t *header;
	uint32_t group = number_of(to);
	uint8_t mac[6] = { 1, 0, 0x5e, (uint8_t)(group >> 16 & 0x7f), (uint8_t)(group >> 8), (uint8_t)group };

	assert_non_null(frame);
	assert_memory_equal(frame->bytes, mac, 6);
	header = frame->bytes + NET_ETHERNET_HEADER;
	assert_int_equal(header[0], 0x46);
	assert_int_equal(wire_get16(header + IPV4_TOTAL_LENGTH), frame->len - NET_ETHERNET_HEADER);
	assert_int_equal(header[IPV4_TTL], 1);
	assert_int_equal(header[IPV4_PROTOCOL], 2);
	assert_int_equal(header[IPV4_TRAFFIC_CLASS], 0xc0);
	assert_int_equal(wire_get32(header + IPV4_SOURCE), number_of(US));
	assert_int_equal(wire_get32(header + IPV4_DESTINATION), group);
	assert_memory_equal(header + IPV4_HEADER, "\x94\4\0\0", 4); /* Router Alert */
	assert_int_equal(checksum_finish(checksum_add(0, header, HEADER)), 0);
	*len = frame->len - NET_ETHERNET_HEADER - HEADER;
	assert_int_equal(checksum_finish(checksum_add(0, header + HEADER, *len)), 0);
	return header + HEADER;
}

/* A report of version 3 about one group. */
static void expect_report(uint8_t record, const char *group)
{
	size_t len;
	const uint8_t *report = expect_igmp("224.0.0.22", &len);

	assert_int_equal(len, 16);
	assert_int_equal(report[0], REPORT_3);
	assert_int_equal(wire_get16(report + 6), 1);
	assert_int_equal(report[8], record);
	assert_int_equal(wire_get32(report + 12), number_of(group));
	assert_int_equal(wire_get32(report + 8) & 0xffffff, 0); /* no sources */
}

static void expect_old(uint8_t type, const char *to, const char *group)
{
	size_t len;
	const uint8_t *message = expect_igmp(to, &len);

	assert_int_equal(len, 8);
	assert_int_equal(message[0], type);
	assert_int_equal(wire_get32(message + 4), number_of(group));
}

static void expect_silence(void)
{
	assert_null(take(cable));
}

static void give_igmp(const char *from, const char *to, uint8_t *message, size_t len, uint8_t ttl)
{
	wire_put16(message + 2, 0);
	wire_put16(message + 2, checksum_finish(checksum_add(0, message, len)));
	put_ip(&packet, from, to, 2, message, len);
	ip_header(&packet)[8] = ttl;
	resum_ip(&packet);
	give_packet(cable, &packet);
}

/* A router asks for this group (NULL: for all) in a message of this length. */
static void query(const char *group, uint8_t code, size_t len)
{
	uint8_t message[64] = { QUERY, code };

	wire_put32(message + 4, group ? number_of(group) : 0);
	give_igmp(ROUTER, group ? group : "224.0.0.1", message, len, 1);
}

/* Joined, and all that is reported about it. */
static void join_and_settle(const char *group)
{
	assert_int_equal(join(group), 0);
	pass(IGMP_UNSOLICITED_OLD_NS + SECOND(1));
	drop_sent(cable);
}

/* Reports --------------------------------------------------------------------------------------------------------- */

/* RFC 3376, 5.1 */
static void joining_and_leaving_are_reported_twice_within_a_second(void **state)
{
	(void)state;
	assert_int_equal(join(GROUP), 0);
	expect_report(TO_EXCLUDE, GROUP);
	expect_silence();
	pass(IGMP_UNSOLICITED_NS);
	expect_report(TO_EXCLUDE, GROUP);
	pass(SECOND(100));
	expect_silence();
	assert_int_equal(leave(GROUP), 0);
	expect_report(TO_INCLUDE, GROUP);
	pass(IGMP_UNSOLICITED_NS);
	expect_report(TO_INCLUDE, GROUP);
	pass(SECOND(100));
	expect_silence();
}

static void only_the_first_to_join_and_the_last_to_leave_are_reported(void **state)
{
	(void)state;
	join_and_settle(GROUP);
	assert_int_equal(join(GROUP), 0);
	assert_int_equal(leave(GROUP), 0);
	pass(SECOND(2));
	expect_silence();
	assert_int_equal(leave(GROUP), 0);
	expect_report(TO_INCLUDE, GROUP);
	assert_int_equal(leave(GROUP), -ENOENT);
}

/* RFC 3376, 5.2 */
static void a_query_is_answered_within_the_time_that_it_gives(void **state)
{
	size_t len, early = 0;
	const uint8_t *report;

	(void)state;
	join_and_settle(GROUP);
	join_and_settle(OTHER);
	for (int i = 0; i < 20; i++) {
		query(GROUP, 20, 12); /* 2 s */
		expect_silence();
		pass(SECOND(1));
		early += cable->sent_count;
		pass(SECOND(1));
		expect_report(IS_EXCLUDE, GROUP);
		expect_silence();
		drop_sent(cable);
	}
	assert_in_range(early, 1, 19); /* by chance */
	query(GROUP, 10, 12);
	query(GROUP, 0xff, 12); /* in an hour: the first is not put off (RFC 3376, 5.2) */
	pass(SECOND(1));
	expect_report(IS_EXCLUDE, GROUP);
	pass(SECOND(4000));
	drop_sent(cable);
	query(NULL, 0, 12); /* of version 3, in no time: in one message */
	pass(0);
	report = expect_igmp("224.0.0.22", &len);
	assert_int_equal(len, 8 + 2 * 8);
	assert_int_equal(wire_get16(report + 6), 2);
	query("239.9.9.9", 20, 12);
	pass(SECOND(3));
	expect_silence();
}

/* RFC 3376, 4.1.1: 0x8f is 31 << 3 tenths of a second */
static void large_times_are_floating_point(void **state)
{
	size_t late = 0;

	(void)state;
	join_and_settle(GROUP);
	for (int i = 0; i < 20; i++) {
		query(NULL, 0x8f, 12);
		pass(MSEC(14300));
		late += cable->sent_count == 0;
		pass(MSEC(24800 - 14300));
		expect_report(IS_EXCLUDE, GROUP);
		drop_sent(cable);
	}
	assert_in_range(late, 1, 19); /* with another meaning none would be */
}

/* RFC 3376, 7.2.1; RFC 2236 */
static void a_router_of_version_2_is_spoken_to_in_its_language(void **state)
{
	(void)state;
	join_and_settle(GROUP);
	query(NULL, 10, 8);
	pass(SECOND(1));
	expect_old(REPORT_2, GROUP, GROUP);
	assert_int_equal(join(OTHER), 0);
	expect_old(REPORT_2, OTHER, OTHER);
	pass(IGMP_UNSOLICITED_OLD_NS);
	expect_old(REPORT_2, OTHER, OTHER);
	assert_int_equal(leave(OTHER), 0);
	expect_old(LEAVE_2, "224.0.0.2", OTHER);
	pass(IGMP_OLD_QUERIER_NS);
	expect_silence();
	query(NULL, 0, 12);
	pass(0);
	expect_report(IS_EXCLUDE, GROUP); /* it has gone */
}

/* RFC 2236, 4; RFC 1112 */
static void a_router_of_version_1_is_spoken_to_in_its_language(void **state)
{
	(void)state;
	join_and_settle(GROUP);
	query(NULL, 0, 8);
	pass(SECOND(10));
	expect_old(REPORT_1, GROUP, GROUP);
	query(NULL, 10, 8); /* another, of version 2 */
	pass(SECOND(1));
	expect_old(REPORT_1, GROUP, GROUP);
	assert_int_equal(leave(GROUP), 0);
	pass(SECOND(30));
	expect_silence();
}

/* RFC 2236, 3 */
static void another_member_s_report_is_enough_for_an_old_router_and_no_other(void **state)
{
	uint8_t report[8] = { REPORT_2 };

	(void)state;
	wire_put32(report + 4, number_of(GROUP));
	join_and_settle(GROUP);
	query(NULL, 100, 8);
	give_igmp("10.0.0.9", GROUP, report, sizeof report, 1);
	pass(SECOND(10));
	expect_silence();
	assert_int_equal(join(OTHER), 0);
	expect_old(REPORT_2, OTHER, OTHER);
	wire_put32(report + 4, number_of(OTHER));
	give_igmp("10.0.0.9", OTHER, report, sizeof report, 1);
	pass(IGMP_UNSOLICITED_OLD_NS);
	expect_old(REPORT_2, OTHER, OTHER); /* a change is told in any case */
	assert_int_equal(leave(OTHER), 0);
	expect_old(LEAVE_2, "224.0.0.2", OTHER);
	wire_put32(report + 4, number_of(GROUP));
	pass(IGMP_OLD_QUERIER_NS);
	query(NULL, 100, 12);
	give_igmp("10.0.0.9", GROUP, report, sizeof report, 1);
	pass(SECOND(10));
	expect_report(IS_EXCLUDE, GROUP);
}

static void malformed_messages_and_those_from_off_the_link_are_dropped(void **state)
{
	uint8_t message[64] = { QUERY };

	(void)state;
	join_and_settle(GROUP);
	for (size_t len = 0; len < 12; len++) {
		if (len == 8)
			continue;
		give_igmp(ROUTER, "224.0.0.1", message, len, 1);
	}
	give_igmp(ROUTER, "224.0.0.1", message, 12, 2);
	message[0] = 0x77;
	give_igmp(ROUTER, "224.0.0.1", message, 12, 1);
	message[0] = QUERY;
	give_igmp(ROUTER, "224.0.0.1", message, 12, 1);
	packet.bytes[FRAME_HEADERS + 3] ^= 1;
	drop_sent(cable);
	pass(0);
	drop_sent(cable);
	give_packet(cable, &packet);
	pass(SECOND(30));
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_IGMP_MESSAGE], 8 + 1 + 1);
}

/* Groups ---------------------------------------------------------------------------------------------------------- */

static void what_is_no_group_and_too_many_are_refused(void **state)
{
	struct ip_address group = address(GROUP), six = address("ff02::1234");
	char text[32];

	(void)state;
	assert_int_equal(join("10.0.0.7"), -EINVAL);
	assert_int_equal(join("255.255.255.255"), -EINVAL);
	assert_int_equal(join("224.0.0.1"), -EINVAL);
	assert_int_equal(leave(GROUP), -ENOENT);
	assert_int_equal(stack_join_group(cable->stack, &second->net, &group), -ENODEV);
	assert_int_equal(stack_join_group(cable->stack, NULL, &six), -ENOTSUP);
	expect_silence();
	for (unsigned i = 0; i < STACK_GROUPS_MAX; i++) {
		snprintf(text, sizeof text, "239.0.0.%u", i);
		assert_int_equal(join(text), 0);
	}
	assert_int_equal(join(GROUP), -ENOSPC);
	assert_int_equal(leave("239.0.0.5"), 0);
	assert_int_equal(join(GROUP), 0); /* in place of what is being left */
	assert_int_equal(join("239.0.0.5"), -ENOSPC);
}

static struct ip_address received_at;

static int receive(void *socket)
{
	char buf[8];

	return (int)udp_receive_to(socket, buf, sizeof buf, NULL, &received_at, task_now());
}

static void expect_datagrams(struct udp *socket, size_t count)
{
	int result;

	for (size_t i = 0; i <= count; i++) {
		assert_int_equal(task_run(receive, socket, &result), 0);
		assert_int_equal(result, i < count ? 3 : -ETIMEDOUT);
		assert_true(ip_equal(&received_at, &ip_unspecified)); /* no address to answer from */
	}
}

static void give_datagram(struct cable *link, const char *to)
{
	put_udp(&packet, ROUTER, 1234, to, 99, "abc", 3);
	give_packet(link, &packet);
}

/* RFC 1112, 7.2; RFC 1122, 3.2.2 and 4.1.3.5 */
static void a_joined_group_is_heard_and_not_answered_and_a_left_one_is_not(void **state)
{
	struct udp *socket;

	(void)state;
	assert_int_equal(udp_bind(cable->stack, 99, &socket), 0);
	give_datagram(cable, GROUP);
	expect_datagrams(socket, 0);
	join_and_settle(GROUP);
	give_arp(cable, 1, ROUTER, US);
	drop_sent(cable);
	give_datagram(cable, GROUP);
	expect_datagrams(socket, 1);
	give_datagram(cable, OTHER);
	expect_datagrams(socket, 0);
	give_datagram(cable, "224.0.0.1"); /* all hosts */
	expect_datagrams(socket, 1);
	udp_close(socket);
	give_datagram(cable, GROUP); /* no "port unreachable" */
	put_icmp(&packet, ROUTER, GROUP, 8, 0, 1, "ping", 4);
	give_packet(cable, &packet);
	expect_silence();
	assert_int_equal(udp_bind(cable->stack, 99, &socket), 0);
	assert_int_equal(leave(GROUP), 0);
	give_datagram(cable, GROUP);
	expect_datagrams(socket, 0);
	udp_close(socket);
}

static void each_link_has_its_own_groups(void **state)
{
	struct ip_address group = address(GROUP), us = address("10.0.1.2");
	struct udp *socket;

	(void)state;
	assert_int_equal(stack_add_interface(cable->stack, &second->net), 0);
	assert_int_equal(stack_add_address(cable->stack, &second->net, &us, 24), 0);
	drop_sent(cable);
	assert_int_equal(stack_join_group(cable->stack, &second->net, &group), 0);
	expect_silence();
	assert_int_equal(udp_bind(cable->stack, 99, &socket), 0);
	give_datagram(cable, GROUP);
	expect_datagrams(socket, 0);
	give_datagram(second, GROUP);
	expect_datagrams(socket, 1);
	udp_close(socket);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(joining_and_leaving_are_reported_twice_within_a_second),
		TEST(only_the_first_to_join_and_the_last_to_leave_are_reported),
		TEST(a_query_is_answered_within_the_time_that_it_gives),
		TEST(large_times_are_floating_point),
		TEST(a_router_of_version_2_is_spoken_to_in_its_language),
		TEST(a_router_of_version_1_is_spoken_to_in_its_language),
		TEST(another_member_s_report_is_enough_for_an_old_router_and_no_other),
		TEST(malformed_messages_and_those_from_off_the_link_are_dropped),
		TEST(what_is_no_group_and_too_many_are_refused),
		TEST(a_joined_group_is_heard_and_not_answered_and_a_left_one_is_not),
		TEST(each_link_has_its_own_groups),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
