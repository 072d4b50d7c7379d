/* SPDX-License-Identifier: ISC
 *
 * What programs may expect of the calls of tcp.h and udp.h, on whichever stack: the same tests for ours and for the
 * host's sockets. Before it, the including file says how two hosts are made that reach each other (which may be one):
 * both_open(), both_close(), here() and there(), there_at(port), a port that is free there (PORT), and
 * soon().
 */
#ifndef NET_TEST_SOCKET_CALLS_H
#define NET_TEST_SOCKET_CALLS_H

#include <errno.h>

#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

/* A flow from here to there, seen from both both. */
struct joined {
	struct tcp_listener *listener;
	struct tcp *here, *there;
};

static inline struct joined join(void)
{
	struct ip_endpoint peer = there_at(PORT);
	struct joined both;

	must(tcp_listen(there(), PORT, &both.listener) == 0);
	must(tcp_connect(here(), &peer, &both.here, soon()) == 0);
	must(tcp_accept(both.listener, &both.there, soon()) == 0);
	return both;
}

static inline void part(struct joined *both)
{
	tcp_close(both->here);
	tcp_close(both->there);
	tcp_unlisten(both->listener);
}

/* A test whose body is the main task of a program with both stacks. */
#define CALLS_TEST(name)                                                                                               \
	static void name##_calls(void);                                                                                \
	static int name##_main(void *arg)                                                                              \
	{                                                                                                              \
		(void)arg;                                                                                             \
		both_open();                                                                                           \
		name##_calls();                                                                                        \
		both_close();                                                                                          \
		return 0;                                                                                              \
	}                                                                                                              \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		int result = -1;                                                                                       \
		(void)state;                                                                                           \
		assert_int_equal(task_run(name##_main, NULL, &result), 0);                                             \
		assert_int_equal(result, 0);                                                                           \
	}                                                                                                              \
	static void name##_calls(void)

static inline void send_text(struct tcp *flow, const char *text)
{
	must(tcp_write(flow, text, strlen(text), soon()) == (ssize_t)strlen(text));
}

/* Whether the pieces hold this text and nothing else. */
static inline bool pieces_are(const struct tcp_piece pieces[TCP_PIECES], const char *text)
{
	size_t first = pieces[0].len;

	return first + pieces[1].len == strlen(text) && memcmp(pieces[0].data, text, first) == 0 &&
	       (pieces[1].len == 0 || memcmp(pieces[1].data, text + first, pieces[1].len) == 0);
}

/* What was sent is there, or never will be. */
static inline void settle(void)
{
	must(task_sleep(clock_deadline(MSEC(10))) == 0);
}

/* Connecting -------------------------------------------------------------------------------------------------- */

CALLS_TEST(of_several_addresses_the_one_that_answers_is_connected)
{
	struct ip_endpoint peers[3] = { there_at(1), there_at(PORT), there_at(2) }, peer;
	struct tcp_listener *listener;
	struct tcp *flow, *served;
	int errors[3] = { 1, 1, 1 };

	must(tcp_listen(there(), PORT, &listener) == 0);
	assert_int_equal(tcp_connect_any(here(), peers, 3, 0, errors, &flow, soon()), 0);
	tcp_peer(flow, &peer);
	assert_int_equal(peer.port, PORT);
	assert_int_equal(errors[0], -ECONNREFUSED);
	assert_int_equal(errors[1], 0);
	assert_int_equal(errors[2], -ECANCELED);
	must(tcp_accept(listener, &served, soon()) == 0);
	tcp_close(flow);
	tcp_close(served);
	tcp_unlisten(listener);
}

CALLS_TEST(if_no_address_answers_the_best_error_is_told)
{
	struct ip_endpoint peers[TCP_ANY_MAX + 1];
	struct tcp *flow;

	for (uint16_t i = 0; i <= TCP_ANY_MAX; i++)
		peers[i] = there_at((uint16_t)(i + 1));
	assert_int_equal(tcp_connect_any(here(), peers, 0, 0, NULL, &flow, soon()), -EINVAL);
	assert_int_equal(tcp_connect_any(here(), peers, TCP_ANY_MAX + 1, 0, NULL, &flow, soon()), -EINVAL);
	assert_int_equal(tcp_connect_any(here(), peers, 2, MSEC(9), NULL, &flow, soon()), -EINVAL);
	assert_int_equal(tcp_connect_any(here(), peers, 2, SECOND(3), NULL, &flow, soon()), -EINVAL);
	assert_int_equal(tcp_connect_any(here(), peers, TCP_ANY_MAX, 0, NULL, &flow, soon()), -ECONNREFUSED);
}

struct reading {
	struct tcp *flow;
	uint64_t deadline;
	int result;
};

static inline int read_byte(void *arg)
{
	struct reading *reading = arg;
	char byte;

	reading->result = (int)tcp_read(reading->flow, &byte, 1, reading->deadline);
	return reading->result;
}

/* What a reader gets who is cancelled while he waits. */
static inline int read_and_be_cancelled(struct tcp *flow)
{
	struct reading reading = { .flow = flow, .deadline = FOREVER };
	struct task *task;

	must(task_spawn(NULL, read_byte, &reading, &task) == 0);
	settle();
	task_cancel(task);
	return reading.result;
}

CALLS_TEST(whatever_ends_a_wait_has_a_name_of_its_own)
{
	struct joined both = join();
	struct ip_endpoint nobody = there_at(1);
	struct reading reading = { .flow = both.there, .deadline = AT_ONCE };
	struct tcp *flow;

	assert_int_equal(read_byte(&reading), -EAGAIN);
	reading.deadline = clock_deadline(MSEC(5));
	assert_int_equal(read_byte(&reading), -ETIMEDOUT);
	assert_int_equal(read_and_be_cancelled(both.there), -ECANCELED);
	reading.deadline = soon();
	assert_int_equal(tcp_shutdown(both.here), 0);
	assert_int_equal(read_byte(&reading), 0);
	tcp_abort(both.here);
	both.here = NULL;
	settle();
	assert_int_equal(tcp_write(both.there, "x", 1, soon()), -ECONNRESET);
	assert_int_equal(tcp_connect(here(), &nobody, &flow, soon()), -ECONNREFUSED);
	part(&both);
}

/* Opening with data ------------------------------------------------------------------------------------------- */

CALLS_TEST(what_is_sent_with_the_opening_arrives_whole)
{
	struct ip_endpoint peer = there_at(PORT);
	struct joined both;
	char buf[16];

	must(tcp_listen(there(), PORT, &both.listener) == 0);
	for (int turn = 0; turn < 2; turn++) { /* on our own stack, the second time with the SYN */
		must(tcp_connect_fast(here(), &peer, "first", 5, &both.here, soon()) == 0);
		must(tcp_accept(both.listener, &both.there, soon()) == 0);
		assert_int_equal(tcp_read(both.there, buf, sizeof buf, soon()), 5);
		assert_memory_equal(buf, "first", 5);
		tcp_close(both.here);
		tcp_close(both.there);
	}
	tcp_unlisten(both.listener);
	assert_int_equal(tcp_connect_fast(here(), &peer, "first", 5, &both.here, soon()), -ECONNREFUSED);
}

/* Peeking ----------------------------------------------------------------------------------------------------- */

CALLS_TEST(what_is_peeked_stays_until_it_is_consumed_or_read)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];
	char buf[16];

	send_text(both.here, "one two");
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 7);
	assert_true(pieces_are(pieces, "one two"));
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 7);
	tcp_consume(both.there, 0);
	tcp_consume(both.there, 4);
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 3);
	assert_true(pieces_are(pieces, "two"));
	assert_int_equal(tcp_read(both.there, buf, 2, soon()), 2);
	assert_memory_equal(buf, "tw", 2);
	send_text(both.here, "!");
	assert_int_equal(tcp_peek(both.there, pieces, 1, soon()), 2);
	assert_true(pieces_are(pieces, "o!"));
	tcp_consume(both.there, 2);
	part(&both);
}

