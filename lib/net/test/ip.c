/* SPDX-License-Identifier: ISC
 *
 * IPv4 and ICMP of a whole stack, 10.0.0.2/24 behind the gateway 10.0.0.1, by the clauses of RFC 791, 792, 1122, 1812.
 */
#include <stdio.h>

#include "lib/net/test/cable.h"

#define HOST  "10.0.0.1"
#define US    "10.0.0.2"
#define OTHER "10.0.0.7"

enum { ECHO_REPLY = 0, UNREACHABLE = 3, ECHO_REQUEST = 8, PARAMETER_PROBLEM = 12 };

static struct cable *cable;
static struct packet packet;

static int setup(void **state)
{
	(void)state;
	cable = cable_open(US, 24, HOST);
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

static void put_ping(const char *from, const char *to, const char *data)
{
	put_icmp(&packet, from, to, ECHO_REQUEST, 0, 0x12345678, data, strlen(data));
}

/* The next frame sent must be ICMP of this type and code, with right checksums: gives what follows the first 4 bytes.
 */
static const uint8_t *expect_icmp(uint8_t type, uint8_t code, size_t *len)
{
	const struct frame *frame = take(cable);
	const uint8_t *icmp;

	assert_non_null(frame);
	assert_memory_equal(frame->bytes + 6, our_mac, 6);
	assert_int_equal(wire_get16(frame->bytes + 12), ETHERNET_IPV4);
	assert_int_equal(frame->bytes[14], 0x45);
	assert_int_equal(wire_get16(frame->bytes + 16), frame->len - NET_ETHERNET_HEADER);
	assert_int_equal(checksum_finish(checksum_add(0, frame->bytes + 14, IPV4_HEADER)), 0);
	assert_int_equal(frame->bytes[14 + 9], IP_PROTOCOL_ICMP);
	icmp = frame->bytes + FRAME_HEADERS;
	*len = frame->len - FRAME_HEADERS;
	assert_int_equal(checksum_finish(checksum_add(0, icmp, *len)), 0);
	assert_int_equal(icmp[0], type);
	assert_int_equal(icmp[1], code);
	*len -= 4;
	return icmp + 4;
}

static void expect_silence(void)
{
	assert_null(take(cable));
}

/* RFC 1122, 3.2.2.6 */
static void a_ping_is_answered_with_the_same_data(void **state)
{
	const uint8_t *rest;
	size_t len;

	(void)state;
	put_ping(HOST, US, "abcdefg");
	give_packet(cable, &packet);
	rest = expect_icmp(ECHO_REPLY, 0, &len);
	assert_int_equal(len, 4 + 7);
	assert_memory_equal(rest,
		"\x12\x34\x56\x78"
		"abcdefg",
		11);
	expect_silence();
}

static void what_is_padding_of_the_link_is_not_data(void **state)
{
	size_t len;

	(void)state;
	put_ping(HOST, US, "abc");
	memset(packet.bytes + packet.len, 0xee, 100);
	packet.len += 100;
	give_packet(cable, &packet);
	expect_icmp(ECHO_REPLY, 0, &len);
	assert_int_equal(len, 4 + 3);
}

/* RFC 1122, 3.2.2: MUST be silently discarded */
static void icmp_of_unknown_type_and_wrong_checksum_is_dropped(void **state)
{
	uint64_t before = counted(cable).drops[DROP_ICMP_CHECKSUM];

	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		if (type == ECHO_REQUEST)
			continue;
		put_icmp(&packet, HOST, US, (uint8_t)type, 0, 0, "12345678", 8);
		give_packet(cable, &packet);
	}
	put_ping(HOST, US, "abc");
	packet.bytes[FRAME_HEADERS + 2] ^= 1;
	give_packet(cable, &packet);
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_ICMP_CHECKSUM], before + 1);
}

