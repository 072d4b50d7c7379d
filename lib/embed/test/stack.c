/* SPDX-License-Identifier: ISC
 *
 * A stack in a process: opening, frames in and out, time, and calls that never block.
 */
#include "hosts.h"

#include <stdio.h>

static char logged[512];

void stack_log(enum log_level level, const char *source, const char *message)
{
	snprintf(logged, sizeof logged, "%d %s: %s", level, source, message);
}

static void bytes_arrive_both_ways_over_ethernet(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];

	(void)state;
	pair_open(pair, STACK_LINK_ETHERNET);
	pair_connect(pair, &listener, flows);
	assert_int_equal(pair_transfer(pair, flows[0], flows[1], 300000, SECOND(10)), 300000);
	assert_int_equal(pair_transfer(pair, flows[1], flows[0], 300000, SECOND(10)), 300000);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void bare_packets_have_no_header_and_nobody_is_asked_for(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];
	struct stack_counters counters;

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	assert_int_equal(pair->hosts[0].sent, 0); /* no gratuitous ARP */
	assert_int_equal(stack_deadline(pair->hosts[0].stack), FOREVER);
	pair_connect(pair, &listener, flows);
	assert_int_equal(pair->hosts[0].last_bytes[0], 0x45);
	assert_int_equal(pair_transfer(pair, flows[0], flows[1], 300000, SECOND(10)), 300000);
	stack_counters(pair->hosts[0].stack, &counters);
	assert_int_equal(counters.IfOutPkts, pair->hosts[0].sent);
	assert_int_equal(counters.IfOutOctets, pair->hosts[0].sent_bytes);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void ipv6_works_on_bare_packets_without_probing(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct ip_endpoint there = { .port = 7 };
	struct tcp_listener *listener;
	struct tcp *flows[2];
	struct ip_address addresses[4];

	(void)state;
	pair_init(pair);
	for (unsigned i = 0; i < 2; i++) {
		struct stack_environment environment = host_environment(&pair->hosts[i], STACK_LINK_IP);
		struct stack_config config = {
			.ipv6 = &stack_ipv6,
			.ipv6_address = { .address = { 0xfd, [15] = (uint8_t)(i + 1) }, .prefix_len = 64, .set = true },
		};

		assert_int_equal(stack_embed(&environment, &config, &pair->hosts[i].stack), 0);
		assert_int_equal(stack_configured(pair->hosts[i].stack), 0); /* it has no IPv4 to wait for */
	}
	assert_int_equal(ip_parse("fd00::2", &there.address), 0);
	assert_int_equal(tcp_connect_begin(pair->hosts[0].stack, &there, &flows[0]), -EAGAIN);
	pair_run(pair, MSEC(1));
	assert_int_equal(stack_addresses(pair->hosts[0].stack, addresses, 4), 2);
	assert_int_equal(tcp_listen(pair->hosts[1].stack, 7, &listener), 0);
	assert_int_equal(tcp_connect_begin(pair->hosts[0].stack, &there, &flows[0]), 0);
	pair_run(pair, MSEC(10));
	assert_int_equal(tcp_connected(flows[0], AT_ONCE), 0);
	assert_int_equal(tcp_accept(listener, &flows[1], AT_ONCE), 0);
	assert_int_equal(pair_transfer(pair, flows[0], flows[1], 100000, SECOND(10)), 100000);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void each_stack_has_a_clock_of_its_own(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_statistics statistics;
	struct tcp_listener *listener;
	struct tcp *flows[2];

	(void)state;
	pair_init(pair);
	pair->time = 0; /* the first one's clock begins at 0; the second one's is a century ahead */
	pair->hosts[1].clock_offset = SECOND(3155760000);
	for (unsigned i = 0; i < 2; i++) {
		struct stack_environment environment = host_environment(&pair->hosts[i], STACK_LINK_ETHERNET);
		struct stack_config config = host_config(i + 1);

		assert_int_equal(stack_embed(&environment, &config, &pair->hosts[i].stack), 0);
	}
	pair_connect(pair, &listener, flows);
	assert_int_equal(pair_transfer(pair, flows[0], flows[1], 100000, SECOND(10)), 100000);
	tcp_statistics(flows[0], &statistics);
	assert_string_equal(statistics.state, "ESTABLISHED");
	assert_in_range(statistics.round_trip_ns, 1, MSEC(60));
	assert_int_equal(statistics.retransmissions, 0);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

/* What was sent, and when, in one run with this chance. */
static uint64_t digest_of(uint64_t chance)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];
	uint64_t digest;

	pair_init(pair);
	pair->hosts[0].state = chance;
	for (unsigned i = 0; i < 2; i++) {
		struct stack_environment environment = host_environment(&pair->hosts[i], STACK_LINK_IP);
		struct stack_config config = host_config(i + 1);

		assert_int_equal(stack_embed(&environment, &config, &pair->hosts[i].stack), 0);
	}
	pair_connect(pair, &listener, flows);
	assert_int_equal(pair_transfer(pair, flows[0], flows[1], 50000, SECOND(10)), 50000);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	digest = pair->hosts[0].digest ^ pair->hosts[1].digest ^ pair->time;
	free(pair);
	return digest;
}