static inline int send_later(void *arg)
{
	must(task_sleep(clock_deadline(MSEC(20))) == 0);
	send_text(arg, " and more");
	return 0;
}

CALLS_TEST(who_peeks_for_more_than_was_seen_waits_for_it)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];
	struct task *sender;

	assert_int_equal(tcp_peek(both.there, pieces, 0, clock_deadline(MSEC(5))), -ETIMEDOUT);
	send_text(both.here, "some");
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 4);
	must(task_spawn(NULL, send_later, both.here, &sender) == 0);
	assert_int_equal(tcp_peek(both.there, pieces, 4, clock_deadline(MSEC(5))), -ETIMEDOUT);
	assert_int_equal(tcp_peek(both.there, pieces, 4, soon()), 13);
	assert_true(pieces_are(pieces, "some and more"));
	must(task_await(sender, NULL, soon()) == 0);
	assert_int_equal(tcp_peek(both.there, pieces, TCP_PEEK_MAX, soon()), -ENOBUFS);
	tcp_consume(both.there, 13);
	part(&both);
}

CALLS_TEST(the_end_shows_in_that_nothing_more_is_there)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];

	send_text(both.here, "last");
	assert_int_equal(tcp_shutdown(both.here), 0);
	assert_int_equal(tcp_peek(both.there, pieces, 4, soon()), 4);
	assert_true(pieces_are(pieces, "last"));
	tcp_consume(both.there, 4);
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 0);
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 0);
	part(&both);
}

