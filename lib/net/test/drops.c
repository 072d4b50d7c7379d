/* SPDX-License-Identifier: ISC
 *
 * Every reason for which a stack drops a packet, made to happen: it is counted once for each packet, nothing else is,
 * and what the MIBs count of it follows. The stack is 10.0.0.2/24 and 2001:db8::2/64, without gateways.
 */
#include <skerry/dhcp.h>
#include <skerry/multicast.h>
#include <skerry/udp.h>

#include "lib/net/dhcp_message.h"
#include "lib/net/tcp_stack.h"
#include "lib/net/test/cable6.h"
#include "lib/stream/test/allocation.h"

#define HOST   "10.0.0.1"
#define US     "10.0.0.2"
#define ALL    "10.0.0.255"
#define HOST_6 "2001:db8::1"
#define US_6   "2001:db8::2"

enum { OUR_PORT = 80, THEIR_PORT = 1000, THEIR_SEQ = 5000 };

static struct cable *cable;
static struct packet packet;
/* What a cause cannot but drop beside. */
static enum stack_drop also;

static void ping(const char *from, const char *to)
{
	put_icmp(&packet, from, to, 8, 0, 0, "abcdefgh", 8);
}

static void give_it(void)
{
	give_packet(cable, &packet);
}

/* Packets of our own ------------------------------------------------------------------------------------------------
 */

static int send_now(const char *to, size_t len, bool may_fragment)
{
	static uint8_t payload[4000];
	const struct platform_piece piece = { payload, len };
	struct ip_sending sending = {
		.protocol = 253, .pieces = &piece, .count = 1, .len = len, .may_fragment = may_fragment
	};
	uint16_t mtu;

	assert_int_equal(ip_parse(to, &sending.destination), 0);
	if (ip_route(own_of(cable), &sending.destination, &sending.source, &mtu) < 0)
		assert_int_equal(ip_parse(ip_is_v4(&sending.destination) ? US : US_6, &sending.source), 0);
	return ip_send(own_of(cable), &sending);
}

static void send_to_neighbours(const char *format, unsigned count)
{
	char address[IP_TEXT_MAX];

	for (unsigned i = 0; i < count; i++) {
		snprintf(address, sizeof address, format, 16 + i);
		(void)send_now(address, 8, false);
	}
}

/* The link, and neighbours ------------------------------------------------------------------------------------------
 */

static void link_length(void)
{
	uint8_t *huge = calloc(1, NET_FRAME_MAX + 1);

	give(cable, huge, NET_FRAME_MAX + 1);
	free(huge);
}

static void link_header(void)
{
	ping(HOST, US);
	give(cable, packet.bytes, NET_ETHERNET_HEADER - 1);
}

static void link_other_host(void)
{
	ping(HOST, US);
	packet.bytes[5] ^= 1;
	give_it();
}

static void link_type(void)
{
	ping(HOST, US);
	wire_put16(packet.bytes + 12, 0x88b5);
	give_it();
}

static void link_no_room(void)
{
	cable->send_error = -EAGAIN;
	ping(HOST, US);
	give_it();
	cable->send_error = 0;
}

static void arp_header(void)
{
	uint8_t frame[NET_ETHERNET_HEADER + ARP_PACKET] = { 0 };

	memcpy(frame, every_mac, 6);
	memcpy(frame + 6, their_mac, 6);
	wire_put16(frame + 12, ETHERNET_ARP);
	give(cable, frame, sizeof frame);
}

static void arp_table_full(void)
{
	send_to_neighbours("10.0.0.%u", ARP_ASKING_MAX + 1);
}

static void arp_queue_full(void)
{
	assert_int_equal(send_now("10.0.0.9", 8, false), 0);
	assert_int_equal(send_now("10.0.0.9", 8, false), 0);
}

static void arp_no_answer(void)
{
	assert_int_equal(send_now("10.0.0.9", 8, false), 0);
	pass(SECOND(4));
}

static void ndp_table_full(void)
{
	send_to_neighbours("2001:db8::%x", NDP_ASKING_MAX + 1);
}

static void ndp_queue_full(void)
{
	for (int i = 0; i < NDP_WAITING_MAX + 1; i++)
		assert_int_equal(send_now("2001:db8::9", 8, false), 0);
}

