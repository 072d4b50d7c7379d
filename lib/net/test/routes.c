/* SPDX-License-Identifier: ISC
 *
 * A stack with more than one address, link and gateway: 10.0.0.2/24 behind 10.0.0.1 on one link, and what the tests add
 * on this and another.
 */
#include <skerry/route.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/test/cable.h"

#define HOST "10.0.0.1"
#define US   "10.0.0.2"

static struct cable *cable, *other; /* the stack's own link, and another */
static struct packet packet;

static int setup(void **state)
{
	(void)state;
	cable = cable_open(US, 24, HOST);
	other = cable_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	cable_close(other);
	return 0;
}

static struct ip_address address(const char *text)
{
	struct ip_address parsed = ip_unspecified;

	if (text)
		assert_int_equal(ip_parse(text, &parsed), 0);
	return parsed;
}

static int add_address(struct cable *link, const char *text, uint8_t prefix_len)
{
	struct ip_address parsed = address(text);

	return stack_add_address(cable->stack, link ? &link->net : NULL, &parsed, prefix_len);
}

static int remove_address(const char *text)
{
	struct ip_address parsed = address(text);

	return stack_remove_address(cable->stack, &parsed);
}

static int add_route(const char *prefix, uint8_t prefix_len, const char *gateway, struct cable *link)
{
	return stack_add_route(cable->stack,
		&(struct stack_route){ address(prefix), prefix_len, address(gateway), link ? &link->net : NULL });
}

static int remove_route(const char *prefix, uint8_t prefix_len, const char *gateway, struct cable *link)
{
	return stack_remove_route(cable->stack,
		&(struct stack_route){ address(prefix), prefix_len, address(gateway), link ? &link->net : NULL });
}

/* Time for announcements. */
static void settle(void)
{
	pass(SECOND(5));
	drop_sent(cable);
	drop_sent(other);
}

static int send_bytes(const char *to, const void *data, size_t len)
{
	const struct platform_piece piece = { data, len };
	struct ip_sending sending = { .protocol = 253, .pieces = &piece, .count = 1, .len = len, .may_fragment = true };
	uint16_t mtu = 0;
	int err;

	sending.destination = address(to);
	err = ip_route(own_of(cable), &sending.destination, &sending.source, &mtu);
	return err < 0 ? err : ip_send(own_of(cable), &sending);
}

static void expect_packet(struct cable *link, const char *to, const char *from)
{
	const struct frame *frame = take(link);

	assert_non_null(frame);
	assert_int_equal(wire_get16(frame->bytes + 12), ETHERNET_IPV4);
	assert_int_equal(wire_get32(frame->bytes + 14 + IPV4_SOURCE), number_of(from));
	assert_int_equal(wire_get32(frame->bytes + 14 + IPV4_DESTINATION), number_of(to));
}

/* A packet to this address waits for this next hop on this link, and then goes there. */
static void sent_by(struct cable *link, const char *to, const char *next_hop, const char *from)
{
	drop_sent(cable);
	drop_sent(other);
	assert_int_equal(send_bytes(to, "x", 1), 0);
	assert_true(is_arp_request(take(link), next_hop));
	give_arp(link, 2, next_hop, from);
	expect_packet(link, to, from);
	assert_null(take(cable));
	assert_null(take(other));
}

static void ping(struct cable *link, const char *from, const char *to)
{
	put_icmp(&packet, from, to, 8, 0, 1, "ping", 4);
	give_packet(link, &packet);
}

/* Addresses --------------------------------------------------------------------------------------------------- */

static void an_added_address_is_announced_told_and_answered(void **state)
{
	struct ip_address all[3];

	(void)state;
	assert_int_equal(add_address(NULL, "172.16.0.5", 16), 0);
	assert_true(is_arp_request(take(cable), "172.16.0.5"));
	settle();
	assert_int_equal(stack_addresses(cable->stack, all, 3), 2);
	assert_int_equal(ipv4_number(&all[0]), number_of(US));
	assert_int_equal(ipv4_number(&all[1]), number_of("172.16.0.5"));
	give_arp(cable, 1, "172.16.9.9", "172.16.0.5");
	drop_sent(cable);
	ping(cable, "172.16.9.9", "172.16.0.5");
	expect_packet(cable, "172.16.9.9", "172.16.0.5");
}

