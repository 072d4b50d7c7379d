/* SPDX-License-Identifier: ISC
 *
 * Two whole stacks and the tasks that use them: connections, floods, limits, what closing leaves.
 */
#include "pair.h"

#include "lib/net/wire.h"

static int run_task(int (*body)(void *), void *arg)
{
	int result = -1;

	assert_int_equal(task_run(body, arg, &result), 0);
	return result;
}

/* Echoes until the peer ends; then ends too. */
static int echo(void *arg)
{
	struct tcp *flow = arg;
	static uint8_t buf[8192];
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, soon())) > 0)
		must(tcp_write(flow, buf, (size_t)len, soon()) == len);
	tcp_close(flow);
	return (int)len;
}

struct transfer {
	struct tcp *flow;
	size_t bytes;
};

static int write_all(void *arg)
{
	struct transfer *transfer = arg;
	uint8_t buf[3000];

	for (size_t at = 0; at < transfer->bytes;) {
		size_t len = transfer->bytes - at < sizeof buf ? transfer->bytes - at : sizeof buf;
		for (size_t i = 0; i < len; i++)
			buf[i] = pattern(at + i);
		must(tcp_write(transfer->flow, buf, len, soon()) == (ssize_t)len);
		at += len;
	}
	return tcp_shutdown(transfer->flow);
}

static size_t read_all(struct tcp *flow)
{
	static uint8_t buf[10000];
	size_t at = 0;
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, soon())) > 0) {
		for (size_t i = 0; i < (size_t)len; i++)
			must(buf[i] == pattern(at + i));
		at += (size_t)len;
	}
	must(len == 0);
	return at;
}

static void transfer_through_echo(size_t bytes)
{
	struct tcp_listener *listener = listening();
	struct transfer transfer = { .flow = connected(), .bytes = bytes };
	struct task *server, *writer;
	int result;

	must(task_spawn(NULL, echo, accepted(listener), &server) == 0);
	must(task_spawn(NULL, write_all, &transfer, &writer) == 0);
	must(read_all(transfer.flow) == bytes);
	must(task_await(writer, &result, soon()) == 0 && result == 0);
	must(task_await(server, &result, soon()) == 0 && result == 0);
	tcp_close(transfer.flow);
	tcp_unlisten(listener);
}

static int echo_body(void *arg)
{
	const uint32_t *features = arg;

	plug_in(*features);
	transfer_through_echo(1000000);
	must(counters_of(CLIENT).TcpRetransSegs == 0);
	must(tcp_of(SERVER)->own->pool.used_bytes == 0 && tcp_of(CLIENT)->own->pool.used_bytes == 0);
	if (*features & PLATFORM_NET_CHECKSUM)
		must(ends[CLIENT].partial > 10);
	else
		must(ends[CLIENT].partial == 0);
	if (*features & PLATFORM_NET_TSO4)
		must(ends[CLIENT].cut > 10 && ends[CLIENT].largest > 10000);
	else
		must(ends[CLIENT].cut == 0 && ends[CLIENT].largest == 1514);
	unplug();
	return 0;
}

static void a_megabyte_is_echoed(void **state)
{
	uint32_t features = 0;

	(void)state;
	assert_int_equal(run_task(echo_body, &features), 0);
}

static void a_link_that_sums_gets_partial_checksums(void **state)
{
	uint32_t features = PLATFORM_NET_CHECKSUM;

	(void)state;
	assert_int_equal(run_task(echo_body, &features), 0);
}

static void a_link_that_cuts_segments_gets_large_ones(void **state)
{
	uint32_t features = PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4;

	(void)state;
	assert_int_equal(run_task(echo_body, &features), 0);
}

static int bad_cable_body(void *arg)
{
	(void)arg;
	plug_in(0);
	ends[CLIENT].lose = 23;
	ends[SERVER].lose = 29;
	ends[CLIENT].corrupt = 31;
	ends[SERVER].corrupt = 37;
	transfer_through_echo(200000);
	must(counters_of(CLIENT).TcpRetransSegs > 0);
	must(counters_of(CLIENT).drops[DROP_TCP_CHECKSUM] > 0 && counters_of(SERVER).drops[DROP_TCP_CHECKSUM] > 0);
	unplug();
	return 0;
}