static void ndp_no_answer(void)
{
	assert_int_equal(send_now("2001:db8::9", 8, false), 0);
	pass(SECOND(4));
}

/* IP ----------------------------------------------------------------------------------------------------------------
 */

static void ip_changed(size_t at, uint8_t value)
{
	ping(HOST, US);
	ip_header(&packet)[at] = value;
	resum_ip(&packet);
	give_it();
}

static void ip_bad_header(void)
{
	ip_changed(3, 19);
}

static void ip_checksum(void)
{
	ping(HOST, US);
	ip_header(&packet)[10] ^= 0x80;
	give_it();
}

static void ip_option(uint8_t type, uint8_t len)
{
	ping(HOST, US);
	memmove(ip_payload(&packet) + 4, ip_payload(&packet), 16);
	ip_header(&packet)[0] = 0x46;
	ip_header(&packet)[20] = type;
	ip_header(&packet)[21] = len;
	ip_header(&packet)[22] = ip_header(&packet)[23] = 0;
	packet.len += 4;
	wire_put16(ip_header(&packet) + 2, (uint16_t)(packet.len - NET_ETHERNET_HEADER));
	resum_ip(&packet);
	give_it();
}

static void ip_options(void)
{
	ip_option(7, 9);
}

static void ip_source_route(void)
{
	ip_option(131, 3);
}

static void ip_other_host(void)
{
	ping(HOST, "10.0.0.77");
	give_it();
}

static void ip_source(void)
{
	ping("127.0.0.1", US);
	give_it();
}

static void ip_protocol(void)
{
	ip_changed(9, 253);
}

static void fragment_4(uint16_t id, size_t offset, bool more, const char *data, size_t len)
{
	put_ip(&packet, HOST, US, IP_PROTOCOL_UDP, data, len);
	wire_put16(ip_header(&packet) + 4, id);
	wire_put16(ip_header(&packet) + 6, (uint16_t)(offset / 8 | (more ? IPV4_MORE_FRAGMENTS : 0)));
	resum_ip(&packet);
	give_it();
}

static void fragment_6(uint16_t id, size_t offset, bool more, const char *data, size_t len)
{
	uint8_t payload[8 + 64] = { IP_PROTOCOL_UDP };

	wire_put16(payload + 2, (uint16_t)(offset | more));
	wire_put32(payload + 4, id);
	memcpy(payload + 8, data, len);
	put_ip6(&packet, HOST_6, US_6, IPV6_FRAGMENT, payload, 8 + len);
	give_it();
}

typedef void give_fragment(uint16_t id, size_t offset, bool more, const char *data, size_t len);

static void no_fragment(give_fragment *fragment)
{
	fragment(1, 8, true, "1234567", 7);
}

static void overlap(give_fragment *fragment)
{
	fragment(1, 8, true, "1234567812345678", 16);
	fragment(1, 16, true, "abcdefgh", 8);
}

static void too_many_datagrams(give_fragment *fragment)
{
	for (uint16_t id = 0; id < FRAGMENT_DATAGRAMS + 1; id++)
		fragment(id, 8, true, "12345678", 8);
}

/* The frame itself takes one allocation. */
static void no_memory_for_parts(give_fragment *fragment)
{
	allocations_until_failure = 2;
	fragment(1, 8, true, "12345678", 8);
	assert_int_equal(allocations_until_failure, 0);
}

static void incomplete(give_fragment *fragment)
{
	fragment(1, 8, true, "12345678", 8);
	pass(SECOND(61));
}

static void ip_fragment(void)
{
	no_fragment(fragment_4);
}

static void ip_fragment_overlap(void)
{
	overlap(fragment_4);
}

static void ip_fragment_limit(void)
{
	too_many_datagrams(fragment_4);
}

static void ip_fragment_memory(void)
{
	no_memory_for_parts(fragment_4);
}

static void ip_fragment_timeout(void)
{
	incomplete(fragment_4);
}

static void ip6_fragment(void)
{
	no_fragment(fragment_6);
}

static void ip6_fragment_overlap(void)
{
	overlap(fragment_6);
}

static void ip6_fragment_limit(void)
{
	too_many_datagrams(fragment_6);
}

static void ip6_fragment_memory(void)
{
	no_memory_for_parts(fragment_6);
}

static void ip6_fragment_timeout(void)
{
	incomplete(fragment_6);
}

