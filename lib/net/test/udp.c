/* SPDX-License-Identifier: ISC
 *
 * UDP sockets on a whole stack, 10.0.0.2/24, from RFC 768, RFC 1122 (4.1) and udp.h.
 */
#include <stdio.h>

#include "lib/net/test/cable.h"

#define HOST "10.0.0.1"
#define US   "10.0.0.2"

static struct cable *cable;
static struct packet packet;

static int setup(void **state)
{
	(void)state;
	cable = cable_open(US, 24, NULL);
	give_arp(cable, 1, HOST, US);
	drop_sent(cable);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	return 0;
}

static struct udp *bound(uint16_t port)
{
	struct udp *socket = NULL;

	assert_int_equal(udp_bind(cable->stack, port, &socket), 0);
	return socket;
}

static void give_datagram(uint16_t port, const void *data, size_t len)
{
	put_udp(&packet, HOST, 1234, US, port, data, len);
	give_packet(cable, &packet);
}

static void expect_datagram(struct udp *socket, const void *data, size_t len)
{
	uint8_t *buf = malloc(len ? len : 1);
	struct ip_endpoint from;
	char text[IP_ENDPOINT_TEXT_MAX];

	assert_int_equal(udp_receive(socket, buf, len, &from, 0), len);
	if (len)
		assert_memory_equal(buf, data, len);
	assert_string_equal(ip_endpoint_format(&from, text), HOST ":1234");
	free(buf);
}

/* Runs in a task, and gives its result. */
static int in_task(int (*run)(void *arg), void *arg)
{
	int result;

	assert_int_equal(task_run(run, arg, &result), 0);
	return result;
}

static void datagrams_come_in_order_and_whole(void **state)
{
	static uint8_t large[1472];
	struct udp *socket = bound(53);

	(void)state;
	memset(large, 0x5a, sizeof large);
	give_datagram(53, "one", 3);
	give_datagram(53, "", 0);
	give_datagram(53, large, sizeof large);
	expect_datagram(socket, "one", 3);
	expect_datagram(socket, "", 0);
	expect_datagram(socket, large, sizeof large);
	udp_close(socket);
}

static void a_datagram_larger_than_the_buffer_tells_its_length(void **state)
{
	struct udp *socket = bound(53);
	char buf[4] = "";

	(void)state;
	give_datagram(53, "abcdefgh", 8);
	give_datagram(53, "next", 4);
	assert_int_equal(udp_receive(socket, buf, 3, NULL, 0), 8);
	assert_string_equal(buf, "abc");
	expect_datagram(socket, "next", 4);
	udp_close(socket);
}

static void a_datagram_to_many_tells_no_address_to_answer_from(void **state)
{
	struct udp *socket = bound(53);
	struct ip_address to;
	char text[IP_TEXT_MAX];

	(void)state;
	give_datagram(53, "us", 2);
	put_udp(&packet, HOST, 1234, "10.0.0.255", 53, "all", 3);
	give_packet(cable, &packet);
	assert_int_equal(udp_receive_to(socket, NULL, 0, NULL, &to, 0), 2);
	assert_string_equal(ip_format(&to, text), US);
	assert_int_equal(udp_receive_to(socket, NULL, 0, NULL, &to, 0), 3);
	assert_true(ip_equal(&to, &ip_unspecified));
	udp_close(socket);
}

static int send_from_loopback(void *arg)
{
	const struct ip_address loopback = ip_from_v4((const uint8_t[]){ 127, 0, 0, 1 });
	struct ip_endpoint to = { .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }), .port = 7 };

	return udp_send_from(arg, &loopback, &to, "x", 1, clock_deadline(SECOND(1)));
}

/* RFC 1122, 3.2.1.3 g */
static void nothing_leaves_from_a_loopback_address(void **state)
{
	struct udp *socket = bound(53);

	(void)state;
	assert_int_equal(in_task(send_from_loopback, socket), -EADDRNOTAVAIL);
	assert_null(take(cable));
	udp_close(socket);
}

