/* SPDX-License-Identifier: ISC
 *
 * A capture in front of a cable, and what its record holds, block by block.
 */
#include <skerry/capture.h>

#include "lib/net/test/cable.h"

#define HOST "10.0.0.1"
#define US   "10.0.0.2"

enum { FILE_HEADER = 72, RECORD_MAX = 1 << 20, INBOUND = 1, OUTBOUND = 2 };

static struct cable *cable;
static struct net *capture;
static struct packet packet;
static uint8_t record[RECORD_MAX];
static size_t record_len, at; /* what was read, and looked at */

static void open_with(const struct capture_config *config)
{
	const struct stack_config stack = { .ipv4 = ipv4_key(US, 24) };

	cable = cable_new();
	pass(0);
	assert_int_equal(net_capture(&cable->net, config, &capture), 0);
	assert_int_equal(stack_open(capture, &stack, &cable->stack), 0);
	pass(SECOND(5));
	give_arp(cable, 1, HOST, US);
	net_capture_restart(capture);
	drop_sent(cable);
	record_len = at = 0;
}

static void close_all(void)
{
	int result;

	assert_int_equal(task_run(close_in_task, cable->stack, &result), 0);
	cable->stack = NULL;
	net_close(capture);
	cable_close(cable);
}

static int read_some(void *arg)
{
	ssize_t len;

	(void)arg;
	while ((len = net_capture_read(capture, record + record_len, RECORD_MAX - record_len, AT_ONCE)) > 0)
		record_len += (size_t)len;
	return (int)len;
}

static void read_all(void)
{
	int result;

	assert_int_equal(task_run(read_some, NULL, &result), 0);
	assert_int_equal(result, -EAGAIN);
}

static uint32_t number_at(size_t offset)
{
	assert_true(offset + 4 <= record_len);
	return wire_get32(record + offset);
}

/* The next block, which must be whole: where it begins. */
static size_t next_block(uint32_t type)
{
	size_t begin = at;

	assert_int_equal(number_at(begin), type);
	at += number_at(begin + 4);
	assert_int_equal(at % 4, 0);
	assert_int_equal(number_at(at - 4), number_at(begin + 4));
	return begin;
}

static void expect_file_header(void)
{
	size_t begin = next_block(0x0a0d0d0a);

	assert_int_equal(number_at(begin + 8), 0x1a2b3c4d);
	begin = next_block(1);
	assert_int_equal(wire_get16(record + begin + 8), 1); /* Ethernet */
	assert_memory_equal(record + begin + 20, our_mac, 6);
	assert_int_equal(at, FILE_HEADER);
}

/* The next block is a frame of these bytes, of which so many are recorded. */
static void expect_frame(uint32_t direction, const void *bytes, size_t len, size_t recorded, uint64_t lost)
{
	size_t begin = next_block(6), options = begin + 28 + (recorded + 3) / 4 * 4;
	uint64_t then = (uint64_t)number_at(begin + 12) << 32 | number_at(begin + 16);

	assert_true(then == virtual_now);
	assert_int_equal(number_at(begin + 20), recorded);
	assert_int_equal(number_at(begin + 24), len);
	assert_memory_equal(record + begin + 28, bytes, recorded);
	assert_int_equal(number_at(options), 2 << 16 | 4);
	assert_int_equal(number_at(options + 4), direction);
	assert_int_equal(number_at(options + 8), 4 << 16 | 8);
	assert_int_equal(number_at(options + 16), lost);
	assert_int_equal(at, options + 28);
}

static void ping(const char *data, size_t len)
{
	put_icmp(&packet, HOST, US, 8, 0, 0, data, len);
	give_packet(cable, &packet);
}

static void frames_are_recorded_both_ways_as_they_were(void **state)
{
	const struct frame *answer;

	(void)state;
	open_with(NULL);
	ping("abcde", 5); /* of a length that is to be padded */
	answer = take(cable);
	read_all();
	expect_file_header();
	expect_frame(INBOUND, packet.bytes, packet.len, packet.len, 0);
	expect_frame(OUTBOUND, answer->bytes, answer->len, answer->len, 0);
	assert_int_equal(at, record_len);
	close_all();
}