static void ip_no_route(void)
{
	assert_int_equal(send_now("192.0.2.1", 8, false), -ENETUNREACH);
}

static void ip_too_big(void)
{
	assert_int_equal(send_now(HOST, CABLE_MTU, false), -EMSGSIZE);
}

static void ip6_no_route(void)
{
	assert_int_equal(send_now("2001:db9::1", 8, false), -ENETUNREACH);
}

static void ip6_too_big(void)
{
	assert_int_equal(send_now(HOST_6, CABLE_MTU, false), -EMSGSIZE);
}

static void ping_6(const char *from, const char *to)
{
	put_icmp6(&packet, from, to, ICMPV6_ECHO_REQUEST, 0, 0, "abcdefgh", 8);
}

static void ip6_header(void)
{
	ping_6(HOST_6, US_6);
	wire_put16(packet.bytes + NET_ETHERNET_HEADER + IPV6_PAYLOAD_LENGTH, 1000);
	give_it();
}

static void ip6_next(uint8_t next, const char *payload)
{
	put_ip6(&packet, HOST_6, US_6, next, payload, 8);
	give_it();
}

static void ip6_extension(void)
{
	ip6_next(IPV6_DESTINATION_OPTIONS, "\x3b\xff\0\0\0\0\0\0");
}

static void ip6_option(void)
{
	ip6_next(IPV6_DESTINATION_OPTIONS, "\x3b\0\x7e\4\0\0\0\0");
}

static void ip6_routing(void)
{
	ip6_next(IPV6_ROUTING, "\x3b\0\0\1\0\0\0\0");
}

static void ip6_protocol(void)
{
	ip6_next(253, "12345678");
}

static void ip6_no_next(void)
{
	ip6_next(IPV6_NO_NEXT, "12345678");
}

static void ip6_other_host(void)
{
	ping_6(HOST_6, "2001:db8::77");
	give_it();
}

static void ip6_source(void)
{
	ping_6("::1", US_6);
	give_it();
}

/* ICMP --------------------------------------------------------------------------------------------------------------
 */

static void icmp_header(void)
{
	put_ip(&packet, HOST, US, IP_PROTOCOL_ICMP, "\x08\0\xf7\xff", 4);
	give_it();
}

static void icmp_checksum(void)
{
	ping(HOST, US);
	ip_payload(&packet)[2] ^= 1;
	give_it();
}

static void icmp_quote(void)
{
	put_icmp(&packet, HOST, US, 3, 3, 0, "abcdefgh", 8);
	give_it();
}

static void icmp_type(void)
{
	put_icmp(&packet, HOST, US, 13, 0, 0, "abcdefgh", 8);
	give_it();
}

static void icmp_broadcast(void)
{
	ping(HOST, ALL);
	give_it();
}

/* Fewer than the bucket holds are answered; each of the others is one. */
static void icmp_rate_limit(void)
{
	also = DROP_UDP_NO_PORT;
	for (int i = 0; i < 2 * ICMP_ERRORS_BURST; i++) {
		put_udp(&packet, HOST, THEIR_PORT, US, 9, "x", 1);
		give_it();
	}
}

static void igmp_message(void)
{
	static const uint8_t cut_off[4] = { 0x11 };
	struct ip_address group;

	assert_int_equal(ip_parse("224.0.0.251", &group), 0);
	assert_int_equal(stack_join_group(cable->stack, NULL, &group), 0);
	put_ip(&packet, HOST, "224.0.0.1", 2, cut_off, sizeof cut_off);
	give_it();
}

static void icmp6_header(void)
{
	put_ip6(&packet, HOST_6, US_6, IP_PROTOCOL_ICMPV6, "\x80\0\0\0", 4);
	give_it();
}

static void icmp6_checksum(void)
{
	ping_6(HOST_6, US_6);
	packet.bytes[HEADERS_6 + 2] ^= 1;
	give_it();
}

static void icmp6_quote(void)
{
	put_icmp6(&packet, HOST_6, US_6, ICMPV6_UNREACHABLE, 4, 0, "abcdefgh", 8);
	give_it();
}

static void icmp6_discovery(void)
{
	give_solicitation(cable, HOST_6, US_6, "ff02::1", their_mac);
}

