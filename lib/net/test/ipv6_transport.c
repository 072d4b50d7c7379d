/* SPDX-License-Identifier: ISC
 *
 * TCP and UDP over IPv6: two of our stacks on a cable that loses, and one beside a peer made of packets.
 */
#include <stdio.h>

#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/tcp_stack.h"
#include "lib/net/test/cable6.h"

#define A    "2001:db8::a"
#define B    "2001:db8::b"
#define HOST "2001:db8::1"
#define US   "2001:db8::2"

enum { BYTES = 300000, CHUNK = 4096, PORT = 80 };

static struct packet packet;

/* Two stacks ---------------------------------------------------------------------------------------------------- */

static struct cable *ends[2];
static unsigned loss_percent;
static bool done;

static struct cable *open_end(const char *address, uint8_t mac_tail)
{
	const struct stack_config config = { .ipv4 = ipv4_key(mac_tail == 2 ? "10.0.0.2" : "10.0.0.3", 24),
		.ipv6_address = ipv6_key(address, 64) };
	struct cable *cable = cable_new();

	cable->net.info.mac[5] = mac_tail;
	assert_int_equal(cable6_open_stack(cable, &config), 0);
	return cable;
}

/* What one end has sent arrives at the other, if it is not lost. */
static void deliver(struct cable *from, struct cable *to)
{
	size_t count = from->sent_count;

	for (size_t i = 0; i < count; i++)
		if ((unsigned)rand() % 100 >= loss_percent)
			arrive(to, from->sent[i].bytes, from->sent[i].len, NULL);
	drop_sent(from);
	if (to->arriving_count > 0)
		to->net.ready(to->net.ready_context);
}

static int carry(void *arg)
{
	(void)arg;
	while (!done) {
		deliver(ends[0], ends[1]);
		deliver(ends[1], ends[0]);
		if (task_sleep(clock_monotonic() + USEC(500)) < 0)
			break;
	}
	return 0;
}

static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8));
}

static int serve(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *flow;
	char chunk[CHUNK];
	ssize_t len;

	(void)arg;
	assert_int_equal(tcp_listen(ends[1]->stack, PORT, &listener), 0);
	assert_int_equal(tcp_accept(listener, &flow, FOREVER), 0);
	while ((len = tcp_read(flow, chunk, sizeof chunk, FOREVER)) > 0)
		assert_int_equal(tcp_write(flow, chunk, (size_t)len, FOREVER), len);
	assert_int_equal(len, 0);
	tcp_close(flow);
	tcp_unlisten(listener);
	return 0;
}

static int write_all(void *flow)
{
	uint8_t chunk[CHUNK];

	for (size_t at = 0; at < BYTES; at += CHUNK) {
		size_t len = BYTES - at < CHUNK ? BYTES - at : CHUNK;

		for (size_t i = 0; i < len; i++)
			chunk[i] = byte_at(at + i);
		assert_int_equal(tcp_write(flow, chunk, len, FOREVER), len);
	}
	return tcp_shutdown(flow);
}

static int talk(void *arg)
{
	struct ip_endpoint peer = { ip6(B), PORT }, local;
	struct task *carrier, *server, *writer;
	struct tcp *flow;
	uint8_t chunk[CHUNK];
	size_t at = 0;
	ssize_t len;

	(void)arg;
	done = false;
	assert_int_equal(task_spawn(NULL, carry, NULL, &carrier), 0);
	assert_int_equal(task_spawn(NULL, serve, NULL, &server), 0);
	assert_int_equal(tcp_connect(ends[0]->stack, &peer, &flow, clock_monotonic() + SECOND(100)), 0);
	tcp_local(flow, &local);
	assert_address(&local.address, A);
	assert_int_equal(task_spawn(NULL, write_all, flow, &writer), 0);
	while ((len = tcp_read(flow, chunk, sizeof chunk, FOREVER)) > 0)
		for (ssize_t i = 0; i < len; i++)
			assert_int_equal(chunk[i], byte_at(at++));
	assert_int_equal(len, 0);
	assert_int_equal(at, BYTES);
	assert_int_equal(task_await(writer, NULL, FOREVER), 0);
	tcp_close(flow);
	assert_int_equal(task_await(server, NULL, FOREVER), 0);
	done = true;
	return task_await(carrier, NULL, FOREVER);
}