CALLS_TEST(a_reset_is_told_to_who_peeks_and_leaves_him_what_he_was_shown)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];

	send_text(both.here, "shown");
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 5);
	tcp_abort(both.here);
	both.here = NULL;
	assert_int_equal(task_sleep(clock_deadline(MSEC(20))), 0);
	assert_true(pieces_are(pieces, "shown"));
	assert_int_equal(tcp_peek(both.there, pieces, 5, soon()), -ECONNRESET);
	part(&both);
}

static inline int peek_for_ever(void *arg)
{
	struct tcp_piece pieces[TCP_PIECES];

	return (int)tcp_peek(arg, pieces, 0, FOREVER);
}

CALLS_TEST(a_cancelled_peek_takes_nothing)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];
	struct task *peeker;

	must(task_spawn(NULL, peek_for_ever, both.there, &peeker) == 0);
	must(task_sleep(clock_deadline(MSEC(5))) == 0);
	task_cancel(peeker);
	send_text(both.here, "x");
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 1);
	tcp_consume(both.there, 1);
	part(&both);
}

enum { STREAM_BYTES = 1000000 };

static inline uint8_t byte_at(size_t at)
{
	return (uint8_t)(at * 13 + at / 997);
}

static inline int send_stream(void *arg)
{
	uint8_t buf[3000];

	for (size_t at = 0; at < STREAM_BYTES; at += sizeof buf / 3) {
		for (size_t i = 0; i < sizeof buf / 3; i++)
			buf[i] = byte_at(at + i);
		must(tcp_write(arg, buf, sizeof buf / 3, soon()) == sizeof buf / 3);
	}
	return tcp_shutdown(arg);
}

/* With pauses, in which more arrives and the buffer grows, and less consumed than was shown. */
CALLS_TEST(a_stream_that_is_peeked_and_consumed_is_exact)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];
	struct task *sender;
	size_t at = 0;
	ssize_t len;
	int result;

	must(task_spawn(NULL, send_stream, both.here, &sender) == 0);
	while ((len = tcp_peek(both.there, pieces, 0, soon())) > 0) {
		size_t taken = (size_t)len < 5000 ? (size_t)len : (size_t)len - 777;

		if (at % 7 == 0)
			must(task_sleep(clock_deadline(MSEC(1))) == 0);
		for (size_t i = 0; i < taken; i++) {
			bool first = i < pieces[0].len;
			must((first ? pieces[0].data[i] : pieces[1].data[i - pieces[0].len]) == byte_at(at + i));
		}
		tcp_consume(both.there, taken);
		at += taken;
	}
	assert_int_equal(len, 0);
	assert_int_equal(at, STREAM_BYTES);
	must(task_await(sender, &result, soon()) == 0 && result == 0);
	part(&both);
}

/* Closing with what was shown and not consumed is closing with unread data: RFC 9293, SHLD-3. */
CALLS_TEST(closing_with_what_was_only_peeked_resets)
{
	struct joined both = join();
	struct tcp_piece pieces[TCP_PIECES];
	char byte;

	send_text(both.here, "unread");
	assert_int_equal(tcp_peek(both.there, pieces, 0, soon()), 6);
	tcp_close(both.there);
	both.there = NULL;
	assert_int_equal(tcp_read(both.here, &byte, 1, soon()), -ECONNRESET);
	part(&both);
}

/* Lending ----------------------------------------------------------------------------------------------------- */