static void the_same_chance_and_clock_send_the_same_bytes(void **state)
{
	(void)state;
	assert_true(digest_of(1) == digest_of(1));
	assert_true(digest_of(1) != digest_of(2));
}

static void the_deadline_is_now_after_a_frame_and_never_when_nothing_is_due(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	const struct ip_endpoint there = host_at(2, 7);
	struct stack *stack;
	struct tcp *flow;

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	stack = pair->hosts[0].stack;
	assert_int_equal(stack_deadline(stack), FOREVER);
	assert_int_equal(tcp_connect_begin(stack, &there, &flow), 0);
	assert_int_equal(stack_deadline(stack), pair->time + SECOND(1)); /* RFC 6298, 2.1: the SYN is sent again */
	pair->hosts[0].peer->count = 0;
	free(pair->hosts[1].frames[0].bytes);
	pair->time += SECOND(1);
	assert_int_equal(stack_advance(stack), pair->time + SECOND(2));
	assert_int_equal(pair->hosts[0].sent, 2);
	host_deliver(&pair->hosts[1]);
	assert_int_equal(stack_deadline(pair->hosts[1].stack), AT_ONCE);
	assert_int_equal(stack_advance(pair->hosts[1].stack), FOREVER); /* it has refused the connection */
	host_deliver(&pair->hosts[0]);
	assert_int_equal(stack_advance(stack), FOREVER);
	assert_int_equal(tcp_connected(flow, AT_ONCE), -ECONNREFUSED);
	tcp_close(flow);
	pair_close(pair);
	free(pair);
}