static void talk_with_loss(unsigned percent)
{
	int result;

	srand(percent + 1);
	loss_percent = 0; /* so that no probe of an address is lost */
	ends[0] = open_end(A, 2);
	ends[1] = open_end(B, 3);
	loss_percent = percent;
	assert_int_equal(task_run(talk, NULL, &result), 0);
	assert_int_equal(result, 0);
	cable_close(ends[0]);
	cable_close(ends[1]);
}

static void two_stacks_exchange_a_stream(void **state)
{
	(void)state;
	talk_with_loss(0);
}

static void two_stacks_exchange_a_stream_with_loss(void **state)
{
	(void)state;
	talk_with_loss(2);
	talk_with_loss(10);
}

static int exchange_datagrams(void *arg)
{
	struct ip_endpoint to = { ip6(B), 7 }, from;
	struct udp *here, *there;
	struct task *carrier;
	char data[1500] = "to the other side", received[1500];

	(void)arg;
	done = false;
	assert_int_equal(task_spawn(NULL, carry, NULL, &carrier), 0);
	assert_int_equal(udp_bind(ends[0]->stack, 0, &here), 0);
	assert_int_equal(udp_bind(ends[1]->stack, 7, &there), 0);
	assert_int_equal(udp_send(here, &to, data, 1452, clock_monotonic() + SECOND(10)), 0);
	assert_int_equal(udp_receive(there, received, sizeof received, &from, clock_monotonic() + SECOND(1)), 1452);
	assert_string_equal(received, data);
	assert_address(&from.address, A);
	assert_int_equal(from.port, udp_port(here));
	assert_int_equal(udp_send(there, &from, "back", 4, clock_monotonic() + SECOND(1)), 0);
	assert_int_equal(udp_receive(here, received, sizeof received, &from, clock_monotonic() + SECOND(1)), 4);
	assert_address(&from.address, B);
	/* Nobody has the port: told to who sends there again (RFC 4443, 3.1). */
	to.port = 9;
	assert_int_equal(udp_send(here, &to, "x", 1, clock_monotonic() + SECOND(1)), 0);
	assert_int_equal(task_sleep(clock_monotonic() + MSEC(10)), 0);
	assert_int_equal(udp_send(here, &to, "x", 1, clock_monotonic() + SECOND(1)), -ECONNREFUSED);
	udp_close(here);
	udp_close(there);
	done = true;
	return task_await(carrier, NULL, FOREVER);
}

static void two_stacks_exchange_datagrams(void **state)
{
	int result;

	(void)state;
	loss_percent = 0;
	ends[0] = open_end(A, 2);
	ends[1] = open_end(B, 3);
	assert_int_equal(task_run(exchange_datagrams, NULL, &result), 0);
	assert_int_equal(result, 0);
	cable_close(ends[0]);
	cable_close(ends[1]);
}

/* One stack beside packets ---------------------------------------------------------------------------------------- */

enum { SEQ_AT = HEADERS_6 + 4, ACK_AT = HEADERS_6 + 8, FLAGS_AT = HEADERS_6 + 13, TCP_LEN = 20 };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static struct cable *cable;
static struct tcp_listener *listener;
static struct tcp *flow;
static uint32_t their_seq, our_seq;
static uint16_t their_port;

static int setup(void **state)
{
	(void)state;
	cable = cable6_open(US, 64, HOST);
	give_solicitation(cable, HOST, US, US, their_mac);
	assert_int_equal(tcp_listen(cable->stack, PORT, &listener), 0);
	drop_sent(cable);
	their_seq = 1000;
	their_port = 5555;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_unlisten(listener);
	cable_close(cable);
	return 0;
}

static void give_segment(const char *from, const char *to, uint8_t flags, const void *options, size_t len)
{
	uint8_t *tcp = packet.bytes + HEADERS_6;

	put_ip6(&packet, from, to, IP_PROTOCOL_TCP, NULL, 0);
	memset(tcp, 0, TCP_LEN);
	wire_put16(tcp, their_port);
	wire_put16(tcp + 2, PORT);
	wire_put32(tcp + 4, their_seq);
	wire_put32(tcp + 8, flags & ACK ? our_seq : 0);
	tcp[12] = (uint8_t)((TCP_LEN + len) / 4 << 4);
	tcp[13] = flags;
	wire_put16(tcp + 14, 65535);
	if (len)
		memcpy(tcp + TCP_LEN, options, len);
	packet.len = HEADERS_6 + TCP_LEN + len;
	wire_put16(packet.bytes + NET_ETHERNET_HEADER + IPV6_PAYLOAD_LENGTH, (uint16_t)(TCP_LEN + len));
	sum_ip6(&packet, IP_PROTOCOL_TCP, 0, 16);
	give_packet(cable, &packet);
}