static void a_cable_that_loses_and_corrupts_delivers_all(void **state)
{
	(void)state;
	assert_int_equal(run_task(bad_cable_body, NULL), 0);
}

static int narrow_cable_body(void *arg)
{
	(void)arg;
	plug_in(0);
	ends[CLIENT].room = ends[SERVER].room = 3;
	transfer_through_echo(200000);
	must(counters_of(CLIENT).TcpRetransSegs == 0); /* what did not fit was not sent, so not lost */
	unplug();
	return 0;
}

static void a_link_without_room_delays_and_loses_nothing(void **state)
{
	(void)state;
	assert_int_equal(run_task(narrow_cable_body, NULL), 0);
}

static int errors_body(void *arg)
{
	struct ip_endpoint server = server_at(9),
			   far = { .address = ip_from_v4((const uint8_t[]){ 192, 0, 2, 1 }), .port = 1 };
	struct ip_endpoint many = { .address = ip_from_v4((const uint8_t[]){ 224, 0, 0, 1 }), .port = 1 };
	struct ip_endpoint all = { .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, 255 }), .port = 1 };
	struct ip_endpoint absent = { .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, 77 }), .port = 1 };
	struct tcp_listener *listener, *other;
	struct tcp *flow, *accepted_flow;
	uint8_t byte;

	(void)arg;
	plug_in(0);
	must(tcp_connect(ends[CLIENT].stack, &server, &flow, soon()) == -ECONNREFUSED);
	must(tcp_connect(ends[CLIENT].stack, &far, &flow, soon()) == -ENETUNREACH);
	must(tcp_connect(ends[CLIENT].stack, &many, &flow, soon()) == -EINVAL);
	must(tcp_connect(ends[CLIENT].stack, &all, &flow, soon()) == -EINVAL);
	must(tcp_connect(ends[CLIENT].stack, &absent, &flow, clock_deadline(SECOND(60))) == -EHOSTUNREACH);
	server.port = 0;
	must(tcp_connect(ends[CLIENT].stack, &server, &flow, soon()) == -EINVAL);
	must(tcp_listen(ends[SERVER].stack, 0, &listener) == -EINVAL);
	listener = listening();
	must(tcp_listen(ends[SERVER].stack, PORT, &other) == -EADDRINUSE);
	must(tcp_accept(listener, &flow, clock_deadline(MSEC(5))) == -ETIMEDOUT);
	flow = connected();
	accepted_flow = accepted(listener);
	must(tcp_read(flow, &byte, 1, clock_deadline(MSEC(5))) == -ETIMEDOUT);
	must(tcp_read(flow, &byte, 0, soon()) == 0);
	tcp_abort(accepted_flow);
	must(tcp_read(flow, &byte, 1, soon()) == -ECONNRESET);
	must(tcp_write(flow, &byte, 1, soon()) == -ECONNRESET);
	must(tcp_shutdown(flow) == -ENOTCONN);
	tcp_close(flow);
	tcp_close(NULL);
	tcp_unlisten(listener);
	tcp_unlisten(NULL);
	must(counters_of(CLIENT).tcp_flows == 0 && counters_of(SERVER).tcp_flows == 0);
	unplug();
	return 0;
}

static void each_error_has_its_name(void **state)
{
	(void)state;
	assert_int_equal(run_task(errors_body, NULL), 0);
}

static int accept_one(void *arg)
{
	struct tcp *flow;
	int err = tcp_accept(arg, &flow, FOREVER);

	if (err == 0) {
		uint8_t byte;
		must(tcp_read(flow, &byte, 1, soon()) == 1);
		tcp_close(flow);
		return byte;
	}
	return err;
}

static int accepts_body(void *arg)
{
	struct tcp_listener *listener;
	struct task *tasks[4];
	struct tcp *flows[3];
	unsigned seen = 0;

	(void)arg;
	plug_in(0);
	listener = listening();
	for (int i = 0; i < 4; i++)
		must(task_spawn(NULL, accept_one, listener, &tasks[i]) == 0);
	must(task_yield() == 0);
	task_cancel(tasks[0]); /* the one that waits longest */
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t byte = (uint8_t)(1u << i);
		flows[i] = connected();
		must(tcp_write(flows[i], &byte, 1, soon()) == 1);
	}
	for (int i = 1; i < 4; i++) {
		int result;
		must(task_await(tasks[i], &result, soon()) == 0);
		seen |= (unsigned)result;
	}
	must(seen == 7);
	for (int i = 0; i < 3; i++)
		tcp_close(flows[i]);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void concurrent_accepts_get_different_flows_and_cancelling_loses_none(void **state)
{
	(void)state;
	assert_int_equal(run_task(accepts_body, NULL), 0);
}

