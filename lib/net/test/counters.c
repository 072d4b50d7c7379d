/* SPDX-License-Identifier: ISC
 *
 * What two stacks count while they talk to each other: the counters of RFC 4293, 4113 and 4022 that are not about drops
 * (drops.c has those).
 */
#include <skerry/udp.h>

#include "lib/net/test/pair.h"

static const struct ip_address server_address = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 } };

static void exchange(size_t len, unsigned count)
{
	const struct ip_endpoint to = { server_address, PORT };
	static uint8_t bytes[8192];
	struct udp *client, *server;

	assert_int_equal(udp_bind(ends[CLIENT].stack, 0, &client), 0);
	assert_int_equal(udp_bind(ends[SERVER].stack, PORT, &server), 0);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(udp_send(client, &to, bytes, len, soon()), 0);
		assert_int_equal(udp_receive(server, bytes, sizeof bytes, NULL, soon()), len);
	}
	udp_close(client);
	udp_close(server);
}

TASK_TEST(datagrams_and_packets_are_counted_both_ways)
{
	struct stack_counters client, server;

	plug_in(0);
	exchange(100, 3);
	client = counters_of(CLIENT);
	server = counters_of(SERVER);
	assert_int_equal(client.UdpOutDatagrams, 3);
	assert_int_equal(client.IpOutRequests, 3);
	assert_int_equal(server.IpInReceives, 3);
	assert_int_equal(server.IpInDelivers, 3);
	assert_int_equal(server.UdpInDatagrams, 3);
	assert_int_equal(server.UdpOutDatagrams + server.IpOutRequests + client.IpInReceives, 0);
	assert_int_equal(client.IfOutPkts, ends[CLIENT].seen);
	assert_int_equal(server.IfInOctets, client.IfOutOctets);
	unplug();
}

/* 5000 bytes and UDP's header in pieces of 1480. */
TASK_TEST(fragments_are_counted_both_ways)
{
	struct stack_counters client, server;

	plug_in(0);
	exchange(5000, 2);
	client = counters_of(CLIENT);
	server = counters_of(SERVER);
	assert_int_equal(client.IpOutRequests, 2);
	assert_int_equal(client.IpFragOKs, 2);
	assert_int_equal(client.IpFragCreates, 8);
	assert_int_equal(server.IpInReceives, 8);
	assert_int_equal(server.IpReasmReqds, 8);
	assert_int_equal(server.IpReasmOKs, 2);
	assert_int_equal(server.IpInDelivers, 2);
	unplug();
}

TASK_TEST(icmp_is_counted_by_type)
{
	const struct ip_endpoint nobody = { server_address, PORT };
	struct stack_counters client, server;
	struct udp *socket;

	plug_in(0);
	assert_int_equal(udp_bind(ends[CLIENT].stack, 0, &socket), 0);
	assert_int_equal(udp_send(socket, &nobody, "x", 1, soon()), 0);
	task_sleep(clock_deadline(SECOND(1)));
	client = counters_of(CLIENT);
	server = counters_of(SERVER);
	assert_int_equal(server.icmp_out[3], 1);
	assert_int_equal(server.IcmpOutMsgs, 1);
	assert_int_equal(client.icmp_in[3], 1);
	assert_int_equal(client.IcmpInMsgs, 1);
	udp_close(socket);
	unplug();
}