static int accept_flow(void *arg)
{
	(void)arg;
	return tcp_accept(listener, &flow, clock_monotonic() + SECOND(1));
}

static int write_flow(void *arg)
{
	static char data[20000];
	ssize_t len = tcp_write(flow, data, *(size_t *)arg, clock_monotonic() + SECOND(1));

	return len < 0 ? (int)len : 0;
}

static void run(int (*function)(void *), void *arg)
{
	int result;

	assert_int_equal(task_run(function, arg, &result), 0);
	assert_int_equal(result, 0);
}

/* A connection to a peer with these SYN options. The SYN,ACK's MSS must be that of the link. */
static void connect_with(const void *options, size_t len)
{
	const struct frame *frame;

	drop_sent(cable);
	give_segment(HOST, US, SYN, options, len);
	frame = take6(cable);
	assert_non_null(frame);
	assert_int_equal(frame->bytes[FLAGS_AT], SYN | ACK);
	assert_memory_equal(frame->bytes + HEADERS_6 + TCP_LEN, "\2\4\5\xa0", 4); /* 1500 - 60 = 1440 */
	their_seq++;
	our_seq = wire_get32(frame->bytes + SEQ_AT) + 1;
	give_segment(HOST, US, ACK, NULL, 0);
	run(accept_flow, NULL);
	drop_sent(cable);
}

static size_t longest_sent(void)
{
	const struct frame *frame;
	size_t longest = 0;

	while ((frame = take6(cable)))
		longest = frame->len - NET_ETHERNET_HEADER > longest ? frame->len - NET_ETHERNET_HEADER : longest;
	return longest;
}

/* RFC 9293, MUST-14 and 15; RFC 8200, 8.3 */
static void the_mss_is_that_of_ipv6(void **state)
{
	size_t bytes = 5000;

	(void)state;
	connect_with("\2\4\5\xa0", 4);
	run(write_flow, &bytes);
	assert_int_equal(longest_sent(), 1500);
	tcp_abort(flow);
	connect_with(NULL, 0);
	run(write_flow, &bytes);
	assert_int_equal(longest_sent(), 1220 + 60); /* 1220, if the peer does not say */
	tcp_abort(flow);
}

/* RFC 8201, 4 and 5.3 */
static void packet_too_big_makes_segments_smaller(void **state)
{
	static struct packet report;
	const struct frame *frame;
	size_t bytes = 10000;

	(void)state;
	connect_with("\2\4\5\xa0", 4);
	run(write_flow, &bytes);
	frame = take6(cable);
	assert_int_equal(frame->len, NET_ETHERNET_HEADER + 1500);
	put_icmp6(&report, HOST, US, ICMPV6_TOO_BIG, 0, 1400, frame->bytes + NET_ETHERNET_HEADER, 1232);
	drop_sent(cable);
	give_packet(cable, &report);
	assert_int_equal(longest_sent(), 1400);
	/* Below 1280 no path is; and nothing of a connection that does not exist. */
	drop_sent(cable);
	wire_put32(report.bytes + HEADERS_6 + 4, 600);
	sum_ip6(&report, IP_PROTOCOL_ICMPV6, 0, ICMPV6_CHECKSUM);
	give_packet(cable, &report);
	assert_int_equal(longest_sent(), 0);
	tcp_abort(flow);
}

/* RFC 5927, 7: a message that anybody can forge */
static void a_forged_packet_too_big_stops_no_connection(void **state)
{
	static struct packet report, ours;
	size_t bytes = 10000;

	(void)state;
	connect_with("\2\4\5\xa0", 4);
	put_udp6(&ours, US, 1234, HOST, 53, "x", 1);
	put_icmp6(&report, HOST, US, ICMPV6_TOO_BIG, 0, 1280, ours.bytes + NET_ETHERNET_HEADER,
		ours.len - NET_ETHERNET_HEADER);
	give_packet(cable, &report);
	run(write_flow, &bytes);
	assert_int_equal(longest_sent(), 1500);
	tcp_abort(flow);
}