static int read_into(void *arg)
{
	uint8_t byte;

	return (int)tcp_read(arg, &byte, 1, FOREVER);
}

static int cancelled_read_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *client, *server;
	struct task *reader;
	uint8_t byte = 7;

	(void)arg;
	plug_in(0);
	listener = listening();
	client = connected();
	server = accepted(listener);
	must(task_spawn(NULL, read_into, server, &reader) == 0);
	must(task_yield() == 0);
	must(tcp_write(client, &byte, 1, soon()) == 1);
	task_cancel(reader); /* the byte is on its way, or is there */
	byte = 0;
	must(tcp_read(server, &byte, 1, soon()) == 1 && byte == 7);
	must(tcp_read(server, &byte, 1, clock_deadline(MSEC(1))) == -ETIMEDOUT);
	tcp_close(client);
	tcp_close(server);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void cancelled_read_leaves_the_byte_to_the_next(void **state)
{
	(void)state;
	assert_int_equal(run_task(cancelled_read_body, NULL), 0);
}

static int undelivered_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *client, *server;

	(void)arg;
	plug_in(0);
	listener = listening();
	client = connected();
	server = accepted(listener);
	must(tcp_undelivered(client) == 0);
	must(tcp_write(client, "abc", 3, soon()) == 3 && tcp_write(client, "de", 2, soon()) == 2);
	must(tcp_undelivered(client) == 5);
	must(task_sleep(clock_deadline(SECOND(1))) == 0); /* the peer's stack has them, although nobody has read */
	must(tcp_undelivered(client) == 0);
	tcp_abort(client);
	tcp_close(server);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void what_was_written_is_undelivered_until_it_is_acknowledged(void **state)
{
	(void)state;
	assert_int_equal(run_task(undelivered_body, NULL), 0);
}

enum { SHORT_CONNECTIONS = 10000 };

static int serve_short(void *arg)
{
	for (int i = 0; i < SHORT_CONNECTIONS; i++) {
		struct tcp *flow = accepted(arg);
		uint8_t byte;
		must(tcp_read(flow, &byte, 1, soon()) == 1);
		must(tcp_write(flow, &byte, 1, soon()) == 1);
		tcp_close(flow); /* the server closes first: TIME-WAIT is here */
	}
	return 0;
}

static int short_body(void *arg)
{
	struct tcp_listener *listener;
	struct task *server;
	uint64_t began;
	int result;

	(void)arg;
	plug_in(0);
	began = platform_clock_monotonic();
	listener = listening();
	must(task_spawn(NULL, serve_short, listener, &server) == 0);
	for (int i = 0; i < SHORT_CONNECTIONS; i++) {
		struct tcp *flow = connected();
		uint8_t byte = (uint8_t)i, back;
		must(tcp_write(flow, &byte, 1, soon()) == 1);
		must(tcp_read(flow, &back, 1, soon()) == 1 && back == byte);
		must(tcp_read(flow, &back, 1, soon()) == 0);
		tcp_close(flow);
	}
	must(task_await(server, &result, soon()) == 0 && result == 0);
	must(platform_clock_monotonic() - began < SECOND(60)); /* so that no TIME-WAIT has ended by itself */
	must(tcp_of(SERVER)->time_wait.count == TCP_TIME_WAIT_MAX);
	must(counters_of(SERVER).tcp_flows <= TCP_TIME_WAIT_MAX + 2);
	must(counters_of(CLIENT).tcp_flows <= 2);
	tcp_unlisten(listener);
	must(task_sleep(clock_deadline(SECOND(100))) == 0);
	must(counters_of(SERVER).tcp_flows == 0 && tcp_of(SERVER)->entries == 0);
	unplug();
	return 0;
}

static void ten_thousand_short_connections_are_served_in_sequence(void **state)
{
	(void)state;
	assert_int_equal(run_task(short_body, NULL), 0);
}