static void of_each_frame_no_more_is_recorded_than_is_asked_for(void **state)
{
	const struct capture_config config = { .snap_bytes = 34 };

	(void)state;
	open_with(&config);
	ping("abcdefghijkl", 12);
	read_all();
	expect_file_header();
	expect_frame(INBOUND, packet.bytes, packet.len, 34, 0);
	close_all();
}

static void what_finds_the_buffer_full_goes_its_way_and_is_counted(void **state)
{
	const struct capture_config config = { .buffer_bytes = CAPTURE_BUFFER_MIN };
	static char data[1000];
	uint64_t lost;

	(void)state;
	open_with(&config);
	for (int i = 0; i < 10; i++) {
		ping(data, sizeof data);
		assert_non_null(take(cable)); /* all are answered */
	}
	lost = net_capture_lost(capture);
	assert_in_range(lost, 16, 17);
	read_all();
	assert_true(record_len <= CAPTURE_BUFFER_MIN);
	at = record_len;
	ping("x", 1);
	read_all();
	expect_frame(INBOUND, packet.bytes, packet.len, packet.len, lost);
	next_block(6);
	assert_int_equal(at, record_len);
	close_all();
}

/* Its reader is behind, and the ring begins anywhere. */
static void a_long_record_is_whole(void **state)
{
	const struct capture_config config = { .buffer_bytes = CAPTURE_BUFFER_MIN };
	static char data[400];

	(void)state;
	open_with(&config);
	for (size_t len = 0; len < sizeof data; len++) {
		put_icmp(&packet, HOST, US, 8, 0, 0, data, len);
		give_packet(cable, &packet);
		drop_sent(cable);
		read_all();
	}
	expect_file_header();
	for (size_t i = 0; i < 2 * sizeof data; i++)
		next_block(6);
	assert_int_equal(at, record_len);
	assert_int_equal(net_capture_lost(capture), 0);
	close_all();
}

static bool is_incoming(void *context, bool outgoing, const uint8_t *head, size_t len)
{
	assert_true(len == packet.len && memcmp(head + 6, outgoing ? our_mac : their_mac, 6) == 0);
	++*(int *)context;
	return !outgoing;
}

static void only_what_is_wanted_is_recorded(void **state)
{
	int asked = 0;
	const struct capture_config config = { .wants = is_incoming, .context = &asked };

	(void)state;
	put_icmp(&packet, HOST, US, 8, 0, 0, "", 0);
	packet.len = 42; /* as ARP's are */
	open_with(&config);
	asked = 0;
	ping("", 0);
	read_all();
	expect_file_header();
	expect_frame(INBOUND, packet.bytes, packet.len, packet.len, 0);
	assert_int_equal(at, record_len);
	assert_int_equal(asked, 2);
	close_all();
}

static int wait_for_a_frame(void *arg)
{
	ssize_t len;

	(void)arg;
	net_capture_read(capture, record, FILE_HEADER, AT_ONCE);
	len = net_capture_read(capture, record, sizeof record, task_now() + SECOND(1));
	assert_int_equal(len, -ETIMEDOUT);
	assert_int_equal(net_capture_read(capture, record, sizeof record, AT_ONCE), -EAGAIN);
	return 0;
}

static void reading_waits_for_frames(void **state)
{
	int result;

	(void)state;
	open_with(NULL);
	assert_int_equal(task_run(wait_for_a_frame, NULL, &result), 0);
	close_all();
}

static void a_buffer_of_no_use_is_refused(void **state)
{
	const struct capture_config small = { .buffer_bytes = CAPTURE_BUFFER_MIN - 1 };
	const struct capture_config large = { .buffer_bytes = (size_t)CAPTURE_BUFFER_MAX + 1 };
	struct net net = { 0 };

	(void)state;
	assert_int_equal(net_capture(&net, &small, &capture), -EINVAL);
	assert_int_equal(net_capture(&net, &large, &capture), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_recorded_both_ways_as_they_were),
		cmocka_unit_test(of_each_frame_no_more_is_recorded_than_is_asked_for),
		cmocka_unit_test(what_finds_the_buffer_full_goes_its_way_and_is_counted),
		cmocka_unit_test(a_long_record_is_whole),
		cmocka_unit_test(only_what_is_wanted_is_recorded),
		cmocka_unit_test(reading_waits_for_frames),
		cmocka_unit_test(a_buffer_of_no_use_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