static void no_call_waits_whatever_its_deadline(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2], *none;
	struct udp *socket;
	struct ip_endpoint from, absent = host_at(77, 1);
	static uint8_t bytes[1 << 20];
	ssize_t len;

	(void)state;
	pair_open(pair, STACK_LINK_ETHERNET);
	pair_connect(pair, &listener, flows);
	assert_int_equal(tcp_accept(listener, &none, FOREVER), -EAGAIN);
	assert_int_equal(tcp_read(flows[0], bytes, 1, FOREVER), -EAGAIN);
	len = tcp_write(flows[0], bytes, sizeof bytes, FOREVER);
	assert_in_range(len, 1, sizeof bytes - 1);
	assert_int_equal(tcp_write(flows[0], bytes, sizeof bytes, FOREVER), -EAGAIN);
	assert_int_equal(tcp_undelivered(flows[0]), len);
	assert_int_equal(udp_bind(pair->hosts[0].stack, 9, &socket), 0);
	assert_int_equal(udp_receive(socket, bytes, sizeof bytes, &from, FOREVER), -EAGAIN);
	assert_int_equal(udp_send(socket, &absent, "x", 1, FOREVER), -EAGAIN); /* its neighbour is asked for */
	udp_close(socket);
	tcp_abort(flows[0]);
	tcp_abort(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void datagrams_and_what_icmp_says_of_them_arrive(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct ip_endpoint there = host_at(2, 9), from;
	struct udp *sockets[2];
	char bytes[16];

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	assert_int_equal(udp_bind(pair->hosts[0].stack, 0, &sockets[0]), 0);
	assert_int_equal(udp_send(sockets[0], &there, "early", 5, AT_ONCE), 0);
	pair_run(pair, MSEC(1));
	assert_int_equal(udp_send(sockets[0], &there, "late", 4, AT_ONCE), -ECONNREFUSED);
	assert_int_equal(udp_bind(pair->hosts[1].stack, 9, &sockets[1]), 0);
	assert_int_equal(udp_send(sockets[0], &there, "hello", 5, AT_ONCE), 0);
	pair_run(pair, MSEC(1));
	assert_int_equal(udp_receive(sockets[1], bytes, sizeof bytes, &from, AT_ONCE), 5);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(from.port, udp_port(sockets[0]));
	udp_close(sockets[0]);
	udp_close(sockets[1]);
	pair_close(pair);
	free(pair);
}

static int embed_with(struct host *host, enum stack_link_kind kind, uint16_t mtu, const struct stack_config *config)
{
	struct stack_environment environment = host_environment(host, kind);
	struct stack *stack;
	int err;

	logged[0] = 0;
	environment.mtu = mtu;
	err = stack_embed(&environment, config, &stack);
	if (err == 0)
		stack_close(stack);
	return err;
}

static void a_link_or_configuration_that_cannot_be_is_refused_and_the_program_is_told_why(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct host *host = &pair->hosts[0];
	struct stack_config fixed = host_config(1), none = { 0 }, dhcp = { .dhcp = &stack_dhcp },
			    broadcast = host_config(255);

	(void)state;
	pair_init(pair);
	assert_int_equal(embed_with(host, STACK_LINK_ETHERNET, NET_MTU_MIN, &fixed), 0);
	assert_string_equal(logged, "");
	assert_int_equal(embed_with(host, STACK_LINK_ETHERNET, NET_MTU_MIN - 1, &fixed), -EINVAL);
	assert_string_equal(logged, "2 embed: MTU 575 is below 576");
	assert_int_equal(embed_with(host, STACK_LINK_IP, 1500, &dhcp), -EINVAL);
	assert_string_equal(logged, "2 embed: DHCP needs Ethernet: a link of bare packets has a fixed address");
	assert_int_equal(embed_with(host, STACK_LINK_IP, 1500, &none), -EINVAL);
	assert_non_null(strstr(logged, "stack: --ipv4 is missing"));
	assert_int_equal(embed_with(host, STACK_LINK_IP, 1500, &broadcast), -EINVAL);
	assert_string_equal(logged, "2 stack: 10.0.0.255/24 is not an address that a host can have");
	assert_int_equal(embed_with(host, STACK_LINK_ETHERNET, 65535, &fixed), 0);
	pair_close(pair);
	free(pair);
}

static void a_groups_mac_address_is_refused(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_environment environment;
	struct stack_config config = host_config(1);
	struct stack *stack;

	(void)state;
	pair_init(pair);
	environment = host_environment(&pair->hosts[0], STACK_LINK_ETHERNET);
	environment.mac[0] = 1;
	assert_int_equal(stack_embed(&environment, &config, &stack), -EINVAL);
	assert_string_equal(logged, "2 embed: 01:00:00:00:00:01 is a group's MAC address");
	environment.kind = STACK_LINK_IP;
	assert_int_equal(stack_embed(&environment, &config, &stack), 0);
	stack_close(stack);
	free(pair);
}

static void an_address_is_configured_once_nobody_else_answers_for_it(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_config config = host_config(1);
	struct stack_environment environment;
	struct ip_address address;

	(void)state;
	pair_init(pair);
	config.probe_ns = SECOND(1);
	environment = host_environment(&pair->hosts[0], STACK_LINK_ETHERNET);
	assert_int_equal(stack_embed(&environment, &config, &pair->hosts[0].stack), 0);
	assert_int_equal(stack_configured(pair->hosts[0].stack), -EAGAIN);
	stack_address(pair->hosts[0].stack, &address);
	assert_true(ip_equal(&address, &ip_unspecified));
	pair_run(pair, SECOND(10));
	assert_int_equal(stack_configured(pair->hosts[0].stack), 0);
	stack_address(pair->hosts[0].stack, &address);
	assert_true(ip_is_v4(&address) && address.bytes[15] == 1);

	environment = host_environment(&pair->hosts[1], STACK_LINK_ETHERNET);
	assert_int_equal(stack_embed(&environment, &config, &pair->hosts[1].stack), 0);
	pair_run(pair, SECOND(10));
	assert_int_equal(stack_configured(pair->hosts[1].stack), -EADDRINUSE);
	assert_string_equal(logged, "2 stack: 10.0.0.1 is another host's already");
	pair_close(pair);

	environment = host_environment(&pair->hosts[0], STACK_LINK_IP); /* where nobody else can have it */
	assert_int_equal(stack_embed(&environment, &config, &pair->hosts[0].stack), 0);
	assert_int_equal(stack_configured(pair->hosts[0].stack), 0);
	pair_close(pair);
	free(pair);
}

static void dhcp_asks_until_it_is_answered_and_closing_meanwhile_is_well(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_config config = { .dhcp = &stack_dhcp };
	struct stack_environment environment;

	(void)state;
	pair_init(pair);
	environment = host_environment(&pair->hosts[0], STACK_LINK_ETHERNET);
	assert_int_equal(stack_embed(&environment, &config, &pair->hosts[0].stack), 0);
	pair_run(pair, SECOND(300));
	assert_int_equal(stack_configured(pair->hosts[0].stack), -EAGAIN);
	assert_null(stack_lease(pair->hosts[0].stack));
	assert_in_range(pair->hosts[0].sent, 4, 100);
	pair_close(pair);
	free(pair);
}

static void closed_flows_deliver_while_the_stack_is_open(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];
	char bytes[8];

	(void)state;
	pair_open(pair, STACK_LINK_ETHERNET);
	pair_connect(pair, &listener, flows);
	assert_false(stack_delivers(pair->hosts[0].stack));
	assert_int_equal(tcp_write(flows[0], "hello", 5, AT_ONCE), 5);
	tcp_close(flows[0]);
	assert_true(stack_delivers(pair->hosts[0].stack));
	pair_run(pair, SECOND(1));
	assert_false(stack_delivers(pair->hosts[0].stack));
	assert_int_equal(tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE), 5);
	assert_int_equal(tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE), 0);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void handles_outlive_their_stack_and_answer_that_it_is_gone(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2], *none;
	char byte;

	(void)state;
	pair_open(pair, STACK_LINK_ETHERNET);
	pair_connect(pair, &listener, flows);
	pair_close(pair);
	assert_non_null(strstr(logged, "is not"));
	assert_int_equal(tcp_read(flows[0], &byte, 1, AT_ONCE), -ECONNRESET);
	assert_int_equal(tcp_write(flows[1], &byte, 1, AT_ONCE), -ECONNRESET);
	assert_int_equal(tcp_accept(listener, &none, AT_ONCE), -ECONNRESET);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	stack_close(NULL);
	free(pair);
}

