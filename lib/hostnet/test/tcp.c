/* SPDX-License-Identifier: ISC
 *
 * TCP on the host's sockets, against plain sockets on loopback.
 */
#include "peer.h"

#include <sys/resource.h>

/* A flow of ours and the plain socket at its other end. */
struct pair {
	struct tcp_listener *listener;
	struct tcp *flow;
	int peer;
	uint16_t port, peer_port;
};

static struct pair pair_open(void)
{
	struct pair pair = { .port = free_port(SOCK_STREAM) };

	assert_int_equal(tcp_listen(stack, pair.port, &pair.listener), 0);
	pair.peer = peer_connect(pair.port, &pair.peer_port);
	assert_int_equal(tcp_accept(pair.listener, &pair.flow, SOON), 0);
	return pair;
}

static void pair_close(struct pair *pair)
{
	tcp_close(pair->flow);
	tcp_unlisten(pair->listener);
	if (pair->peer >= 0)
		close(pair->peer);
}

TEST(accepted_flow_knows_both_addresses)
{
	struct pair pair = pair_open();
	struct ip_endpoint peer, local, loop = loopback_endpoint(0);

	tcp_peer(pair.flow, &peer);
	tcp_local(pair.flow, &local);
	assert_true(ip_equal(&peer.address, &loop.address));
	assert_true(ip_equal(&local.address, &loop.address));
	assert_int_equal(peer.port, pair.peer_port);
	assert_int_equal(local.port, pair.port);
	pair_close(&pair);
}

TEST(bytes_arrive_both_ways_and_the_end_is_zero_and_stays)
{
	struct pair pair = pair_open();
	char buf[16];

	assert_int_equal(send(pair.peer, "hello", 5, 0), 5);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), 5);
	assert_memory_equal(buf, "hello", 5);
	tcp_set_nodelay(pair.flow, true);
	assert_int_equal(tcp_write(pair.flow, "world!", 6, SOON), 6);
	assert_int_equal(recv(pair.peer, buf, sizeof buf, 0), 6);
	assert_memory_equal(buf, "world!", 6);
	shutdown(pair.peer, SHUT_WR);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), 0);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), 0);
	assert_int_equal(tcp_write(pair.flow, "still", 5, SOON), 5);
	assert_int_equal(recv(pair.peer, buf, sizeof buf, 0), 5);
	pair_close(&pair);
}

TEST(reset_is_told_apart_from_an_end_and_stays)
{
	struct pair pair = pair_open();
	char buf[16];

	peer_reset(pair.peer);
	pair.peer = -1;
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), -ECONNRESET);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), -ECONNRESET);
	assert_int_equal(tcp_write(pair.flow, buf, 1, SOON), -ECONNRESET);
	assert_int_equal(tcp_shutdown(pair.flow), -ENOTCONN);
	pair_close(&pair);
}

TEST(write_after_a_reset_is_not_taken_for_a_shutdown)
{
	struct pair pair = pair_open();
	char buf[16];

	shutdown(pair.peer, SHUT_WR);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), 0);
	peer_reset(pair.peer);
	pair.peer = -1;
	assert_int_equal(tcp_write(pair.flow, buf, 1, SOON), -ECONNRESET);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), -ECONNRESET);
	pair_close(&pair);
}

static int read_16(void *arg)
{
	char buf[16];

	return (int)tcp_read(arg, buf, sizeof buf, FOREVER);
}

TEST(reset_wakes_a_blocked_reader)
{
	struct pair pair = pair_open();
	struct task *reader;
	int result = 1;

	must(task_spawn(NULL, read_16, pair.flow, &reader) == 0);
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	peer_reset(pair.peer);
	pair.peer = -1;
	assert_int_equal(task_await(reader, &result, SOON), 0);
	assert_int_equal(result, -ECONNRESET);
	pair_close(&pair);
}

TEST(read_that_times_out_or_is_cancelled_loses_no_byte)
{
	struct pair pair = pair_open();
	struct task *reader;
	char buf[16];

	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, clock_deadline(MSEC(5))), -ETIMEDOUT);
	must(task_spawn(NULL, read_16, pair.flow, &reader) == 0);
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	assert_int_equal(send(pair.peer, "x", 1, 0), 1);
	task_cancel(reader);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), 1);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, AT_ONCE), -EAGAIN);
	pair_close(&pair);
}

