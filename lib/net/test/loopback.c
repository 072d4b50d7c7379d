/* SPDX-License-Identifier: ISC
 *
 * What a stack at 10.0.0.2/24 and 2001:db8::2/64 sends to itself: to its own addresses, to 127.0.0.0/8 (RFC 1122,
 * 3.2.1.3), and to ::1 (RFC 4291, 2.5.3).
 */
#include <stdio.h>

#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/test/cable6.h"

#define US   "10.0.0.2"
#define US_6 "2001:db8::2"

enum { STREAM_BYTES = 1 << 20, FLOOD = 600, FLOOD_BYTES = 1400 };

static const char *const selves[] = { US, "127.0.0.1", "127.200.3.4", US_6, "::1" };

static struct cable *cable;

static int setup(void **state)
{
	(void)state;
	cable = cable6_open(US_6, 64, NULL); /* and US/24 */
	return 0;
}

/* Nothing of it is seen on the link. */
static int teardown(void **state)
{
	(void)state;
	assert_null(take(cable));
	cable_close(cable);
	return 0;
}

static void in_task(int (*run)(void *arg), const char *self)
{
	int result;

	assert_int_equal(task_run(run, (void *)(uintptr_t)self, &result), 0);
	assert_int_equal(result, 0);
}

static struct ip_endpoint endpoint(const char *address, uint16_t port)
{
	struct ip_endpoint made = { .port = port };

	assert_int_equal(ip_parse(address, &made.address), 0);
	return made;
}

static int send_a_datagram(void *self)
{
	struct ip_endpoint to = endpoint(self, 7), from;
	struct udp *sender, *receiver;
	static uint8_t large[UDP_PAYLOAD_MAX], got[UDP_PAYLOAD_MAX];

	memset(large, 'l', sizeof large);
	assert_int_equal(udp_bind(cable->stack, 7, &receiver), 0);
	assert_int_equal(udp_bind(cable->stack, 9, &sender), 0);
	assert_int_equal(udp_send(sender, &to, "hello", 5, FOREVER), 0);
	assert_int_equal(udp_receive(receiver, got, sizeof got, &from, FOREVER), 5);
	assert_memory_equal(got, "hello", 5);
	assert_int_equal(from.port, 9);
	assert_true(ip_equal(&from.address, &to.address));
	assert_int_equal(udp_send(sender, &to, large, sizeof large, FOREVER), 0);
	assert_int_equal(udp_receive(receiver, got, sizeof got, NULL, FOREVER), sizeof large);
	assert_memory_equal(got, large, sizeof large);
	udp_close(receiver);
	udp_close(sender);
	return 0;
}

static void datagrams_to_ourselves_arrive(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof selves / sizeof *selves; i++)
		in_task(send_a_datagram, selves[i]);
}

static int send_to_a_closed_port(void *self)
{
	struct ip_endpoint to = endpoint(self, 7);
	struct udp *sender;

	assert_int_equal(udp_bind(cable->stack, 9, &sender), 0);
	assert_int_equal(udp_send(sender, &to, "hello", 5, FOREVER), 0);
	assert_int_equal(task_sleep(task_now() + MSEC(1)), 0);
	assert_int_equal(udp_send(sender, &to, "hello", 5, FOREVER), -ECONNREFUSED);
	udp_close(sender);
	return 0;
}

static void a_closed_port_of_ours_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof selves / sizeof *selves; i++)
		in_task(send_to_a_closed_port, selves[i]);
}

static int echo(void *listener)
{
	static uint8_t buf[4096];
	struct tcp *flow;
	ssize_t len;

	assert_int_equal(tcp_accept(listener, &flow, FOREVER), 0);
	while ((len = tcp_read(flow, buf, sizeof buf, FOREVER)) > 0)
		assert_int_equal(tcp_write(flow, buf, (size_t)len, FOREVER), len);
	tcp_close(flow);
	return (int)len;
}

static int write_all(void *flow)
{
	static uint8_t sent[STREAM_BYTES];

	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 13);
	assert_int_equal(tcp_write(flow, sent, sizeof sent, FOREVER), sizeof sent);
	return tcp_shutdown(flow);
}

static int exchange_a_stream(void *self)
{
	struct ip_endpoint to = endpoint(self, 80), peer;
	struct tcp_listener *listener;
	struct task *tasks[2];
	struct tcp *flow;
	uint8_t buf[4096];
	size_t at = 0;
	ssize_t len;

	assert_int_equal(tcp_connect(cable->stack, &to, &flow, FOREVER), -ECONNREFUSED);
	assert_int_equal(tcp_listen(cable->stack, 80, &listener), 0);
	assert_int_equal(task_spawn(NULL, echo, listener, &tasks[0]), 0);
	assert_int_equal(tcp_connect(cable->stack, &to, &flow, FOREVER), 0);
	tcp_peer(flow, &peer);
	assert_true(ip_equal(&peer.address, &to.address));
	assert_int_equal(task_spawn(NULL, write_all, flow, &tasks[1]), 0);
	while ((len = tcp_read(flow, buf, sizeof buf, FOREVER)) > 0)
		for (ssize_t i = 0; i < len; i++, at++)
			assert_int_equal(buf[i], (uint8_t)(at * 13));
	assert_int_equal(len, 0);
	assert_int_equal(at, STREAM_BYTES);
	assert_int_equal(task_await_all(tasks, 2, NULL, FOREVER), 0);
	tcp_close(flow);
	tcp_unlisten(listener);
	return 0;
}

static void a_stream_to_ourselves_is_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof selves / sizeof *selves; i++)
		in_task(exchange_a_stream, selves[i]);
}

/* What is left to the link when it goes there is nobody's to do here, and nothing is missing. */
static void offloads_of_the_link_change_nothing(void **state)
{
	(void)state;
	cable->net.info.features = PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4 | PLATFORM_NET_TSO6;
	for (size_t i = 0; i < sizeof selves / sizeof *selves; i++) {
		in_task(send_a_datagram, selves[i]);
		in_task(exchange_a_stream, selves[i]);
	}
}

static int flood(void *self)
{
	struct ip_endpoint to = endpoint(self, 7);
	static uint8_t data[FLOOD_BYTES];
	struct udp *socket;
	size_t most = 0;

	assert_int_equal(udp_bind(cable->stack, 7, &socket), 0);
	for (int i = 0; i < FLOOD; i++) {
		size_t bytes;

		assert_int_equal(udp_send(socket, &to, data, sizeof data, FOREVER), 0);
		bytes = own_of(cable)->loopback.bytes;
		most = bytes > most ? bytes : most;
	}
	assert_in_range(most, LOOPBACK_BYTES, LOOPBACK_BYTES + 1500);
	assert_int_equal(udp_send(socket, &to, data, sizeof data, FOREVER), 0); /* closing frees what is under way */
	udp_close(socket);
	return 0;
}

static void the_queue_is_bounded_and_its_senders_wait(void **state)
{
	(void)state;
	in_task(flood, US);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(datagrams_to_ourselves_arrive),
		TEST(a_closed_port_of_ours_is_refused),
		TEST(a_stream_to_ourselves_is_exact),
		TEST(offloads_of_the_link_change_nothing),
		TEST(the_queue_is_bounded_and_its_senders_wait),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