static inline int read_stream(void *arg)
{
	static uint8_t buf[10000];
	size_t at = 0;
	ssize_t len;

	while ((len = tcp_read(arg, buf, sizeof buf, soon())) > 0) {
		for (size_t i = 0; i < (size_t)len; i++)
			must(buf[i] == byte_at(at + i));
		at += (size_t)len;
	}
	return len < 0 ? (int)len : (int)at;
}

static inline uint8_t *stream_in_memory(void)
{
	uint8_t *bytes = malloc(STREAM_BYTES);

	for (size_t i = 0; i < STREAM_BYTES; i++)
		bytes[i] = byte_at(i);
	return bytes;
}

CALLS_TEST(what_is_delivered_from_where_it_lies_is_exact)
{
	struct joined both = join();
	uint8_t *bytes = stream_in_memory();
	struct task *reader;
	int result;

	must(task_spawn(NULL, read_stream, both.there, &reader) == 0);
	assert_int_equal(tcp_deliver(both.here, bytes, 0, soon()), 0);
	assert_int_equal(tcp_deliver(both.here, bytes, STREAM_BYTES, soon()), STREAM_BYTES);
	free(bytes);
	assert_int_equal(tcp_shutdown(both.here), 0);
	must(task_await(reader, &result, soon()) == 0);
	assert_int_equal(result, STREAM_BYTES);
	part(&both);
}

static unsigned loans_released, loans_failed;

static inline void count_loan(struct tcp_loan *loan, int error)
{
	loans_released++;
	loans_failed += error != 0;
	memset(loan, 0x55, sizeof *loan); /* it is the caller's again */
}

/* Of all sizes, with written bytes in front of, between and behind them. */
CALLS_TEST(loans_and_written_bytes_arrive_in_their_order)
{
	enum { LOANS = 150 };
	struct joined both = join();
	uint8_t *bytes = stream_in_memory();
	static struct tcp_loan loans[LOANS];
	struct task *reader;
	size_t at = 0;
	int result;

	loans_released = loans_failed = 0;
	must(task_spawn(NULL, read_stream, both.there, &reader) == 0);
	for (size_t i = 0; i < LOANS; i++) {
		size_t lent = 1 + i * i * 7 % 9000, written = i % 3 == 0 ? 0 : i * 31 % 4000;

		must(at + lent + written <= STREAM_BYTES);
		loans[i] = (struct tcp_loan){ .data = bytes + at, .len = lent, .released = count_loan };
		must(tcp_lend(both.here, &loans[i], soon()) == 0);
		at += lent;
		must(written == 0 || tcp_write(both.here, bytes + at, written, soon()) == (ssize_t)written);
		at += written;
	}
	assert_int_equal(tcp_shutdown(both.here), 0);
	must(task_await(reader, &result, soon()) == 0);
	assert_int_equal(result, at);
	settle();
	assert_int_equal(loans_released, LOANS);
	assert_int_equal(loans_failed, 0);
	free(bytes);
	part(&both);
}

static inline void free_loan(struct tcp_loan *loan, int error)
{
	must(error == 0);
	loans_released++;
	free(loan);
}

CALLS_TEST(what_is_lent_is_still_delivered_after_closing)
{
	enum { LEN = 100000 };
	struct joined both = join();
	struct tcp_loan *loan = calloc(1, sizeof *loan + LEN);
	uint8_t *bytes = (uint8_t *)(loan + 1);

	loans_released = 0;
	for (size_t i = 0; i < LEN; i++)
		bytes[i] = byte_at(i);
	loan->data = bytes;
	loan->len = LEN;
	loan->released = free_loan;
	assert_int_equal(tcp_lend(both.here, loan, soon()), 0);
	tcp_close(both.here);
	both.here = NULL;
	assert_int_equal(read_stream(both.there), LEN);
	settle();
	assert_int_equal(loans_released, 1);
	part(&both);
}

CALLS_TEST(a_loan_that_cannot_be_is_refused)
{
	struct joined both = join();
	struct tcp_loan loan = { .data = "x", .len = 0, .released = count_loan };

	loans_released = 0;
	assert_int_equal(tcp_lend(both.here, &loan, soon()), -EINVAL);
	loan.len = (size_t)TCP_LOAN_MAX + 1;
	assert_int_equal(tcp_lend(both.here, &loan, soon()), -EINVAL);
	loan.len = 1;
	assert_int_equal(tcp_shutdown(both.here), 0);
	assert_int_equal(tcp_lend(both.here, &loan, soon()), -EPIPE);
	assert_int_equal(loans_released, 0);
	part(&both);
}