/* RFC 1122, 3.3.4.3 */
static void what_is_sent_comes_from_the_address_of_the_next_hop_s_subnet(void **state)
{
	(void)state;
	assert_int_equal(add_address(NULL, "172.16.0.5", 16), 0);
	assert_int_equal(add_address(NULL, "172.16.7.5", 24), 0);
	settle();
	sent_by(cable, "172.16.9.9", "172.16.9.9", "172.16.0.5");
	sent_by(cable, "172.16.7.9", "172.16.7.9", "172.16.7.5"); /* the longer prefix */
	sent_by(cable, "10.0.0.9", "10.0.0.9", US);
	sent_by(cable, "192.0.2.1", HOST, US);
}

static void addresses_that_cannot_be_ours_are_refused(void **state)
{
	struct ip_address six = address("2001:db8::1");

	(void)state;
	assert_int_equal(add_address(NULL, US, 24), -EEXIST);
	assert_int_equal(add_address(NULL, "172.16.255.255", 16), -EINVAL);
	assert_int_equal(add_address(NULL, "172.16.0.0", 16), -EINVAL);
	assert_int_equal(add_address(NULL, "224.0.0.1", 4), -EINVAL);
	assert_int_equal(add_address(NULL, "127.0.0.1", 8), -EINVAL);
	assert_int_equal(add_address(NULL, "172.16.0.5", 33), -EINVAL);
	assert_int_equal(add_address(other, "172.16.0.5", 16), -ENODEV);
	assert_int_equal(stack_add_address(cable->stack, NULL, &six, 64), -ENOTSUP);
	assert_int_equal(stack_remove_address(cable->stack, &six), -ENOTSUP);
	assert_int_equal(remove_address("172.16.0.5"), -ENOENT);
	assert_int_equal(remove_address(US), -EBUSY);
	assert_null(take(cable));
}

static void addresses_are_bounded(void **state)
{
	(void)state;
	for (unsigned i = 1; i < STACK_ADDRESSES_MAX; i++) {
		char text[32];

		snprintf(text, sizeof text, "10.0.%u.1", i);
		assert_int_equal(add_address(NULL, text, 24), 0);
	}
	assert_int_equal(add_address(NULL, "10.1.0.1", 24), -ENOSPC);
	assert_int_equal(remove_address("10.0.3.1"), 0);
	assert_int_equal(add_address(NULL, "10.1.0.1", 24), 0);
	settle();
	ping(cable, HOST, "10.0.3.1");
	assert_null(take(cable));
}

static int connect_and_lose(void *arg)
{
	struct tcp_listener *listener;
	struct ip_endpoint local;
	struct tcp *flow;
	char byte;

	(void)arg;
	assert_int_equal(tcp_listen(cable->stack, 80, &listener), 0);
	assert_int_equal(tcp_accept(listener, &flow, FOREVER), 0);
	tcp_local(flow, &local);
	assert_int_equal(ipv4_number(&local.address), number_of("172.16.0.5"));
	assert_int_equal(remove_address("172.16.0.5"), 0);
	assert_int_equal(tcp_read(flow, &byte, 1, FOREVER), -ENETUNREACH);
	tcp_close(flow);
	tcp_unlisten(listener);
	return 0;
}

static void put_tcp(uint32_t sequence, uint32_t ack, uint8_t flags)
{
	uint8_t segment[20] = { 0x30, 0x39, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff };

	wire_put32(segment + 4, sequence);
	wire_put32(segment + 8, ack);
	put_ip(&packet, "172.16.9.9", "172.16.0.5", IP_PROTOCOL_TCP, segment, sizeof segment);
	resum(&packet, 16);
}