static void icmp6_type(void)
{
	put_icmp6(&packet, HOST_6, US_6, 200, 0, 0, "abcdefgh", 8);
	give_it();
}

/* UDP and DHCP ------------------------------------------------------------------------------------------------------
 */

static void udp_header(void)
{
	put_udp(&packet, HOST, THEIR_PORT, US, 9, "x", 1);
	wire_put16(ip_payload(&packet) + 4, 7);
	resum(&packet, 6);
	give_it();
}

static void udp_checksum(void)
{
	put_udp(&packet, HOST, THEIR_PORT, US, 9, "x", 1);
	ip_payload(&packet)[8] ^= 1;
	give_it();
}

static void udp_no_port(void)
{
	put_udp(&packet, HOST, THEIR_PORT, US, 9, "x", 1);
	give_it();
}

static void udp_queue_full(void)
{
	struct udp *socket;

	assert_int_equal(udp_bind(cable->stack, 9, &socket), 0);
	udp_set_queue(socket, 1);
	udp_no_port();
	udp_close(socket);
}

/* A reply of some server's to another question than ours. */
static void dhcp_unexpected(void)
{
	struct dhcp_message message = { .op = DHCP_FROM_SERVER, .type = DHCP_OFFER, .xid = 1 };
	uint8_t bytes[DHCP_MESSAGE_MAX];
	size_t len;

	memcpy(message.mac, our_mac, 6);
	len = dhcp_message_build(&message, bytes, sizeof bytes);
	put_udp(&packet, HOST, DHCP_SERVER_PORT, "255.255.255.255", DHCP_CLIENT_PORT, bytes, len);
	give_it();
}

static void dhcp_message(void)
{
	put_udp(&packet, HOST, DHCP_SERVER_PORT, "255.255.255.255", DHCP_CLIENT_PORT, "rubbish", 7);
	give_it();
}

/* TCP ---------------------------------------------------------------------------------------------------------------
 */

static struct tcp_listener *listener;
static struct tcp_segment heard; /* the last that the stack has sent */
static struct tcp_options with;  /* in what is sent to it */
static const char *sender = HOST;
static uint16_t from_port = THEIR_PORT;

static void put_segment(uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	const struct tcp_segment segment = {
		.source_port = from_port,
		.destination_port = OUR_PORT,
		.flags = flags,
		.seq = seq,
		.ack = ack,
		.window = 60000,
		.options = with,
	};
	uint8_t bytes[TCP_HEADER_MAX + 16];
	size_t len = tcp_segment_build(&segment, bytes);

	memcpy(bytes + len, data, strlen(data));
	put_ip(&packet, sender, US, IP_PROTOCOL_TCP, bytes, len + strlen(data));
	resum(&packet, TCP_CHECKSUM_OFFSET);
}

static void hear(void)
{
	const struct frame *frame;

	while ((frame = take(cable)))
		if (wire_get16(frame->bytes + 12) == ETHERNET_IPV4 && frame->bytes[14 + 9] == IP_PROTOCOL_TCP)
			assert_int_equal(
				tcp_segment_parse(frame->bytes + FRAME_HEADERS, frame->len - FRAME_HEADERS, &heard), 0);
}

/* Given seq counts from what follows their SYN, ack from what follows ours. */
static uint32_t our_seq;
static void segment(uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	put_segment(flags, THEIR_SEQ + 1 + seq, our_seq + ack, data);
	give_it();
	hear();
}

static void listen_to(uint32_t backlog)
{
	const struct tcp_listening listening = { .backlog = backlog };

	assert_int_equal(tcp_listen_with(cable->stack, OUR_PORT, &listening, &listener), 0);
}

static void shake_hands(void)
{
	put_segment(TCP_SYN, THEIR_SEQ, 0, "");
	give_it();
	hear();
	assert_int_equal(heard.flags, TCP_SYN | TCP_ACK);
	our_seq = heard.seq + 1;
	segment(TCP_ACK, 0, 0, "");
}

static void connected(void)
{
	listen_to(0);
	shake_hands();
}

static void tcp_header(void)
{
	put_segment(TCP_SYN, 1, 0, "");
	ip_payload(&packet)[12] = 0x40;
	resum(&packet, TCP_CHECKSUM_OFFSET);
	give_it();
}