TEST(shutdown_ends_our_stream_and_leaves_the_peers_open)
{
	struct pair pair = pair_open();
	char buf[16];

	assert_int_equal(tcp_write(pair.flow, "last", 4, SOON), 4);
	assert_int_equal(tcp_shutdown(pair.flow), 0);
	assert_int_equal(tcp_write(pair.flow, "more", 4, SOON), -EPIPE);
	assert_int_equal(recv(pair.peer, buf, sizeof buf, MSG_WAITALL), 4);
	assert_int_equal(recv(pair.peer, buf, sizeof buf, 0), 0);
	assert_int_equal(send(pair.peer, "reply", 5, 0), 5);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), 5);
	pair_close(&pair);
}

enum { LARGE = 4 * 1024 * 1024 };

static unsigned char pattern(size_t i)
{
	return (unsigned char)(i * 7 + (i >> 11));
}

TEST(close_delivers_what_was_written)
{
	enum { SOME = 100 * 1000 };
	struct pair pair = pair_open();
	unsigned char *bytes = malloc(SOME);
	size_t len = 0;
	ssize_t got;

	for (size_t i = 0; i < SOME; i++)
		bytes[i] = pattern(i);
	assert_int_equal(tcp_write(pair.flow, bytes, SOME, SOON), SOME);
	tcp_close(pair.flow);
	pair.flow = NULL;
	memset(bytes, 0, SOME);
	while ((got = recv(pair.peer, bytes + len, SOME - len, 0)) > 0)
		len += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(len, SOME);
	for (size_t i = 0; i < SOME; i++)
		assert_int_equal(bytes[i], pattern(i));
	free(bytes);
	pair_close(&pair);
}

