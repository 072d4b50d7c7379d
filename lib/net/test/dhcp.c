/* SPDX-License-Identifier: ISC
 *
 * A whole stack that gets its address by DHCP, or probes it, as its owner sees it (RFC 2131, 4.4; RFC 5227, 2.1). The
 * other end of the link has our server, at 10.0.0.1, which gives 10.0.0.70 to .79.
 */
#include <stdio.h>

#include <skerry/dhcp.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/test/cable.h"

#define SERVER "10.0.0.1"
#define GIVEN  "10.0.0.70"

enum { LEASE_SECONDS = 60 };

static struct world {
	struct cable *cable;
	struct dhcp_server *server;
	struct task *serving;
	bool deaf;      /* the server */
	bool conflicts; /* somebody answers probes */
	uint8_t types[64];
	size_t type_count; /* of what the client sent */
} w;

static void answer_dhcp(const struct frame *frame)
{
	static struct dhcp_reply reply;
	static struct packet packet;
	const uint8_t *message = frame->bytes + FRAME_HEADERS + 8;
	size_t len = frame->len - FRAME_HEADERS - 8;
	char to[IP_TEXT_MAX];

	assert_true(w.type_count < sizeof w.types);
	w.types[w.type_count++] = message[242];
	if (w.deaf)
		return;
	assert_int_equal(dhcp_server_receive(w.server, message, len, virtual_now, &reply), 0);
	if (reply.len == 0)
		return;
	put_udp(&packet, SERVER, DHCP_SERVER_PORT, ip_format(&reply.to.address, to), DHCP_CLIENT_PORT, reply.bytes,
		reply.len);
	if (strcmp(to, "255.255.255.255") == 0)
		memcpy(packet.bytes, every_mac, 6);
	give_packet(w.cable, &packet);
}

static bool is_dhcp(const struct frame *frame)
{
	return frame->len > FRAME_HEADERS + 8 + 242 && wire_get16(frame->bytes + 12) == ETHERNET_IPV4 &&
	       frame->bytes[14 + 9] == IP_PROTOCOL_UDP && wire_get16(frame->bytes + FRAME_HEADERS + 2) == 67;
}

static void answer_frame(const struct frame *frame)
{
	if (is_dhcp(frame))
		answer_dhcp(frame);
	else if (is_arp_request(frame, SERVER))
		give_arp(w.cable, 2, SERVER, GIVEN);
	else if (w.conflicts && is_arp_request(frame, GIVEN) && wire_get32(frame->bytes + 28) == 0)
		give_arp(w.cable, 2, GIVEN, "0.0.0.0");
}

/* The other end of the link: answers what was sent, millisecond by millisecond. */
static int serve(void *arg)
{
	const struct frame *frame;

	(void)arg;
	while (task_sleep(task_now() + MSEC(1)) == 0)
		while ((frame = take(w.cable)))
			answer_frame(frame);
	return 0;
}

