/* SPDX-License-Identifier: ISC
 *
 * A stack that the program has put together: what is left out is refused as if it had never been (RFC 1122, 3.2.2.1),
 * and the program sees what comes before the layers do.
 */
#include <stdio.h>

#include <skerry/layers.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/test/cable.h"

#define HOST "10.0.0.1"
#define US   "10.0.0.2"

enum { UNREACHABLE = 3, NO_PROTOCOL = 2, NO_PORT = 3 };

static struct seen {
	struct stack_listener listener;
	unsigned frames, packets, datagrams;
	uint16_t type, port;
	uint8_t protocol;
	char text[16];
	bool takes; /* what the listener answers */
} seen;

static struct packet packet;

static void see_frame(struct stack_listener *listener, uint16_t type, const uint8_t *payload, size_t len)
{
	assert_ptr_equal(listener, &seen.listener);
	seen.frames++;
	seen.type = type;
	memcpy(seen.text, payload, len < sizeof seen.text ? len : sizeof seen.text);
}

static bool see_packet(struct stack_listener *listener, uint8_t protocol, const struct ip_address *source,
	const struct ip_address *destination, const uint8_t *payload, size_t len)
{
	char text[IP_TEXT_MAX];

	assert_ptr_equal(listener, &seen.listener);
	assert_string_equal(ip_format(source, text), HOST);
	assert_string_equal(ip_format(destination, text), US);
	seen.packets++;
	seen.protocol = protocol;
	memcpy(seen.text, payload, len < sizeof seen.text ? len : sizeof seen.text);
	return seen.takes;
}

static bool see_datagram(struct stack_listener *listener, const struct ip_endpoint *source,
	const struct ip_endpoint *destination, const uint8_t *data, size_t len)
{
	char text[IP_ENDPOINT_TEXT_MAX];

	assert_ptr_equal(listener, &seen.listener);
	assert_string_equal(ip_endpoint_format(source, text), HOST ":9");
	seen.datagrams++;
	seen.port = destination->port;
	memcpy(seen.text, data, len < sizeof seen.text ? len : sizeof seen.text);
	return seen.takes;
}

static struct cable *assemble(const struct stack_layers *layers)
{
	struct stack_config config = { .ipv4 = ipv4_key(US, 24) };
	struct cable *cable = cable_new();

	pass(0);
	assert_int_equal(stack_assemble(&cable->net, &config, layers, &cable->stack), 0);
	give_arp(cable, 1, HOST, US);
	pass(SECOND(5));
	drop_sent(cable);
	return cable;
}

static int setup(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof seen);
	seen.listener = (struct stack_listener){ see_frame, see_packet, see_datagram };
	return 0;
}

static void expect_unreachable(struct cable *cable, uint8_t code)
{
	const struct frame *frame = take(cable);

	assert_non_null(frame);
	assert_int_equal(frame->bytes[14 + 9], IP_PROTOCOL_ICMP);
	assert_int_equal(frame->bytes[FRAME_HEADERS], UNREACHABLE);
	assert_int_equal(frame->bytes[FRAME_HEADERS + 1], code);
	assert_null(take(cable));
}

static void without_tcp_it_is_a_protocol_that_nobody_speaks(void **state)
{
	struct cable *cable = assemble(&(struct stack_layers){ .udp = &stack_udp });
	struct ip_endpoint peer = { .port = 80 };
	struct tcp_listener *listener;
	struct tcp *flow;

	(void)state;
	put_ip(&packet, HOST, US, IP_PROTOCOL_TCP, "\x12\x34\0\x50\0\0\0\0\0\0\0\0\x50\2\xff\xff\0\0\0\0", 20);
	resum(&packet, 16);
	give_packet(cable, &packet);
	expect_unreachable(cable, NO_PROTOCOL);
	assert_int_equal(tcp_listen(cable->stack, 80, &listener), -EPROTONOSUPPORT);
	assert_int_equal(tcp_connect(cable->stack, &peer, &flow, FOREVER), -EPROTONOSUPPORT);
	put_udp(&packet, HOST, 9, US, 9, "x", 1);
	give_packet(cable, &packet);
	expect_unreachable(cable, NO_PORT);
	cable_close(cable);
}

static void without_udp_it_is_a_protocol_that_nobody_speaks(void **state)
{
	struct cable *cable = assemble(&(struct stack_layers){ .tcp = &stack_tcp });
	struct tcp_listener *listener;
	struct udp *socket;

	(void)state;
	put_udp(&packet, HOST, 9, US, 9, "x", 1);
	give_packet(cable, &packet);
	expect_unreachable(cable, NO_PROTOCOL);
	assert_int_equal(udp_bind(cable->stack, 9, &socket), -EPROTONOSUPPORT);
	assert_int_equal(tcp_listen(cable->stack, 80, &listener), 0);
	tcp_unlisten(listener);
	cable_close(cable);
}