/* The reader does not read: the peer's window closes, and the call cannot end. */
static inline int deliver_much(void *arg)
{
	size_t len = 64 << 20;
	uint8_t *bytes = calloc(1, len);
	ssize_t sent = tcp_deliver(arg, bytes, len, FOREVER);

	free(bytes); /* so the sanitizer sees who looks at them again */
	return (int)sent;
}

CALLS_TEST(a_cancelled_delivery_resets_and_touches_the_bytes_no_more)
{
	struct joined both = join();
	uint8_t buf[4096];
	struct task *sender;
	ssize_t len;

	must(task_spawn(NULL, deliver_much, both.here, &sender) == 0);
	must(task_sleep(clock_deadline(MSEC(50))) == 0);
	task_cancel(sender);
	assert_int_equal(tcp_write(both.here, "x", 1, soon()), -ECONNRESET);
	while ((len = tcp_read(both.there, buf, sizeof buf, soon())) > 0)
		;
	assert_int_equal(len, -ECONNRESET);
	part(&both);
}

CALLS_TEST(a_delivery_that_is_reset_says_so)
{
	struct joined both = join();
	struct task *sender;
	int result;

	must(task_spawn(NULL, deliver_much, both.here, &sender) == 0);
	must(task_sleep(clock_deadline(MSEC(50))) == 0);
	tcp_abort(both.there);
	both.there = NULL;
	must(task_await(sender, &result, soon()) == 0);
	assert_int_equal(result, -ECONNRESET);
	part(&both);
}

/* Listening --------------------------------------------------------------------------------------------------- */

CALLS_TEST(a_listener_has_the_queue_that_it_asks_for)
{
	struct ip_endpoint peer = there_at(PORT), address;
	struct tcp_listening listening = { .backlog = TCP_BACKLOG_MAX + 1 };
	struct tcp *first, *second, *served[2];
	struct tcp_listener *listener;

	assert_int_equal(tcp_listen_with(there(), PORT, &listening, &listener), -EINVAL);
	listening.backlog = 2;
	assert_int_equal(tcp_listen_with(there(), 0, &listening, &listener), -EINVAL);
	assert_int_equal(tcp_listen_with(there(), PORT, &listening, &listener), 0);
	assert_int_equal(tcp_connect(here(), &peer, &first, soon()), 0);
	assert_int_equal(tcp_connect(here(), &peer, &second, soon()), 0);
	assert_int_equal(tcp_accept(listener, &served[0], soon()), 0);
	assert_int_equal(tcp_accept(listener, &served[1], soon()), 0);
	assert_ptr_not_equal(served[0], served[1]);
	/* In order, and each end knows the other's address. */
	tcp_local(first, &address);
	tcp_peer(served[0], &peer);
	assert_int_equal(peer.port, address.port);
	assert_true(ip_equal(&peer.address, &address.address));
	tcp_peer(second, &peer);
	tcp_local(served[1], &address);
	assert_int_equal(peer.port, PORT);
	assert_int_equal(address.port, PORT);
	assert_true(ip_equal(&peer.address, &address.address));
	tcp_close(first);
	tcp_close(second);
	tcp_close(served[0]);
	tcp_close(served[1]);
	tcp_unlisten(listener);
}

static inline int accept_and_tell(void *arg)
{
	struct ip_endpoint peer;
	struct tcp *flow;

	must(tcp_accept(arg, &flow, soon()) == 0);
	tcp_peer(flow, &peer);
	tcp_close(flow);
	return peer.port;
}

CALLS_TEST(tasks_that_accept_at_once_get_different_flows)
{
	enum { TASKS = 5 };
	struct ip_endpoint peer = there_at(PORT), local;
	struct task *tasks[TASKS];
	struct tcp *flows[TASKS];
	struct tcp_listener *listener;
	int ports[TASKS], found = 0;

	must(tcp_listen(there(), PORT, &listener) == 0);
	for (int i = 0; i < TASKS; i++)
		must(task_spawn(NULL, accept_and_tell, listener, &tasks[i]) == 0);
	for (int i = 0; i < TASKS; i++)
		must(tcp_connect(here(), &peer, &flows[i], soon()) == 0);
	must(task_await_all(tasks, TASKS, ports, soon()) == 0);
	for (int i = 0; i < TASKS; i++) {
		tcp_local(flows[i], &local);
		for (int j = 0; j < TASKS; j++)
			found += ports[j] == local.port;
		tcp_close(flows[i]);
	}
	assert_int_equal(found, TASKS);
	tcp_unlisten(listener);
}