static void datagrams_reach_their_own_port_only(void **state)
{
	struct udp *a = bound(53), *b = bound(53 + 64), *c = bound(54); /* 117 shares a bucket with 53 */

	(void)state;
	give_datagram(53 + 64, "b", 1);
	give_datagram(54, "c", 1);
	give_datagram(53, "a", 1);
	expect_datagram(a, "a", 1);
	expect_datagram(b, "b", 1);
	expect_datagram(c, "c", 1);
	udp_close(a);
	udp_close(c);
	give_datagram(53 + 64, "still", 5);
	expect_datagram(b, "still", 5);
	udp_close(b);
}

static void a_port_can_be_bound_once_at_a_time(void **state)
{
	struct udp *socket = bound(53), *other = NULL;

	(void)state;
	assert_int_equal(udp_bind(cable->stack, 53, &other), -EADDRINUSE);
	assert_null(other);
	assert_int_equal(udp_port(socket), 53);
	udp_close(socket);
	udp_close(bound(53));
}

/* RFC 6056, 3.3.1 */
static void a_chosen_port_is_random_and_the_search_ends_when_all_are_taken(void **state)
{
	enum { DYNAMIC = 65536 - 49152 };
	struct udp **sockets = calloc(DYNAMIC + 1, sizeof(struct udp *));
	unsigned successors = 0;

	(void)state;
	for (unsigned i = 0; i < DYNAMIC; i++) {
		sockets[i] = bound(0);
		assert_in_range(udp_port(sockets[i]), 49152, 65535);
		successors += i > 0 && i < 1000 && udp_port(sockets[i]) == udp_port(sockets[i - 1]) + 1;
	}
	assert_true(successors < 100);
	assert_int_equal(udp_bind(cable->stack, 0, &sockets[DYNAMIC]), -EADDRINUSE);
	for (unsigned i = 0; i < DYNAMIC; i++)
		udp_close(sockets[i]);
	free(sockets);
}

/* RFC 1122, 4.1.3.4; RFC 768: 0 means that the sender made none */
static void a_wrong_checksum_is_dropped_and_none_is_accepted(void **state)
{
	struct udp *socket = bound(53);
	const struct platform_net_meta verified = { .checksum_verified = true }, partial = { .checksum_partial = true };

	(void)state;
	put_udp(&packet, HOST, 1234, US, 53, "abc", 3);
	packet.bytes[FRAME_HEADERS + 8] ^= 1;
	give_packet(cable, &packet);
	assert_int_equal(counted(cable).drops[DROP_UDP_CHECKSUM], 1);
	assert_null(take(cable));
	/* The link vouches for it: RFC 768's checksum is not looked at. */
	arrive(cable, packet.bytes, packet.len, &verified);
	arrive(cable, packet.bytes, packet.len, &partial);
	give_datagram(53, "abc", 3);
	expect_datagram(socket, "`bc", 3);
	expect_datagram(socket, "`bc", 3);
	expect_datagram(socket, "abc", 3);
	wire_put16(packet.bytes + FRAME_HEADERS + 6, 0);
	give_packet(cable, &packet);
	expect_datagram(socket, "abc", 3);
	udp_close(socket);
}

static void a_length_that_cannot_be_is_dropped_and_a_shorter_one_cuts(void **state)
{
	static const uint16_t lengths[] = { 0, 7, 8 + 9, 65535 };
	struct udp *socket = bound(53);

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		put_udp(&packet, HOST, 1234, US, 53, "abcdefgh", 8);
		wire_put16(packet.bytes + FRAME_HEADERS + 4, lengths[i]);
		wire_put16(packet.bytes + FRAME_HEADERS + 6, 0);
		give_packet(cable, &packet);
		assert_int_equal(counted(cable).drops[DROP_UDP_HEADER], i + 1);
	}
	for (size_t len = 0; len < 8; len++) {
		put_ip(&packet, HOST, US, IP_PROTOCOL_UDP, "\0\1\0\65\0\10\0\0", len);
		give_packet(cable, &packet);
	}
	assert_int_equal(counted(cable).drops[DROP_UDP_HEADER], sizeof lengths / sizeof *lengths + 8);
	put_udp(&packet, HOST, 1234, US, 53, "abcdefgh", 8);
	wire_put16(packet.bytes + FRAME_HEADERS + 4, 8 + 3);
	wire_put16(packet.bytes + FRAME_HEADERS + 6, 0);
	give_packet(cable, &packet);
	expect_datagram(socket, "abc", 3);
	udp_close(socket);
}