static void tcp_checksum(void)
{
	put_segment(TCP_SYN, 1, 0, "");
	ip_payload(&packet)[TCP_CHECKSUM_OFFSET] ^= 1;
	give_it();
}

static void tcp_broadcast(void)
{
	put_segment(TCP_SYN, 1, 0, "");
	wire_put32(ip_header(&packet) + 16, number_of(ALL));
	resum_ip(&packet);
	resum(&packet, TCP_CHECKSUM_OFFSET);
	give_it();
}

static void tcp_no_listener(void)
{
	put_segment(TCP_SYN, 1, 0, "");
	give_it();
}

static void tcp_flags(void)
{
	listen_to(0);
	put_segment(TCP_ACK, 1, 1, "");
	give_it();
}

static void tcp_listen_overflow(void)
{
	listen_to(1);
	shake_hands();
	from_port++;
	put_segment(TCP_SYN, THEIR_SEQ, 0, "");
	give_it();
	from_port--;
}

static void tcp_listen_memory(void)
{
	listen_to(0);
	sender = "192.0.2.1"; /* to where there is no way */
	put_segment(TCP_SYN, THEIR_SEQ, 0, "");
	give_it();
	sender = HOST;
}

static void tcp_old_timestamp(void)
{
	with = (struct tcp_options){ .has_timestamp = true, .timestamp = 1000 };
	connected();
	with.timestamp = 999;
	segment(TCP_ACK, 0, 0, "abc");
	with = (struct tcp_options){ 0 };
}

static void tcp_old_segment(void)
{
	connected();
	segment(TCP_ACK, 0, 0, "abc");
	segment(TCP_ACK, 0, 0, "abc");
}

static void tcp_beyond_window(void)
{
	connected();
	segment(TCP_ACK, 1 << 24, 0, "abc");
}

static void tcp_bad_ack(void)
{
	connected();
	segment(TCP_ACK, 0, 1000, "");
}

static void tcp_bad_reset(void)
{
	connected();
	segment(TCP_RST, 1, 0, "");
}

static void tcp_bad_syn(void)
{
	connected();
	segment(TCP_SYN, 0, 0, "");
}

static void tcp_after_fin(void)
{
	connected();
	segment(TCP_FIN | TCP_ACK, 0, 0, "");
	segment(TCP_ACK, 1, 0, "abc");
}

static int accept_and_close(void *arg)
{
	struct tcp *flow;

	(void)arg;
	assert_int_equal(tcp_accept(listener, &flow, task_now() + SECOND(1)), 0);
	tcp_close(flow);
	return 0;
}

static void tcp_closed_reader(void)
{
	int result;

	connected();
	assert_int_equal(task_run(accept_and_close, NULL, &result), 0);
	segment(TCP_ACK, 0, 0, "abc");
}

static void tcp_no_memory(void)
{
	connected();
	own_of(cable)->pool.limit_bytes = own_of(cable)->pool.used_bytes;
	segment(TCP_ACK, 0, 0, "abc");
}

static void tcp_too_many_gaps(void)
{
	connected();
	for (uint32_t i = 0; i < TCP_RANGES_MAX + 1; i++) {
		segment(TCP_ACK, 2 + 2 * i, 0, "x");
		drop_sent(cable);
	}
}

/* All of them -------------------------------------------------------------------------------------------------------
 */

