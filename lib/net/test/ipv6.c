/* SPDX-License-Identifier: ISC
 *
 * IPv6 and ICMPv6 of a whole stack, 2001:db8::2/64 behind the gateway 2001:db8::1, by the clauses of RFC 8200, 4443,
 * 7112, 6946, 5095, 6980 and 8201.
 */
#include <stdio.h>

#include "lib/net/test/cable6.h"

#define HOST  "2001:db8::1"
#define US    "2001:db8::2"
#define OTHER "2001:db8::7"
#define FAR   "2001:db8:1::9"

static struct cable *cable;
static struct packet packet;

static int setup(void **state)
{
	(void)state;
	cable = cable6_open(US, 64, HOST);
	give_solicitation(cable, HOST, US, US, their_mac);
	drop_sent(cable);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	return 0;
}

static void put_ping(const char *from, const char *to, const char *data)
{
	put_icmp6(&packet, from, to, ICMPV6_ECHO_REQUEST, 0, 0x12345678, data, strlen(data));
}

static void expect_silence(void)
{
	assert_null(take6(cable));
}

/* The next packet must be this error about what `packet` holds: gives its pointer or MTU. */
static uint32_t expect_error(uint8_t type, uint8_t code)
{
	const struct frame *frame = expect_icmp6(cable, type);
	size_t len, quoted = packet.len - NET_ETHERNET_HEADER;
	const uint8_t *message = icmp6_of(frame, &len);

	assert_int_equal(message[ICMPV6_CODE], code);
	assert_true(frame->len - NET_ETHERNET_HEADER <= IPV6_MTU_MIN);
	len -= ICMPV6_HEADER;
	assert_int_equal(len, quoted < 1232 ? quoted : 1232);
	assert_memory_equal(message + ICMPV6_HEADER, packet.bytes + NET_ETHERNET_HEADER, len);
	return wire_get32(message + ICMPV6_REST);
}

/* Inserts extension headers between IPv6's and what follows. */
static void insert(uint8_t next, const void *headers, size_t len)
{
	uint8_t *header = packet.bytes + NET_ETHERNET_HEADER, *payload = packet.bytes + HEADERS_6;

	memmove(payload + len, payload, packet.len - HEADERS_6);
	memcpy(payload, headers, len);
	payload[0] = header[IPV6_NEXT_HEADER];
	header[IPV6_NEXT_HEADER] = next;
	packet.len += len;
	wire_put16(header + IPV6_PAYLOAD_LENGTH, (uint16_t)(packet.len - HEADERS_6));
}

/* Echo: RFC 4443, 4 -------------------------------------------------------------------------------------------- */

static void a_ping_is_answered_with_the_same_data(void **state)
{
	const struct frame *frame;
	struct ip_address from, to;

	(void)state;
	put_ping(HOST, US, "abcdefg");
	give_packet(cable, &packet);
	frame = expect_icmp6(cable, ICMPV6_ECHO_REPLY);
	from = source_of(frame);
	to = destination_of(frame);
	assert_address(&from, US);
	assert_address(&to, HOST);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 64);
	assert_memory_equal(body_of(frame) + 4,
		"\x12\x34\x56\x78"
		"abcdefg",
		11);
	expect_silence();
}

/* 4.2: from a unicast address of ours */
static void a_ping_to_all_nodes_is_answered_from_an_address_of_ours(void **state)
{
	const struct frame *frame;
	struct ip_address from;

	(void)state;
	put_ping(HOST, "ff02::1", "abc");
	give_packet(cable, &packet);
	frame = expect_icmp6(cable, ICMPV6_ECHO_REPLY);
	from = source_of(frame);
	assert_address(&from, US);
}

static void what_is_padding_of_the_link_is_not_data(void **state)
{
	const struct frame *frame;

	(void)state;
	put_ping(HOST, US, "abc");
	memset(packet.bytes + packet.len, 0xee, 100);
	packet.len += 100;
	give_packet(cable, &packet);
	frame = expect_icmp6(cable, ICMPV6_ECHO_REPLY);
	assert_int_equal(frame->len, HEADERS_6 + ICMPV6_HEADER + 3);
}