/* Takes all that is queued, which is in order, and then 0 bytes: how many there were. */
static int count_queued(void *socket)
{
	uint8_t data[1000];
	ssize_t len;
	int count = 0;

	for (; (len = udp_receive(socket, data, sizeof data, NULL, AT_ONCE)) >= 0; count++)
		if (len > 0)
			assert_int_equal(data[0] | data[1] << 8, count);
	assert_int_equal(len, -EAGAIN);
	return count;
}

static void a_queue_is_bounded_in_bytes_and_loses_the_latest(void **state)
{
	static uint8_t data[1000];
	struct udp *socket = bound(53);
	int count;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		data[0] = (uint8_t)i;
		data[1] = (uint8_t)(i >> 8);
		give_datagram(53, data, sizeof data);
	}
	/* No empty datagrams either: each costs its head. */
	for (unsigned i = 0; i < 20000; i++)
		give_datagram(53, "", 0);
	count = in_task(count_queued, socket);
	assert_in_range(count, UDP_QUEUE_BYTES / 1100, UDP_QUEUE_BYTES / 1000 + 64);
	assert_int_equal(counted(cable).drops[DROP_UDP_QUEUE_FULL], 22000 - (uint64_t)count);
	udp_close(socket);
}

static int receive_for_a_second(void *socket)
{
	return (int)udp_receive(socket, NULL, 0, NULL, task_now() + SECOND(1));
}

static void receiving_waits_until_its_deadline(void **state)
{
	struct udp *socket = bound(53);
	uint64_t before = virtual_now;

	(void)state;
	assert_int_equal(in_task(receive_for_a_second, socket), -ETIMEDOUT);
	assert_int_equal(virtual_now - before, SECOND(1));
	give_datagram(53, "four", 4);
	assert_int_equal(in_task(receive_for_a_second, socket), 4);
	udp_close(socket);
}

static int cancelled_receiver_loses_nothing(void *arg)
{
	struct udp *socket = arg;
	struct task *task;

	assert_int_equal(task_spawn(NULL, receive_for_a_second, socket, &task), 0);
	assert_int_equal(task_yield(), 0);
	give_datagram(53, "four", 4); /* wakes it, but it has not run when it is cancelled */
	task_cancel(task);
	return (int)udp_receive(socket, NULL, 0, NULL, 0);
}

static void a_cancelled_receiver_leaves_the_datagram_to_the_next(void **state)
{
	struct udp *socket = bound(53);

	(void)state;
	assert_int_equal(in_task(cancelled_receiver_loses_nothing, socket), 4);
	udp_close(socket);
}

/* Sending ----------------------------------------------------------------------------------------------------- */

struct sending {
	struct udp *socket;
	const char *to;
	const void *data;
	size_t len;
	uint64_t patience_ns;
};

static int send_datagram(void *arg)
{
	const struct sending *s = arg;
	struct ip_endpoint to = { .port = 4321 };

	assert_int_equal(ip_parse(s->to, &to.address), 0);
	return udp_send(s->socket, &to, s->data, s->len, task_now() + s->patience_ns);
}

static void a_sent_datagram_is_rfc_768s(void **state)
{
	struct sending sending = { bound(53), HOST, "hello", 5, 0 };
	const struct frame *frame;
	uint32_t sum;
	struct ip_address us = own_of(cable)->address, host = ipv4_address(number_of(HOST));

	(void)state;
	assert_int_equal(in_task(send_datagram, &sending), 0);
	frame = take(cable);
	assert_int_equal(frame->len, FRAME_HEADERS + 8 + 5);
	assert_memory_equal(frame->bytes + FRAME_HEADERS, "\0\65\20\341\0\15", 6);
	assert_memory_equal(frame->bytes + FRAME_HEADERS + 8, "hello", 5);
	sum = checksum_pseudo(&us, &host, IP_PROTOCOL_UDP, 13);
	assert_int_equal(checksum_finish(checksum_add(sum, frame->bytes + FRAME_HEADERS, 13)), 0);
	udp_close(sending.socket);
}