TEST(close_with_unread_data_resets)
{
	struct pair pair = pair_open();
	char buf[16];

	assert_int_equal(send(pair.peer, "unread", 6, 0), 6);
	tcp_close(pair.flow);
	pair.flow = NULL;
	assert_int_equal(recv(pair.peer, buf, sizeof buf, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	pair_close(&pair);
}

TEST(tuning_is_the_hosts_and_statistics_tell)
{
	const struct tcp_tuning tuning = { .keepalive_ns = SECOND(30),
		.keepalive_interval_ns = SECOND(5),
		.keepalive_probes = 3,
		.user_timeout_ns = SECOND(7),
		.congestion = &tcp_newreno };
	struct tcp_statistics statistics;
	struct pair pair = pair_open();

	assert_int_equal(tcp_tune(pair.flow, &tuning), 0);
	assert_int_equal(tcp_tune(pair.flow, &(struct tcp_tuning){ .keepalive_probes = 256 }), -EINVAL);
	assert_int_equal(tcp_write(pair.flow, "abc", 3, SOON), 3);
	tcp_statistics(pair.flow, &statistics);
	assert_string_equal(statistics.state, "ESTABLISHED");
	assert_true(statistics.segment_size > 500 && statistics.congestion_window > 0);
	pair_close(&pair);
}

TEST(abort_resets)
{
	struct pair pair = pair_open();
	char buf[16];

	tcp_abort(pair.flow);
	pair.flow = NULL;
	assert_int_equal(recv(pair.peer, buf, sizeof buf, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	pair_close(&pair);
}

static int write_large(void *arg)
{
	unsigned char *bytes = malloc(LARGE);
	ssize_t len;

	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = pattern(i);
	len = tcp_write(arg, bytes, LARGE, SOON);
	free(bytes);
	tcp_close(arg);
	return len == LARGE ? 0 : (int)len;
}

TEST(large_write_blocks_until_the_reader_takes_it_and_arrives_in_order)
{
	static unsigned char buf[50000];
	struct pair pair = pair_open();
	struct ip_endpoint here = loopback_endpoint(pair.port);
	struct tcp *client, *server;
	struct task *writer;
	size_t at = 0;
	ssize_t got;
	int result = 1;

	assert_int_equal(tcp_connect(stack, &here, &client, SOON), 0);
	assert_int_equal(tcp_accept(pair.listener, &server, SOON), 0);
	must(task_spawn(NULL, write_large, server, &writer) == 0);
	while ((got = tcp_read(client, buf, sizeof buf, SOON)) > 0)
		for (ssize_t i = 0; i < got; i++, at++)
			assert_int_equal(buf[i], pattern(at));
	assert_int_equal(got, 0);
	assert_int_equal(at, LARGE);
	assert_int_equal(task_await(writer, &result, SOON), 0);
	assert_int_equal(result, 0);
	tcp_close(client);
	pair_close(&pair);
}

TEST(write_to_a_peer_that_does_not_read_times_out)
{
	struct pair pair = pair_open();
	char *bytes = calloc(1, 4 * LARGE);

	assert_int_equal(tcp_write(pair.flow, bytes, 4 * LARGE, clock_deadline(MSEC(50))), -ETIMEDOUT);
	free(bytes);
	pair_close(&pair);
}

TEST(what_was_written_is_undelivered_until_the_peer_has_it)
{
	static char bytes[65536];
	struct pair pair = pair_open();
	size_t written = 0, undelivered;
	ssize_t len;

	assert_int_equal(tcp_undelivered(pair.flow), 0);
	while ((len = tcp_write(pair.flow, bytes, sizeof bytes, clock_deadline(MSEC(20)))) > 0)
		written += (size_t)len;
	undelivered = tcp_undelivered(pair.flow);
	assert_true(undelivered > 0 && undelivered < written + sizeof bytes);
	do
		assert_true(read(pair.peer, bytes, sizeof bytes) > 0);
	while (tcp_undelivered(pair.flow) > 0);
	pair_close(&pair);
}

TEST(connecting_to_nobody_is_refused)
{
	struct ip_endpoint nobody = loopback_endpoint(free_port(SOCK_STREAM));
	struct stack_counters counters;
	struct tcp *flow = NULL;

	assert_int_equal(tcp_connect(stack, &nobody, &flow, SOON), -ECONNREFUSED);
	assert_null(flow);
	stack_counters(stack, &counters);
	assert_int_equal(counters.tcp_flows, 0);
}

TEST(connecting_is_begun_and_waited_for_and_a_failure_stays)
{
	struct ip_endpoint nobody = loopback_endpoint(free_port(SOCK_STREAM)), there;
	struct pair pair = pair_open();
	struct tcp *flow;

	there = loopback_endpoint(pair.port);
	assert_int_equal(tcp_connect_begin(stack, &there, &flow), 0);
	assert_int_equal(tcp_connected(flow, SOON), 0);
	assert_int_equal(tcp_connected(flow, AT_ONCE), 0);
	tcp_close(flow);
	pair_close(&pair);
	assert_int_equal(tcp_connect_begin(stack, &nobody, &flow), 0);
	assert_int_equal(tcp_connected(flow, SOON), -ECONNREFUSED);
	assert_int_equal(tcp_connected(flow, AT_ONCE), -ECONNREFUSED);
	tcp_close(flow);
}

TEST(calls_at_once_take_what_there_is_room_for_and_never_wait)
{
	struct pair pair = pair_open();
	size_t size = 64 << 20;
	char *bytes = calloc(1, size);
	ssize_t written;
	struct tcp *flow;

	assert_int_equal(tcp_accept(pair.listener, &flow, AT_ONCE), -EAGAIN);
	assert_int_equal(tcp_read(pair.flow, bytes, size, AT_ONCE), -EAGAIN);
	written = tcp_write(pair.flow, bytes, size, AT_ONCE);
	assert_in_range(written, 1, size - 1);
	assert_int_equal(tcp_write(pair.flow, bytes, size, AT_ONCE), -EAGAIN);
	free(bytes);
	pair_close(&pair);
}

/* A listener whose backlog is full answers no SYN. */
TEST(connecting_to_a_silent_peer_times_out_at_the_deadline)
{
	uint16_t port, ignored;
	int deaf = peer_socket(SOCK_STREAM, &port), first;
	struct ip_endpoint there = loopback_endpoint(port);
	struct tcp *flow;
	uint64_t deadline;

	assert_int_equal(listen(deaf, 0), 0);
	first = peer_connect(port, &ignored);
	deadline = clock_deadline(MSEC(30));
	assert_int_equal(tcp_connect(stack, &there, &flow, deadline), -ETIMEDOUT);
	assert_true(clock_monotonic() >= deadline);
	close(first);
	close(deaf);
}

static int accept_one(void *arg)
{
	struct tcp *flow;
	int err = tcp_accept(arg, &flow, FOREVER);

	if (err == 0)
		tcp_close(flow);
	return err;
}

TEST(cancelled_accept_loses_no_connection)
{
	struct pair pair = pair_open();
	struct task *acceptor;
	struct tcp *flow;
	uint16_t port;
	int second;

	must(task_spawn(NULL, accept_one, pair.listener, &acceptor) == 0);
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	second = peer_connect(pair.port, &port);
	task_cancel(acceptor);
	assert_int_equal(tcp_accept(pair.listener, &flow, SOON), 0);
	assert_int_equal(tcp_accept(pair.listener, &flow, clock_deadline(MSEC(5))), -ETIMEDOUT);
	tcp_close(flow);
	close(second);
	pair_close(&pair);
}

TEST(concurrent_accepts_get_a_connection_each)
{
	enum { COUNT = 20 };
	struct pair pair = pair_open();
	struct task *acceptors[COUNT];
	int peers[COUNT];
	uint16_t port;

	for (int i = 0; i < COUNT; i++)
		must(task_spawn(NULL, accept_one, pair.listener, &acceptors[i]) == 0);
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	for (int i = 0; i < COUNT; i++)
		peers[i] = peer_connect(pair.port, &port);
	for (int i = 0; i < COUNT; i++) {
		int result = 1;

		assert_int_equal(task_await(acceptors[i], &result, SOON), 0);
		assert_int_equal(result, 0);
		close(peers[i]);
	}
	pair_close(&pair);
}

TEST(accept_waits_while_the_host_has_no_descriptor)
{
	struct pair pair = pair_open();
	struct rlimit limit, none;
	struct tcp *flow;
	uint16_t port;
	int peer = peer_connect(pair.port, &port);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = (rlim_t)peer + 1, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(tcp_accept(pair.listener, &flow, clock_deadline(MSEC(20))), -ETIMEDOUT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(tcp_accept(pair.listener, &flow, SOON), 0);
	tcp_close(flow);
	close(peer);
	pair_close(&pair);
}

TEST(port_in_use_and_port_zero_are_refused)
{
	struct pair pair = pair_open();
	struct tcp_listener *other = NULL;

	assert_int_equal(tcp_listen(stack, pair.port, &other), -EADDRINUSE);
	assert_int_equal(tcp_listen(stack, 0, &other), -EINVAL);
	assert_null(other);
	pair_close(&pair);
}

TEST(ipv6_peer_is_served_by_the_same_listener)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct pair pair = pair_open();
	struct ip_endpoint peer, local;
	struct ip_address loop;
	struct tcp *flow;
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	address.sin6_port = htons(pair.port);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
		print_message("the host has no IPv6 on loopback\n");
		if (fd >= 0)
			close(fd);
		pair_close(&pair);
		return;
	}
	assert_int_equal(tcp_accept(pair.listener, &flow, SOON), 0);
	assert_int_equal(ip_parse("::1", &loop), 0);
	tcp_peer(flow, &peer);
	tcp_local(flow, &local);
	assert_true(ip_equal(&peer.address, &loop));
	assert_true(ip_equal(&local.address, &loop));
	tcp_close(flow);
	close(fd);
	pair_close(&pair);
}

static int accept_and_close(void *arg)
{
	struct tcp *flow;
	int err = tcp_accept(arg, &flow, SOON);

	if (err == 0)
		tcp_close(flow);
	return err;
}

/* Both ends are ours: the host may have no other peer on ::1. */
TEST(ipv6_peer_is_connected_to)
{
	struct pair pair = pair_open();
	struct ip_endpoint there = { .port = pair.port }, peer, local;
	struct task *acceptor;
	struct tcp *flow;
	int err;

	assert_int_equal(ip_parse("::1", &there.address), 0);
	assert_int_equal(task_spawn(NULL, accept_and_close, pair.listener, &acceptor), 0);
	err = tcp_connect(stack, &there, &flow, SOON);
	if (err == 0) {
		tcp_peer(flow, &peer);
		tcp_local(flow, &local);
		assert_true(ip_equal(&peer.address, &there.address) && peer.port == pair.port);
		assert_true(ip_equal(&local.address, &there.address) && local.port != 0);
		tcp_close(flow);
		assert_int_equal(task_await(acceptor, &err, FOREVER), 0);
	} else {
		print_message("the host has no IPv6 on loopback\n");
		assert_true(err == -ENETUNREACH || err == -EADDRNOTAVAIL);
		task_cancel(acceptor);
		err = 0;
	}
	assert_int_equal(err, 0);
	pair_close(&pair);
}

static void leave_a_flow_open(void)
{
	struct pair pair = pair_open();
	struct stack_counters counters;
	char buf[16];

	stack_counters(stack, &counters);
	assert_int_equal(counters.tcp_flows, 1);
	tcp_unlisten(pair.listener);
	stack_close(stack);
	assert_int_equal(stack_open_host(&stack), 0);
	assert_int_equal(recv(pair.peer, buf, sizeof buf, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, SOON), -ECONNRESET);
	assert_int_equal(tcp_write(pair.flow, buf, 1, SOON), -ECONNRESET);
	tcp_close(pair.flow);
	close(pair.peer);
}

static void closed_stack_resets_its_flows_and_their_handles_stay_safe(void **state)
{
	(void)state;
	run_body(leave_a_flow_open);
}

static int spin(void *arg)
{
	const bool *done = arg;

	while (!*done)
		must(task_yield() == 0);
	return 0;
}

TEST(task_that_always_yields_starves_no_socket)
{
	struct pair pair = pair_open();
	struct task *spinner;
	bool done = false;
	char buf[16];

	must(task_spawn(NULL, spin, &done, &spinner) == 0);
	for (int i = 0; i < 20; i++) {
		struct task *reader;
		int result = 0;

		must(task_spawn(NULL, read_16, pair.flow, &reader) == 0);
		must(task_yield() == 0);
		must(task_yield() == 0);
		assert_int_equal(send(pair.peer, "x", 1, 0), 1);
		assert_int_equal(task_await(reader, &result, SOON), 0);
		assert_int_equal(result, 1);
	}
	done = true;
	assert_int_equal(task_await(spinner, NULL, SOON), 0);
	assert_int_equal(tcp_read(pair.flow, buf, sizeof buf, AT_ONCE), -EAGAIN);
	pair_close(&pair);
}

static int read_for_ever(void *arg)
{
	static char buf[100];

	while (tcp_read(arg, buf, sizeof buf, SOON) > 0)
		;
	return 0;
}

/* Its calls never need to wait: they must let others run all the same. */
TEST(reader_of_a_full_buffer_starves_no_task)
{
	struct pair pair = pair_open();
	char *bytes = calloc(1, 100000);
	struct task *reader;
	char rest[100];

	assert_int_equal(send(pair.peer, bytes, 100000, 0), 100000);
	must(task_spawn(NULL, read_for_ever, pair.flow, &reader) == 0);
	for (int i = 0; i < 10; i++)
		must(task_yield() == 0);
	task_cancel(reader);
	assert_int_equal(tcp_read(pair.flow, rest, sizeof rest, 0), sizeof rest); /* it did not get to the end */
	free(bytes);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted_flow_knows_both_addresses),
		cmocka_unit_test(bytes_arrive_both_ways_and_the_end_is_zero_and_stays),
		cmocka_unit_test(reset_is_told_apart_from_an_end_and_stays),
		cmocka_unit_test(write_after_a_reset_is_not_taken_for_a_shutdown),
		cmocka_unit_test(reset_wakes_a_blocked_reader),
		cmocka_unit_test(read_that_times_out_or_is_cancelled_loses_no_byte),
		cmocka_unit_test(shutdown_ends_our_stream_and_leaves_the_peers_open),
		cmocka_unit_test(close_delivers_what_was_written),
		cmocka_unit_test(close_with_unread_data_resets),
		cmocka_unit_test(tuning_is_the_hosts_and_statistics_tell),
		cmocka_unit_test(abort_resets),
		cmocka_unit_test(large_write_blocks_until_the_reader_takes_it_and_arrives_in_order),
		cmocka_unit_test(write_to_a_peer_that_does_not_read_times_out),
		cmocka_unit_test(what_was_written_is_undelivered_until_the_peer_has_it),
		cmocka_unit_test(connecting_to_nobody_is_refused),
		cmocka_unit_test(connecting_is_begun_and_waited_for_and_a_failure_stays),
		cmocka_unit_test(calls_at_once_take_what_there_is_room_for_and_never_wait),
		cmocka_unit_test(connecting_to_a_silent_peer_times_out_at_the_deadline),
		cmocka_unit_test(cancelled_accept_loses_no_connection),
		cmocka_unit_test(concurrent_accepts_get_a_connection_each),
		cmocka_unit_test(accept_waits_while_the_host_has_no_descriptor),
		cmocka_unit_test(port_in_use_and_port_zero_are_refused),
		cmocka_unit_test(ipv6_peer_is_served_by_the_same_listener),
		cmocka_unit_test(ipv6_peer_is_connected_to),
		cmocka_unit_test(closed_stack_resets_its_flows_and_their_handles_stay_safe),
		cmocka_unit_test(task_that_always_yields_starves_no_socket),
		cmocka_unit_test(reader_of_a_full_buffer_starves_no_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