/* RFC 1122, 3.2.1.1 to 3.2.1.3 */
static void broken_headers_are_dropped_and_counted(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = { { 0, 0x05 }, { 0, 0x55 }, { 0, 0x65 }, { 0, 0x40 }, { 0, 0x44 }, { 0, 0x4f }, { 2, 1 },
		{ 3, 19 }, { 3, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct stack_counters before = counted(cable), after;

		put_ping(HOST, US, "abc");
		ip_header(&packet)[changes[i].at] = changes[i].value;
		if (ip_header_len(&packet) >= 10)
			resum_ip(&packet);
		give_packet(cable, &packet);
		after = counted(cable);
		assert_int_equal(after.drops[DROP_IP_HEADER], before.drops[DROP_IP_HEADER] + 1);
	}
	put_ping(HOST, US, "abc");
	ip_header(&packet)[10] ^= 0x80;
	give_packet(cable, &packet);
	assert_int_equal(counted(cable).drops[DROP_IP_CHECKSUM], 1);
	expect_silence();
}

static void every_truncation_is_dropped(void **state)
{
	(void)state;
	put_ping(HOST, US, "abcdefgh");
	for (size_t len = 0; len < packet.len; len++)
		give(cable, packet.bytes, len);
	expect_silence();
	assert_int_equal(counted(cable).drops[DROP_LINK_HEADER] + counted(cable).drops[DROP_IP_HEADER], packet.len);
}

/* RFC 1122, 3.2.1.3: sources that no host has; and our own, the "land" attack */
static void martians_and_land_are_dropped(void **state)
{
	static const char *const sources[] = { "127.0.0.1", "0.0.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1",
		"255.255.255.255", "10.0.0.255", US };

	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
		put_ping(sources[i], US, "abc");
		give_packet(cable, &packet);
		put_udp(&packet, sources[i], 1, US, 99, "abc", 3);
		give_packet(cable, &packet);
	}
	expect_silence();
	assert_int_equal(counted(cable).IpInAddrErrors, 2 * sizeof sources / sizeof *sources);
}

static void other_hosts_packets_are_dropped(void **state)
{
	static const char *const destinations[] = { OTHER, "192.0.2.1", "127.0.0.1", "224.0.0.1", "10.1.255.255" };

	(void)state;
	for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
		put_ping(HOST, destinations[i], "abc");
		give_packet(cable, &packet);
	}
	put_ping(HOST, US, "abc");
	packet.bytes[5] ^= 1; /* another's hardware address */
	give_packet(cable, &packet);
	put_ping(HOST, US, "abc");
	packet.bytes[6] |= 1; /* from a group: no host sends so */
	give_packet(cable, &packet);
	expect_silence();
}

/* RFC 1122, 3.3.6 and 3.2.2.6 */
static void a_broadcast_is_received_but_neither_answered_nor_refused(void **state)
{
	static const char *const destinations[] = { "10.0.0.255", "255.255.255.255" };
	struct udp *socket;

	(void)state;
	assert_int_equal(udp_bind(cable->stack, 68, &socket), 0);
	for (size_t i = 0; i < 2; i++) {
		put_ping(HOST, destinations[i], "abc");
		give_packet(cable, &packet);
		put_udp(&packet, HOST, 67, destinations[i], 99, "abc", 3);
		give_packet(cable, &packet);
		put_ip(&packet, HOST, destinations[i], 253, "abc", 3);
		give_packet(cable, &packet);
		put_udp(&packet, HOST, 67, destinations[i], 68, "abc", 3);
		memcpy(packet.bytes, every_mac, 6);
		give_packet(cable, &packet);
		assert_int_equal(udp_receive(socket, NULL, 0, NULL, 0), 3);
	}
	udp_close(socket);
	expect_silence();
}

/* RFC 1122, 3.3.6: "SHOULD silently discard a datagram that is received via a link-layer broadcast but does not specify
 * an IP multicast or broadcast destination" */
static void a_unicast_packet_in_a_broadcast_frame_is_dropped(void **state)
{
	(void)state;
	put_ping(HOST, US, "abc");
	memcpy(packet.bytes, every_mac, 6);
	give_packet(cable, &packet);
	expect_silence();
}

static void put_options(const uint8_t *options, size_t len)
{
	put_ping(HOST, US, "abc");
	memmove(packet.bytes + FRAME_HEADERS + len, packet.bytes + FRAME_HEADERS, packet.len - FRAME_HEADERS);
	memcpy(packet.bytes + FRAME_HEADERS, options, len);
	packet.len += len;
	ip_header(&packet)[0] = (uint8_t)(0x45 + len / 4);
	wire_put16(ip_header(&packet) + 2, (uint16_t)(packet.len - NET_ETHERNET_HEADER));
	resum_ip(&packet);
}