static void unreachable_refuses_only_a_connection_that_is_being_made(void **state)
{
	static struct packet report;
	const struct frame *frame;
	size_t bytes = 100;

	(void)state;
	connect_with("\2\4\5\xa0", 4);
	run(write_flow, &bytes);
	frame = take6(cable);
	put_icmp6(&report, HOST, US, ICMPV6_UNREACHABLE, 4, 0, frame->bytes + NET_ETHERNET_HEADER,
		frame->len - NET_ETHERNET_HEADER);
	give_packet(cable, &report);
	run(write_flow, &bytes);
	tcp_abort(flow);
}

static int send_datagram(void *arg)
{
	struct ip_endpoint to = { ip6(HOST), 53 };

	return udp_send(*(struct udp **)arg, &to, "x", 1, clock_monotonic() + SECOND(1));
}

/* RFC 4443, 3 and 2.4 a: each is told once, to who sends there next; what we did not send is not believed. */
static void errors_are_told_to_who_sends_there_again(void **state)
{
	static const struct {
		uint8_t type, code;
		uint32_t rest;
		int error;
	} cases[] = {
		{ ICMPV6_UNREACHABLE, 0, 0, -ENETUNREACH }, { ICMPV6_UNREACHABLE, 1, 0, -EHOSTUNREACH },
		{ ICMPV6_UNREACHABLE, 3, 0, -EHOSTUNREACH }, { ICMPV6_UNREACHABLE, 4, 0, -ECONNREFUSED },
		{ ICMPV6_TOO_BIG, 0, 1300, -EMSGSIZE }, { ICMPV6_TIME_EXCEEDED, 0, 0, -EHOSTUNREACH },
		{ ICMPV6_PARAMETER_PROBLEM, 1, 6, -ECONNREFUSED }, { 100, 0, 0, -EHOSTUNREACH }, /* unknown */
	};
	struct udp *socket;

	(void)state;
	assert_int_equal(udp_bind(cable->stack, 1234, &socket), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		static struct packet report, ours;
		int result;

		put_udp6(&ours, US, 1234, HOST, 53, "x", 1);
		put_icmp6(&report, HOST, US, cases[i].type, cases[i].code, cases[i].rest,
			ours.bytes + NET_ETHERNET_HEADER, ours.len - NET_ETHERNET_HEADER);
		give_packet(cable, &report);
		assert_int_equal(task_run(send_datagram, &socket, &result), 0);
		assert_int_equal(result, cases[i].error);
		run(send_datagram, &socket);
		put_udp6(&ours, "2001:db8::99", 1234, HOST, 53, "x", 1);
		put_icmp6(&report, HOST, US, cases[i].type, cases[i].code, cases[i].rest,
			ours.bytes + NET_ETHERNET_HEADER, ours.len - NET_ETHERNET_HEADER);
		give_packet(cable, &report);
		run(send_datagram, &socket);
	}
	udp_close(socket);
}

/* RFC 9293, MUST-57 */
/* RFC 4987, 3.6 */
static void a_full_backlog_is_passed_by_a_cookie(void **state)
{
	static const uint8_t guess[] = { 0, 1, 0x80 };
	struct tcp_statistics statistics;

	(void)state;
	for (their_port = 1; their_port <= TCP_SYN_BACKLOG; their_port++)
		give_segment(HOST, US, SYN, "\2\4\5\xa0", 4);
	assert_int_equal(counted(cable).TcpExtSyncookiesSent, 0);
	their_port = 5555;
	connect_with("\2\4\5\xa0", 4);
	assert_int_equal(counted(cable).TcpExtSyncookiesSent, 1);
	assert_int_equal(counted(cable).TcpExtSyncookiesRecv, 1);
	tcp_statistics(flow, &statistics);
	assert_string_equal(statistics.state, "ESTABLISHED");
	assert_int_equal(statistics.segment_size, 1440);
	tcp_abort(flow);
	drop_sent(cable);
	their_port = 5556;
	for (size_t i = 0; i < sizeof guess; i++) { /* nobody else's, nor a guess */
		our_seq ^= guess[i];
		give_segment(HOST, US, ACK, NULL, 0);
		assert_int_equal(take6(cable)->bytes[FLAGS_AT], RST);
	}
	assert_int_equal(counted(cable).TcpExtSyncookiesRecv, 1);
}