static void a_link_without_room_is_tried_again_and_one_that_is_gone_is_told(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];
	struct udp *socket;
	const struct ip_endpoint there = host_at(2, 9);
	char bytes[8];

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	pair_connect(pair, &listener, flows);
	pair_run(pair, SECOND(1));
	pair->hosts[1].room = 0;
	assert_int_equal(tcp_write(flows[0], "hello", 5, AT_ONCE), 5);
	assert_int_equal(stack_deadline(pair->hosts[0].stack), pair->time + USEC(500));
	assert_int_equal(udp_bind(pair->hosts[0].stack, 0, &socket), 0);
	assert_int_equal(udp_send(socket, &there, "x", 1, AT_ONCE), -EAGAIN);
	pair->hosts[1].room = HOST_FRAMES;
	pair_run(pair, MSEC(1));
	assert_int_equal(tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE), 5);
	pair->hosts[0].answer = -EIO;
	assert_int_equal(udp_send(socket, &there, "x", 1, AT_ONCE), -ENETUNREACH);
	udp_close(socket);
	tcp_abort(flows[0]);
	tcp_abort(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void buffers_take_no_more_than_their_budget(void **state)
{
	enum { BUDGET = 64 * 1024, FLOWS = 20 };
	struct pair *pair = malloc(sizeof *pair);
	const struct ip_endpoint there = host_at(2, 7);
	struct tcp *flows[FLOWS];
	struct tcp_listener *listener;
	static uint8_t bytes[BUDGET];
	size_t taken = 0;

	(void)state;
	pair_init(pair);
	for (unsigned i = 0; i < 2; i++) {
		struct stack_environment environment = host_environment(&pair->hosts[i], STACK_LINK_IP);
		struct stack_config config = host_config(i + 1);

		environment.memory_bytes = BUDGET;
		assert_int_equal(stack_embed(&environment, &config, &pair->hosts[i].stack), 0);
	}
	assert_int_equal(tcp_listen(pair->hosts[1].stack, 7, &listener), 0);
	for (int i = 0; i < FLOWS; i++)
		assert_int_equal(tcp_connect_begin(pair->hosts[0].stack, &there, &flows[i]), 0);
	pair_run(pair, MSEC(10));
	pair->hosts[0].answer = -EAGAIN; /* nothing leaves */
	for (int i = 0; i < FLOWS; i++) {
		ssize_t len = tcp_write(flows[i], bytes, sizeof bytes, AT_ONCE);

		taken += len > 0 ? (size_t)len : 0;
	}
	assert_in_range(taken, BUDGET / 4, BUDGET);
	for (int i = 0; i < FLOWS; i++)
		tcp_abort(flows[i]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void what_cannot_be_a_frame_or_packet_is_counted(void **state)
{
	static const uint8_t rubbish[64] = { 0x90 }, six[40] = { 0x60 };
	static uint8_t huge[NET_FRAME_MAX + 1];
	struct pair *pair = malloc(sizeof *pair);
	struct stack_counters counters;
	struct stack *stack;

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	stack = pair->hosts[0].stack;
	stack_receive(stack, rubbish, 0, NULL);
	stack_receive(stack, huge, sizeof huge, NULL);
	stack_receive(stack, rubbish, sizeof rubbish, NULL); /* IP version 9 */
	stack_receive(stack, six, sizeof six, NULL);         /* it has no IPv6 */
	stack_counters(stack, &counters);
	assert_int_equal(counters.drops[DROP_LINK_LENGTH], 2);
	assert_int_equal(counters.drops[DROP_LINK_TYPE], 2);
	pair_close(pair);
	pair_open(pair, STACK_LINK_ETHERNET);
	stack = pair->hosts[0].stack;
	stack_receive(stack, rubbish, 13, NULL);
	stack_counters(stack, &counters);
	assert_int_equal(counters.drops[DROP_LINK_HEADER], 1);
	pair_close(pair);
	free(pair);
}

/* The offsets in meta count from where the packet begins. */
static void a_link_that_sums_is_told_where_on_either_kind(void **state)
{
	static const uint16_t starts[] = { [STACK_LINK_ETHERNET] = 34, [STACK_LINK_IP] = 20 };
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];

	(void)state;
	for (enum stack_link_kind kind = STACK_LINK_ETHERNET; kind <= STACK_LINK_IP; kind++) {
		pair_init(pair);
		for (unsigned i = 0; i < 2; i++) {
			struct stack_environment environment = host_environment(&pair->hosts[i], kind);
			struct stack_config config = host_config(i + 1);

			environment.features = PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4;
			assert_int_equal(stack_embed(&environment, &config, &pair->hosts[i].stack), 0);
		}
		pair_connect(pair, &listener, flows);
		assert_true(pair->hosts[0].last.meta.checksum_partial);
		assert_int_equal(pair->hosts[0].last.meta.checksum_start, starts[kind]);
		assert_int_equal(pair->hosts[0].last.meta.checksum_offset, 16);
		assert_int_equal(pair_transfer(pair, flows[0], flows[1], 500000, SECOND(10)), 500000);
		tcp_close(flows[0]);
		tcp_close(flows[1]);
		tcp_unlisten(listener);
		pair_close(pair);
	}
	free(pair);
}

static void without_clock_and_chance_the_hosts_own_are_used(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_config config = host_config(1);
	const struct ip_endpoint there = host_at(2, 7);
	struct stack_environment environment;
	struct tcp *flow;
	enum { RUNS = 8 };
	uint16_t ports[RUNS];
	int same = 0;
	struct timespec now;
	uint64_t due;

	(void)state;
	pair_init(pair);
	for (int i = 0; i < RUNS; i++) {
		struct ip_endpoint local;

		environment = host_environment(&pair->hosts[0], STACK_LINK_IP);
		environment.now = NULL;
		environment.random = NULL;
		assert_int_equal(stack_embed(&environment, &config, &pair->hosts[0].stack), 0);
		assert_int_equal(tcp_connect_begin(pair->hosts[0].stack, &there, &flow), 0);
		due = stack_deadline(pair->hosts[0].stack);
		clock_gettime(CLOCK_MONOTONIC, &now);
		assert_in_range(due, SECOND(now.tv_sec), SECOND(now.tv_sec + 2));
		tcp_local(flow, &local);
		ports[i] = local.port;
		same += ports[i] == ports[0];
		tcp_abort(flow);
		pair_close(pair);
	}
	assert_int_not_equal(same, RUNS);
	assert_int_equal(pair->hosts[0].state, 1); /* the one that was not given is not used */
	free(pair);
}

static void a_watch_comes_up_at_first_and_once_for_all_that_happened_since(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_watch listening = { .context = "listener" }, reading = { .context = "reader" },
			   connecting = { .context = "client" };
	const struct ip_endpoint there = host_at(2, 7);
	struct tcp_listener *listener;
	struct tcp *flows[2];
	struct stack *client, *server;
	char bytes[16];

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	client = pair->hosts[0].stack;
	server = pair->hosts[1].stack;
	assert_null(stack_next_ready(server));
	assert_int_equal(tcp_listen(server, 7, &listener), 0);
	tcp_watch_listener(listener, &listening);
	assert_ptr_equal(stack_next_ready(server), &listening);
	assert_null(stack_next_ready(server));
	assert_int_equal(tcp_accept(listener, &flows[1], AT_ONCE), -EAGAIN);
	assert_int_equal(tcp_connect_begin(client, &there, &flows[0]), 0);
	tcp_watch(flows[0], &connecting);
	assert_ptr_equal(stack_next_ready(client), &connecting);
	assert_int_equal(tcp_connected(flows[0], AT_ONCE), -EAGAIN);
	pair_run(pair, MSEC(1));
	assert_ptr_equal(stack_next_ready(client), &connecting);
	assert_int_equal(tcp_connected(flows[0], AT_ONCE), 0);
	assert_ptr_equal(stack_next_ready(server), &listening);
	assert_int_equal(tcp_accept(listener, &flows[1], AT_ONCE), 0);
	tcp_watch(flows[1], &reading);
	assert_ptr_equal(stack_next_ready(server), &reading);
	assert_int_equal(tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE), -EAGAIN);
	pair_run(pair, SECOND(1));
	assert_null(stack_next_ready(server));

	for (int i = 0; i < 3; i++) {
		assert_int_equal(tcp_write(flows[0], "abc", 3, AT_ONCE), 3);
		pair_run(pair, SECOND(1));
	}
	assert_ptr_equal(stack_next_ready(server), &reading);
	assert_null(stack_next_ready(server));
	assert_int_equal(tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE), 9);
	tcp_watch(flows[0], NULL);
	tcp_abort(flows[0]);
	pair_run(pair, SECOND(1));
	assert_ptr_equal(stack_next_ready(server), &reading);
	assert_int_equal(tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE), -ECONNRESET);
	tcp_watch(flows[1], NULL);
	tcp_close(flows[1]);
	tcp_watch_listener(listener, NULL);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void a_watch_that_was_taken_back_or_replaced_comes_up_no_more(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_watch watches[3] = { 0 };
	struct udp *sockets[3];
	struct stack *stack;

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	stack = pair->hosts[0].stack;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(udp_bind(stack, (uint16_t)(100 + i), &sockets[i]), 0);
		udp_watch(sockets[i], &watches[i]);
	}
	udp_watch(sockets[1], NULL); /* from the middle of those that have come up */
	assert_ptr_equal(stack_next_ready(stack), &watches[0]);
	assert_ptr_equal(stack_next_ready(stack), &watches[2]);
	assert_null(stack_next_ready(stack));
	udp_watch(sockets[0], &watches[1]);
	udp_watch(sockets[2], NULL);
	for (uint16_t i = 0; i < 3; i++) {
		const struct ip_endpoint itself = host_at(1, (uint16_t)(100 + i));

		assert_int_equal(udp_receive(sockets[i], NULL, 0, NULL, AT_ONCE), -EAGAIN);
		assert_int_equal(udp_send(sockets[i], &itself, "x", 1, AT_ONCE), 0);
	}
	assert_ptr_equal(stack_next_ready(stack), &watches[1]);
	pair_run(pair, MSEC(1));
	assert_ptr_equal(stack_next_ready(stack), &watches[1]);
	assert_null(stack_next_ready(stack));
	udp_watch(sockets[0], NULL);
	for (int i = 0; i < 3; i++)
		udp_close(sockets[i]);
	pair_close(pair);
	free(pair);
}