static int setup(void **state)
{
	struct dhcp_server_config config = { .prefix_len = 24, .lease_seconds = LEASE_SECONDS };

	(void)state;
	memset(&w, 0, sizeof w);
	assert_int_equal(ip_parse(SERVER, &config.address), 0);
	assert_int_equal(ip_parse(GIVEN, &config.first), 0);
	assert_int_equal(ip_parse("10.0.0.79", &config.last), 0);
	assert_int_equal(dhcp_options_add(&config.options, DHCP_ROUTERS, "\x0a\0\0\1", 4), 0);
	assert_int_equal(dhcp_server_open(&config, &w.server), 0);
	w.cable = cable_new();
	pass(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(w.cable);
	dhcp_server_close(w.server);
	return 0;
}

static const struct stack_config by_dhcp = { .dhcp = &stack_dhcp, .hostname = "web" };

/* Opens the stack, runs what is to be seen, and closes it, with the other end served meanwhile. */
struct scene {
	const struct stack_config *config;
	int opens; /* what stack_open returns */
	void (*look)(void);
};

static int play(void *arg)
{
	const struct scene *scene = arg;

	assert_int_equal(task_spawn(NULL, serve, NULL, &w.serving), 0);
	assert_int_equal(stack_open(&w.cable->net, scene->config, &w.cable->stack), scene->opens);
	if (scene->look)
		scene->look();
	stack_close(w.cable->stack);
	w.cable->stack = NULL;
	task_cancel(w.serving);
	return 0;
}

static void run(const struct stack_config *config, int opens, void (*look)(void))
{
	struct scene scene = { config, opens, look };
	int result;

	assert_int_equal(task_run(play, &scene, &result), 0);
	assert_int_equal(result, 0);
}

static const char *our_address(void)
{
	static char text[IP_TEXT_MAX];
	struct ip_address address;

	stack_address(w.cable->stack, &address);
	return ip_format(&address, text);
}

static void sleep_ns(uint64_t ns)
{
	assert_int_equal(task_sleep(task_now() + ns), 0);
}

/* Whether somebody who asks for the address by ARP gets an answer. */
static bool answers_for(const char *address)
{
	size_t before = w.cable->sent_count;

	give_arp(w.cable, 1, "10.0.0.9", address);
	return w.cable->sent_count > before;
}

/* Opening --------------------------------------------------------------------------------------------------------- */

static void look_at_lease(void)
{
	const struct dhcp_lease *lease = stack_lease(w.cable->stack);

	assert_string_equal(our_address(), GIVEN);
	assert_non_null(lease);
	assert_int_equal(lease->prefix_len, 24);
	assert_int_equal(lease->router_count, 1);
	assert_int_equal(own_of(w.cable)->gateway, number_of(SERVER));
	assert_true(answers_for(GIVEN));
}

static void opening_waits_for_a_lease_and_takes_it(void **state)
{
	uint64_t before = virtual_now;

	(void)state;
	run(&by_dhcp, 0, look_at_lease);
	assert_in_range(virtual_now - before, MSEC(300), MSEC(400)); /* it was probed */
	assert_memory_equal(w.types, "\1\3", 2);
}

static void closing_releases_the_lease(void **state)
{
	(void)state;
	run(&by_dhcp, 0, NULL);
	while (w.cable->taken < w.cable->sent_count) {
		const struct frame *frame = take(w.cable);

		if (is_dhcp(frame))
			answer_dhcp(frame);
	}
	assert_int_equal(w.types[w.type_count - 1], 7);
	assert_int_equal(dhcp_server_leases(w.server, virtual_now, NULL, 0), 0);
}

static void without_a_server_opening_ends_after_a_minute(void **state)
{
	uint64_t before = virtual_now;

	(void)state;
	w.deaf = true;
	run(&by_dhcp, -ETIMEDOUT, NULL);
	assert_int_equal(virtual_now - before, STACK_DHCP_NS);
	assert_in_range(w.type_count, 4, 5);
}

static int try_to_open(void *arg)
{
	(void)arg;
	return stack_open(&w.cable->net, &by_dhcp, &w.cable->stack);
}

static int cancel_opening(void *arg)
{
	struct task *opening;

	(void)arg;
	assert_int_equal(task_spawn(NULL, try_to_open, NULL, &opening), 0);
	sleep_ns(SECOND(5));
	task_cancel(opening);
	return 0;
}

static void opening_can_be_cancelled(void **state)
{
	int result;

	(void)state;
	assert_int_equal(task_run(cancel_opening, NULL, &result), 0);
	assert_null(w.cable->stack);
	assert_null(w.cable->net.ready);
}

static void a_fixed_address_goes_before_dhcp(void **state)
{
	struct stack_config config = by_dhcp;

	(void)state;
	config.ipv4 = ipv4_key("10.0.0.2", 24);
	run(&config, 0, NULL);
	assert_int_equal(w.type_count, 0);
}

static void look_at_remembered(void)
{
	assert_string_equal(our_address(), "10.0.0.75");
}

static void an_address_that_the_program_remembers_is_asked_for_first(void **state)
{
	struct stack_config config = by_dhcp;

	(void)state;
	config.dhcp_remembered = ipv4_key("10.0.0.75", 32);
	run(&config, 0, look_at_remembered); /* the server does not know it, but it is free */
	assert_memory_equal(w.types, "\3\3\1\3", 4);
	w.type_count = 0;
	drop_sent(w.cable);
	run(&config, 0, look_at_remembered); /* now it does */
	assert_int_equal(w.types[0], 3);
	assert_int_not_equal(w.types[1], 1);
}

/* Without an address ------------------------------------------------------------------------------------------------
 */

static int ask_while_it_has_none(void *arg)
{
	static struct packet packet;
	struct task *opening;

	(void)arg;
	assert_int_equal(task_spawn(NULL, try_to_open, NULL, &opening), 0);
	sleep_ns(MSEC(1));
	drop_sent(w.cable);
	put_icmp(&packet, SERVER, GIVEN, 8, 0, 1, "ping", 4);
	give_packet(w.cable, &packet);
	put_ip(&packet, SERVER, GIVEN, IP_PROTOCOL_TCP, "\x12\x34\0\x50\0\0\0\0\0\0\0\0\x50\2\xff\xff\0\0\0\0", 20);
	resum(&packet, 16);
	give_packet(w.cable, &packet);
	put_udp(&packet, SERVER, 9, GIVEN, 9, "x", 1);
	give_packet(w.cable, &packet);
	put_udp(&packet, SERVER, 67, GIVEN, DHCP_CLIENT_PORT, "x", 1);
	give_packet(w.cable, &packet);
	assert_null(take(w.cable));
	task_cancel(opening);
	return 0;
}

static void while_it_has_no_address_a_stack_answers_nobody(void **state)
{
	int result;

	(void)state;
	assert_int_equal(task_run(ask_while_it_has_none, NULL, &result), 0);
	drop_sent(w.cable);
}

/* Keeping and losing ------------------------------------------------------------------------------------------------
 */

static void look_at_renewals(void)
{
	sleep_ns(SECOND(10 * LEASE_SECONDS));
	assert_string_equal(our_address(), GIVEN);
	assert_in_range(w.type_count, 2 + 19, 2 + 22);
	assert_int_equal(counted(w.cable).drops[DROP_DHCP_UNEXPECTED], 0);
}

static void leases_are_renewed_in_the_background(void **state)
{
	(void)state;
	run(&by_dhcp, 0, look_at_renewals);
}

static int read_until_the_end(void *flow)
{
	char byte;

	return (int)tcp_read(flow, &byte, 1, FOREVER);
}

/* A connection that the host begins: it is established. */
static void connect_from_host(struct tcp_listener *listener, struct tcp **flow)
{
	static struct packet packet;
	uint8_t segment[20] = { 0x12, 0x34, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff };
	size_t sent = w.cable->sent_count;

	give_arp(w.cable, 1, SERVER, GIVEN);
	put_ip(&packet, SERVER, GIVEN, IP_PROTOCOL_TCP, segment, sizeof segment);
	resum(&packet, 16);
	give_packet(w.cable, &packet);
	assert_int_equal(w.cable->sent_count, sent + 2);
	wire_put32(segment + 8, wire_get32(w.cable->sent[sent + 1].bytes + FRAME_HEADERS + 4) + 1);
	segment[7] = 2;
	segment[13] = 0x10;
	put_ip(&packet, SERVER, GIVEN, IP_PROTOCOL_TCP, segment, sizeof segment);
	resum(&packet, 16);
	give_packet(w.cable, &packet);
	assert_int_equal(tcp_accept(listener, flow, task_now()), 0);
}

static void look_at_loss(void)
{
	struct ip_endpoint all = { .port = 9 }, server = { .port = 9 };
	struct tcp_listener *listener;
	struct tcp *flow;
	struct task *reader;
	struct udp *socket;
	uint64_t began_at = task_now();
	size_t sent;
	int result;

	assert_int_equal(ip_parse("255.255.255.255", &all.address), 0);
	assert_int_equal(ip_parse(SERVER, &server.address), 0);
	assert_int_equal(tcp_listen(w.cable->stack, 7, &listener), 0);
	assert_int_equal(udp_bind(w.cable->stack, 9, &socket), 0);
	connect_from_host(listener, &flow);
	assert_int_equal(task_spawn(NULL, read_until_the_end, flow, &reader), 0);
	w.deaf = true;
	assert_int_equal(task_await(reader, &result, FOREVER), 0);
	assert_int_equal(result, -ENETUNREACH);
	assert_in_range(task_now() - began_at, SECOND(LEASE_SECONDS - 1), SECOND(LEASE_SECONDS));
	assert_null(stack_lease(w.cable->stack));
	assert_string_equal(our_address(), "::");
	sent = w.cable->sent_count;
	assert_int_equal(udp_send(socket, &server, "x", 1, FOREVER), -ENETUNREACH);
	assert_int_equal(udp_send(socket, &all, "x", 1, FOREVER), -ENETUNREACH);
	assert_false(answers_for(GIVEN));
	tcp_close(flow);
	assert_int_equal(w.cable->sent_count, sent); /* not even a reset */
	w.deaf = false;
	sleep_ns(SECOND(70));
	assert_string_equal(our_address(), GIVEN);
	connect_from_host(listener, &flow); /* the listener is there still */
	tcp_abort(flow);
	assert_int_equal(udp_send(socket, &server, "x", 1, FOREVER), 0);
	tcp_unlisten(listener);
	udp_close(socket);
}

static void at_a_leases_end_connections_end_and_all_is_silent_until_the_next(void **state)
{
	(void)state;
	run(&by_dhcp, 0, look_at_loss);
}

static void look_at_other_address(void)
{
	assert_string_equal(our_address(), "10.0.0.71");
	assert_int_equal(w.types[2], 4); /* DECLINE */
}

static void an_address_that_another_host_has_is_declined_and_the_next_is_taken(void **state)
{
	(void)state;
	w.conflicts = true;
	run(&by_dhcp, 0, look_at_other_address);
}

/* Probing a fixed address ---------------------------------------------------------------------------------------------
 */

static void a_fixed_address_is_probed_if_that_is_wanted(void **state)
{
	const struct stack_config config = { .ipv4 = ipv4_key(GIVEN, 24), .probe_ns = SECOND(1) };
	uint64_t before = virtual_now;

	(void)state;
	run(&config, 0, NULL);
	assert_int_equal(virtual_now - before, SECOND(3));
	w.conflicts = true;
	run(&config, -EADDRINUSE, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(opening_waits_for_a_lease_and_takes_it),
		TEST(closing_releases_the_lease),
		TEST(without_a_server_opening_ends_after_a_minute),
		TEST(opening_can_be_cancelled),
		TEST(a_fixed_address_goes_before_dhcp),
		TEST(an_address_that_the_program_remembers_is_asked_for_first),
		TEST(while_it_has_no_address_a_stack_answers_nobody),
		TEST(leases_are_renewed_in_the_background),
		TEST(at_a_leases_end_connections_end_and_all_is_silent_until_the_next),
		TEST(an_address_that_another_host_has_is_declined_and_the_next_is_taken),
		TEST(a_fixed_address_is_probed_if_that_is_wanted),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