/* RFC 9293, 3.9.2 (MUST-48 and 49) */
static void headers_have_the_code_point_and_hop_limit_that_are_chosen(void **state)
{
	const uint8_t *header;

	(void)state;
	assert_int_equal(tcp_tune_stack(cable->stack, &(struct tcp_tuning){ .dscp = 46, .ttl = 9 }), 0);
	give_segment(HOST, US, ACK, NULL, 0); /* of no connection: reset */
	header = take6(cable)->bytes + NET_ETHERNET_HEADER;
	assert_int_equal(wire_get16(header), 0x6000 | 46 << 6);
	assert_int_equal(header[IPV6_HOP_LIMIT], 9);
}

static void segments_to_groups_and_from_nobody_open_nothing(void **state)
{
	(void)state;
	give_segment(HOST, "ff02::1", SYN, NULL, 0);
	give_segment("::", US, SYN, NULL, 0);
	give_segment("ff02::1", US, SYN, NULL, 0);
	give_segment(US, US, SYN, NULL, 0);
	assert_null(take6(cable));
	assert_int_equal(counted(cable).tcp_flows, 0);
}

/* RFC 4861, 7.3.1: what is acknowledged has arrived */
static void acknowledgements_confirm_the_neighbour(void **state)
{
	const struct frame *frame;
	size_t bytes = 100;

	(void)state;
	connect_with("\2\4\5\xa0", 4);
	for (int i = 0; i < 30; i++) {
		run(write_flow, &bytes);
		our_seq += 100;
		give_segment(HOST, US, ACK, NULL, 0);
		pass(SECOND(10));
	}
	while ((frame = find_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION)))
		fail_msg("a neighbour that answers is asked whether it is there");
	tcp_abort(flow);
}

/* The end of an address ends its connections (RFC 4862, 5.5.4: invalid addresses are not used) */
static void a_connection_ends_with_its_address(void **state)
{
	struct ipv6 *machine = machine_of(cable);
	struct ip_address us = ip6(US);
	size_t bytes = 1;
	int result;

	(void)state;
	connect_with("\2\4\5\xa0", 4);
	ipv6_remove_address(machine, ipv6_find_address(machine, &us), virtual_now);
	assert_int_equal(task_run(write_flow, &bytes, &result), 0);
	assert_int_equal(result, -ENETUNREACH);
	tcp_close(flow);
}

/* The link cuts a large segment and sums: its header says where (virtio's TCPv6 segmentation). */
static void a_link_that_cuts_segments_gets_large_ones(void **state)
{
	const struct frame *frame;
	size_t bytes = 14000;

	(void)state;
	tcp_unlisten(listener);
	cable_close(cable);
	cable = cable_new();
	cable->net.info.features = PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO6;
	assert_int_equal(cable6_open_stack(cable, &(struct stack_config){ .ipv6_address = ipv6_key(US, 64) }), 0);
	pass(SECOND(3));
	give_solicitation(cable, HOST, US, US, their_mac);
	assert_int_equal(tcp_listen(cable->stack, PORT, &listener), 0);
	drop_sent(cable);
	connect_with("\2\4\5\xa0", 4);
	run(write_flow, &bytes);
	frame = take6(cable);
	assert_true(frame->len > 10000);
	assert_int_equal(frame->meta.segment_bytes, 1440);
	assert_true(frame->meta.checksum_partial);
	assert_int_equal(frame->meta.checksum_start, HEADERS_6);
	assert_int_equal(frame->meta.checksum_offset, 16);
	tcp_abort(flow);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_stacks_exchange_a_stream),
		cmocka_unit_test(two_stacks_exchange_a_stream_with_loss),
		cmocka_unit_test(two_stacks_exchange_datagrams),
		TEST(the_mss_is_that_of_ipv6),
		TEST(packet_too_big_makes_segments_smaller),
		TEST(a_forged_packet_too_big_stops_no_connection),
		TEST(unreachable_refuses_only_a_connection_that_is_being_made),
		TEST(errors_are_told_to_who_sends_there_again),
		TEST(a_full_backlog_is_passed_by_a_cookie),
		TEST(headers_have_the_code_point_and_hop_limit_that_are_chosen),
		TEST(segments_to_groups_and_from_nobody_open_nothing),
		TEST(acknowledgements_confirm_the_neighbour),
		TEST(a_connection_ends_with_its_address),
		TEST(a_link_that_cuts_segments_gets_large_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
