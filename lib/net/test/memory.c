/* SPDX-License-Identifier: ISC
 *
 * What hosts outside can make a stack hold: never more than it may, whatever they send, and something is left for
 * those who come next. Of two stacks, the client is the flood, and the server has little memory. The allocator's own
 * figures are looked at beside the stack's account.
 */
#include "pair.h"

#include "lib/net/udp_stack.h"

size_t __sanitizer_get_current_allocated_bytes(
	void); /* the sanitizer's allocator; its header is in no package of gcc's */

enum { LIMIT = 512 * 1024, SLACK = 64 * 1024 }; /* slack: listeners, sockets, and the test's own tasks and frames */

static size_t allocated_before, most_used;
static struct tcp_listener *listener;

static struct pool *pool(void)
{
	return &tcp_of(SERVER)->own->pool;
}

static size_t used(void)
{
	return pool()->used_bytes + pool()->flow_bytes;
}

/* What lies on the cable, and in the client, is the test's. */
static size_t others(void)
{
	struct pool *client = &tcp_of(CLIENT)->own->pool;
	size_t bytes = client->used_bytes + client->flow_bytes;

	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < ends[i].count; j++)
			bytes += ends[i].frames[(ends[i].first + j) % CABLE_FRAMES].len;
	return bytes;
}

/* After anything: the account and the allocator agree that it is not too much. */
static void look(void)
{
	assert_true(used() <= LIMIT);
	assert_true(__sanitizer_get_current_allocated_bytes() <= allocated_before + others() + LIMIT + SLACK);
	if (used() > most_used)
		most_used = used();
}

static void begin(void)
{
	const struct tcp_listening how = { .backlog = TCP_BACKLOG_MAX };

	memory_bytes[SERVER] = LIMIT;
	plug_in(0);
	must(tcp_listen_with(ends[SERVER].stack, PORT, &how, &listener) == 0);
	allocated_before = __sanitizer_get_current_allocated_bytes();
	most_used = 0;
}

static void end(void)
{
	tcp_unlisten(listener);
	unplug();
}

static void wait_ms(uint64_t ms)
{
	must(task_sleep(clock_deadline(MSEC(ms))) == 0);
}

static int connect_within(struct tcp **flow, uint64_t ms)
{
	struct ip_endpoint server = server_at(PORT);

	return tcp_connect(ends[CLIENT].stack, &server, flow, clock_deadline(MSEC(ms)));
}

/* A newcomer gets in, and is answered. */
static void someone_is_served(void)
{
	struct tcp *flow, *served;
	char buf[8];

	must(connect_within(&flow, 5000) == 0);
	while (((struct own_listener *)listener)->ready.count > 1)
		tcp_close(accepted(listener)); /* who came before */
	served = accepted(listener);
	must(tcp_write(flow, "ask", 3, soon()) == 3);
	assert_int_equal(tcp_read(served, buf, sizeof buf, soon()), 3);
	must(tcp_write(served, "answer", 6, soon()) == 6);
	assert_int_equal(tcp_read(flow, buf, sizeof buf, soon()), 6);
	look();
	tcp_close(flow);
	tcp_close(served);
	wait_ms(1000); /* the end is delivered */
}

/* Connections ------------------------------------------------------------------------------------------------- */

static void forge_syn(uint32_t number)
{
	struct ip_address from = ip_from_v4(
		(const uint8_t[]){ 10, 0, 0, (uint8_t)(3 + number % 250) }); /* neighbours who never answer */
	struct tcp_segment syn = { .source_port = (uint16_t)(1024 + number / 250),
		.destination_port = PORT,
		.flags = TCP_SYN,
		.seq = number,
		.window = 1000,
		.options = { .mss = 1460, .has_timestamp = true, .sack_permitted = true } };
	uint8_t bytes[TCP_HEADER_MAX];
	struct ip_received packet = { .source = from, .destination = server_at(0).address, .payload = bytes };

	packet.len = tcp_segment_build(&syn, bytes);
	packet.checksum_verified = true;
	tcp_receive(tcp_of(SERVER), &packet);
}