static void a_large_ping_is_put_together_and_answered_in_fragments(void **state)
{
	enum { DATA = 4000, FIRST = 1448, SECOND_AT = 1448, SECOND_LEN = 1448, THIRD_AT = 2896 };
	static uint8_t whole[ICMPV6_HEADER + DATA], received[ICMPV6_HEADER + DATA];
	static const size_t at[] = { THIRD_AT, 0, SECOND_AT };
	struct ip_address host = ip6(HOST), us = ip6(US);
	const struct frame *frame;
	size_t have = 0;

	(void)state;
	for (size_t i = 0; i < DATA; i++)
		whole[ICMPV6_HEADER + i] = (uint8_t)(i * 7);
	whole[0] = ICMPV6_ECHO_REQUEST;
	wire_put16(
		whole + 2, checksum_finish(checksum_add(checksum_pseudo(&host, &us, IP_PROTOCOL_ICMPV6, sizeof whole),
				   whole, sizeof whole)));
	for (size_t i = 0; i < 3; i++) {
		bool last = at[i] == THIRD_AT;
		uint8_t fragment[8 + 1448] = { IP_PROTOCOL_ICMPV6 };
		size_t len = last ? sizeof whole - THIRD_AT : 1448;

		wire_put16(fragment + 2, (uint16_t)(at[i] | !last));
		wire_put32(fragment + 4, 77);
		memcpy(fragment + 8, whole + at[i], len);
		put_ip6(&packet, HOST, US, IPV6_FRAGMENT, fragment, 8 + len);
		give_packet(cable, &packet);
	}
	while ((frame = take6(cable))) {
		const uint8_t *fragment = frame->bytes + HEADERS_6;
		uint16_t field = wire_get16(fragment + 2);
		size_t len = frame->len - HEADERS_6 - 8;

		assert_true(frame->len <= NET_ETHERNET_HEADER + CABLE_MTU);
		assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_NEXT_HEADER], IPV6_FRAGMENT);
		assert_int_equal(fragment[0], IP_PROTOCOL_ICMPV6);
		memcpy(received + (field & 0xfff8), fragment + 8, len);
		have += len;
		assert_int_equal(field & 1, have < sizeof whole);
	}
	assert_int_equal(have, sizeof whole);
	assert_int_equal(received[0], ICMPV6_ECHO_REPLY);
	assert_memory_equal(received + 4, whole + 4, sizeof whole - 4);
	assert_int_equal(checksum_finish(checksum_add(checksum_pseudo(&us, &host, IP_PROTOCOL_ICMPV6, sizeof whole),
				 received, sizeof whole)),
		0);
}

/* What is dropped ----------------------------------------------------------------------------------------------- */

static void wrong_checksums_are_dropped_and_counted(void **state)
{
	(void)state;
	put_ping(HOST, US, "abc");
	packet.bytes[HEADERS_6 + 2] ^= 1;
	give_packet(cable, &packet);
	put_udp6(&packet, HOST, 1, US, 2, "abc", 3);
	packet.bytes[HEADERS_6 + 6] ^= 1;
	give_packet(cable, &packet);
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_ICMP6_CHECKSUM], 1);
	assert_int_equal(counted(cable).drops[DROP_UDP_CHECKSUM], 1);
}

/* RFC 8200, 8.1: IPv6 has no header checksum, so UDP's is not optional. */
static void udp_without_a_checksum_is_dropped(void **state)
{
	uint64_t before = counted(cable).drops[DROP_UDP_CHECKSUM];

	(void)state;
	put_udp6(&packet, HOST, 1, US, 2, "abc", 3);
	wire_put16(packet.bytes + HEADERS_6 + 6, 0);
	give_packet(cable, &packet);
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_UDP_CHECKSUM], before + 1);
}