/* A SYN from a host that does not exist. */
static void forge_syn(uint32_t number)
{
	uint8_t bytes[TCP_HEADER_MAX];
	struct tcp_segment syn = { .source_port = (uint16_t)(1024 + number % 60000),
		.destination_port = PORT,
		.seq = number * 7919,
		.flags = TCP_SYN,
		.window = 1000,
		.options = { .mss = 1460 } };
	struct ip_received packet = {
		.source = ip_from_v4((const uint8_t[]){ 10, 0, 0, (uint8_t)(100 + number % 100) }),
		.destination = ip_from_v4((const uint8_t[]){ 10, 0, 0, 2 }),
		.payload = bytes,
		.checksum_verified = true,
	};

	packet.len = tcp_segment_build(&syn, bytes);
	tcp_receive(tcp_of(SERVER), &packet);
}

static int flood_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *flow;

	(void)arg;
	plug_in(0);
	listener = listening();
	for (uint32_t i = 0; i < 20000; i++)
		forge_syn(i);
	tcp_flush(tcp_of(SERVER));
	must(counters_of(SERVER).tcp_flows <= TCP_SYN_BACKLOG);
	flow = connected(); /* still served */
	tcp_close(accepted(listener));
	tcp_close(flow);
	tcp_unlisten(listener);
	must(counters_of(SERVER).tcp_flows <= 1); /* what was half open is forgotten with its listener */
	unplug();
	return 0;
}

static void a_flood_of_syns_is_bounded_and_a_client_is_served(void **state)
{
	(void)state;
	assert_int_equal(run_task(flood_body, NULL), 0);
}

/* Fills the backlog with what will never be completed. */
static void fill_backlog(struct tcp_listener *listener)
{
	for (uint32_t i = 0; i < 1000; i++)
		forge_syn(i);
	tcp_flush(tcp_of(SERVER));
	must(((struct own_listener *)listener)->half_open.count == TCP_SYN_BACKLOG);
}

static int cookie_body(void *arg)
{
	struct tcp_listener *listener;
	const struct tcp_connection *core;
	struct transfer transfer = { .bytes = 300000 };
	struct tcp *served;
	struct task *writer;
	int result;

	(void)arg;
	plug_in(0);
	listener = listening();
	fill_backlog(listener);
	transfer.flow = connected();
	served = accepted(listener);
	must(((struct own_listener *)listener)->half_open.count == TCP_SYN_BACKLOG); /* nobody had to give way */
	must(counters_of(SERVER).TcpExtSyncookiesSent == 1000 - TCP_SYN_BACKLOG + 1);
	must(counters_of(SERVER).TcpExtSyncookiesRecv == 1);
	core = &((struct tcp_flow *)(void *)served)->core;
	must(core->mss == 1448 && core->sack && core->timestamps && core->window_scaling);
	must(core->snd_shift == ((struct tcp_flow *)(void *)transfer.flow)->core.rcv_shift);
	must(task_spawn(NULL, write_all, &transfer, &writer) == 0);
	must(read_all(served) == transfer.bytes);
	must(task_await(writer, &result, soon()) == 0 && result == 0);
	must(counters_of(CLIENT).TcpRetransSegs == 0);
	tcp_close(transfer.flow);
	tcp_close(served);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void a_full_backlog_is_passed_by_cookies_that_keep_all_options(void **state)
{
	(void)state;
	assert_int_equal(run_task(cookie_body, NULL), 0);
}

static int guesses_body(void *arg)
{
	struct tcp_listener *listener;
	uint8_t bytes[TCP_HEADER_MAX];
	struct tcp_segment ack = { .source_port = 5000, .destination_port = PORT, .seq = 77, .flags = TCP_ACK };
	struct ip_received packet = { .source = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
		.destination = server_at(PORT).address,
		.payload = bytes,
		.checksum_verified = true };
	uint64_t resets;

	(void)arg;
	plug_in(0);
	listener = listening();
	fill_backlog(listener);
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	resets = counters_of(SERVER).TcpOutRsts;
	for (uint32_t i = 0; i < 1000; i++) {
		ack.ack = i * 0x01234567u;
		packet.len = tcp_segment_build(&ack, bytes);
		tcp_receive(tcp_of(SERVER), &packet);
	}
	must(((struct own_listener *)listener)->ready.count == 0);
	must(counters_of(SERVER).TcpOutRsts == resets + 1000);
	must(counters_of(SERVER).TcpExtSyncookiesFailed == 1000);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void guessed_cookies_are_refused(void **state)
{
	(void)state;
	assert_int_equal(run_task(guesses_body, NULL), 0);
}

static int numbers_body(void *arg)
{
	struct ip_endpoint peer = server_at(PORT),
			   local = { .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }), .port = 5000 };
	struct tcp_config first, later, other;

	(void)arg;
	plug_in(0);
	tcp_flow_config(tcp_of(CLIENT), &local, &peer, 1500, &first);
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	tcp_flow_config(tcp_of(CLIENT), &local, &peer, 1500, &later);
	must(later.iss - first.iss >= 250000 && later.iss - first.iss < 600000); /* MUST-8: a tick is 4 microseconds */
	must(later.timestamp_base == first.timestamp_base);
	peer.port++;
	tcp_flow_config(tcp_of(CLIENT), &local, &peer, 1500, &other);
	must(other.iss - later.iss > 1000 && other.timestamp_base != later.timestamp_base);
	unplug();
	plug_in(0); /* another secret */
	peer.port--;
	tcp_flow_config(tcp_of(CLIENT), &local, &peer, 1500, &other);
	must(other.timestamp_base != first.timestamp_base);
	unplug();
	return 0;
}

