/* SPDX-License-Identifier: ISC
 *
 * The whole stack as its owner sees it: opened with good and bad addresses, ready, full, without a device, closed.
 */
#include <stdio.h>

#include <skerry/tcp.h>

#include "lib/net/test/cable.h"

#define HOST "10.0.0.1"
#define US   "10.0.0.2"

static void refused(const char *address, uint8_t prefix_len, const char *gateway)
{
	struct cable *cable = cable_new();

	assert_int_equal(cable_open_stack(cable, address, prefix_len, gateway), -EINVAL);
	assert_null(cable->stack);
	assert_null(take(cable));
	cable_close(cable);
}

static void an_address_that_no_host_can_have_is_refused(void **state)
{
	(void)state;
	refused(NULL, 0, NULL);
	refused("0.0.0.0", 0, NULL);
	refused("0.0.0.2", 24, NULL);
	refused("127.0.0.1", 8, NULL);
	refused("224.0.0.1", 24, NULL);
	refused("255.255.255.255", 32, NULL);
	refused("10.0.0.0", 24, NULL);
	refused("10.0.0.255", 24, NULL);
}

static void a_gateway_that_cannot_be_one_is_refused(void **state)
{
	(void)state;
	refused(US, 24, US);
	refused(US, 24, "10.0.0.255");
	refused(US, 24, "224.0.0.1");
	refused(US, 24, "127.0.0.1");
	refused(US, 24, "0.0.0.0");
}

static void addresses_of_tiny_subnets_and_distant_gateways_are_accepted(void **state)
{
	(void)state;
	cable_close(cable_open("10.0.0.0", 31, "10.0.0.1"));
	cable_close(cable_open("10.0.0.255", 31, "10.0.0.254"));
	cable_close(cable_open("10.0.0.2", 32, "192.0.2.1"));
	cable_close(cable_open("10.0.0.2", 0, NULL));
}

static void opening_announces_the_address_at_once(void **state)
{
	struct cable *cable = cable_new();
	struct ip_address address;
	char text[IP_TEXT_MAX];
	const struct frame *frame;

	(void)state;
	assert_int_equal(cable_open_stack(cable, US, 24, NULL), 0);
	frame = take(cable);
	assert_true(is_arp_request(frame, US));
	assert_memory_equal(frame->bytes, every_mac, 6);
	assert_memory_equal(frame->bytes + 6, our_mac, 6);
	assert_int_equal(wire_get32(frame->bytes + 28), number_of(US));
	stack_address(cable->stack, &address);
	assert_string_equal(ip_format(&address, text), US);
	cable_close(cable);
}

static void closing_at_once_leaves_no_timer_behind(void **state)
{
	struct cable *cable = cable_new();

	(void)state;
	assert_int_equal(cable_open_stack(cable, US, 24, NULL), 0);
	cable_close(cable);
	pass(SECOND(100)); /* the sanitizer sees a timer that fires in freed memory */
}

static void a_turn_reads_a_bounded_batch(void **state)
{
	struct cable *cable = cable_open(US, 24, NULL);
	static struct packet packet;
	size_t turns = 0;

	(void)state;
	put_icmp(&packet, HOST, US, 8, 0, 1, "ping", 4);
	give_arp(cable, 1, HOST, US);
	drop_sent(cable);
	for (int i = 0; i < 1000; i++)
		arrive(cable, packet.bytes, packet.len, NULL);
	for (; cable->arriving_count > 0; turns++) {
		cable->net.ready(cable->net.ready_context);
		assert_true(cable->sent_count <= (turns + 1) * STACK_BATCH);
	}
	assert_int_equal(turns, (1000 + STACK_BATCH) / STACK_BATCH);
	assert_int_equal(cable->sent_count, 1000);
	cable_close(cable);
}

static void frames_and_bytes_are_counted_both_ways(void **state)
{
	struct cable *cable = cable_open(US, 24, NULL);
	struct stack_counters before = counted(cable), after;
	static struct packet packet;

	(void)state;
	give_arp(cable, 1, HOST, US);
	put_icmp(&packet, HOST, US, 8, 0, 1, "ping", 4);
	give_packet(cable, &packet);
	after = counted(cable);
	assert_int_equal(after.IfInPkts - before.IfInPkts, 2);
	assert_int_equal(after.IfInOctets - before.IfInOctets, 42 + packet.len);
	assert_int_equal(after.IfOutPkts - before.IfOutPkts, 2);
	assert_int_equal(after.IfOutOctets - before.IfOutOctets, 42 + packet.len);
	cable_close(cable);
}