static void (*const causes[DROP_REASONS])(void) = {
	[DROP_LINK_LENGTH] = link_length,
	[DROP_LINK_HEADER] = link_header,
	[DROP_LINK_OTHER_HOST] = link_other_host,
	[DROP_LINK_TYPE] = link_type,
	[DROP_LINK_NO_ROOM] = link_no_room,
	[DROP_ARP_HEADER] = arp_header,
	[DROP_ARP_TABLE_FULL] = arp_table_full,
	[DROP_ARP_QUEUE_FULL] = arp_queue_full,
	[DROP_ARP_NO_ANSWER] = arp_no_answer,
	[DROP_IP_HEADER] = ip_bad_header,
	[DROP_IP_CHECKSUM] = ip_checksum,
	[DROP_IP_OPTIONS] = ip_options,
	[DROP_IP_SOURCE_ROUTE] = ip_source_route,
	[DROP_IP_OTHER_HOST] = ip_other_host,
	[DROP_IP_SOURCE] = ip_source,
	[DROP_IP_PROTOCOL] = ip_protocol,
	[DROP_IP_FRAGMENT] = ip_fragment,
	[DROP_IP_FRAGMENT_OVERLAP] = ip_fragment_overlap,
	[DROP_IP_FRAGMENT_LIMIT] = ip_fragment_limit,
	[DROP_IP_FRAGMENT_MEMORY] = ip_fragment_memory,
	[DROP_IP_FRAGMENT_TIMEOUT] = ip_fragment_timeout,
	[DROP_IP_NO_ROUTE] = ip_no_route,
	[DROP_IP_TOO_BIG] = ip_too_big,
	[DROP_NDP_TABLE_FULL] = ndp_table_full,
	[DROP_NDP_QUEUE_FULL] = ndp_queue_full,
	[DROP_NDP_NO_ANSWER] = ndp_no_answer,
	[DROP_IP6_HEADER] = ip6_header,
	[DROP_IP6_EXTENSION] = ip6_extension,
	[DROP_IP6_OPTION] = ip6_option,
	[DROP_IP6_ROUTING] = ip6_routing,
	[DROP_IP6_OTHER_HOST] = ip6_other_host,
	[DROP_IP6_SOURCE] = ip6_source,
	[DROP_IP6_PROTOCOL] = ip6_protocol,
	[DROP_IP6_NO_NEXT] = ip6_no_next,
	[DROP_IP6_FRAGMENT] = ip6_fragment,
	[DROP_IP6_FRAGMENT_OVERLAP] = ip6_fragment_overlap,
	[DROP_IP6_FRAGMENT_LIMIT] = ip6_fragment_limit,
	[DROP_IP6_FRAGMENT_MEMORY] = ip6_fragment_memory,
	[DROP_IP6_FRAGMENT_TIMEOUT] = ip6_fragment_timeout,
	[DROP_IP6_NO_ROUTE] = ip6_no_route,
	[DROP_IP6_TOO_BIG] = ip6_too_big,
	[DROP_ICMP_HEADER] = icmp_header,
	[DROP_ICMP_CHECKSUM] = icmp_checksum,
	[DROP_ICMP_QUOTE] = icmp_quote,
	[DROP_ICMP_TYPE] = icmp_type,
	[DROP_ICMP_BROADCAST] = icmp_broadcast,
	[DROP_ICMP_RATE_LIMIT] = icmp_rate_limit,
	[DROP_IGMP_MESSAGE] = igmp_message,
	[DROP_ICMP6_HEADER] = icmp6_header,
	[DROP_ICMP6_CHECKSUM] = icmp6_checksum,
	[DROP_ICMP6_QUOTE] = icmp6_quote,
	[DROP_ICMP6_DISCOVERY] = icmp6_discovery,
	[DROP_ICMP6_TYPE] = icmp6_type,
	[DROP_UDP_HEADER] = udp_header,
	[DROP_UDP_CHECKSUM] = udp_checksum,
	[DROP_UDP_NO_PORT] = udp_no_port,
	[DROP_UDP_QUEUE_FULL] = udp_queue_full,
	[DROP_DHCP_MESSAGE] = dhcp_message,
	[DROP_DHCP_UNEXPECTED] = dhcp_unexpected,
	[DROP_TCP_HEADER] = tcp_header,
	[DROP_TCP_CHECKSUM] = tcp_checksum,
	[DROP_TCP_BROADCAST] = tcp_broadcast,
	[DROP_TCP_NO_LISTENER] = tcp_no_listener,
	[DROP_TCP_FLAGS] = tcp_flags,
	[DROP_TCP_LISTEN_OVERFLOW] = tcp_listen_overflow,
	[DROP_TCP_LISTEN_MEMORY] = tcp_listen_memory,
	[DROP_TCP_OLD_TIMESTAMP] = tcp_old_timestamp,
	[DROP_TCP_OLD_SEGMENT] = tcp_old_segment,
	[DROP_TCP_BEYOND_WINDOW] = tcp_beyond_window,
	[DROP_TCP_BAD_ACK] = tcp_bad_ack,
	[DROP_TCP_BAD_RESET] = tcp_bad_reset,
	[DROP_TCP_BAD_SYN] = tcp_bad_syn,
	[DROP_TCP_AFTER_FIN] = tcp_after_fin,
	[DROP_TCP_CLOSED_READER] = tcp_closed_reader,
	[DROP_TCP_NO_MEMORY] = tcp_no_memory,
	[DROP_TCP_TOO_MANY_GAPS] = tcp_too_many_gaps,
};