static void initial_sequence_numbers_follow_the_clock_and_a_secret_of_the_endpoints(void **state)
{
	(void)state;
	assert_int_equal(run_task(numbers_body, NULL), 0);
}

/* A router says that the flow's packet of this size was too big for a path of this MTU. */
static void say_too_big(const struct tcp_flow *flow, uint16_t total_length, uint16_t mtu)
{
	uint8_t bytes[8 + 20 + 8] = { 3, 4 };
	uint8_t *quoted = bytes + 8, *segment = bytes + 28;
	struct ip_received packet = { .source = ip_from_v4((const uint8_t[]){ 10, 0, 0, 99 }),
		.destination = flow->local.address,
		.payload = bytes,
		.len = sizeof bytes };

	wire_put16(bytes + 6, mtu);
	quoted[0] = 0x45;
	wire_put16(quoted + 2, total_length);
	wire_put16(quoted + 6, 0x4000);
	quoted[9] = IP_PROTOCOL_TCP;
	memcpy(quoted + 12, flow->local.address.bytes + 12, 4);
	memcpy(quoted + 16, flow->peer.address.bytes + 12, 4);
	wire_put16(segment, flow->local.port);
	wire_put16(segment + 2, flow->peer.port);
	wire_put32(segment + 4, flow->core.snd_una);
	wire_put16(bytes + 2, checksum_finish(checksum_add(0, bytes, sizeof bytes)));
	icmp_receive(flow->tcp->own, &packet);
}

static int too_big_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *served;
	struct tcp_flow *flow;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = (struct tcp_flow *)(void *)connected();
	served = accepted(listener);
	ends[CLIENT].lose = 1; /* so that all stays in flight */
	must(tcp_write(&flow->base, "abc", 3, soon()) == 3);
	say_too_big(flow, 1500, 1400);
	must(flow->core.mss == 1400 - 40 - 12);
	say_too_big(flow, 1400, 0); /* RFC 1191, 7.1 */
	must(flow->core.mss == 1006 - 40 - 12);
	say_too_big(flow, 1006, 0);
	must(flow->core.mss == 552 - 40 - 12 && flow->core.fragmentable);
	ends[CLIENT].lose = 0;
	tcp_abort(&flow->base);
	tcp_abort(served);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void routers_tell_the_path_mtu_or_leave_it_to_be_guessed(void **state)
{
	(void)state;
	assert_int_equal(run_task(too_big_body, NULL), 0);
}