TASK_TEST(a_flood_of_syns)
{
	begin();
	for (uint32_t i = 0; i < 20000; i++) {
		forge_syn(i);
		if (i % 64 == 0)
			tcp_flush(tcp_of(SERVER));
		look();
	}
	assert_true(((struct own_listener *)listener)->half_open.count <= TCP_SYN_BACKLOG);
	someone_is_served();
	end();
}

TASK_TEST(a_crowd_of_idle_connections)
{
	enum { MOST = 1000 };
	static struct tcp *flows[MOST];
	size_t count = 0, room = LIMIT / 2 / TCP_FLOW_BYTES;

	begin();
	while (count < MOST && counters_of(SERVER).tcp_flows < room) {
		must(connect_within(&flows[count], 1000) == 0);
		count++;
		look();
	}
	assert_in_range(count, room, MOST - 1);
	/* One more is kept out, and what is there goes on. */
	must(connect_within(&flows[count], 1000) == 0); /* by a cookie: it thinks that it is connected */
	wait_ms(1000);
	assert_int_equal(counters_of(SERVER).tcp_flows, room);
	look();
	must(tcp_write(flows[0], "x", 1, soon()) == 1);
	for (size_t i = 0; i < count; i++)
		tcp_close(accepted(listener));
	for (size_t i = 0; i <= count; i++)
		tcp_close(flows[i]);
	wait_ms(1000);
	someone_is_served();
	end();
}

TASK_TEST(closed_connections_make_room_for_new_ones)
{
	struct tcp *flow;

	begin();
	tcp_of(SERVER)->flows_max = 10;
	for (int i = 0; i < 100; i++) { /* the server closes first, and has each in TIME-WAIT */
		char byte;

		must(connect_within(&flow, 1000) == 0);
		tcp_close(accepted(listener));
		assert_int_equal(tcp_read(flow, &byte, 1, soon()), 0);
		tcp_close(flow);
		wait_ms(1);
		assert_true(tcp_of(SERVER)->all.count <= 10);
	}
	assert_int_equal(tcp_of(SERVER)->time_wait.count, 10);
	end();
}

static bool is_known(struct ip_endpoint peer)
{
	struct ip_endpoint local = server_at(PORT);

	return tcp_table_find(tcp_of(SERVER), &local, &peer) != NULL;
}

/* What its user has closed waits for the peer's end, but not when others want in. */
TASK_TEST(the_oldest_that_was_closed_gives_way)
{
	struct tcp *flows[10];
	struct ip_endpoint peers[10];

	begin();
	tcp_of(SERVER)->flows_max = 10;
	for (int i = 0; i < 10; i++) {
		must(connect_within(&flows[i], 1000) == 0);
		tcp_local(flows[i], &peers[i]);
		tcp_close(accepted(listener));
	}
	wait_ms(100);
	assert_int_equal(tcp_of(SERVER)->orphans.count, 10);
	for (uint32_t i = 0; i < 300; i++) /* not for who may be nobody */
		forge_syn(i);
	tcp_flush(tcp_of(SERVER));
	assert_int_equal(tcp_of(SERVER)->orphans.count, 10);
	someone_is_served();
	assert_false(is_known(peers[0]));
	assert_true(is_known(peers[1]) && is_known(peers[9]));
	for (int i = 0; i < 10; i++)
		tcp_close(flows[i]);
	end();
}

TASK_TEST(who_connects_is_told_when_there_is_no_place)
{
	struct tcp *flows[4];

	begin();
	tcp_of(CLIENT)->flows_max = 3;
	for (int i = 0; i < 3; i++)
		must(connect_within(&flows[i], 1000) == 0);
	assert_int_equal(connect_within(&flows[3], 1000), -ENOMEM);
	for (int i = 0; i < 3; i++)
		tcp_close(flows[i]);
	end();
}

/* Data -------------------------------------------------------------------------------------------------------- */