/* RFC 768: "If the computed checksum is zero, it is transmitted as all ones" */
static void a_checksum_of_zero_is_sent_as_ones(void **state)
{
	uint8_t data[2];
	struct sending sending = { bound(53), HOST, data, sizeof data, 0 };
	const struct frame *frame;
	uint16_t checksum;

	(void)state;
	wire_put16(data, 0);
	assert_int_equal(in_task(send_datagram, &sending), 0);
	checksum = wire_get16(take(cable)->bytes + FRAME_HEADERS + 6);
	wire_put16(data, checksum); /* what was lacking to all ones */
	assert_int_equal(in_task(send_datagram, &sending), 0);
	frame = take(cable);
	assert_int_equal(wire_get16(frame->bytes + FRAME_HEADERS + 6), 0xffff);
	udp_close(sending.socket);
}

static void what_is_too_large_or_has_no_way_is_refused(void **state)
{
	static uint8_t data[UDP_PAYLOAD_MAX + 1];
	struct sending sending = { bound(53), HOST, data, sizeof data, 0 };

	(void)state;
	assert_int_equal(in_task(send_datagram, &sending), -EMSGSIZE);
	sending.len = 1;
	sending.to = "192.0.2.1";
	assert_int_equal(in_task(send_datagram, &sending), -ENETUNREACH);
	udp_close(sending.socket);
}

/* RFC 1122, 3.3.3 */
static void what_is_larger_than_the_link_takes_goes_in_fragments(void **state)
{
	static uint8_t data[UDP_PAYLOAD_MAX], whole[UDP_PAYLOAD_MAX + 8];
	struct sending sending = { bound(53), HOST, data, CABLE_MTU - 28, 0 };
	struct ip_address us = own_of(cable)->address, host = ipv4_address(number_of(HOST));
	const struct frame *frame;
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	cable->net.info.features = PLATFORM_NET_CHECKSUM; /* which is of no use for fragments */
	assert_int_equal(in_task(send_datagram, &sending), 0);
	assert_int_equal(wire_get16(take(cable)->bytes + 20), IPV4_DONT_FRAGMENT);
	assert_null(take(cable));
	sending.len = sizeof data;
	assert_int_equal(in_task(send_datagram, &sending), 0);
	while ((frame = take(cable))) {
		size_t len = frame->len - FRAME_HEADERS;
		uint16_t field = wire_get16(frame->bytes + 20);

		assert_in_range(frame->len, FRAME_HEADERS + 1, 14 + CABLE_MTU);
		assert_false(frame->meta.checksum_partial);
		assert_int_equal((field & IPV4_OFFSET_MASK) * 8u, at);
		memcpy(whole + at, frame->bytes + FRAME_HEADERS, len);
		at += len;
		assert_int_equal(!(field & IPV4_MORE_FRAGMENTS), at == sizeof whole);
	}
	assert_int_equal(at, sizeof whole);
	assert_memory_equal(whole + 8, data, sizeof data);
	assert_int_equal(checksum_finish(checksum_add(
				 checksum_pseudo(&us, &host, IP_PROTOCOL_UDP, sizeof whole), whole, sizeof whole)),
		0);
	udp_close(sending.socket);
}

/* RFC 6864, 4.3 and RFC 7739: none is used again soon, and who has seen some cannot tell the next */
static void identifications_of_fragments_differ_and_follow_no_rule(void **state)
{
	enum { DATAGRAMS = 800, RULES_LEAST = 700 };
	static uint8_t data[CABLE_MTU], seen[UINT16_MAX + 1], step_seen[UINT16_MAX + 1];
	struct sending sending = { bound(53), HOST, data, sizeof data, 0 };
	uint16_t id, last = 0;
	unsigned steps = 0;

	(void)state;
	for (int i = 0; i < DATAGRAMS; i++) {
		assert_int_equal(in_task(send_datagram, &sending), 0);
		id = wire_get16(take(cable)->bytes + 18);
		assert_int_equal(wire_get16(take(cable)->bytes + 18), id);
		assert_false(seen[id]);
		seen[id] = 1;
		steps += !step_seen[(uint16_t)(id - last)];
		step_seen[(uint16_t)(id - last)] = 1;
		last = id;
	}
	assert_in_range(steps, RULES_LEAST, DATAGRAMS);
	udp_close(sending.socket);
}