static int tuning_body(void *arg)
{
	const struct tcp_tuning tuning = { .keepalive_ns = SECOND(10),
		.keepalive_interval_ns = SECOND(1),
		.keepalive_probes = 2,
		.congestion = &tcp_newreno };
	struct tcp_statistics statistics;
	struct tcp_listener *listener;
	struct tcp *flow, *served;
	uint8_t byte;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = connected();
	served = accepted(listener);
	must(tcp_tune(flow, &(struct tcp_tuning){ .keepalive_probes = 256 }) == -EINVAL);
	must(tcp_tune(flow, &tuning) == 0);
	must(((struct tcp_flow *)(void *)flow)->core.config.tuning.congestion == &tcp_newreno);
	must(tcp_read(flow, &byte, 1, clock_deadline(SECOND(60))) == -ETIMEDOUT); /* the peer answers */
	must(tcp_write(flow, "a", 1, soon()) == 1);
	must(tcp_read(served, &byte, 1, soon()) == 1);
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	tcp_statistics(flow, &statistics);
	must(strcmp(statistics.state, "ESTABLISHED") == 0 && statistics.segment_size == 1448);
	must(statistics.round_trip_ns > 0 && statistics.congestion_window >= 10 * 1448);
	must(statistics.in_flight == 0 && statistics.retransmissions == 0);
	ends[SERVER].lose = 1; /* silence */
	must(tcp_read(flow, &byte, 1, clock_deadline(SECOND(60))) == -ETIME);
	tcp_statistics(flow, &statistics);
	must(strcmp(statistics.state, "CLOSED") == 0);
	tcp_close(flow);
	tcp_close(served);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void keepalive_finds_a_peer_that_is_gone_and_statistics_tell(void **state)
{
	(void)state;
	assert_int_equal(run_task(tuning_body, NULL), 0);
}

static int connect_and_close(void *arg)
{
	struct tcp *flow = connected();
	uint8_t byte;

	(void)arg;
	must(tcp_read(flow, &byte, 1, soon()) == 0); /* the server closes */
	tcp_close(flow);
	return 0;
}

static int backlog_body(void *arg)
{
	struct task_group *group = task_orphans();
	struct tcp_listener *listener;
	enum { MORE = 50 };

	(void)arg;
	plug_in(0);
	listener = listening();
	for (int i = 0; i < TCP_BACKLOG + MORE; i++)
		must(task_spawn(group, connect_and_close, NULL, NULL) == 0);
	must(task_sleep(clock_deadline(SECOND(2))) == 0);
	must(((struct own_listener *)listener)->ready.count == TCP_BACKLOG);
	for (int i = 0; i < TCP_BACKLOG + MORE; i++)
		tcp_close(accepted(listener));
	while (task_group_count(group) > 0)
		must(task_sleep(clock_deadline(SECOND(1))) == 0);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void a_full_accept_queue_makes_peers_try_again(void **state)
{
	(void)state;
	assert_int_equal(run_task(backlog_body, NULL), 0);
}

static int write_a_byte(void *arg)
{
	return (int)tcp_write(arg, "x", 1, soon());
}

static int memory_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *flow, *theirs;
	struct task *writer;
	size_t limit;
	int result;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = connected();
	theirs = accepted(listener);
	limit = tcp_of(CLIENT)->own->pool.limit_bytes;
	tcp_of(CLIENT)->own->pool.limit_bytes = 0;
	must(tcp_write(flow, "x", 1, clock_deadline(MSEC(30))) == -ETIMEDOUT);
	must(task_spawn(NULL, write_a_byte, flow, &writer) == 0);
	must(task_await(writer, &result, clock_deadline(MSEC(30))) == -ETIMEDOUT);
	tcp_of(CLIENT)->own->pool.limit_bytes = limit;
	must(task_await(writer, &result, soon()) == 0 && result == 1);
	tcp_close(flow);
	tcp_close(theirs);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void a_writer_waits_for_memory_that_others_have(void **state)
{
	(void)state;
	assert_int_equal(run_task(memory_body, NULL), 0);
}

static int unlisten_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *flow;
	uint8_t byte;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = connected();
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	tcp_unlisten(listener);
	must(tcp_read(flow, &byte, 1, soon()) == -ECONNRESET);
	tcp_close(flow);
	unplug();
	return 0;
}

static void unlisten_resets_what_nobody_accepted(void **state)
{
	(void)state;
	assert_int_equal(run_task(unlisten_body, NULL), 0);
}

static int read_to_error(void *arg)
{
	uint8_t byte;

	return (int)tcp_read(arg, &byte, 1, FOREVER);
}

static int close_stack_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *flow, *theirs;
	struct task *reader;
	uint8_t byte = 1;
	int result;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = connected();
	theirs = accepted(listener);
	must(task_spawn(NULL, read_to_error, theirs, &reader) == 0);
	must(task_yield() == 0);
	unplug(); /* with all of it open: reported, and each call answers from then on */
	must(task_await(reader, &result, soon()) == 0 && result == -ECONNRESET);
	must(tcp_write(flow, &byte, 1, soon()) == -ECONNRESET);
	must(tcp_accept(listener, &flow, soon()) == -ECONNRESET);
	tcp_close(flow);
	tcp_abort(theirs);
	tcp_unlisten(listener);
	return 0;
}