/* A segment for a flow of the server's, as far behind what it has. */
static void forge_data(struct tcp_flow *flow, uint32_t gap)
{
	static uint8_t bytes[TCP_HEADER_MAX + 1000];
	struct tcp_segment segment = { .source_port = flow->peer.port,
		.destination_port = PORT,
		.flags = TCP_ACK,
		.seq = flow->core.rcv_nxt + gap,
		.ack = flow->core.snd_una,
		.window = 1000,
		.options = { .has_timestamp = true, .timestamp = flow->core.timestamp_recent } };
	struct ip_received packet = { .source = flow->peer.address,
		.destination = flow->local.address,
		.payload = bytes,
		.checksum_verified = true };

	packet.len = tcp_segment_build(&segment, bytes) + 1000;
	tcp_receive(tcp_of(SERVER), &packet);
	look();
}

TASK_TEST(a_flood_of_data_out_of_order)
{
	enum { FLOWS = 100 };
	static struct tcp *flows[FLOWS];

	begin();
	for (int i = 0; i < FLOWS; i++)
		must(connect_within(&flows[i], 1000) == 0);
	for (uint32_t gap = 1001; gap < 250000; gap += 2001)
		for (struct tcp_node *node = tcp_of(SERVER)->all.first; node; node = node->next)
			forge_data(node->flow, gap);
	assert_true(most_used > LIMIT / 2);
	assert_true(pool_left(pool()) > 0);
	for (int i = 0; i < FLOWS; i++)
		tcp_abort(flows[i]);
	wait_ms(1000);
	assert_int_equal(used(), 0);
	someone_is_served();
	end();
}

static int write_for_ever(void *arg)
{
	static uint8_t bytes[50000];

	while (tcp_write(arg, bytes, sizeof bytes, FOREVER) > 0)
		look();
	return 0;
}

static uint32_t window_of(struct tcp *flow)
{
	struct tcp_statistics statistics;

	tcp_statistics(flow, &statistics);
	return statistics.peer_window;
}

/* RFC 9293, 3.8.6: what is offered is there, or nearly: as the pool fills, each new connection is offered less. */
TASK_TEST(windows_become_smaller_as_memory_does)
{
	enum { FLOWS = 24 };
	static struct tcp *flows[FLOWS], *served[FLOWS];
	static struct task *writers[FLOWS];
	static uint8_t buf[50000];
	uint32_t first = 0, last = 0;

	begin();
	for (int i = 0; i < FLOWS; i++) {
		must(connect_within(&flows[i], 1000) == 0);
		served[i] = accepted(listener);
		must(tcp_write(flows[i], "x", 1, soon()) == 1);
		wait_ms(100);
		last = window_of(flows[i]);
		first = first ? first : last;
		assert_true(last <= first);
		must(task_spawn(NULL, write_for_ever, flows[i], &writers[i]) == 0);
		wait_ms(2000);
		look();
	}
	assert_in_range(first, 60000, 140000); /* a quarter of what may be data, about */
	assert_true(last < first / 8);
	/* Those that are there are offered less, too: nothing. */
	for (int i = 0; i < FLOWS; i++)
		assert_true(window_of(flows[i]) < first / 8);
	for (int i = 0; i < FLOWS; i++) {
		task_cancel(writers[i]);
		tcp_abort(flows[i]);
		while (tcp_read(served[i], buf, sizeof buf, soon()) > 0)
			;
		tcp_close(served[i]);
	}
	wait_ms(1000);
	assert_int_equal(used(), 0);
	someone_is_served();
	end();
}

/* Packets that wait ------------------------------------------------------------------------------------------- */

TASK_TEST(a_flood_of_datagrams_that_nobody_receives)
{
	enum { SOCKETS = 20 };
	struct udp *sockets[SOCKETS], *client;
	static uint8_t data[1400];

	begin();
	must(udp_bind(ends[CLIENT].stack, 0, &client) == 0);
	for (uint16_t i = 0; i < SOCKETS; i++)
		must(udp_bind(ends[SERVER].stack, (uint16_t)(1000 + i), &sockets[i]) == 0);
	for (int n = 0; n < 300; n++) {
		for (uint16_t i = 0; i < SOCKETS; i++) {
			struct ip_endpoint to = server_at((uint16_t)(1000 + i));

			must(udp_send(client, &to, data, (size_t)(n * 7 % 1400), soon()) == 0);
		}
		wait_ms(1);
		look();
	}
	assert_true(most_used > LIMIT / 2);
	assert_true(counters_of(SERVER).drops[DROP_UDP_QUEUE_FULL] > 0);
	someone_is_served();
	for (int i = 0; i < SOCKETS; i++)
		udp_close(sockets[i]);
	udp_close(client);
	assert_int_equal(pool()->used_bytes, 0);
	end();
}