static void broken_headers_are_dropped_and_counted(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = { { 0, 0x40 }, { 0, 0x70 }, { 4, 0xff }, { 5, 0xff } };

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		uint64_t before = counted(cable).drops[DROP_IP6_HEADER];

		put_ping(HOST, US, "abc");
		packet.bytes[NET_ETHERNET_HEADER + changes[i].at] = changes[i].value;
		give_packet(cable, &packet);
		assert_int_equal(counted(cable).drops[DROP_IP6_HEADER], before + 1);
	}
	for (size_t len = NET_ETHERNET_HEADER; len < packet.len; len++) {
		put_ping(HOST, US, "abc");
		give(cable, packet.bytes, len);
	}
	expect_silence();
}

static void other_hosts_packets_and_martians_are_dropped(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = { { HOST, OTHER }, { HOST, "ff02::99" }, { HOST, "ff02::2" }, { "ff02::1", US }, { "::1", US },
		{ HOST, "::1" }, { "::ffff:10.0.0.1", US }, { "::", US } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put_ping(cases[i].from, cases[i].to, "abc");
		give_packet(cable, &packet);
		expect_silence();
		put_udp6(&packet, cases[i].from, 1, cases[i].to, 2, "abc", 3);
		give_packet(cable, &packet);
		expect_silence();
	}
	put_udp6(&packet, US, 1, US, 2, "abc", 3); /* land */
	give_packet(cable, &packet);
	put_ping(US, US, "abc");
	give_packet(cable, &packet);
	expect_silence();
}

static void a_unicast_packet_in_a_multicast_frame_is_dropped(void **state)
{
	(void)state;
	put_ping(HOST, US, "abc");
	packet.bytes[0] = 0x33;
	give_packet(cable, &packet);
	expect_silence();
}

/* RFC 4443, 2.4 b */
static void unknown_icmp_types_are_dropped(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		if (type == ICMPV6_ECHO_REQUEST || type == NDP_NEIGHBOUR_SOLICITATION)
			continue;
		put_icmp6(&packet, HOST, US, (uint8_t)type, 0, 0, "12345678", 8);
		give_packet(cable, &packet);
	}
	expect_silence();
}

/* Errors: RFC 4443, 2.4 and 3 ------------------------------------------------------------------------------------ */

static void a_closed_port_is_refused_with_as_much_as_1280_bytes_hold(void **state)
{
	static uint8_t data[1400];

	(void)state;
	put_udp6(&packet, HOST, 1, US, 9, "abc", 3);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_UNREACHABLE, 4), 0);
	put_udp6(&packet, HOST, 1, US, 9, data, sizeof data);
	give_packet(cable, &packet);
	expect_error(ICMPV6_UNREACHABLE, 4);
}

static void an_unknown_next_header_is_a_parameter_problem(void **state)
{
	(void)state;
	put_ip6(&packet, HOST, US, 200, "12345678", 8);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 1), IPV6_NEXT_HEADER);
	put_ip6(&packet, HOST, US, 200, "12345678", 8);
	insert(IPV6_DESTINATION_OPTIONS, "\0\0\1\4\0\0\0\0", 8);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 1), IPV6_HEADER);
}

static void no_next_header_is_dropped_in_silence(void **state)
{
	(void)state;
	put_ip6(&packet, HOST, US, IPV6_NO_NEXT, "12345678", 8);
	give_packet(cable, &packet);
	expect_silence();
}

