/* SPDX-License-Identifier: ISC
 *
 * What ICMP says about packets of ours, from the wire to who sent them: RFC 1122, 3.2.2.1, 3.2.2.4, 3.2.2.5, 4.1.3.3
 * and 4.2.3.9; RFC 5461; RFC 5927.
 */
#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/test/cable.h"

#define HOST   "10.0.0.1"
#define US     "10.0.0.2"
#define ROUTER "10.0.0.1"

enum { UNREACHABLE = 3, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12 };

static struct cable *cable;
static struct packet packet;

static const struct {
	uint8_t type, code;
	int to_udp, to_tcp; /* what is told to who sends again; what becomes of an attempt to connect */
} errors[] = {
	{ UNREACHABLE, 0, -ENETUNREACH, -ENETUNREACH },
	{ UNREACHABLE, 1, -EHOSTUNREACH, -EHOSTUNREACH },
	{ UNREACHABLE, 2, -ECONNREFUSED, -ECONNREFUSED },
	{ UNREACHABLE, 3, -ECONNREFUSED, -ECONNREFUSED },
	{ UNREACHABLE, 5, -EHOSTUNREACH, -EHOSTUNREACH },
	{ UNREACHABLE, 6, -ENETUNREACH, -ENETUNREACH },
	{ UNREACHABLE, 10, -EHOSTUNREACH, -EHOSTUNREACH },
	{ UNREACHABLE, 11, -ENETUNREACH, -ENETUNREACH },
	{ UNREACHABLE, 13, -EHOSTUNREACH, -EHOSTUNREACH },
	{ UNREACHABLE, 200, -EHOSTUNREACH, -EHOSTUNREACH },
	{ TIME_EXCEEDED, 0, -EHOSTUNREACH, -EHOSTUNREACH },
	{ TIME_EXCEEDED, 1, -EHOSTUNREACH, -EHOSTUNREACH },
	{ PARAMETER_PROBLEM, 0, -EHOSTUNREACH, -EHOSTUNREACH },
	{ PARAMETER_PROBLEM, 1, -EHOSTUNREACH, -EHOSTUNREACH },
};
enum { ERRORS = sizeof errors / sizeof *errors };

static int setup(void **state)
{
	(void)state;
	cable = cable_open(US, 24, NULL);
	give_arp(cable, 1, HOST, US);
	drop_sent(cable);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	return 0;
}

static int in_task(int (*run)(void *arg), void *arg)
{
	int result;

	assert_int_equal(task_run(run, arg, &result), 0);
	return result;
}

/* The host, or a router, says this about a frame of ours; as much is quoted as RFC 792 asks for. */
static void give_error(uint8_t type, uint8_t code, const struct frame *about)
{
	give_arp(cable, 1, HOST, US); /* it is known all the time */
	put_icmp(&packet, ROUTER, US, type, code, 0, about->bytes + NET_ETHERNET_HEADER, IPV4_HEADER + 8);
	give_packet(cable, &packet);
}

static const struct frame *sent_packet(void)
{
	const struct frame *frame;

	do
		frame = take(cable);
	while (frame && wire_get16(frame->bytes + 12) != ETHERNET_IPV4);
	assert_non_null(frame);
	return frame;
}

/* UDP --------------------------------------------------------------------------------------------------------- */

static int send_datagram(void *socket)
{
	struct ip_endpoint peer = { .port = 9 };

	assert_int_equal(ip_parse(HOST, &peer.address), 0);
	return udp_send(socket, &peer, "x", 1, FOREVER);
}

static void each_error_is_told_to_the_socket(void **state)
{
	struct udp *socket;

	(void)state;
	assert_int_equal(udp_bind(cable->stack, 0, &socket), 0);
	for (size_t i = 0; i < ERRORS; i++) {
		drop_sent(cable);
		assert_int_equal(in_task(send_datagram, socket), 0);
		give_error(errors[i].type, errors[i].code, sent_packet());
		assert_int_equal(in_task(send_datagram, socket), errors[i].to_udp);
		assert_int_equal(in_task(send_datagram, socket), 0);
	}
	udp_close(socket);
}

/* TCP --------------------------------------------------------------------------------------------------------- */

static int begin_to_connect(void *flow)
{
	struct ip_endpoint peer = { .port = 80 };

	assert_int_equal(ip_parse(HOST, &peer.address), 0);
	return tcp_connect_begin(cable->stack, &peer, flow);
}

static int become_connected(void *flow)
{
	return tcp_connected(flow, FOREVER);
}

static int look_at_once(void *flow)
{
	return tcp_connected(flow, AT_ONCE);
}

/* RFC 5461, 4.1: protocol and port unreachable end an attempt to connect; all others are the reason that is given when
 * nobody has answered in the end. */
static void each_error_becomes_the_reason_of_a_connection_that_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < ERRORS; i++) {
		struct tcp *flow;
		uint64_t before = clock_monotonic();

		give_arp(cable, 1, HOST, US);
		drop_sent(cable);
		assert_int_equal(in_task(begin_to_connect, &flow), 0);
		give_error(errors[i].type, errors[i].code, sent_packet());
		assert_int_equal(
			in_task(look_at_once, flow), errors[i].to_tcp == -ECONNREFUSED ? -ECONNREFUSED : -EAGAIN);
		assert_int_equal(in_task(become_connected, flow), errors[i].to_tcp);
		assert_true(errors[i].to_tcp == -ECONNREFUSED || clock_monotonic() - before > SECOND(60));
		tcp_close(flow);
	}
}

/* RFC 5927, 4.1; RFC 9293, MUST-54 */
static void what_quotes_nothing_that_is_on_its_way_is_not_believed(void **state)
{
	enum { SOURCE_PORT = 0, SEQUENCE = 4, DESTINATION_PORT = 2 };
	static const struct {
		size_t at;
		uint8_t flip;
	} lies[] = { { IPV4_HEADER + SEQUENCE, 0x80 }, { IPV4_HEADER + SEQUENCE + 3, 1 },
		{ IPV4_HEADER + SOURCE_PORT + 1, 1 }, { IPV4_HEADER + DESTINATION_PORT + 1, 1 }, { IPV4_SOURCE + 3, 1 },
		{ IPV4_DESTINATION + 3, 1 }, { IPV4_FRAGMENT + 1, 1 }, { IPV4_PROTOCOL, 1 }, { IPV4_VERSION_IHL, 0x20 },
		{ IPV4_VERSION_IHL, 0x0f } };
	struct tcp *flow;
	struct frame about;

	(void)state;
	assert_int_equal(in_task(begin_to_connect, &flow), 0);
	about = *sent_packet();
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		about.bytes[NET_ETHERNET_HEADER + lies[i].at] ^= lies[i].flip;
		give_error(UNREACHABLE, 3, &about);
		assert_int_equal(in_task(look_at_once, flow), -EAGAIN);
		about.bytes[NET_ETHERNET_HEADER + lies[i].at] ^= lies[i].flip;
	}
	give_error(UNREACHABLE, 3, &about);
	assert_int_equal(in_task(look_at_once, flow), -ECONNREFUSED);
	tcp_close(flow);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_error_is_told_to_the_socket),
		TEST(each_error_becomes_the_reason_of_a_connection_that_fails),
		TEST(what_quotes_nothing_that_is_on_its_way_is_not_believed),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