static int give_handshake(void *arg)
{
	const struct frame *frame;

	(void)arg;
	put_tcp(1000, 0, 2);
	give_packet(cable, &packet);
	frame = take(cable);
	assert_non_null(frame);
	put_tcp(1001, wire_get32(frame->bytes + FRAME_HEADERS + 4) + 1, 0x10);
	give_packet(cable, &packet);
	return 0;
}

static int lose_in_two_tasks(void *arg)
{
	struct task *user, *peer;
	int result;

	(void)arg;
	assert_int_equal(task_spawn(NULL, connect_and_lose, NULL, &user), 0);
	assert_int_equal(task_yield(), 0);
	assert_int_equal(task_spawn(NULL, give_handshake, NULL, &peer), 0);
	assert_int_equal(task_await(peer, &result, FOREVER), 0);
	assert_int_equal(task_await(user, &result, FOREVER), 0);
	return 0;
}

static void connections_of_a_removed_address_end(void **state)
{
	int result;

	(void)state;
	assert_int_equal(add_address(NULL, "172.16.0.5", 16), 0);
	give_arp(cable, 1, "172.16.9.9", "172.16.0.5");
	settle();
	assert_int_equal(task_run(lose_in_two_tasks, NULL, &result), 0);
}

static void give_syn(const char *to)
{
	uint8_t segment[20] = { 0x30, 0x39, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff };

	put_ip(&packet, HOST, to, IP_PROTOCOL_TCP, segment, sizeof segment);
	resum(&packet, 16);
	give_packet(cable, &packet);
}

static bool is_accepted(void)
{
	const struct frame *frame = take(cable);

	assert_non_null(frame);
	return frame->bytes[FRAME_HEADERS + 13] == 0x12; /* SYN, ACK */
}

/* RFC 9293, 3.9.1 (MUST-43) */
static void a_listener_to_one_address_goes_before_one_to_all(void **state)
{
	struct tcp_listening listening = { .address = address("172.16.0.5") };
	struct tcp_listener *one, *all;

	(void)state;
	assert_int_equal(tcp_listen_with(cable->stack, 80, &listening, &one), -EADDRNOTAVAIL);
	assert_int_equal(add_address(NULL, "172.16.0.5", 16), 0);
	assert_int_equal(tcp_listen_with(cable->stack, 80, &listening, &one), 0);
	assert_int_equal(tcp_listen_with(cable->stack, 80, &listening, &all), -EADDRINUSE);
	give_arp(cable, 1, HOST, US);
	settle();
	give_syn(US);
	assert_false(is_accepted());
	give_syn("172.16.0.5");
	assert_true(is_accepted());
	assert_int_equal(tcp_listen(cable->stack, 80, &all), 0);
	give_syn(US);
	assert_true(is_accepted());
	tcp_unlisten(one);
	drop_sent(cable);
	give_syn("172.16.0.5");
	assert_true(is_accepted()); /* by the other */
	tcp_unlisten(all);
}

static int connect_somewhere(void *tuning)
{
	const struct ip_endpoint peer = { address(HOST), 80 };
	struct tcp *flow;

	return tcp_connect_tuned(cable->stack, &peer, tuning, &flow, task_now() + MSEC(1));
}

static const uint8_t *syn_of(struct tcp_tuning tuning)
{
	const struct frame *frame;
	int result;

	drop_sent(cable);
	drop_sent(other);
	assert_int_equal(task_run(connect_somewhere, &tuning, &result), 0);
	assert_int_equal(result, -ETIMEDOUT);
	frame = cable->sent_count ? take(cable) : take(other);
	assert_non_null(frame);
	assert_int_equal(frame->bytes[FRAME_HEADERS + 13] & 2, 2);
	return frame->bytes + NET_ETHERNET_HEADER;
}