/* 2.4 e */
static void no_error_is_sent_about_errors_groups_and_nobody(void **state)
{
	(void)state;
	put_udp6(&packet, HOST, 1, "ff02::1", 9, "abc", 3);
	give_packet(cable, &packet);
	put_udp6(&packet, "::", 1, US, 9, "abc", 3);
	give_packet(cable, &packet);
	put_icmp6(&packet, HOST, US, ICMPV6_UNREACHABLE, 0, 0, "12345678", 8);
	insert(IPV6_DESTINATION_OPTIONS, "\0\0\x80\4\0\0\0\0", 8); /* an option that asks for an error */
	give_packet(cable, &packet);
	put_icmp6(&packet, HOST, US, NDP_REDIRECT, 0, 0, "12345678", 8);
	insert(IPV6_DESTINATION_OPTIONS, "\0\0\x80\4\0\0\0\0", 8);
	give_packet(cable, &packet);
	expect_silence();
}

/* 2.4 f */
static void errors_are_limited_to_a_burst_and_a_rate(void **state)
{
	unsigned count = 0;

	(void)state;
	put_udp6(&packet, HOST, 1, US, 9, "abc", 3);
	for (int i = 0; i < 500; i++)
		give_packet(cable, &packet);
	while (take6(cable))
		count++;
	assert_in_range(count, ICMP_ERRORS_BURST * 3 / 4, ICMP_ERRORS_BURST);
	pass(MSEC(100));
	drop_sent(cable);
	for (int i = 0; i < 500; i++)
		give_packet(cable, &packet);
	for (count = 0; take6(cable);)
		count++;
	assert_in_range(count, 5, 15);
}

/* Extension headers: RFC 8200, 4 --------------------------------------------------------------------------------- */

static void known_extension_headers_are_passed_over(void **state)
{
	(void)state;
	put_ping(HOST, US, "abc");
	insert(IPV6_DESTINATION_OPTIONS, "\0\0\0\0\0\0\0\0", 8);           /* Pad1 */
	insert(IPV6_ROUTING, "\0\0\x04\0\0\0\0\0", 8);                     /* nothing left to do */
	insert(IPV6_HOP_BY_HOP, "\0\1\5\2\0\0\x1e\2\0\0\1\4\0\0\0\0", 16); /* alert, unknown to be skipped, PadN */
	give_packet(cable, &packet);
	expect_icmp6(cable, ICMPV6_ECHO_REPLY);
	expect_silence();
}

/* 4.2: the two highest bits say what to do */
static void unknown_options_are_treated_as_their_type_says(void **state)
{
	static const struct {
		uint8_t option;
		const char *to;
		bool answered, refused;
	} cases[] = {
		{ 0x3e, US, true, false }, { 0x7e, US, false, false }, { 0xbe, US, false, true },
		{ 0xfe, US, false, true }, { 0xbe, "ff02::1", false, true }, { 0xfe, "ff02::1", false, false },
		{ 0xc2, US, false, true }, /* a jumbogram's length, which no link of ours carries */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t header[8] = { 0, 0, 1, 0, cases[i].option, 2 };

		put_ping(HOST, cases[i].to, "abc");
		insert(i % 2 ? IPV6_HOP_BY_HOP : IPV6_DESTINATION_OPTIONS, header, sizeof header);
		give_packet(cable, &packet);
		if (cases[i].answered)
			expect_icmp6(cable, ICMPV6_ECHO_REPLY);
		if (cases[i].refused)
			assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 2), IPV6_HEADER + 4);
		expect_silence();
	}
}

/* 4.1 */
static void a_hop_by_hop_header_that_is_not_the_first_is_unknown(void **state)
{
	(void)state;
	put_ping(HOST, US, "abc");
	insert(IPV6_HOP_BY_HOP, "\0\0\1\4\0\0\0\0", 8);
	insert(IPV6_DESTINATION_OPTIONS, "\0\0\1\4\0\0\0\0", 8);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 1), IPV6_HEADER);
}

/* 4.4 and RFC 5095 */
static void a_route_that_is_not_at_its_end_is_a_parameter_problem(void **state)
{
	(void)state;
	put_ping(HOST, US, "abc");
	insert(IPV6_ROUTING,
		"\0\2\0\1\0\0\0\0"
		"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7",
		24);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 0), IPV6_HEADER + 2);
	expect_silence();
}