/* UDP --------------------------------------------------------------------------------------------------------- */

static inline struct udp *bound(struct stack *on)
{
	struct udp *socket = NULL;

	must(udp_bind(on, 0, &socket) == 0);
	return socket;
}

static inline void expect_text(struct udp *socket, const char *text)
{
	char buf[64];

	assert_int_equal(udp_receive(socket, buf, sizeof buf, NULL, soon()), strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static inline void send_datagram(struct udp *socket, const struct ip_endpoint *to, const char *text)
{
	assert_int_equal(udp_send(socket, to, text, strlen(text), soon()), 0);
}

CALLS_TEST(a_connected_socket_hears_its_peer_alone)
{
	struct udp *server = bound(there()), *a = bound(here()), *b = bound(here());
	struct ip_endpoint at = there_at(udp_port(server)), peer;
	char buf[16];

	send_datagram(b, &at, "b, early");
	send_datagram(a, &at, "a, early");
	settle();
	assert_int_equal(udp_receive(server, buf, sizeof buf, &peer, soon()), 8);
	peer.port = udp_port(a);
	send_datagram(b, &at, "b, waiting");
	settle();
	assert_int_equal(udp_connect(server, &peer, soon()), 0);
	send_datagram(b, &at, "b, late");
	send_datagram(a, &at, "a, late");
	expect_text(server, "a, early");
	expect_text(server, "a, late");
	assert_int_equal(udp_receive(server, buf, sizeof buf, NULL, clock_deadline(MSEC(5))), -ETIMEDOUT);
	udp_close(server);
	udp_close(a);
	udp_close(b);
}

CALLS_TEST(a_connected_socket_sends_to_its_peer_and_may_be_for_all_again)
{
	struct udp *server = bound(there()), *client = bound(here()), *other = bound(here());
	struct ip_endpoint at = there_at(udp_port(server)), from, nobody = at;
	uint16_t port_before = udp_port(server);
	char buf[16];

	assert_int_equal(udp_send(client, NULL, "x", 1, soon()), -EDESTADDRREQ);
	nobody.port = 0;
	assert_int_equal(udp_connect(client, &nobody, soon()), -EINVAL);
	assert_int_equal(udp_connect(client, &at, soon()), 0);
	send_datagram(client, NULL, "hello");
	assert_int_equal(udp_receive(server, buf, sizeof buf, &from, soon()), 5);
	assert_int_equal(from.port, udp_port(client));
	assert_int_equal(udp_connect(server, &from, soon()), 0);
	send_datagram(server, NULL, "welcome");
	expect_text(client, "welcome");
	assert_int_equal(udp_connect(server, NULL, soon()), 0);
	assert_int_equal(udp_send(server, NULL, "x", 1, soon()), -EDESTADDRREQ);
	assert_int_equal(udp_port(server), port_before);
	send_datagram(other, &at, "me, too");
	expect_text(server, "me, too");
	udp_close(server);
	udp_close(client);
	udp_close(other);
}

/* RFC 1122, 4.1.3.3, for who only listens. */
CALLS_TEST(a_connected_receiver_is_told_that_nobody_has_the_port)
{
	struct udp *gone = bound(there()), *client = bound(here());
	struct ip_endpoint at = there_at(udp_port(gone));
	char buf[16];

	udp_close(gone);
	assert_int_equal(udp_connect(client, &at, soon()), 0);
	send_datagram(client, NULL, "anybody?");
	assert_int_equal(udp_receive(client, buf, sizeof buf, NULL, soon()), -ECONNREFUSED);
	assert_int_equal(udp_receive(client, buf, sizeof buf, NULL, clock_deadline(MSEC(5))), -ETIMEDOUT);
	udp_close(client);
}

/* RFC 9293, 3.9.1 (MUST-43) */
CALLS_TEST(an_address_of_ours_is_chosen_and_a_stranger_s_refused)
{
	const struct ip_address strange = ip_from_v4((const uint8_t[]){ 192, 0, 2, 77 });
	struct ip_endpoint at = there_at(PORT), seen;
	struct tcp_listening listening = { .address = strange };
	struct tcp_tuning tuning = { .local = strange };
	struct joined both = { 0 };

	assert_int_equal(tcp_listen_with(there(), PORT, &listening, &both.listener), -EADDRNOTAVAIL);
	listening.address = at.address;
	assert_int_equal(tcp_listen_with(there(), PORT, &listening, &both.listener), 0);
	assert_int_equal(tcp_connect_tuned(here(), &at, &tuning, &both.here, soon()), -EADDRNOTAVAIL);
	tuning.local = ip_unspecified;
	assert_int_equal(tcp_connect_tuned(here(), &at, &tuning, &both.here, soon()), 0);
	assert_int_equal(tcp_accept(both.listener, &both.there, soon()), 0);
	tcp_peer(both.there, &seen);
	tuning.local = seen.address;
	tcp_close(both.here);
	tcp_close(both.there);
	assert_int_equal(tcp_connect_tuned(here(), &at, &tuning, &both.here, soon()), 0);
	assert_int_equal(tcp_accept(both.listener, &both.there, soon()), 0);
	tcp_local(both.here, &seen);
	assert_true(ip_equal(&seen.address, &tuning.local));
	part(&both);
}

/* RFC 9293, 3.9.2 (MUST-48 and 49); RFC 1122, 4.1.4. What stands in the packets is tested where they are seen. */
CALLS_TEST(what_headers_say_is_set_and_checked)
{
	struct joined both = join();
	struct udp *socket = bound(here());
	struct tcp_tuning tuning = { .dscp = 63, .ttl = 255 };

	assert_int_equal(tcp_tune(both.here, &tuning), 0);
	tuning.dscp = 64;
	assert_int_equal(tcp_tune(both.here, &tuning), -EINVAL);
	assert_int_equal(udp_set_header(socket, 63, 255), 0);
	assert_int_equal(udp_set_header(socket, 64, 255), -EINVAL);
	udp_close(socket);
	part(&both);
}

/* RFC 1122, 4.1.3.5 */
CALLS_TEST(an_answer_comes_from_the_address_that_was_asked)
{
	struct udp *server = bound(there()), *client = bound(here());
	struct ip_endpoint at = there_at(udp_port(server)), from, answerer;
	struct ip_address asked, strange = ip_from_v4((const uint8_t[]){ 192, 0, 2, 77 });
	char buf[16];

	send_datagram(client, &at, "ask");
	assert_int_equal(udp_receive_to(server, buf, sizeof buf, &from, &asked, soon()), 3);
	assert_true(ip_equal(&asked, &at.address));
	assert_int_equal(udp_send_from(server, &asked, &from, "answer", 6, soon()), 0);
	assert_int_equal(udp_receive(client, buf, sizeof buf, &answerer, soon()), 6);
	assert_true(ip_equal(&answerer.address, &at.address));
	assert_int_equal(udp_send_from(server, &strange, &from, "lie", 3, soon()), -EADDRNOTAVAIL);
	assert_int_equal(udp_send_from(server, &ip_unspecified, &from, "again", 5, soon()), 0);
	expect_text(client, "again");
	udp_close(server);
	udp_close(client);
}

CALLS_TEST(a_queue_holds_as_many_bytes_as_it_is_told)
{
	struct udp *server = bound(there()), *client = bound(here());
	struct ip_endpoint at = there_at(udp_port(server));
	static uint8_t large[1000];
	size_t few = 0, many = 0;

	udp_set_queue(server, 8000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(udp_send(client, &at, large, sizeof large, soon()), 0);
	settle();
	while (udp_receive(server, large, sizeof large, NULL, clock_deadline(MSEC(5))) > 0)
		few++;
	udp_set_queue(server, 80000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(udp_send(client, &at, large, sizeof large, soon()), 0);
	settle();
	while (udp_receive(server, large, sizeof large, NULL, clock_deadline(MSEC(5))) > 0)
		many++;
	assert_in_range(few, 3, 20); /* the host counts its own memory, twice */
	assert_in_range(many, 30, 99);
	udp_close(server);
	udp_close(client);
}

#endif