/* RFC 9293, 3.9.1 (MUST-43) and 3.9.2 (MUST-48 and 49) */
static void a_connection_has_the_address_code_point_and_ttl_that_are_chosen(void **state)
{
	const uint8_t *header;

	(void)state;
	assert_int_equal(add_address(NULL, "172.16.0.5", 16), 0);
	give_arp(cable, 1, HOST, US);
	settle();
	header = syn_of((struct tcp_tuning){ 0 });
	assert_int_equal(wire_get32(header + IPV4_SOURCE), number_of(US));
	assert_int_equal(header[IPV4_TRAFFIC_CLASS], 0);
	assert_int_equal(header[IPV4_TTL], 64);
	header = syn_of((struct tcp_tuning){ .local = address("172.16.0.5"), .dscp = 46, .ttl = 3 });
	assert_int_equal(wire_get32(header + IPV4_SOURCE), number_of("172.16.0.5"));
	assert_int_equal(header[IPV4_TRAFFIC_CLASS], 46 << 2);
	assert_int_equal(header[IPV4_TTL], 3);
	assert_int_equal(tcp_tune_stack(cable->stack, &(struct tcp_tuning){ .dscp = 10, .ttl = 200 }), 0);
	header = syn_of((struct tcp_tuning){ .dscp = 10, .ttl = 200 });
	give_syn(US); /* refused, with the stack's own */
	header = take(cable)->bytes + NET_ETHERNET_HEADER;
	while (header[IPV4_HEADER + 13] != 0x14)
		header = take(cable)->bytes + NET_ETHERNET_HEADER;
	assert_int_equal(header[IPV4_TRAFFIC_CLASS], 10 << 2);
	assert_int_equal(header[IPV4_TTL], 200);
}

static int send_two(void *arg)
{
	const struct ip_endpoint host = { address(HOST), 9 }, group = { address("239.1.1.1"), 9 };

	assert_int_equal(udp_send(arg, &host, "x", 1, FOREVER), 0);
	assert_int_equal(udp_send(arg, &group, "x", 1, FOREVER), 0);
	return 0;
}

/* RFC 1122, 4.1.4 */
static void datagrams_have_the_code_point_and_ttl_that_are_chosen(void **state)
{
	static const struct {
		uint8_t dscp, ttl, to_host, to_group;
	} cases[] = { { 0, 0, 64, 1 }, { 46, 9, 9, 9 }, { 0, 0, 64, 1 } };
	struct udp *socket;
	int result;

	(void)state;
	give_arp(cable, 1, HOST, US);
	settle();
	assert_int_equal(udp_bind(cable->stack, 0, &socket), 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(udp_set_header(socket, cases[i].dscp, cases[i].ttl), 0);
		assert_int_equal(task_run(send_two, socket, &result), 0);
		for (int group = 0; group < 2; group++) {
			const uint8_t *header = take(cable)->bytes + NET_ETHERNET_HEADER;

			assert_int_equal(header[IPV4_TRAFFIC_CLASS], cases[i].dscp << 2);
			assert_int_equal(header[IPV4_TTL], group ? cases[i].to_group : cases[i].to_host);
		}
	}
	udp_close(socket);
}

static int begin_to_connect(void *flow)
{
	const struct ip_endpoint peer = { address(HOST), 80 };

	return tcp_connect_begin(cable->stack, &peer, flow);
}

/* MUST-44 and 45 */
static void a_connection_keeps_its_address_although_a_better_one_comes(void **state)
{
	const struct frame *frame;
	struct tcp *flow;
	int result;

	(void)state;
	give_arp(cable, 1, HOST, US);
	settle();
	assert_int_equal(task_run(begin_to_connect, &flow, &result), 0);
	assert_int_equal(result, 0);
	expect_packet(cable, HOST, US);
	assert_int_equal(add_address(NULL, "10.0.0.3", 29), 0);
	settle();
	assert_int_equal(send_bytes(HOST, "x", 1), 0);
	expect_packet(cable, HOST, "10.0.0.3");
	pass(SECOND(10)); /* the SYN is sent again */
	frame = take(cable);
	assert_non_null(frame);
	assert_int_equal(frame->bytes[23], IP_PROTOCOL_TCP);
	assert_int_equal(wire_get32(frame->bytes + 14 + IPV4_SOURCE), number_of(US));
	tcp_abort(flow);
}