static void broken_extension_headers_are_dropped(void **state)
{
	static const struct {
		uint8_t next;
		const char *bytes;
	} cases[] = {
		{ IPV6_HOP_BY_HOP, "\0\xff\1\4\0\0\0\0" },
		{ IPV6_HOP_BY_HOP, "\0\0\1\5\0\0\0\0" },
		{ IPV6_DESTINATION_OPTIONS, "\0\0\1\3\0\0\0\1" },
		{ IPV6_ROUTING, "\0\x20\0\0\0\0\0\0" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t before = counted(cable).drops[DROP_IP6_EXTENSION];

		put_ping(HOST, US, "abc");
		insert(cases[i].next, cases[i].bytes, 8);
		give_packet(cable, &packet);
		expect_silence();
		assert_int_equal(counted(cable).drops[DROP_IP6_EXTENSION], before + 1);
	}
	/* The header's own 8 bytes are cut off. */
	put_ip6(&packet, HOST, US, IPV6_HOP_BY_HOP, "\0\0\1", 3);
	give_packet(cable, &packet);
	put_ip6(&packet, HOST, US, IPV6_FRAGMENT, "\0\0\1", 3);
	give_packet(cable, &packet);
	expect_silence();
}

static void a_chain_of_too_many_headers_is_dropped(void **state)
{
	uint64_t before = counted(cable).drops[DROP_IP6_EXTENSION];

	(void)state;
	put_ping(HOST, US, "abc");
	for (int i = 0; i < 8; i++)
		insert(IPV6_DESTINATION_OPTIONS, "\0\0\1\4\0\0\0\0", 8);
	give_packet(cable, &packet);
	expect_icmp6(cable, ICMPV6_ECHO_REPLY);
	for (int i = 0; i < 100; i++)
		insert(IPV6_DESTINATION_OPTIONS, "\0\0\1\4\0\0\0\0", 8);
	give_packet(cable, &packet);
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_IP6_EXTENSION], before + 1);
}

/* Fragments: RFC 8200, 4.5 --------------------------------------------------------------------------------------- */

static void put_fragment(uint32_t id, size_t at, bool more, uint8_t next, const void *data, size_t len)
{
	uint8_t fragment[8 + 1480] = { next };

	wire_put16(fragment + 2, (uint16_t)(at | more));
	wire_put32(fragment + 4, id);
	memcpy(fragment + 8, data, len);
	put_ip6(&packet, HOST, US, IPV6_FRAGMENT, fragment, 8 + len);
}

/* An echo request of 24 bytes, with its sum. */
static const uint8_t *echo_24(void)
{
	static struct packet ping;

	put_icmp6(&ping, HOST, US, ICMPV6_ECHO_REQUEST, 0, 1, "abcdefghijklmnop", 16);
	return ping.bytes + HEADERS_6;
}

/* RFC 6946: alone, whatever else has its identification */
static void an_atomic_fragment_is_a_whole_packet(void **state)
{
	(void)state;
	put_fragment(5, 8, false, IP_PROTOCOL_ICMPV6, "12345678", 8);
	give_packet(cable, &packet);
	put_fragment(5, 0, false, IP_PROTOCOL_ICMPV6, echo_24(), 24);
	give_packet(cable, &packet);
	expect_icmp6(cable, ICMPV6_ECHO_REPLY);
	assert_int_equal(own_of(cable)->ipv6->fragments.count, 1);
}

static void overlapping_fragments_drop_the_whole_datagram(void **state)
{
	uint64_t before = counted(cable).drops[DROP_IP6_FRAGMENT_OVERLAP];

	(void)state;
	put_fragment(6, 0, true, IP_PROTOCOL_ICMPV6, echo_24(), 16);
	give_packet(cable, &packet);
	put_fragment(6, 8, false, IP_PROTOCOL_ICMPV6, "XXXXXXXXXXXXXXXX", 16);
	give_packet(cable, &packet);
	assert_int_equal(counted(cable).drops[DROP_IP6_FRAGMENT_OVERLAP], before + 1);
	put_fragment(6, 16, false, IP_PROTOCOL_ICMPV6, echo_24() + 16, 8);
	give_packet(cable, &packet);
	expect_silence();
}