static void a_frame_too_long_for_any_link_is_dropped_and_the_next_is_read(void **state)
{
	struct cable *cable = cable_open(US, 24, NULL);
	uint8_t *huge = calloc(1, NET_FRAME_MAX + 1);

	(void)state;
	arrive(cable, huge, NET_FRAME_MAX + 1, NULL);
	free(huge);
	give_arp(cable, 1, HOST, US);
	assert_int_equal(counted(cable).drops[DROP_LINK_LENGTH], 1);
	assert_non_null(take(cable));
	cable_close(cable);
}

static int connect_somewhere(void *stack)
{
	struct ip_endpoint peer = { .port = 80 };
	struct tcp *flow;
	int err;

	assert_int_equal(ip_parse(HOST, &peer.address), 0);
	err = tcp_connect(stack, &peer, &flow, task_now() + SECOND(60));
	if (err == 0)
		tcp_close(flow);
	return err;
}

static void without_its_device_a_stack_answers_errors_and_closes(void **state)
{
	struct cable *cable = cable_open(US, 24, NULL);
	int result;

	(void)state;
	give_arp(cable, 1, HOST, US);
	cable->send_error = -EIO;
	assert_int_equal(task_run(connect_somewhere, cable->stack, &result), 0);
	assert_int_equal(result, -ENETUNREACH);
	cable_close(cable);
}

static int make_room_later(void *arg)
{
	struct cable *cable = arg;
	int err = task_sleep(task_now() + MSEC(3));

	cable->send_error = 0;
	return err;
}

static int connect_on_full_link(void *arg)
{
	struct cable *cable = arg;
	struct task *task;
	int err = task_spawn(NULL, make_room_later, cable, &task), result;

	assert_int_equal(err, 0);
	cable->send_error = -EAGAIN;
	err = connect_somewhere(cable->stack);
	assert_int_equal(task_await(task, &result, FOREVER), 0);
	return err;
}

static void tcp_goes_on_soon_when_a_full_link_has_room_again(void **state)
{
	struct cable *cable = cable_open(US, 24, NULL);
	uint64_t before;
	int result;

	(void)state;
	give_arp(cable, 1, HOST, US);
	drop_sent(cable);
	before = virtual_now;
	assert_int_equal(task_run(connect_on_full_link, cable, &result), 0);
	assert_int_equal(result, -ETIMEDOUT); /* nobody answers */
	assert_int_equal(take(cable)->bytes[14 + 9], IP_PROTOCOL_TCP);
	assert_in_range(cable->sent[0].sent_at - before, MSEC(3), MSEC(3) + LINK_RETRY_NS);
	cable_close(cable);
}

static void two_stacks_live_side_by_side(void **state)
{
	struct cable *a = cable_open(US, 24, NULL), *b = cable_open("10.0.0.3", 24, NULL);

	(void)state;
	give_arp(a, 1, HOST, US);
	assert_non_null(take(a));
	assert_null(take(b));
	give_arp(b, 1, HOST, "10.0.0.3");
	assert_non_null(take(b));
	cable_close(a);
	give_arp(b, 1, HOST, "10.0.0.3");
	assert_non_null(take(b));
	cable_close(b);
	stack_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_no_host_can_have_is_refused),
		cmocka_unit_test(a_gateway_that_cannot_be_one_is_refused),
		cmocka_unit_test(addresses_of_tiny_subnets_and_distant_gateways_are_accepted),
		cmocka_unit_test(opening_announces_the_address_at_once),
		cmocka_unit_test(closing_at_once_leaves_no_timer_behind),
		cmocka_unit_test(a_turn_reads_a_bounded_batch),
		cmocka_unit_test(frames_and_bytes_are_counted_both_ways),
		cmocka_unit_test(a_frame_too_long_for_any_link_is_dropped_and_the_next_is_read),
		cmocka_unit_test(without_its_device_a_stack_answers_errors_and_closes),
		cmocka_unit_test(tcp_goes_on_soon_when_a_full_link_has_room_again),
		cmocka_unit_test(two_stacks_live_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