/* RFC 1122, 3.2.1.8; RFC 7126, 4.3 and 4.4 */
static void options_are_ignored_but_source_routes_dropped(void **state)
{
	static const uint8_t ignored[][4] = { { 1, 1, 1, 0 }, { 0, 9, 9, 9 }, { 136, 4, 0, 1 }, { 200, 3, 1, 1 },
		{ 7, 4, 5, 0 } };
	static const uint8_t dropped[][4] = { { 131, 3, 4, 0 }, { 137, 3, 4, 0 }, { 1, 131, 3, 4 } };
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
		put_options(ignored[i], 4);
		give_packet(cable, &packet);
		expect_icmp(ECHO_REPLY, 0, &len);
		assert_int_equal(len, 4 + 3);
	}
	for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) {
		put_options(dropped[i], 4);
		give_packet(cable, &packet);
		expect_silence();
	}
}

/* RFC 1122, 3.2.2.5 */
static void of_broken_options_the_sender_is_told_where(void **state)
{
	static const struct {
		uint8_t options[4], at;
	} broken[] = { { { 7, 0, 0, 0 }, 20 }, { { 7, 1, 0, 0 }, 20 }, { { 7, 5, 4, 0 }, 20 }, { { 1, 1, 1, 7 }, 23 } };
	const uint8_t *rest;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		put_options(broken[i].options, 4);
		give_packet(cable, &packet);
		rest = expect_icmp(PARAMETER_PROBLEM, 0, &len);
		assert_int_equal(rest[0], broken[i].at);
		assert_memory_equal(rest + 4, ip_header(&packet), ip_header_len(&packet));
		expect_silence();
	}
	put_options(broken[0].options, 4);
	wire_put16(ip_header(&packet) + 6, 1); /* RFC 1122, 3.2.2: not about a later fragment */
	resum_ip(&packet);
	give_packet(cable, &packet);
	expect_silence();
}

/* RFC 1122, 3.2.1.7: "MUST NOT discard a datagram just because it was received with TTL less than 2" */
static void a_ttl_of_0_or_1_is_received(void **state)
{
	size_t len;

	(void)state;
	for (uint8_t ttl = 0; ttl < 2; ttl++) {
		put_ping(HOST, US, "abc");
		ip_header(&packet)[8] = ttl;
		resum_ip(&packet);
		give_packet(cable, &packet);
		expect_icmp(ECHO_REPLY, 0, &len);
	}
}

/* RFC 1122, 3.2.2.1; RFC 1812, 4.3.2.3 */
static void a_closed_port_is_refused_with_as_much_as_576_bytes_hold(void **state)
{
	static uint8_t data[1000];
	size_t len;
	const uint8_t *rest;

	(void)state;
	put_udp(&packet, HOST, 1234, US, 99, data, 10);
	give_packet(cable, &packet);
	rest = expect_icmp(UNREACHABLE, 3, &len);
	assert_int_equal(len, 4 + IPV4_HEADER + 18);
	assert_memory_equal(rest, "\0\0\0\0", 4);
	assert_memory_equal(rest + 4, ip_header(&packet), IPV4_HEADER + 18);
	put_udp(&packet, HOST, 1234, US, 99, data, sizeof data);
	give_packet(cable, &packet);
	expect_icmp(UNREACHABLE, 3, &len);
	assert_int_equal(IPV4_HEADER + 4 + len, 576);
}

static void an_unknown_protocol_is_refused(void **state)
{
	size_t len;

	(void)state;
	put_ip(&packet, HOST, US, 253, "abcdefgh", 8);
	give_packet(cable, &packet);
	expect_icmp(UNREACHABLE, 2, &len);
}

/* RFC 1812, 4.3.2.8 */
static void errors_are_limited_to_a_burst_and_a_rate(void **state)
{
	size_t burst = 0, later = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		put_udp(&packet, HOST, 1234, US, 99, "x", 1);
		give_packet(cable, &packet);
		burst += take(cable) != NULL;
	}
	assert_in_range(burst, ICMP_ERRORS_BURST - ICMP_ERRORS_BURST / 8, ICMP_ERRORS_BURST);
	for (int i = 0; i < 100; i++) {
		pass(MSEC(1));
		put_udp(&packet, HOST, 1234, US, 99, "x", 1);
		give_packet(cable, &packet);
		later += take(cable) != NULL;
	}
	assert_in_range(later, ICMP_ERRORS_PER_SECOND / 10 - 1, ICMP_ERRORS_PER_SECOND / 10 + 1);
}