static int answer_arp_later(void *to)
{
	int err = task_sleep(task_now() + MSEC(1500));

	if (err == 0)
		give_arp(cable, 2, to, US);
	return err;
}

static int send_to_slow_neighbour(void *arg)
{
	struct sending *sending = arg;
	struct task *neighbour;
	char to[] = "10.0.0.9";
	int sent = task_spawn(NULL, answer_arp_later, to, &neighbour);

	assert_int_equal(sent, 0);
	sent = send_datagram(sending);
	assert_int_equal(task_await(neighbour, NULL, FOREVER), 0);
	return sent;
}

static void sending_waits_for_the_neighbours_answer(void **state)
{
	struct sending sending = { bound(53), "10.0.0.9", "x", 1, SECOND(10) };

	(void)state;
	assert_int_equal(in_task(send_to_slow_neighbour, &sending), 0);
	assert_true(is_arp_request(take(cable), "10.0.0.9"));
	assert_true(is_arp_request(take(cable), "10.0.0.9"));
	assert_int_equal(take(cable)->len, FRAME_HEADERS + 9);
	assert_null(take(cable));
	udp_close(sending.socket);
}

static void sending_to_a_neighbour_that_does_not_answer_fails(void **state)
{
	struct sending sending = { bound(53), "10.0.0.9", "x", 1, SECOND(10) };
	uint64_t before = virtual_now;

	(void)state;
	assert_int_equal(in_task(send_datagram, &sending), -EHOSTUNREACH);
	assert_int_equal(virtual_now - before, ARP_TRIES * ARP_RETRY_NS);
	pass(ARP_FAILED_NS);
	sending.patience_ns = MSEC(10);
	assert_int_equal(in_task(send_datagram, &sending), -ETIMEDOUT);
	udp_close(sending.socket);
}

static int make_room_later(void *arg)
{
	(void)arg;
	if (task_sleep(task_now() + MSEC(3)) < 0)
		return -ECANCELED;
	cable->send_error = 0;
	return 0;
}

static int send_on_full_link(void *arg)
{
	struct task *task;
	int err = task_spawn(NULL, make_room_later, NULL, &task);

	assert_int_equal(err, 0);
	cable->send_error = -EAGAIN;
	err = send_datagram(arg);
	assert_int_equal(task_await(task, NULL, FOREVER), 0);
	return err;
}

static void sending_waits_while_the_link_is_full(void **state)
{
	struct sending sending = { bound(53), HOST, "x", 1, SECOND(10) };

	(void)state;
	assert_int_equal(in_task(send_on_full_link, &sending), 0);
	assert_non_null(take(cable));
	assert_null(take(cable));
	cable->send_error = -EAGAIN;
	sending.patience_ns = MSEC(10);
	assert_int_equal(in_task(send_datagram, &sending), -ETIMEDOUT);
	cable->send_error = -EIO;
	assert_int_equal(in_task(send_datagram, &sending), -ENETUNREACH);
	udp_close(sending.socket);
}

/* RFC 1122, 4.1.3.3 */
static void an_icmp_error_is_told_once_to_who_sends_there_again(void **state)
{
	struct sending sending = { bound(53), HOST, "x", 1, 0 };
	struct packet about;

	(void)state;
	assert_int_equal(in_task(send_datagram, &sending), 0);
	put_udp(&about, US, 53, HOST, 4321, "x", 1);
	put_icmp(&packet, HOST, US, 3, 3, 0, ip_header(&about), IPV4_HEADER + 8);
	give_packet(cable, &packet);
	sending.to = "10.0.0.255";
	assert_int_equal(in_task(send_datagram, &sending), 0); /* another destination */
	sending.to = HOST;
	assert_int_equal(in_task(send_datagram, &sending), -ECONNREFUSED);
	assert_int_equal(in_task(send_datagram, &sending), 0);
	put_icmp(&packet, HOST, US, 11, 0, 0, ip_header(&about), IPV4_HEADER + 8);
	give_packet(cable, &packet);
	assert_int_equal(in_task(send_datagram, &sending), -EHOSTUNREACH);
	udp_close(sending.socket);
}