/* The counter that each is a part of, by its name. */
#define COUNTED(reason, counter) [DROP_##reason] = #counter,
#define ALONE(reason)            [DROP_##reason] = NULL,
static const char *const wholes[DROP_REASONS] = { STACK_DROPS(COUNTED, ALONE) };

static uint64_t value_of(const struct stack_counters *counters, const char *name)
{
	size_t index = 0;

	while (strcmp(stack_counter_name(index), name) != 0)
		assert_true(++index < STACK_NAMED_COUNTERS);
	return stack_counter_value(counters, index);
}

/* Causes it once more than before, and nothing else but what it says. */
static void expect_drop(enum stack_drop reason)
{
	struct stack_counters before = counted(cable), after;

	also = DROP_REASONS;
	causes[reason]();
	after = counted(cable);
	for (enum stack_drop other = 0; other < DROP_REASONS; other++) {
		uint64_t count = after.drops[other] - before.drops[other];

		if (other == reason ? (also == DROP_REASONS ? count != 1 : count == 0) : other != also && count != 0)
			fail_msg("%s: %s is counted %u times", stack_drop_name(reason), stack_drop_name(other),
				(unsigned)count);
	}
	if (wholes[reason])
		assert_int_equal(value_of(&after, wholes[reason]) - value_of(&before, wholes[reason]),
			after.drops[reason] - before.drops[reason]);
}

static void each_reason_is_counted_where_it_happens(void **state)
{
	(void)state;
	for (enum stack_drop reason = 0; reason < DROP_REASONS; reason++) {
		if (!causes[reason])
			fail_msg("nothing here makes %s happen", stack_drop_name(reason));
		if (reason == DROP_DHCP_MESSAGE || reason == DROP_DHCP_UNEXPECTED)
			continue; /* below */
		cable = cable6_open(US_6, 64, NULL);
		give_arp(cable, 1, HOST, US);
		give_solicitation(cable, HOST_6, US_6, US_6, their_mac);
		drop_sent(cable);
		listener = NULL;
		expect_drop(reason);
		tcp_unlisten(listener);
		cable_close(cable);
	}
}

/* Whole quotes of ours, but of no socket and of no connection. */
static void errors_about_nobody_are_counted(void **state)
{
	uint8_t quoted[IPV4_HEADER + 8];
	static struct packet ours;

	(void)state;
	cable = cable6_open(US_6, 64, NULL);
	for (int i = 0; i < 2; i++) {
		put_ip(&ours, US, HOST, i ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP, "\0\1\0\2\0\0\0\3", 8);
		memcpy(quoted, ip_header(&ours), sizeof quoted);
		put_icmp(&packet, HOST, US, 3, 3, 0, quoted, sizeof quoted);
		give_it();
		assert_int_equal(counted(cable).drops[DROP_ICMP_QUOTE], i + 1);
	}
	cable_close(cable);
}

static int open_by_dhcp(void *arg)
{
	static const struct stack_config config = { .dhcp = &stack_dhcp };
	struct stack *stack;

	(void)arg;
	return stack_open(&cable->net, &config, &stack);
}

/* While the stack waits for an address. */
static int ask_for_an_address(void *arg)
{
	struct task *opening;

	(void)arg;
	assert_int_equal(task_spawn(NULL, open_by_dhcp, NULL, &opening), 0);
	task_sleep(task_now() + MSEC(100));
	cable->stack = &((struct interface *)cable->net.ready_context)->stack->base;
	expect_drop(DROP_DHCP_MESSAGE);
	expect_drop(DROP_DHCP_UNEXPECTED);
	cable->stack = NULL;
	task_cancel(opening);
	return 0;
}

static void what_dhcp_cannot_use_is_counted(void **state)
{
	int result;

	(void)state;
	cable = cable_new();
	pass(0);
	assert_int_equal(task_run(ask_for_an_address, NULL, &result), 0);
	cable_close(cable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_is_counted_where_it_happens),
		cmocka_unit_test(errors_about_nobody_are_counted),
		cmocka_unit_test(what_dhcp_cannot_use_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