static void random_errors_about_random_packets_do_nothing(void **state)
{
	uint8_t quoted[64];

	(void)state;
	srand(1);
	for (int i = 0; i < 10000; i++) {
		for (size_t at = 0; at < sizeof quoted; at++)
			quoted[at] = (uint8_t)rand();
		if (rand() % 2)
			quoted[0] = (uint8_t)(0x40 | rand() % 16);
		if (rand() % 2)
			wire_put32(quoted + 12, number_of(US));
		quoted[9] = rand() % 2 ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP;
		put_icmp(&packet, HOST, US, UNREACHABLE, (uint8_t)(rand() % 16), (uint32_t)rand(), quoted,
			(size_t)rand() % sizeof quoted);
		give_packet(cable, &packet);
	}
	expect_silence();
}

/* Fragments --------------------------------------------------------------------------------------------------- */

/* Gives the packet in fragments of this many bytes of payload, the last one first. */
static void give_in_fragments(size_t each)
{
	struct packet whole = packet;
	size_t len = whole.len - FRAME_HEADERS, count = (len + each - 1) / each;

	for (size_t i = count; i-- > 0;) {
		size_t part = i == count - 1 ? len - i * each : each;

		memcpy(packet.bytes + FRAME_HEADERS, whole.bytes + FRAME_HEADERS + i * each, part);
		packet.len = FRAME_HEADERS + part;
		wire_put16(ip_header(&packet) + 2, (uint16_t)(IPV4_HEADER + part));
		wire_put16(ip_header(&packet) + 4, 0x1234);
		wire_put16(ip_header(&packet) + 6, (uint16_t)(i * each / 8 | (i == count - 1 ? 0 : 0x2000)));
		resum_ip(&packet);
		give_packet(cable, &packet);
	}
}

/* RFC 1122, 3.3.2 and 3.2.2.6: "the entire Echo Request is included in the resulting Echo Reply" */
static void a_large_ping_is_put_together_and_answered_in_fragments(void **state)
{
	static uint8_t data[65507], answer[65515];
	const struct frame *frame;
	uint16_t id = 0, field = 0x2000;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	put_icmp(&packet, HOST, US, ECHO_REQUEST, 0, 0x12345678, data, sizeof data);
	give_in_fragments(1480);
	for (; field & 0x2000; at += frame->len - FRAME_HEADERS) {
		frame = take(cable);
		assert_non_null(frame);
		assert_true(frame->len <= NET_ETHERNET_HEADER + CABLE_MTU);
		assert_int_equal(checksum_finish(checksum_add(0, frame->bytes + 14, IPV4_HEADER)), 0);
		field = wire_get16(frame->bytes + 14 + 6);
		assert_int_equal((field & 0x1fff) * 8, at);
		assert_int_equal(field & 0xc000, 0);
		id = at == 0 ? wire_get16(frame->bytes + 14 + 4) : id;
		assert_int_equal(wire_get16(frame->bytes + 14 + 4), id);
		memcpy(answer + at, frame->bytes + FRAME_HEADERS, frame->len - FRAME_HEADERS);
	}
	assert_int_equal(at, sizeof answer);
	assert_int_equal(checksum_finish(checksum_add(0, answer, at)), 0);
	assert_int_equal(answer[0], ECHO_REPLY);
	assert_memory_equal(answer + 8, data, sizeof data);
	expect_silence();
}

static void a_fragmented_datagram_is_verified_when_it_is_whole(void **state)
{
	static uint8_t data[5000], buf[5000];
	struct udp *socket;

	(void)state;
	memset(data, 0x5a, sizeof data);
	assert_int_equal(udp_bind(cable->stack, 53, &socket), 0);
	put_udp(&packet, HOST, 1234, US, 53, data, sizeof data);
	give_in_fragments(1000);
	assert_int_equal(udp_receive(socket, buf, sizeof buf, NULL, 0), sizeof data);
	assert_memory_equal(buf, data, sizeof data);
	put_udp(&packet, HOST, 1234, US, 53, data, sizeof data);
	packet.bytes[4000] ^= 1;
	give_in_fragments(1000);
	assert_int_equal(counted(cable).drops[DROP_UDP_CHECKSUM], 1);
	udp_close(socket);
}