static void closing_the_stack_resets_what_is_open(void **state)
{
	(void)state;
	assert_int_equal(run_task(close_stack_body, NULL), 0);
}

/* A connection whose task is cancelled before it runs. */
static int never_served_body(void *arg)
{
	struct tcp_listener *listener;
	struct tcp *client, *server;
	bool handed_over = *(bool *)arg;
	uint8_t byte;

	plug_in(0);
	listener = listening();
	client = connected();
	server = accepted(listener);
	if (handed_over)
		must(task_spawn_with(task_orphans(), read_to_error, server, tcp_close_resource, NULL) == 0);
	else
		must(task_spawn(task_orphans(), read_to_error, server, NULL) == 0);
	task_group_cancel(task_orphans());
	must(tcp_read(client, &byte, 1, clock_deadline(SECOND(1))) == (handed_over ? 0 : -ETIMEDOUT));
	tcp_close(client);
	tcp_unlisten(listener);
	unplug();
	if (!handed_over)
		tcp_close(server);
	return 0;
}

static int run_never_served(void *arg)
{
	return run_task(never_served_body, arg);
}

static void a_flow_that_its_task_was_spawned_with_is_closed_although_the_task_never_ran(void **state)
{
	bool handed_over = true;
	struct outcome outcome = outcome_of(run_never_served, &handed_over);

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_string_equal(outcome.output, "");
}

static void a_flow_that_nobody_closes_is_reported_with_its_peer_when_the_stack_closes(void **state)
{
	bool handed_over = false;
	struct outcome outcome = outcome_of(run_never_served, &handed_over);

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_int_equal(times_written(&outcome, "ERR"), 1);
	assert_int_equal(times_written(&outcome, "ERR [tcp] the stack is closed, but the flow with 10.0.0.1:"), 1);
}

static int last_words_body(void *arg)
{
	static uint8_t bytes[100000];
	struct tcp_listener *listener;
	struct tcp *flow, *theirs;
	size_t len = 0;
	ssize_t got;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = connected();
	theirs = accepted(listener);
	must(tcp_write(flow, bytes, sizeof bytes, soon()) == sizeof bytes);
	tcp_close(flow);
	stack_close(ends[CLIENT].stack); /* waits until it is delivered */
	while ((got = tcp_read(theirs, bytes, sizeof bytes, soon())) > 0)
		len += (size_t)got;
	must(got == 0 && len == sizeof bytes);
	tcp_close(theirs);
	tcp_unlisten(listener);
	ends[CLIENT].stack = NULL;
	unplug();
	return 0;
}

static void what_was_written_is_delivered_before_the_stack_closes(void **state)
{
	(void)state;
	assert_int_equal(run_task(last_words_body, NULL), 0);
}

static int ports_body(void *arg)
{
	struct ip_endpoint peer = server_at(PORT), local = { .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }) };
	struct tcp_stack *tcp;
	struct tcp_config config;
	uint32_t ascending = 0;
	uint16_t last = 0;

	(void)arg;
	plug_in(0);
	tcp = tcp_of(CLIENT);
	tcp->own->pool.limit_bytes = 1 << 30; /* memory is another limit */
	for (uint32_t i = 0; i <= TCP_PORT_MAX - TCP_PORT_MIN; i++) {
		struct tcp_flow *flow;
		local.port = tcp_choose_port(tcp, &local.address, &peer);
		must(local.port >= TCP_PORT_MIN);
		must(!tcp_table_find(tcp, &local, &peer));
		ascending += local.port == last + 1;
		last = local.port;
		flow = tcp_flow_new(tcp, &local, &peer, 1500, &config);
		must(flow != NULL);
		tcp_core_connect(&flow->core, &config, 0);
	}
	must(tcp_choose_port(tcp, &local.address, &peer) == 0); /* all in use: said at once */
	peer.port++;
	must(tcp_choose_port(tcp, &local.address, &peer) != 0); /* but not towards another port */
	unplug();
	return 0;
}