static void a_fragment_of_a_length_that_cannot_be_is_a_parameter_problem(void **state)
{
	(void)state;
	put_fragment(7, 0, true, IP_PROTOCOL_ICMPV6, echo_24(), 15);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 0), IPV6_PAYLOAD_LENGTH);
	put_fragment(8, 0xfff8, false, IP_PROTOCOL_ICMPV6, echo_24(), 16);
	give_packet(cable, &packet);
	assert_int_equal(expect_error(ICMPV6_PARAMETER_PROBLEM, 0), IPV6_HEADER + 2);
	expect_silence();
}

/* RFC 7112, 5 */
static void a_first_fragment_without_all_headers_is_refused(void **state)
{
	(void)state;
	put_fragment(9, 0, true, IPV6_DESTINATION_OPTIONS, "\x3a\1\1\4\0\0\0\0", 8);
	give_packet(cable, &packet);
	expect_error(ICMPV6_PARAMETER_PROBLEM, 3);
	put_fragment(10, 0, true, IP_PROTOCOL_TCP, "1234567812345678", 16);
	give_packet(cable, &packet);
	expect_error(ICMPV6_PARAMETER_PROBLEM, 3);
	assert_int_equal(own_of(cable)->ipv6->fragments.count, 0);
}

static void extension_headers_behind_the_fragment_header_are_read(void **state)
{
	uint8_t payload[32] = "\x3a\0\1\4\0\0\0\0";

	(void)state;
	memcpy(payload + 8, echo_24(), 24);
	put_fragment(11, 0, true, IPV6_DESTINATION_OPTIONS, payload, 24);
	give_packet(cable, &packet);
	put_fragment(11, 24, false, IPV6_DESTINATION_OPTIONS, payload + 24, 8);
	give_packet(cable, &packet);
	expect_icmp6(cable, ICMPV6_ECHO_REPLY);
}

static void fragments_within_fragments_are_dropped(void **state)
{
	uint8_t payload[32] = "\x3a\0\0\1\0\0\0\1";
	uint64_t before = counted(cable).drops[DROP_IP6_EXTENSION];

	(void)state;
	memcpy(payload + 8, echo_24(), 24);
	put_fragment(12, 0, true, IPV6_FRAGMENT, payload, 24);
	give_packet(cable, &packet);
	put_fragment(12, 24, false, IPV6_FRAGMENT, payload + 24, 8);
	give_packet(cable, &packet);
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_IP6_EXTENSION], before + 1);
}

static void of_a_datagram_that_stays_incomplete_the_first_fragment_is_sent_back(void **state)
{
	(void)state;
	put_fragment(14, 8, false, IP_PROTOCOL_ICMPV6, "12345678", 8);
	give_packet(cable, &packet);
	put_fragment(13, 0, true, IP_PROTOCOL_ICMPV6, echo_24(), 16);
	give_packet(cable, &packet);
	pass(SECOND(59));
	assert_null(find_icmp6(cable, ICMPV6_TIME_EXCEEDED));
	pass(SECOND(2));
	assert_non_null(find_icmp6(cable, ICMPV6_TIME_EXCEEDED));
	assert_null(find_icmp6(cable, ICMPV6_TIME_EXCEEDED)); /* of the other, the first fragment never came */
	assert_int_equal(counted(cable).Ip6ReasmFails, 2);
}