static void of_a_datagram_that_stays_incomplete_the_first_fragment_is_sent_back(void **state)
{
	size_t len;
	const uint8_t *rest;

	(void)state;
	put_udp(&packet, HOST, 1234, US, 53, "12345678", 8);
	wire_put16(ip_header(&packet) + 6, 0x2000);
	resum_ip(&packet);
	give_packet(cable, &packet);
	pass(FRAGMENT_LIFETIME_NS - 1);
	expect_silence();
	pass(1);
	rest = expect_icmp(11, 1, &len);
	assert_int_equal(len, 4 + IPV4_HEADER + 16);
	assert_memory_equal(rest + 4, ip_header(&packet), IPV4_HEADER + 16);
	assert_int_equal(counted(cable).IpReasmFails, 1);
	/* RFC 1122, 3.2.2.4: not without the first, which says whom to tell */
	wire_put16(ip_header(&packet) + 6, 0x2001);
	resum_ip(&packet);
	give_packet(cable, &packet);
	pass(FRAGMENT_LIFETIME_NS);
	expect_silence();
	assert_int_equal(counted(cable).IpReasmFails, 2);
}

/* Sending ----------------------------------------------------------------------------------------------------- */

static int send_to(const char *to, const void *payload, size_t len)
{
	const struct platform_piece piece = { payload, len };
	struct ip_sending sending = { .protocol = 253, .pieces = &piece, .count = 1, .len = len };
	uint16_t mtu = 0;
	int err;

	assert_int_equal(ip_parse(to, &sending.destination), 0);
	err = ip_route(own_of(cable), &sending.destination, &sending.source, &mtu);
	if (err < 0)
		return err;
	assert_int_equal(mtu, CABLE_MTU);
	return ip_send(own_of(cable), &sending);
}

static const struct frame *expect_packet(const char *to, const uint8_t *mac)
{
	const struct frame *frame = take(cable);

	assert_non_null(frame);
	assert_memory_equal(frame->bytes, mac, 6);
	assert_int_equal(wire_get32(frame->bytes + 14 + 12), number_of(US));
	assert_int_equal(wire_get32(frame->bytes + 14 + 16), number_of(to));
	return frame;
}

/* RFC 1122, 3.3.1.1 */
static void neighbours_are_sent_to_directly_and_strangers_by_the_gateway(void **state)
{
	(void)state;
	assert_int_equal(send_to(HOST, "x", 1), 0);
	expect_packet(HOST, their_mac);
	assert_int_equal(send_to("192.0.2.1", "x", 1), 0);
	expect_packet("192.0.2.1", their_mac);
	assert_int_equal(send_to(OTHER, "x", 1), 0);
	assert_true(is_arp_request(take(cable), OTHER));
	expect_silence();
	give_arp(cable, 2, OTHER, US);
	expect_packet(OTHER, their_mac);
}

static void broadcast_and_multicast_need_no_neighbour(void **state)
{
	(void)state;
	assert_int_equal(send_to("255.255.255.255", "x", 1), 0);
	expect_packet("255.255.255.255", every_mac);
	assert_int_equal(send_to("10.0.0.255", "x", 1), 0);
	expect_packet("10.0.0.255", every_mac);
	assert_int_equal(send_to("239.129.2.3", "x", 1), 0);
	assert_int_equal(expect_packet("239.129.2.3", (const uint8_t[]){ 1, 0, 0x5e, 1, 2, 3 })->bytes[14 + 8], 1);
}