static void local_ports_are_all_used_and_then_refused(void **state)
{
	(void)state;
	assert_int_equal(run_task(ports_body, NULL), 0);
}

static int hostile_body(void *arg)
{
	struct ip_endpoint local = server_at(PORT);
	struct tcp_listener *listener;
	uint8_t bytes[TCP_HEADER_MAX];
	struct tcp_segment syn = { .source_port = 1, .destination_port = PORT, .flags = TCP_SYN };
	struct ip_received packet = { .source = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
		.destination = local.address,
		.payload = bytes,
		.checksum_verified = true };

	(void)arg;
	plug_in(0);
	listener = listening();
	packet.len = tcp_segment_build(&syn, bytes);
	packet.broadcast = true; /* MUST-57 */
	tcp_receive(tcp_of(SERVER), &packet);
	packet.broadcast = false;
	packet.checksum_verified = false; /* MUST-3: the header's checksum is 0 */
	tcp_receive(tcp_of(SERVER), &packet);
	must(counters_of(SERVER).drops[DROP_TCP_CHECKSUM] == 1);
	packet.checksum_verified = true;
	packet.source = local.address; /* from our own address and port */
	syn.source_port = PORT;
	packet.len = tcp_segment_build(&syn, bytes);
	tcp_receive(tcp_of(SERVER), &packet);
	syn.source_port = 0;
	packet.len = tcp_segment_build(&syn, bytes);
	tcp_receive(tcp_of(SERVER), &packet);
	bytes[12] = 0x40; /* a data offset of four words */
	tcp_receive(tcp_of(SERVER), &packet);
	must(counters_of(SERVER).drops[DROP_TCP_HEADER] == 3);
	must(counters_of(SERVER).tcp_flows == 0);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void hostile_segments_open_nothing(void **state)
{
	(void)state;
	assert_int_equal(run_task(hostile_body, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_megabyte_is_echoed),
		cmocka_unit_test(a_link_that_sums_gets_partial_checksums),
		cmocka_unit_test(a_link_that_cuts_segments_gets_large_ones),
		cmocka_unit_test(a_cable_that_loses_and_corrupts_delivers_all),
		cmocka_unit_test(a_link_without_room_delays_and_loses_nothing),
		cmocka_unit_test(each_error_has_its_name),
		cmocka_unit_test(what_was_written_is_undelivered_until_it_is_acknowledged),
		cmocka_unit_test(cancelled_read_leaves_the_byte_to_the_next),
		cmocka_unit_test(concurrent_accepts_get_different_flows_and_cancelling_loses_none),
		cmocka_unit_test(ten_thousand_short_connections_are_served_in_sequence),
		cmocka_unit_test(a_flood_of_syns_is_bounded_and_a_client_is_served),
		cmocka_unit_test(a_full_backlog_is_passed_by_cookies_that_keep_all_options),
		cmocka_unit_test(guessed_cookies_are_refused),
		cmocka_unit_test(initial_sequence_numbers_follow_the_clock_and_a_secret_of_the_endpoints),
		cmocka_unit_test(routers_tell_the_path_mtu_or_leave_it_to_be_guessed),
		cmocka_unit_test(keepalive_finds_a_peer_that_is_gone_and_statistics_tell),
		cmocka_unit_test(a_full_accept_queue_makes_peers_try_again),
		cmocka_unit_test(a_writer_waits_for_memory_that_others_have),
		cmocka_unit_test(unlisten_resets_what_nobody_accepted),
		cmocka_unit_test(closing_the_stack_resets_what_is_open),
		cmocka_unit_test(a_flow_that_its_task_was_spawned_with_is_closed_although_the_task_never_ran),
		cmocka_unit_test(a_flow_that_nobody_closes_is_reported_with_its_peer_when_the_stack_closes),
		cmocka_unit_test(what_was_written_is_delivered_before_the_stack_closes),
		cmocka_unit_test(local_ports_are_all_used_and_then_refused),
		cmocka_unit_test(hostile_segments_open_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
