/* SPDX-License-Identifier: ISC
 *
 * Fast Open (RFC 7413) of whole stacks: cookies granted, remembered and refused, and the limit of what is pending.
 */
#include "pair.h"

static struct tcp *connect_fast(const void *bytes, size_t len)
{
	struct ip_endpoint server = server_at(PORT);
	struct tcp *flow = NULL;

	assert_int_equal(tcp_connect_fast(ends[CLIENT].stack, &server, bytes, len, &flow, soon()), 0);
	return flow;
}

static const struct tcp_connection *core_of(const struct tcp *flow)
{
	return &((const struct tcp_flow *)(const void *)flow)->core;
}

/* What the server does with a connection: reads a request, says in which state, and answers. */
struct served {
	struct tcp_listener *listener;
	enum tcp_state state; /* when the request was read */
	char request[32];
};

static int serve(void *arg)
{
	struct served *served = arg;
	struct tcp *flow = accepted(served->listener);
	ssize_t len = tcp_read(flow, served->request, sizeof served->request - 1, soon());

	must(len > 0);
	served->request[len] = '\0';
	served->state = core_of(flow)->state;
	must(tcp_write(flow, "answer", 6, soon()) == 6);
	tcp_close(flow);
	return 0;
}

static void ask(struct served *served)
{
	struct task *server;
	struct tcp *flow;
	char answer[16];
	int result;

	must(task_spawn(NULL, serve, served, &server) == 0);
	flow = connect_fast("request", 7);
	assert_int_equal(tcp_read(flow, answer, sizeof answer, soon()), 6);
	assert_int_equal(tcp_read(flow, answer, sizeof answer, soon()), 0);
	tcp_close(flow);
	must(task_await(server, &result, soon()) == 0 && result == 0);
	assert_string_equal(served->request, "request");
}

TASK_TEST(second_request_is_read_before_the_handshake_is_over)
{
	struct served served;

	plug_in(0);
	served.listener = listening();
	must(tcp_fast_open(served.listener, 4) == 0);
	ask(&served);
	assert_int_equal(served.state, TCP_ESTABLISHED); /* it had no cookie yet */
	ask(&served);
	assert_int_equal(served.state, TCP_SYN_RECEIVED);
	must(task_sleep(clock_deadline(SECOND(1))) == 0);
	assert_int_equal(tcp_of(SERVER)->fast->pending, 0);
	tcp_unlisten(served.listener);
	unplug();
}

TASK_TEST(it_is_off_at_first_and_can_be_switched_off)
{
	struct served served;

	plug_in(0);
	served.listener = listening();
	ask(&served);
	ask(&served);
	assert_int_equal(served.state, TCP_ESTABLISHED);
	assert_null(tcp_of(SERVER)->fast);
	must(tcp_fast_open(served.listener, 4) == 0);
	ask(&served);
	must(tcp_fast_open(served.listener, 0) == 0);
	ask(&served); /* the client has a cookie, and its text comes twice */
	assert_int_equal(served.state, TCP_ESTABLISHED);
	tcp_unlisten(served.listener);
	unplug();
}

TASK_TEST(cookies_are_good_for_an_hour_or_two_and_then_replaced)
{
	struct served served;

	plug_in(0);
	served.listener = listening();
	must(tcp_fast_open(served.listener, 4) == 0);
	ask(&served);
	must(task_sleep(clock_deadline(SECOND(3600))) == 0);
	ask(&served);
	assert_int_equal(served.state, TCP_SYN_RECEIVED); /* good, and replaced */
	must(task_sleep(clock_deadline(SECOND(3600))) == 0);
	ask(&served);
	assert_int_equal(served.state, TCP_SYN_RECEIVED);
	must(task_sleep(clock_deadline(2 * SECOND(3600))) == 0);
	ask(&served);
	assert_int_equal(served.state, TCP_ESTABLISHED); /* too old */
	ask(&served);
	assert_int_equal(served.state, TCP_SYN_RECEIVED);
	tcp_unlisten(served.listener);
	unplug();
}

/* A SYN with text from the client's address, as an attacker forges them who has seen a cookie. */
static void forge(uint16_t port, unsigned flags, const struct tcp_fast_cookie *cookie)
{
	uint8_t bytes[TCP_HEADER_MAX + 4];
	struct tcp_segment segment = { .source_port = port,
		.destination_port = PORT,
		.seq = flags & TCP_RST ? 1005 : 1000,
		.flags = (uint8_t)flags,
		.window = 1000,
		.options = { .mss = 1460, .fast_open = *cookie } };
	struct ip_received packet = { .source = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
		.destination = server_at(PORT).address,
		.payload = bytes,
		.checksum_verified = true };
	size_t len = tcp_segment_build(&segment, bytes);

	memcpy(bytes + len, "text", 4);
	packet.len = len + (flags & TCP_SYN ? 4 : 0);
	tcp_receive(tcp_of(SERVER), &packet);
	tcp_flush(tcp_of(SERVER));
}