static void a_link_that_completes_checksums_is_given_the_partial_one(void **state)
{
	struct sending sending = { bound(53), HOST, "hello", 5, 0 };
	struct ip_address us = own_of(cable)->address, host = ipv4_address(number_of(HOST));
	const struct frame *frame;

	(void)state;
	cable->net.info.features = PLATFORM_NET_CHECKSUM;
	assert_int_equal(in_task(send_datagram, &sending), 0);
	frame = take(cable);
	assert_true(frame->meta.checksum_partial);
	assert_int_equal(frame->meta.checksum_start, FRAME_HEADERS);
	assert_int_equal(frame->meta.checksum_offset, 6);
	/* What the link does: sums from start to end, with the partial sum in its place. */
	wire_put16(
		frame->bytes + FRAME_HEADERS + 6, checksum_finish(checksum_add(0, frame->bytes + FRAME_HEADERS, 13)));
	assert_int_equal(checksum_finish(checksum_add(
				 checksum_pseudo(&us, &host, IP_PROTOCOL_UDP, 13), frame->bytes + FRAME_HEADERS, 13)),
		0);
	udp_close(sending.socket);
}

/* Closing ----------------------------------------------------------------------------------------------------- */

static int wait_for_ever(void *socket)
{
	return (int)udp_receive(socket, NULL, 0, NULL, FOREVER);
}

static int close_under_a_receiver(void *arg)
{
	struct task *task;
	int result;

	assert_int_equal(task_spawn(NULL, wait_for_ever, arg, &task), 0);
	assert_int_equal(task_yield(), 0);
	stack_close(cable->stack);
	cable->stack = NULL;
	assert_int_equal(task_await(task, &result, FOREVER), 0);
	return result;
}

static void a_socket_outlives_its_stack_and_says_so(void **state)
{
	struct sending sending = { bound(53), HOST, "hello", 5, 0 };

	(void)state;
	assert_int_equal(in_task(close_under_a_receiver, sending.socket), -ECONNRESET);
	assert_int_equal(in_task(send_datagram, &sending), -ECONNRESET);
	assert_int_equal(in_task(wait_for_ever, sending.socket), -ECONNRESET);
	udp_close(sending.socket);
	udp_close(NULL);
}

static void closing_frees_what_is_queued(void **state)
{
	struct udp *socket = bound(53);

	(void)state;
	for (int i = 0; i < 10; i++)
		give_datagram(53, "queued", 6);
	udp_close_resource(socket); /* the address sanitizer finds what leaks */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(datagrams_come_in_order_and_whole),
		TEST(a_datagram_larger_than_the_buffer_tells_its_length),
		TEST(a_datagram_to_many_tells_no_address_to_answer_from),
		TEST(nothing_leaves_from_a_loopback_address),
		TEST(datagrams_reach_their_own_port_only),
		TEST(a_port_can_be_bound_once_at_a_time),
		TEST(a_chosen_port_is_random_and_the_search_ends_when_all_are_taken),
		TEST(a_wrong_checksum_is_dropped_and_none_is_accepted),
		TEST(a_length_that_cannot_be_is_dropped_and_a_shorter_one_cuts),
		TEST(a_queue_is_bounded_in_bytes_and_loses_the_latest),
		TEST(receiving_waits_until_its_deadline),
		TEST(a_cancelled_receiver_leaves_the_datagram_to_the_next),
		TEST(a_sent_datagram_is_rfc_768s),
		TEST(a_checksum_of_zero_is_sent_as_ones),
		TEST(what_is_too_large_or_has_no_way_is_refused),
		TEST(what_is_larger_than_the_link_takes_goes_in_fragments),
		TEST(identifications_of_fragments_differ_and_follow_no_rule),
		TEST(sending_waits_for_the_neighbours_answer),
		TEST(sending_to_a_neighbour_that_does_not_answer_fails),
		TEST(sending_waits_while_the_link_is_full),
		TEST(an_icmp_error_is_told_once_to_who_sends_there_again),
		TEST(a_link_that_completes_checksums_is_given_the_partial_one),
		TEST(a_socket_outlives_its_stack_and_says_so),
		TEST(closing_frees_what_is_queued),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