static void a_watch_comes_up_when_a_full_flow_has_room(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_watch watch = { 0 };
	struct tcp_listener *listener;
	static uint8_t bytes[1 << 20];
	struct tcp *flows[2];
	struct stack *stack;
	ssize_t len;

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	stack = pair->hosts[0].stack;
	pair_connect(pair, &listener, flows);
	tcp_watch(flows[0], &watch);
	assert_ptr_equal(stack_next_ready(stack), &watch);
	while ((len = tcp_write(flows[0], bytes, sizeof bytes, AT_ONCE)) > 0)
		pair_run(pair, SECOND(1)); /* the peer reads nothing: both buffers get full */
	assert_int_equal(len, -EAGAIN);
	(void)stack_next_ready(stack);
	pair_run(pair, SECOND(10));
	assert_null(stack_next_ready(stack));
	while (tcp_read(flows[1], bytes, sizeof bytes, AT_ONCE) > 0)
		pair_run(pair, SECOND(1));
	assert_ptr_equal(stack_next_ready(stack), &watch);
	assert_true(tcp_write(flows[0], bytes, 1, AT_ONCE) == 1);
	tcp_watch(flows[0], NULL);
	tcp_abort(flows[0]);
	tcp_abort(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
}

static void a_watch_outlives_the_stack_as_its_flow_does(void **state)
{
	struct pair *pair = malloc(sizeof *pair);
	struct stack_watch watches[3] = { 0 };
	struct tcp_listener *listener;
	struct tcp *flows[2];

	(void)state;
	pair_open(pair, STACK_LINK_IP);
	pair_connect(pair, &listener, flows);
	tcp_watch(flows[0], &watches[0]);
	tcp_watch(flows[1], &watches[1]);
	tcp_watch_listener(listener, &watches[2]);
	pair_close(pair);
	tcp_watch(flows[1], &watches[0]);
	tcp_watch(flows[0], NULL);
	tcp_watch(flows[1], NULL);
	tcp_watch_listener(listener, NULL);
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	free(pair);
}

static void messages_stay_one_line_whatever_they_quote(void **state)
{
	static struct log_source source = { .name = "test", .level = LOG_INFO };

	(void)state;
	log_write(&source, LOG_WARNING, "from %s: %d", "a\nb\x1b\x7f", 7);
	assert_string_equal(logged, "3 test: from a?b??: 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_arrive_both_ways_over_ethernet),
		cmocka_unit_test(bare_packets_have_no_header_and_nobody_is_asked_for),
		cmocka_unit_test(ipv6_works_on_bare_packets_without_probing),
		cmocka_unit_test(each_stack_has_a_clock_of_its_own),
		cmocka_unit_test(the_same_chance_and_clock_send_the_same_bytes),
		cmocka_unit_test(the_deadline_is_now_after_a_frame_and_never_when_nothing_is_due),
		cmocka_unit_test(no_call_waits_whatever_its_deadline),
		cmocka_unit_test(datagrams_and_what_icmp_says_of_them_arrive),
		cmocka_unit_test(a_link_or_configuration_that_cannot_be_is_refused_and_the_program_is_told_why),
		cmocka_unit_test(a_groups_mac_address_is_refused),
		cmocka_unit_test(an_address_is_configured_once_nobody_else_answers_for_it),
		cmocka_unit_test(dhcp_asks_until_it_is_answered_and_closing_meanwhile_is_well),
		cmocka_unit_test(closed_flows_deliver_while_the_stack_is_open),
		cmocka_unit_test(handles_outlive_their_stack_and_answer_that_it_is_gone),
		cmocka_unit_test(a_link_without_room_is_tried_again_and_one_that_is_gone_is_told),
		cmocka_unit_test(buffers_take_no_more_than_their_budget),
		cmocka_unit_test(what_cannot_be_a_frame_or_packet_is_counted),
		cmocka_unit_test(a_link_that_sums_is_told_where_on_either_kind),
		cmocka_unit_test(without_clock_and_chance_the_hosts_own_are_used),
		cmocka_unit_test(a_watch_comes_up_at_first_and_once_for_all_that_happened_since),
		cmocka_unit_test(a_watch_that_was_taken_back_or_replaced_comes_up_no_more),
		cmocka_unit_test(a_watch_comes_up_when_a_full_flow_has_room),
		cmocka_unit_test(a_watch_outlives_the_stack_as_its_flow_does),
		cmocka_unit_test(messages_stay_one_line_whatever_they_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