static void ten_thousand_fragments_of_nothing_are_bounded(void **state)
{
	(void)state;
	for (uint32_t id = 0; id < 10000; id++) {
		put_fragment(id, 8 * (id % 8000 + 1), true, IP_PROTOCOL_ICMPV6, "12345678", 8);
		give_packet(cable, &packet);
		assert_true(own_of(cable)->ipv6->fragments.count <= FRAGMENT_DATAGRAMS);
		assert_true(own_of(cable)->ipv6->fragments.bytes <= FRAGMENT_BYTES);
	}
}

/* Sending -------------------------------------------------------------------------------------------------------- */

struct sender {
	const char *to;
	size_t len;
	int result;
};

static int send_to(void *arg)
{
	static uint8_t data[3000];
	struct sender *sender = arg;
	struct ip_endpoint to = { ip6(sender->to), 53 };
	struct udp *socket;

	assert_int_equal(udp_bind(cable->stack, 0, &socket), 0);
	sender->result = udp_send(socket, &to, data, sender->len, task_now() + SECOND(10));
	udp_close(socket);
	return 0;
}

static int try_to_send(const char *to, size_t len)
{
	struct sender sender = { .to = to, .len = len };
	int result;

	assert_int_equal(task_run(send_to, &sender, &result), 0);
	return sender.result;
}

static void there_is_no_way_to_nobody(void **state)
{
	(void)state;
	assert_int_equal(try_to_send("::", 10), -ENETUNREACH);
}

static void strangers_are_sent_to_by_the_gateway(void **state)
{
	const struct frame *frame;
	struct ip_address to;

	(void)state;
	assert_int_equal(try_to_send(FAR, 10), 0);
	frame = take6(cable);
	assert_memory_equal(frame->bytes, their_mac, 6);
	to = destination_of(frame);
	assert_address(&to, FAR);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 64);
}

/* RFC 2464, 7; RFC 3493, 5.2 */
static void a_group_needs_no_neighbour_and_stays_on_the_link(void **state)
{
	const struct frame *frame;

	(void)state;
	assert_int_equal(try_to_send("ff02::fb", 10), 0);
	frame = take6(cable);
	assert_memory_equal(frame->bytes, "\x33\x33\0\0\0\xfb", 6);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 1);
}

/* Whether a datagram of this length leaves in one packet; else it does in fragments. */
static bool leaves_whole(const char *to, size_t len)
{
	const struct frame *frame;
	bool whole;

	drop_sent(cable);
	assert_int_equal(try_to_send(to, len), 0);
	frame = take6(cable);
	assert_non_null(frame);
	whole = frame->bytes[NET_ETHERNET_HEADER + IPV6_NEXT_HEADER] != IPV6_FRAGMENT;
	assert_true(whole == (take6(cable) == NULL));
	return whole;
}

static void what_exceeds_the_mtu_goes_in_fragments(void **state)
{
	(void)state;
	assert_true(leaves_whole(FAR, 1452));
	assert_false(leaves_whole(FAR, 1453));
}

/* RFC 8201 -------------------------------------------------------------------------------------------------------- */

static void give_too_big(const char *about, uint32_t mtu)
{
	static struct packet ours;

	put_udp6(&ours, US, 1000, about, 53, "12345678", 8);
	put_icmp6(&packet, HOST, US, ICMPV6_TOO_BIG, 0, mtu, ours.bytes + NET_ETHERNET_HEADER,
		ours.len - NET_ETHERNET_HEADER);
	give_packet(cable, &packet);
}

static void a_path_with_a_smaller_mtu_is_remembered_for_ten_minutes(void **state)
{
	(void)state;
	give_too_big(FAR, 1400);
	assert_true(leaves_whole(FAR, 1352));
	assert_false(leaves_whole(FAR, 1353));
	assert_true(leaves_whole("2001:db8:1::a", 1452));
	give_too_big(FAR, 1450); /* 4: never larger */
	assert_false(leaves_whole(FAR, 1353));
	give_too_big(FAR, 1279); /* 4: below the least */
	assert_true(leaves_whole(FAR, 1352));
	pass(SECOND(601));
	give_solicitation(cable, HOST, US, US, their_mac);
	assert_true(leaves_whole(FAR, 1452));
}