TASK_TEST(a_flood_of_fragments)
{
	static uint8_t bytes[64000];
	struct own_stack *own;

	begin();
	own = tcp_of(SERVER)->own;
	for (uint32_t i = 0; i < 2000; i++) {
		struct fragment fragment = { .source = server_at(0).address,
			.destination = server_at(0).address,
			.id = i / 3,
			.more = true,
			.offset = i % 3 * 20000,
			.payload_max = 65000,
			.payload = bytes,
			.len = 16000,
			.header = bytes,
			.header_len = 20 };
		struct fragment whole;

		(void)fragments_add(&own->fragments, &fragment, clock_monotonic(), &whole);
		look();
	}
	assert_true(most_used > LIMIT / 4);
	someone_is_served();
	fragments_fini(&own->fragments);
	assert_int_equal(pool()->used_bytes, 0);
	end();
}

static void send_to(struct ip_address to)
{
	static uint8_t bytes[1400];
	const struct platform_piece piece = { bytes, sizeof bytes };
	const struct ip_sending packet = { .source = server_at(0).address,
		.destination = to,
		.protocol = 200,
		.pieces = &piece,
		.count = 1,
		.len = sizeof bytes };

	(void)ip_send(tcp_of(SERVER)->own, &packet);
	look();
}

TASK_TEST(packets_for_neighbours_that_do_not_answer)
{
	begin();
	for (int n = 0; n < 10; n++)
		for (uint8_t i = 10; i < 250; i++)
			send_to(ip_from_v4((const uint8_t[]){ 10, 0, 0, i }));
	assert_true(most_used > 100 * 1400); /* ARP_ASKING_MAX of them */
	someone_is_served();
	wait_ms(10000);
	assert_int_equal(pool()->used_bytes, 0);
	end();
}

TASK_TEST(packets_for_ourselves)
{
	begin();
	for (int n = 0; n < 1000; n++)
		send_to(server_at(0).address);
	assert_true(most_used > LIMIT / 4);
	wait_ms(10);
	assert_int_equal(pool()->used_bytes, 0);
	someone_is_served();
	end();
}

/* What was shown to a reader belongs to him, even if the stack goes away. */
TASK_TEST(what_is_peeked_outlives_the_stack)
{
	struct tcp_piece pieces[TCP_PIECES];
	struct tcp *flow, *served;

	begin();
	must(connect_within(&flow, 1000) == 0);
	served = accepted(listener);
	must(tcp_write(flow, "hello", 5, soon()) == 5);
	assert_int_equal(tcp_peek(served, pieces, 0, soon()), 5);
	tcp_abort(flow);
	tcp_unlisten(listener);
	stack_close(ends[SERVER].stack);
	ends[SERVER].stack = NULL;
	assert_memory_equal(pieces[0].data, "hello", 5);
	tcp_consume(served, 5);
	assert_int_equal(tcp_peek(served, pieces, 0, AT_ONCE), -ECONNRESET);
	tcp_close(served);
	unplug();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_syns),
		cmocka_unit_test(a_crowd_of_idle_connections),
		cmocka_unit_test(closed_connections_make_room_for_new_ones),
		cmocka_unit_test(the_oldest_that_was_closed_gives_way),
		cmocka_unit_test(who_connects_is_told_when_there_is_no_place),
		cmocka_unit_test(a_flood_of_data_out_of_order),
		cmocka_unit_test(windows_become_smaller_as_memory_does),
		cmocka_unit_test(a_flood_of_datagrams_that_nobody_receives),
		cmocka_unit_test(a_flood_of_fragments),
		cmocka_unit_test(packets_for_neighbours_that_do_not_answer),
		cmocka_unit_test(packets_for_ourselves),
		cmocka_unit_test(what_is_peeked_outlives_the_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