TASK_TEST(tcp_counts_a_connection)
{
	struct tcp_listener *listener;
	struct tcp *client, *server;
	char byte;

	plug_in(0);
	listener = listening();
	client = connected();
	server = accepted(listener);
	assert_int_equal(counters_of(CLIENT).TcpActiveOpens, 1);
	assert_int_equal(counters_of(SERVER).TcpPassiveOpens, 1);
	assert_int_equal(counters_of(CLIENT).TcpCurrEstab, 1);
	assert_int_equal(counters_of(SERVER).TcpCurrEstab, 1);
	assert_int_equal(tcp_write(client, "x", 1, soon()), 1);
	task_sleep(clock_deadline(SECOND(1)));
	assert_int_equal(counters_of(SERVER).TcpExtDelayedACKs, 1);
	assert_int_equal(tcp_read(server, &byte, 1, soon()), 1);
	tcp_close(client);
	tcp_close(server);
	task_sleep(clock_deadline(SECOND(1)));
	assert_int_equal(counters_of(CLIENT).TcpOutSegs, counters_of(SERVER).TcpInSegs);
	assert_int_equal(counters_of(SERVER).TcpOutSegs, counters_of(CLIENT).TcpInSegs);
	assert_int_equal(counters_of(SERVER).TcpCurrEstab, 0);
	assert_int_equal(counters_of(CLIENT).TcpEstabResets + counters_of(CLIENT).TcpAttemptFails, 0);
	tcp_unlisten(listener);
	unplug();
}

TASK_TEST(tcp_counts_what_fails)
{
	const struct ip_endpoint nobody = { server_address, 99 };
	struct tcp_listener *listener;
	struct tcp *client, *server;

	plug_in(0);
	assert_int_equal(tcp_connect(ends[CLIENT].stack, &nobody, &client, soon()), -ECONNREFUSED);
	assert_int_equal(counters_of(CLIENT).TcpAttemptFails, 1);
	assert_int_equal(counters_of(SERVER).TcpOutRsts, 1);
	listener = listening();
	client = connected();
	server = accepted(listener);
	tcp_abort(client);
	task_sleep(clock_deadline(SECOND(1)));
	assert_int_equal(counters_of(CLIENT).TcpEstabResets, 1);
	assert_int_equal(counters_of(CLIENT).TcpOutRsts, 1);
	assert_int_equal(counters_of(SERVER).TcpEstabResets, 1);
	tcp_close(server);
	tcp_unlisten(listener);
	unplug();
}

static int read_to_the_end(void *flow)
{
	static char buf[65536];

	while (tcp_read(flow, buf, sizeof buf, soon()) > 0)
		;
	return 0;
}

TASK_TEST(tcp_counts_losses_and_timers)
{
	static char bytes[300000];
	struct tcp_listener *listener;
	struct tcp *client, *server;
	struct task *reader;

	plug_in(0);
	listener = listening();
	client = connected();
	server = accepted(listener);
	assert_int_equal(task_spawn(NULL, read_to_the_end, server, &reader), 0);
	ends[CLIENT].lose = 20;
	assert_int_equal(tcp_write(client, bytes, sizeof bytes, soon()), sizeof bytes);
	ends[CLIENT].lose = 0;
	task_sleep(clock_deadline(SECOND(10)));
	assert_true(counters_of(CLIENT).TcpRetransSegs > 0);
	assert_true(counters_of(SERVER).TcpExtTCPOFOQueue > 0);
	assert_int_equal(counters_of(CLIENT).TcpExtTCPTimeouts, 0);
	ends[CLIENT].lose = 1; /* all */
	assert_int_equal(tcp_write(client, bytes, 5000, soon()), 5000);
	task_sleep(clock_deadline(SECOND(1)));
	assert_int_equal(counters_of(CLIENT).TcpExtTCPLossProbes, 1);
	assert_true(counters_of(CLIENT).TcpExtTCPTimeouts > 0);
	ends[CLIENT].lose = 0;
	tcp_close(client);
	assert_int_equal(task_await(reader, NULL, soon()), 0);
	tcp_close(server);
	tcp_unlisten(listener);
	unplug();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_and_packets_are_counted_both_ways),
		cmocka_unit_test(fragments_are_counted_both_ways),
		cmocka_unit_test(icmp_is_counted_by_type),
		cmocka_unit_test(tcp_counts_a_connection),
		cmocka_unit_test(tcp_counts_what_fails),
		cmocka_unit_test(tcp_counts_losses_and_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