/* MUST-67; RFC 6691 */
static void the_mss_is_that_of_the_link_of_the_connection(void **state)
{
	const uint8_t *header;

	(void)state;
	other->net.info.mtu = 600;
	assert_int_equal(stack_add_interface(cable->stack, &other->net), 0);
	assert_int_equal(add_address(other, "10.0.0.5", 29), 0);
	give_arp(other, 1, HOST, "10.0.0.5");
	settle();
	header = syn_of((struct tcp_tuning){ 0 });
	assert_int_equal(wire_get32(header + IPV4_SOURCE), number_of("10.0.0.5"));
	assert_memory_equal(header + IPV4_HEADER + 20, "\2\4\2\60", 4); /* 560 */
}

/* Routes ------------------------------------------------------------------------------------------------------ */

static void the_longest_prefix_decides(void **state)
{
	(void)state;
	assert_int_equal(add_route("192.0.0.0", 8, "10.0.0.8", NULL), 0);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.24", NULL), 0);
	assert_int_equal(add_route("192.0.2.7", 32, "10.0.0.32", NULL), 0);
	assert_int_equal(add_route("192.0.0.0", 16, "10.0.0.16", NULL), 0);
	sent_by(cable, "192.0.2.7", "10.0.0.32", US);
	sent_by(cable, "192.0.2.8", "10.0.0.24", US);
	sent_by(cable, "192.0.3.8", "10.0.0.16", US);
	sent_by(cable, "192.1.3.8", "10.0.0.8", US);
	sent_by(cable, "193.1.3.8", HOST, US);
	assert_int_equal(remove_route("192.0.2.0", 24, "10.0.0.24", NULL), 0);
	drop_sent(cable);
	assert_int_equal(remove_route("192.0.2.7", 32, "10.0.0.32", NULL), 0);
	pass(SECOND(100)); /* what is known by ARP is forgotten */
	sent_by(cable, "192.0.2.7", "10.0.0.16", US);
}

static void a_route_into_our_subnet_goes_before_it_if_its_prefix_is_longer(void **state)
{
	(void)state;
	assert_int_equal(add_route("10.0.0.128", 25, "10.0.0.9", NULL), 0);
	assert_int_equal(add_route("10.0.0.0", 24, "10.0.0.8", NULL), 0);
	sent_by(cable, "10.0.0.200", "10.0.0.9", US);
	sent_by(cable, "10.0.0.100", "10.0.0.100", US);
}

/* RFC 1122 would have it in a subnet of ours: 3.3.1.1; hosting providers do not. */
static void a_gateway_off_the_link_is_asked_for_on_it(void **state)
{
	(void)state;
	assert_int_equal(add_route("192.0.2.0", 24, "172.31.1.1", NULL), 0);
	sent_by(cable, "192.0.2.9", "172.31.1.1", US);
}

static void a_prefix_may_be_on_the_link_without_an_address_of_ours(void **state)
{
	(void)state;
	assert_int_equal(add_route("172.31.0.0", 16, NULL, NULL), 0);
	sent_by(cable, "172.31.4.4", "172.31.4.4", US);
}

static void without_any_way_nothing_is_sent(void **state)
{
	(void)state;
	cable_close(cable);
	cable = cable_open(US, 24, NULL);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.9", NULL), 0);
	assert_int_equal(send_bytes("192.0.3.1", "x", 1), -ENETUNREACH);
	sent_by(cable, "192.0.2.1", "10.0.0.9", US);
	assert_int_equal(add_route(NULL, 0, "10.0.0.7", NULL), 0);
	sent_by(cable, "192.0.3.1", "10.0.0.7", US);
}

static void routes_that_cannot_be_are_refused(void **state)
{
	(void)state;
	assert_int_equal(add_route("192.0.2.1", 24, HOST, NULL), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 33, HOST, NULL), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 24, US, NULL), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 24, "10.0.0.255", NULL), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 24, "224.0.0.1", NULL), -EINVAL);
	assert_int_equal(add_route("192.0.2.0", 24, HOST, other), -ENODEV);
	assert_int_equal(add_route("2001:db8::", 32, HOST, NULL), -ENOTSUP);
	assert_int_equal(add_route("192.0.2.0", 24, "2001:db8::1", NULL), -ENOTSUP);
	assert_int_equal(remove_route("192.0.2.0", 24, HOST, NULL), -ENOENT);
	assert_int_equal(add_route("192.0.2.0", 24, HOST, NULL), 0);
	assert_int_equal(add_route("192.0.2.0", 24, HOST, NULL), -EEXIST);
}