static void echo_replies_are_fragmented_for_the_path(void **state)
{
	static char data[1401];
	const struct frame *frame;

	(void)state;
	memset(data, 'x', sizeof data - 1);
	give_too_big(HOST, 1280);
	put_ping(HOST, US, data);
	give_packet(cable, &packet);
	frame = take6(cable);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_NEXT_HEADER], IPV6_FRAGMENT);
	assert_int_equal(frame->len - NET_ETHERNET_HEADER, 1280);
	assert_non_null(take6(cable));
	expect_silence();
}

static void path_entries_are_bounded(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof text, "2001:db8:2::%x", i + 1);
		give_too_big(text, 1400);
		assert_true(machine_of(cable)->path_count <= IPV6_PATHS);
	}
	assert_false(leaves_whole(text, 1353));
}

static void a_link_that_is_too_small_has_no_ipv6(void **state)
{
	struct cable *small = cable_new();
	const struct stack_config config = { .ipv6_address = ipv6_key(US, 64) };

	(void)state;
	small->net.info.mtu = 1279;
	assert_int_equal(cable6_open_stack(small, &config), 0);
	assert_null(own_of(small)->ipv6);
	put_ping(HOST, US, "abc");
	give_packet(small, &packet);
	assert_null(take6(small));
	cable_close(small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ping_is_answered_with_the_same_data),
		TEST(a_ping_to_all_nodes_is_answered_from_an_address_of_ours),
		TEST(what_is_padding_of_the_link_is_not_data),
		TEST(a_large_ping_is_put_together_and_answered_in_fragments),
		TEST(wrong_checksums_are_dropped_and_counted),
		TEST(udp_without_a_checksum_is_dropped),
		TEST(broken_headers_are_dropped_and_counted),
		TEST(other_hosts_packets_and_martians_are_dropped),
		TEST(a_unicast_packet_in_a_multicast_frame_is_dropped),
		TEST(unknown_icmp_types_are_dropped),
		TEST(a_closed_port_is_refused_with_as_much_as_1280_bytes_hold),
		TEST(an_unknown_next_header_is_a_parameter_problem),
		TEST(no_next_header_is_dropped_in_silence),
		TEST(no_error_is_sent_about_errors_groups_and_nobody),
		TEST(errors_are_limited_to_a_burst_and_a_rate),
		TEST(known_extension_headers_are_passed_over),
		TEST(unknown_options_are_treated_as_their_type_says),
		TEST(a_hop_by_hop_header_that_is_not_the_first_is_unknown),
		TEST(a_route_that_is_not_at_its_end_is_a_parameter_problem),
		TEST(broken_extension_headers_are_dropped),
		TEST(a_chain_of_too_many_headers_is_dropped),
		TEST(an_atomic_fragment_is_a_whole_packet),
		TEST(overlapping_fragments_drop_the_whole_datagram),
		TEST(a_fragment_of_a_length_that_cannot_be_is_a_parameter_problem),
		TEST(a_first_fragment_without_all_headers_is_refused),
		TEST(extension_headers_behind_the_fragment_header_are_read),
		TEST(fragments_within_fragments_are_dropped),
		TEST(of_a_datagram_that_stays_incomplete_the_first_fragment_is_sent_back),
		TEST(ten_thousand_fragments_of_nothing_are_bounded),
		TEST(there_is_no_way_to_nobody),
		TEST(strangers_are_sent_to_by_the_gateway),
		TEST(a_group_needs_no_neighbour_and_stays_on_the_link),
		TEST(what_exceeds_the_mtu_goes_in_fragments),
		TEST(a_path_with_a_smaller_mtu_is_remembered_for_ten_minutes),
		TEST(echo_replies_are_fragmented_for_the_path),
		TEST(path_entries_are_bounded),
		cmocka_unit_test(a_link_that_is_too_small_has_no_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
