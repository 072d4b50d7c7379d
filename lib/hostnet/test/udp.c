/* SPDX-License-Identifier: ISC
 *
 * UDP on the host's sockets, against plain sockets on loopback.
 */
#include "peer.h"

TEST(datagram_arrives_with_its_senders_address_and_can_be_answered)
{
	struct sockaddr_in to;
	struct ip_endpoint from, loop = loopback_endpoint(0);
	struct udp *socket;
	uint16_t port;
	char buf[16];
	int peer = peer_socket(SOCK_DGRAM, &port);

	assert_int_equal(udp_bind(stack, 0, &socket), 0);
	assert_int_not_equal(udp_port(socket), 0);
	to = loopback(udp_port(socket));
	assert_int_equal(sendto(peer, "ping", 4, 0, (struct sockaddr *)&to, sizeof to), 4);
	assert_int_equal(udp_receive(socket, buf, sizeof buf, &from, SOON), 4);
	assert_memory_equal(buf, "ping", 4);
	assert_true(ip_equal(&from.address, &loop.address));
	assert_int_equal(from.port, port);
	assert_int_equal(udp_send(socket, &from, "pong!", 5, SOON), 0);
	assert_int_equal(recv(peer, buf, sizeof buf, 0), 5);
	assert_memory_equal(buf, "pong!", 5);
	udp_close(socket);
	close(peer);
}

TEST(datagrams_go_both_ways_over_ipv6)
{
	struct ip_endpoint to, from;
	struct udp *one, *other;
	char buf[16];
	int err;

	assert_int_equal(udp_bind(stack, 0, &one), 0);
	assert_int_equal(udp_bind(stack, 0, &other), 0);
	assert_int_equal(ip_parse("::1", &to.address), 0);
	to.port = udp_port(other);
	err = udp_send(one, &to, "six", 3, SOON);
	if (err == 0) {
		assert_int_equal(udp_receive(other, buf, sizeof buf, &from, SOON), 3);
		assert_true(ip_equal(&from.address, &to.address) && from.port == udp_port(one));
		assert_int_equal(udp_send(other, &from, "back", 4, SOON), 0);
		assert_int_equal(udp_receive(one, buf, sizeof buf, &from, SOON), 4);
		assert_memory_equal(buf, "back", 4);
	} else {
		print_message("the host has no IPv6 on loopback\n");
		assert_true(err == -ENETUNREACH || err == -EADDRNOTAVAIL);
	}
	udp_close(one);
	udp_close(other);
}

TEST(length_is_told_of_what_does_not_fit_and_empty_datagrams_count)
{
	struct sockaddr_in to;
	struct udp *socket;
	uint16_t port;
	char buf[4] = { 0 };
	int peer = peer_socket(SOCK_DGRAM, &port);

	assert_int_equal(udp_bind(stack, 0, &socket), 0);
	to = loopback(udp_port(socket));
	assert_int_equal(sendto(peer, "longer", 6, 0, (struct sockaddr *)&to, sizeof to), 6);
	assert_int_equal(sendto(peer, "", 0, 0, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(udp_receive(socket, buf, sizeof buf, NULL, SOON), 6);
	assert_memory_equal(buf, "long", 4);
	assert_int_equal(udp_receive(socket, buf, sizeof buf, NULL, SOON), 0);
	assert_int_equal(udp_receive(socket, buf, sizeof buf, NULL, clock_deadline(MSEC(5))), -ETIMEDOUT);
	udp_close(socket);
	close(peer);
}

TEST(largest_datagram_passes_and_a_larger_one_is_refused)
{
	static char bytes[UDP_PAYLOAD_MAX + 1];
	struct udp *one, *other;
	struct ip_endpoint to;

	assert_int_equal(udp_bind(stack, 0, &one), 0);
	assert_int_equal(udp_bind(stack, 0, &other), 0);
	to = loopback_endpoint(udp_port(other));
	assert_int_equal(udp_send(one, &to, bytes, sizeof bytes, SOON), -EMSGSIZE);
	assert_int_equal(udp_send(one, &to, bytes, UDP_PAYLOAD_MAX, SOON), 0);
	assert_int_equal(udp_receive(other, bytes, sizeof bytes, NULL, SOON), UDP_PAYLOAD_MAX);
	udp_close(one);
	udp_close(other);
	udp_close(NULL);
}

TEST(port_in_use_is_refused)
{
	struct udp *one, *other = NULL;

	assert_int_equal(udp_bind(stack, 0, &one), 0);
	assert_int_equal(udp_bind(stack, udp_port(one), &other), -EADDRINUSE);
	assert_null(other);
	udp_close(one);
}

static int receive(void *arg)
{
	char buf[16];

	return (int)udp_receive(arg, buf, sizeof buf, NULL, FOREVER);
}

TEST(cancelled_receive_loses_no_datagram)
{
	struct udp *one, *other;
	struct ip_endpoint to;
	struct task *receiver;
	char buf[16];

	assert_int_equal(udp_bind(stack, 0, &one), 0);
	assert_int_equal(udp_bind(stack, 0, &other), 0);
	to = loopback_endpoint(udp_port(other));
	must(task_spawn(NULL, receive, other, &receiver) == 0);
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	assert_int_equal(udp_send(one, &to, "x", 1, SOON), 0);
	task_cancel(receiver);
	assert_int_equal(udp_receive(other, buf, sizeof buf, NULL, SOON), 1);
	udp_close(one);
	udp_close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagram_arrives_with_its_senders_address_and_can_be_answered),
		cmocka_unit_test(datagrams_go_both_ways_over_ipv6),
		cmocka_unit_test(length_is_told_of_what_does_not_fit_and_empty_datagrams_count),
		cmocka_unit_test(largest_datagram_passes_and_a_larger_one_is_refused),
		cmocka_unit_test(port_in_use_is_refused),
		cmocka_unit_test(cancelled_receive_loses_no_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