TASK_TEST(pending_connections_are_limited_and_resets_make_no_room)
{
	struct served served;
	struct tcp_fast_cookie cookie, wrong;
	const struct tcp_list *ready;

	plug_in(0);
	served.listener = listening();
	ready = &((struct own_listener *)(void *)served.listener)->ready;
	must(tcp_fast_open(served.listener, 3) == 0);
	ask(&served);
	cookie = wrong = tcp_of(CLIENT)->fast->peers[0].cookie;
	wrong.bytes[3] ^= 1;
	ends[SERVER].lose = 1; /* or the client's resets would come in between */
	forge(4999, TCP_SYN, &wrong);
	assert_int_equal(ready->count, 0);
	for (uint16_t i = 0; i < 10; i++)
		forge((uint16_t)(5000 + i), TCP_SYN, &cookie);
	assert_int_equal(ready->count, 3); /* the others wait for the end of their handshake */
	assert_int_equal(tcp_of(SERVER)->fast->pending, 3);
	for (uint16_t i = 0; i < 3; i++)
		forge((uint16_t)(5000 + i), TCP_RST, &(struct tcp_fast_cookie){ 0 });
	assert_int_equal(ready->count, 0);
	forge(6000, TCP_SYN, &cookie);
	assert_int_equal(ready->count, 0); /* RFC 7413, 5.1 */
	must(task_sleep(clock_deadline(TCP_FAST_RESET_NS)) == 0);
	forge(6001, TCP_SYN, &cookie);
	assert_int_equal(ready->count, 1);
	assert_int_equal(tcp_of(SERVER)->fast->pending, 1);
	tcp_unlisten(served.listener);
	unplug();
}

static struct ip_address numbered(unsigned number)
{
	return ip_from_v4((const uint8_t[]){ 10, 1, (uint8_t)(number >> 8), (uint8_t)number });
}

TASK_TEST(cookies_of_the_latest_peers_are_remembered)
{
	struct tcp_fast fast = { 0 };
	const struct tcp_fast_cookie cookie = { .present = true, .len = 8 };
	unsigned known = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct ip_address peer = numbered(i);
		tcp_fast_remember(&fast, &peer, &cookie, 1460);
		tcp_fast_remember(&fast, &peer, &cookie, 1400); /* again: takes no second place */
	}
	for (size_t i = 0; i < TCP_FAST_PEERS; i++)
		known += fast.peers[i].cookie.present && fast.peers[i].mss == 1400;
	assert_int_equal(known, TCP_FAST_PEERS);
	for (unsigned i = 1000 - TCP_FAST_PEERS; i < 1000; i++) {
		struct ip_address peer = numbered(i);
		tcp_fast_remember(&fast, &peer, NULL, 0);
	}
	for (size_t i = 0; i < TCP_FAST_PEERS; i++)
		assert_false(fast.peers[i].cookie.present);
}

/* A peer, or a path to it, that drops SYNs with cookies is tried without the next time. */
TASK_TEST(who_drops_such_syns_is_spared_them)
{
	struct served served;

	plug_in(0);
	served.listener = listening();
	must(tcp_fast_open(served.listener, 4) == 0);
	ask(&served);
	assert_true(tcp_of(CLIENT)->fast->peers[0].cookie.present);
	ends[CLIENT].lose = 1000; /* the next frame, which is the SYN */
	ends[CLIENT].seen = 999;
	ask(&served);
	assert_int_equal(served.state, TCP_ESTABLISHED);
	assert_false(tcp_of(CLIENT)->fast->peers[0].cookie.present);
	ask(&served); /* asks again */
	assert_true(tcp_of(CLIENT)->fast->peers[1].cookie.present);
	tcp_unlisten(served.listener);
	unplug();
}

TASK_TEST(much_is_delivered_whole)
{
	enum { BYTES = 100000 };
	static uint8_t bytes[BYTES], got[BYTES];
	struct tcp_listener *listener;

	plug_in(0);
	listener = listening();
	must(tcp_fast_open(listener, 4) == 0);
	for (size_t i = 0; i < BYTES; i++)
		bytes[i] = pattern(i);
	for (int turn = 0; turn < 2; turn++) {
		struct tcp *flow = connect_fast(bytes, BYTES), *served = accepted(listener);
		size_t at = 0;
		tcp_shutdown(flow);
		for (ssize_t len; (len = tcp_read(served, got + at, sizeof got - at, soon())) > 0;)
			at += (size_t)len;
		assert_int_equal(at, BYTES);
		assert_memory_equal(got, bytes, BYTES);
		tcp_close(flow);
		tcp_close(served);
	}
	tcp_unlisten(listener);
	unplug();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_request_is_read_before_the_handshake_is_over),
		cmocka_unit_test(it_is_off_at_first_and_can_be_switched_off),
		cmocka_unit_test(cookies_are_good_for_an_hour_or_two_and_then_replaced),
		cmocka_unit_test(pending_connections_are_limited_and_resets_make_no_room),
		cmocka_unit_test(cookies_of_the_latest_peers_are_remembered),
		cmocka_unit_test(who_drops_such_syns_is_spared_them),
		cmocka_unit_test(much_is_delivered_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