static void routes_are_bounded(void **state)
{
	char text[32];

	(void)state;
	for (unsigned i = 0; i < STACK_ROUTES_MAX; i++) {
		snprintf(text, sizeof text, "192.0.%u.0", i);
		assert_int_equal(add_route(text, 24, HOST, NULL), 0);
	}
	assert_int_equal(add_route("193.0.0.0", 24, HOST, NULL), -ENOSPC);
	assert_int_equal(remove_route("192.0.5.0", 24, HOST, NULL), 0);
	assert_int_equal(add_route("193.0.0.0", 24, HOST, NULL), 0);
}

/* RFC 1122, 3.3.1.4 and 3.3.1.5: "MUST be able to detect the failure of a next-hop gateway", "switch to another" */
static void a_gateway_that_does_not_answer_is_left_for_another(void **state)
{
	(void)state;
	assert_int_equal(add_route(NULL, 0, "10.0.0.9", NULL), 0);
	sent_by(cable, "192.0.2.1", HOST, US); /* the configured one is first */
	pass(ARP_EXPIRE_NS);
	assert_int_equal(send_bytes("192.0.2.1", "x", 1), 0);
	pass(ARP_TRIES * ARP_RETRY_NS + MSEC(1));
	sent_by(cable, "192.0.2.1", "10.0.0.9", US);
	pass(ARP_EXPIRE_NS); /* it stays with this one, although the first may be there again */
	sent_by(cable, "192.0.2.1", "10.0.0.9", US);
	pass(ARP_EXPIRE_NS);
	assert_int_equal(send_bytes("192.0.2.1", "x", 1), 0);
	pass(ARP_TRIES * ARP_RETRY_NS + MSEC(1));
	sent_by(cable, "192.0.2.1", HOST, US); /* until it fails */
}

/* Redirects --------------------------------------------------------------------------------------------------- */

/* What a gateway says: packets to this host of those that come from there go better by another. */
static void redirect(const char *gateway, const char *to, const char *from, const char *better)
{
	uint8_t quoted[28] = { 0x45, 0, 0, 28 };

	wire_put32(quoted + IPV4_SOURCE, number_of(from));
	wire_put32(quoted + IPV4_DESTINATION, number_of(to));
	put_icmp(&packet, gateway, US, 5, 1, number_of(better), quoted, sizeof quoted);
	give_packet(cable, &packet);
}

static void expect_redirected(bool redirected)
{
	drop_sent(cable);
	assert_int_equal(send_bytes("192.0.2.1", "x", 1), 0);
	if (redirected)
		assert_true(is_arp_request(take(cable), "10.0.0.9"));
	else
		expect_packet(cable, "192.0.2.1", US);
	assert_null(take(cable));
}

/* RFC 1122, 3.2.2.2 */
static void redirects_of_the_gateway_are_obeyed_if_the_program_wants_it(void **state)
{
	(void)state;
	give_arp(cable, 1, HOST, US);
	redirect(HOST, "192.0.2.1", US, "10.0.0.9");
	expect_redirected(false);
	assert_int_equal(stack_obey_redirects(cable->stack, true), 0);
	expect_redirected(false);
	redirect(HOST, "192.0.2.1", US, "10.0.0.9");
	sent_by(cable, "192.0.2.1", "10.0.0.9", US);
	drop_sent(cable);
	assert_int_equal(send_bytes("192.0.2.2", "x", 1), 0);
	expect_packet(cable, "192.0.2.2", US); /* another host */
	assert_memory_equal(cable->sent[0].bytes, their_mac, 6);
	assert_int_equal(stack_obey_redirects(cable->stack, false), 0);
	expect_redirected(false);
}