static void there_is_no_way_to_nobody_and_to_ipv6(void **state)
{
	static const char *const nowhere[] = { "0.0.0.0", "0.0.0.1", "240.0.0.1", "::1", "2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
		assert_int_equal(send_to(nowhere[i], "x", 1), -ENETUNREACH);
	cable_close(cable);
	cable = cable_open(US, 24, NULL);
	assert_int_equal(send_to("192.0.2.1", "x", 1), -ENETUNREACH);
	expect_silence();
}

/* RFC 6864, 4.1; RFC 1122, 3.2.1.7 */
static void a_sent_header_has_df_no_identification_and_ttl_64(void **state)
{
	const struct frame *frame;

	(void)state;
	assert_int_equal(send_to(HOST, "hello", 5), 0);
	frame = expect_packet(HOST, their_mac);
	assert_int_equal(frame->len, FRAME_HEADERS + 5);
	assert_int_equal(frame->bytes[14], 0x45);
	assert_int_equal(wire_get16(frame->bytes + 16), IPV4_HEADER + 5);
	assert_int_equal(wire_get32(frame->bytes + 18), 0x00004000);
	assert_int_equal(frame->bytes[22], 64);
	assert_int_equal(frame->bytes[23], 253);
	assert_int_equal(checksum_finish(checksum_add(0, frame->bytes + 14, IPV4_HEADER)), 0);
	assert_memory_equal(frame->bytes + FRAME_HEADERS, "hello", 5);
}

static void what_exceeds_the_mtu_is_refused(void **state)
{
	static uint8_t data[CABLE_MTU];

	(void)state;
	assert_int_equal(send_to(HOST, data, CABLE_MTU - IPV4_HEADER), 0);
	assert_int_equal(take(cable)->len, NET_ETHERNET_HEADER + CABLE_MTU);
	assert_int_equal(send_to(HOST, data, CABLE_MTU - IPV4_HEADER + 1), -EMSGSIZE);
	expect_silence();
}

static void a_neighbour_that_was_given_up_is_unreachable(void **state)
{
	(void)state;
	assert_int_equal(send_to(OTHER, "x", 1), 0);
	pass(ARP_TRIES * ARP_RETRY_NS + MSEC(1));
	assert_int_equal(send_to(OTHER, "x", 1), -EHOSTUNREACH);
	for (int i = 0; i < ARP_TRIES; i++)
		assert_true(is_arp_request(take(cable), OTHER));
	expect_silence();
}

/* The link completes checksums and cuts segments, if it says so; what waits for ARP keeps its meta. */
static void offload_goes_with_the_frame_also_while_it_waits(void **state)
{
	static uint8_t header[20], payload[60000];
	const struct platform_piece pieces[] = { { header, sizeof header }, { payload, sizeof payload } };
	struct ip_sending sending = { .protocol = IP_PROTOCOL_TCP,
		.pieces = pieces,
		.count = 2,
		.len = sizeof header + sizeof payload,
		.checksum_partial = true,
		.checksum_offset = 16,
		.segment_bytes = 1460 };
	const struct frame *frame;

	(void)state;
	cable->net.info.features = PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4;
	assert_int_equal(ip_parse(OTHER, &sending.destination), 0);
	sending.source = own_of(cable)->address;
	assert_int_equal(ip_send(own_of(cable), &sending), 0);
	assert_true(is_arp_request(take(cable), OTHER));
	give_arp(cable, 2, OTHER, US);
	frame = expect_packet(OTHER, their_mac);
	assert_int_equal(frame->len, FRAME_HEADERS + sizeof header + sizeof payload);
	assert_int_equal(frame->meta.header_bytes, FRAME_HEADERS + sizeof header);
	assert_true(frame->meta.checksum_partial);
	assert_int_equal(frame->meta.checksum_start, FRAME_HEADERS);
	assert_int_equal(frame->meta.checksum_offset, 16);
	assert_int_equal(frame->meta.segment_bytes, 1460);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_ping_is_answered_with_the_same_data),
		TEST(what_is_padding_of_the_link_is_not_data),
		TEST(icmp_of_unknown_type_and_wrong_checksum_is_dropped),
		TEST(broken_headers_are_dropped_and_counted),
		TEST(every_truncation_is_dropped),
		TEST(martians_and_land_are_dropped),
		TEST(other_hosts_packets_are_dropped),
		TEST(a_broadcast_is_received_but_neither_answered_nor_refused),
		TEST(a_unicast_packet_in_a_broadcast_frame_is_dropped),
		TEST(options_are_ignored_but_source_routes_dropped),
		TEST(of_broken_options_the_sender_is_told_where),
		TEST(a_ttl_of_0_or_1_is_received),
		TEST(a_closed_port_is_refused_with_as_much_as_576_bytes_hold),
		TEST(an_unknown_protocol_is_refused),
		TEST(errors_are_limited_to_a_burst_and_a_rate),
		TEST(random_errors_about_random_packets_do_nothing),
		TEST(a_large_ping_is_put_together_and_answered_in_fragments),
		TEST(a_fragmented_datagram_is_verified_when_it_is_whole),
		TEST(of_a_datagram_that_stays_incomplete_the_first_fragment_is_sent_back),
		TEST(neighbours_are_sent_to_directly_and_strangers_by_the_gateway),
		TEST(broadcast_and_multicast_need_no_neighbour),
		TEST(there_is_no_way_to_nobody_and_to_ipv6),
		TEST(a_sent_header_has_df_no_identification_and_ttl_64),
		TEST(what_exceeds_the_mtu_is_refused),
		TEST(a_neighbour_that_was_given_up_is_unreachable),
		TEST(offload_goes_with_the_frame_also_while_it_waits),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