static void with_neither_a_ping_is_answered(void **state)
{
	struct cable *cable = assemble(&(struct stack_layers){ .tcp = NULL });

	(void)state;
	put_icmp(&packet, HOST, US, 8, 0, 1, "ping", 4);
	give_packet(cable, &packet);
	assert_int_equal(take(cable)->bytes[FRAME_HEADERS], 0);
	/* What ICMP says about a transport that is not there. */
	put_icmp(&packet, HOST, US, UNREACHABLE, NO_PORT, 0, packet.bytes + 14, 28);
	give_packet(cable, &packet);
	assert_null(take(cable));
	cable_close(cable);
}

static void dhcp_without_udp_is_refused(void **state)
{
	struct stack_config config = { .dhcp = &stack_dhcp };
	struct cable *cable = cable_new();

	(void)state;
	assert_int_equal(
		stack_assemble(&cable->net, &config, &(struct stack_layers){ .tcp = &stack_tcp }, &cable->stack),
		-EINVAL);
	cable_close(cable);
}

static void the_program_sees_frames_that_no_layer_takes(void **state)
{
	struct cable *cable = assemble(&(struct stack_layers){ .listener = &seen.listener });
	uint8_t frame[60] = { 0 };

	(void)state;
	memcpy(frame, our_mac, 6);
	memcpy(frame + 6, their_mac, 6);
	wire_put16(frame + 12, ETHERNET_IPV6);
	memcpy(frame + 14, "six", 3);
	give(cable, frame, sizeof frame);
	assert_int_equal(seen.frames, 1);
	assert_int_equal(seen.type, ETHERNET_IPV6);
	assert_string_equal(seen.text, "six");
	frame[0] ^= 2; /* for another host */
	give(cable, frame, sizeof frame);
	assert_int_equal(seen.frames, 1);
	cable_close(cable);
}

static void the_program_may_take_packets_of_other_protocols(void **state)
{
	struct cable *cable = assemble(&(struct stack_layers){ .listener = &seen.listener });

	(void)state;
	put_ip(&packet, HOST, US, 132, "sctp", 5);
	give_packet(cable, &packet);
	assert_int_equal(seen.packets, 1);
	assert_int_equal(seen.protocol, 132);
	assert_string_equal(seen.text, "sctp");
	expect_unreachable(cable, NO_PROTOCOL);
	seen.takes = true;
	give_packet(cable, &packet);
	assert_int_equal(seen.packets, 2);
	assert_null(take(cable));
	cable_close(cable);
}

static int receive_now(void *socket)
{
	char byte;

	return (int)udp_receive(socket, &byte, 1, NULL, task_now());
}

static int received_by(struct udp *socket)
{
	int result;

	assert_int_equal(task_run(receive_now, socket, &result), 0);
	return result;
}

static void the_program_sees_datagrams_before_the_sockets(void **state)
{
	struct cable *cable = assemble(&(struct stack_layers){ .udp = &stack_udp, .listener = &seen.listener });
	struct udp *socket;

	(void)state;
	assert_int_equal(udp_bind(cable->stack, 53, &socket), 0);
	put_udp(&packet, HOST, 9, US, 53, "d", 2);
	give_packet(cable, &packet);
	assert_int_equal(seen.datagrams, 1);
	assert_int_equal(seen.port, 53);
	assert_string_equal(seen.text, "d");
	assert_int_equal(received_by(socket), 2);
	seen.takes = true;
	give_packet(cable, &packet);
	assert_int_equal(seen.datagrams, 2);
	assert_int_equal(received_by(socket), -ETIMEDOUT);
	put_udp(&packet, HOST, 9, US, 9, "x", 1);
	give_packet(cable, &packet);
	assert_null(take(cable));    /* a port without a socket is not refused if the program takes it */
	ip_payload(&packet)[6] ^= 1; /* a wrong checksum */
	give_packet(cable, &packet);
	assert_int_equal(seen.datagrams, 3);
	udp_close(socket);
	cable_close(cable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_tcp_it_is_a_protocol_that_nobody_speaks, setup),
		cmocka_unit_test_setup(without_udp_it_is_a_protocol_that_nobody_speaks, setup),
		cmocka_unit_test_setup(with_neither_a_ping_is_answered, setup),
		cmocka_unit_test_setup(dhcp_without_udp_is_refused, setup),
		cmocka_unit_test_setup(the_program_sees_frames_that_no_layer_takes, setup),
		cmocka_unit_test_setup(the_program_may_take_packets_of_other_protocols, setup),
		cmocka_unit_test_setup(the_program_sees_datagrams_before_the_sockets, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