static void redirects_that_cannot_be_are_dropped(void **state)
{
	(void)state;
	assert_int_equal(stack_obey_redirects(cable->stack, true), 0);
	give_arp(cable, 1, HOST, US);
	redirect("10.0.0.7", "192.0.2.1", US, "10.0.0.9");   /* not from the first hop */
	redirect(HOST, "192.0.2.1", "10.0.0.3", "10.0.0.9"); /* about another's packet */
	redirect(HOST, "192.0.2.1", US, "172.16.0.1");       /* not on the link */
	redirect(HOST, "192.0.2.1", US, US);                 /* we */
	redirect(HOST, "192.0.2.1", US, "10.0.0.255");       /* all */
	redirect(HOST, "255.255.255.255", US, "10.0.0.9");   /* about a broadcast */
	redirect("192.0.2.1", "192.0.2.1", US, "10.0.0.9");
	put_icmp(&packet, HOST, US, 5, 1, number_of("10.0.0.9"), "short", 5);
	give_packet(cable, &packet);
	expect_redirected(false);
}

static void a_redirect_ends_after_ten_minutes_or_when_its_gateway_fails(void **state)
{
	(void)state;
	assert_int_equal(stack_obey_redirects(cable->stack, true), 0);
	give_arp(cable, 1, HOST, US);
	redirect(HOST, "192.0.2.1", US, "10.0.0.9");
	expect_redirected(true);
	pass(ARP_TRIES * ARP_RETRY_NS + MSEC(1));
	expect_redirected(false);
	redirect(HOST, "192.0.2.1", US, "10.0.0.9");
	pass(SECOND(600) - 1);
	give_arp(cable, 1, HOST, US);
	expect_redirected(true);
	pass(1);
	expect_redirected(false);
}

static void redirects_are_bounded_and_the_oldest_makes_room(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(stack_obey_redirects(cable->stack, true), 0);
	give_arp(cable, 1, HOST, US);
	redirect(HOST, "192.0.2.1", US, "10.0.0.9");
	for (unsigned i = 0; i < STACK_REDIRECTS_MAX - 1; i++) {
		snprintf(text, sizeof text, "193.0.0.%u", i + 1);
		redirect(HOST, text, US, "10.0.0.9");
	}
	expect_redirected(true);
	redirect(HOST, "193.0.0.200", US, "10.0.0.9");
	expect_redirected(false);
}

/* Interfaces -------------------------------------------------------------------------------------------------- */

static void give_another_link(void)
{
	assert_int_equal(stack_add_interface(cable->stack, &other->net), 0);
	assert_int_equal(add_address(other, "172.16.0.5", 16), 0);
	assert_true(is_arp_request(take(other), "172.16.0.5"));
	settle();
}

static void each_link_reaches_its_own_subnet(void **state)
{
	(void)state;
	give_another_link();
	sent_by(other, "172.16.9.9", "172.16.9.9", "172.16.0.5");
	sent_by(cable, "10.0.0.9", "10.0.0.9", US);
	assert_int_equal(add_route("192.0.2.0", 24, "172.16.0.1", NULL), 0);
	sent_by(other, "192.0.2.1", "172.16.0.1", "172.16.0.5");
	sent_by(cable, "192.0.3.1", HOST, US);
}

/* RFC 1122, 3.3.4.2 */
static void what_comes_by_the_wrong_link_is_not_for_us(void **state)
{
	(void)state;
	give_another_link();
	ping(cable, HOST, "172.16.0.5");
	ping(other, "172.16.9.9", US);
	give_arp(cable, 1, HOST, "172.16.0.5");
	give_arp(other, 1, "172.16.9.9", US);
	assert_null(take(cable));
	assert_null(take(other));
	assert_int_equal(counted(cable).drops[DROP_IP_OTHER_HOST], 2);
}

/* Both links have a way to everywhere: the question's is the answer's. */
static void an_answer_leaves_by_the_link_of_its_question(void **state)
{
	(void)state;
	give_another_link();
	assert_int_equal(add_route(NULL, 0, "172.16.0.1", NULL), 0);
	give_arp(other, 1, "172.16.0.1", "172.16.0.5");
	give_arp(cable, 1, HOST, US);
	drop_sent(cable);
	drop_sent(other);
	ping(other, "192.0.2.1", "172.16.0.5");
	expect_packet(other, "192.0.2.1", "172.16.0.5");
	assert_null(take(cable));
	ping(cable, "192.0.2.1", US);
	expect_packet(cable, "192.0.2.1", US);
	assert_null(take(other));
}

static void a_broadcast_leaves_by_the_link_of_its_subnet(void **state)
{
	(void)state;
	give_another_link();
	assert_int_equal(send_bytes("172.16.255.255", "x", 1), 0);
	assert_memory_equal(other->sent[0].bytes, every_mac, 6);
	expect_packet(other, "172.16.255.255", "172.16.0.5");
	assert_null(take(cable));
}

static void a_packet_is_as_large_as_its_own_link_takes(void **state)
{
	static const uint8_t data[1400];

	(void)state;
	other->net.info.mtu = 600;
	give_another_link();
	give_arp(other, 1, "172.16.9.9", "172.16.0.5");
	drop_sent(other);
	assert_int_equal(send_bytes("172.16.9.9", data, sizeof data), 0);
	for (int i = 0; i < 3; i++) {
		const struct frame *frame = take(other);

		assert_non_null(frame);
		assert_true(frame->len <= NET_ETHERNET_HEADER + 600);
	}
	assert_null(take(other));
}

static void links_are_bounded_and_each_has_one_stack(void **state)
{
	struct cable *more[STACK_INTERFACES_MAX];

	(void)state;
	assert_int_equal(stack_add_interface(cable->stack, &cable->net), -EBUSY);
	for (size_t i = 0; i < STACK_INTERFACES_MAX; i++) {
		more[i] = cable_new();
		assert_int_equal(
			stack_add_interface(cable->stack, &more[i]->net), i + 1 < STACK_INTERFACES_MAX ? 0 : -ENOSPC);
	}
	cable_close(cable);
	cable = cable_open(US, 24, HOST);
	for (size_t i = 0; i < STACK_INTERFACES_MAX; i++)
		cable_close(more[i]); /* checks that nobody serves it any more */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_added_address_is_announced_told_and_answered),
		TEST(what_is_sent_comes_from_the_address_of_the_next_hop_s_subnet),
		TEST(addresses_that_cannot_be_ours_are_refused),
		TEST(addresses_are_bounded),
		TEST(connections_of_a_removed_address_end),
		TEST(a_listener_to_one_address_goes_before_one_to_all),
		TEST(a_connection_has_the_address_code_point_and_ttl_that_are_chosen),
		TEST(a_connection_keeps_its_address_although_a_better_one_comes),
		TEST(the_mss_is_that_of_the_link_of_the_connection),
		TEST(datagrams_have_the_code_point_and_ttl_that_are_chosen),
		TEST(the_longest_prefix_decides),
		TEST(a_route_into_our_subnet_goes_before_it_if_its_prefix_is_longer),
		TEST(a_gateway_off_the_link_is_asked_for_on_it),
		TEST(a_prefix_may_be_on_the_link_without_an_address_of_ours),
		TEST(without_any_way_nothing_is_sent),
		TEST(routes_that_cannot_be_are_refused),
		TEST(routes_are_bounded),
		TEST(a_gateway_that_does_not_answer_is_left_for_another),
		TEST(redirects_of_the_gateway_are_obeyed_if_the_program_wants_it),
		TEST(redirects_that_cannot_be_are_dropped),
		TEST(a_redirect_ends_after_ten_minutes_or_when_its_gateway_fails),
		TEST(redirects_are_bounded_and_the_oldest_makes_room),
		TEST(each_link_reaches_its_own_subnet),
		TEST(what_comes_by_the_wrong_link_is_not_for_us),
		TEST(an_answer_leaves_by_the_link_of_its_question),
		TEST(a_broadcast_leaves_by_the_link_of_its_subnet),
		TEST(a_packet_is_as_large_as_its_own_link_takes),
		TEST(links_are_bounded_and_each_has_one_stack),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
