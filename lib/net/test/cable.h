/* SPDX-License-Identifier: ISC
 *
 * For tests of a whole stack: a link in memory whose other end is the test, and time that passes only when the test
 *says so. Include it in one file of a program: it takes the place of the platform's clocks and of its waiting.
 *
 *	struct cable *cable = cable_open("10.0.0.2", 24, "10.0.0.1");	our own stack on it, announcements over
 *	give(cable, frame, len);                        a frame arrives, and is handled at once
 *	const struct frame *sent = take(cable);         the next frame that the stack sent; NULL: there is none
 *	pass(MSEC(10));                                 time passes: timers fire, tasks run
 */
#ifndef NET_TEST_CABLE_H
#define NET_TEST_CABLE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <skerry/random.h>
#include <skerry/task.h>

#include "lib/net/own_stack.h"
#include "lib/net/wire.h"

enum { CABLE_FRAMES = 2048, CABLE_MTU = 1500 };

struct frame {
	uint8_t *bytes; /* exactly len bytes on the heap, so that the sanitizer sees every overrun */
	size_t len;
	struct platform_net_meta meta;
	uint64_t sent_at;
};

struct cable {
	struct net net;
	struct stack *stack;
	struct frame sent[CABLE_FRAMES], arriving[CABLE_FRAMES];
	size_t sent_count, taken, arriving_count, arrived;
	int send_error; /* what the link answers instead of sending */
	bool closed;
};

static const uint8_t our_mac[6] = { 0x02, 0, 0, 0, 0, 0x02 };
static const uint8_t their_mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };
static const uint8_t every_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Time -------------------------------------------------------------------------------------------------------- */

static uint64_t virtual_now = SECOND(1000);

uint64_t platform_clock_monotonic(void)
{
	return virtual_now;
}

uint64_t platform_clock_wall(void)
{
	return virtual_now;
}

void platform_wait(uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX) {
		fprintf(stderr, "nothing will ever happen: a task waits without a deadline\n");
		abort();
	}
	if (deadline_ns > virtual_now)
		virtual_now = deadline_ns;
}

static inline int sleep_for(void *arg)
{
	return task_sleep(clock_monotonic() + *(const uint64_t *)arg);
}

/* Only outside of tasks: a task sleeps. */
static inline void pass(uint64_t ns)
{
	int result;

	assert_int_equal(task_run(sleep_for, &ns, &result), 0);
	assert_int_equal(result, 0);
}

/* The link ---------------------------------------------------------------------------------------------------- */

static inline int cable_send(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct cable *cable = (struct cable *)net;
	struct frame *frame = &cable->sent[cable->sent_count];
	size_t at = 0;

	if (cable->send_error)
		return cable->send_error;
	assert_true(count >= 1 && count <= PLATFORM_PIECES && cable->sent_count < CABLE_FRAMES);
	*frame = (struct frame){ .meta = *meta, .sent_at = virtual_now };
	for (size_t i = 0; i < count; i++)
		frame->len += pieces[i].len;
	frame->bytes = malloc(frame->len);
	for (size_t i = 0; i < count; at += pieces[i++].len)
		memcpy(frame->bytes + at, pieces[i].data, pieces[i].len);
	cable->sent_count++;
	return 0;
}

static inline ssize_t cable_receive(struct net *net, void *buf, size_t size, struct platform_net_meta *meta)
{
	struct cable *cable = (struct cable *)net;
	struct frame *frame = &cable->arriving[cable->arrived];

	if (cable->arrived == cable->arriving_count) {
		cable->arrived = cable->arriving_count = 0;
		return -EAGAIN;
	}
	cable->arrived++;
	*meta = frame->meta;
	if (frame->len <= size)
		memcpy(buf, frame->bytes, frame->len);
	free(frame->bytes);
	return frame->len <= size ? (ssize_t)frame->len : -EMSGSIZE;
}

static inline void cable_was_closed(struct net *net)
{
	((struct cable *)net)->closed = true;
}

static const struct net_ops cable_ops = { cable_send, cable_receive, cable_was_closed };

static inline struct key_ipv4 ipv4_key(const char *text, uint8_t prefix_len)
{
	struct key_ipv4 key = { .prefix_len = prefix_len, .set = text != NULL };
	struct ip_address address;

	if (text) {
		assert_int_equal(ip_parse(text, &address), 0);
		memcpy(key.address, address.bytes + 12, 4);
	}
	return key;
}

static inline struct cable *cable_new(void)
{
	struct cable *cable = calloc(1, sizeof *cable);

	cable->net.ops = &cable_ops;
	cable->net.info.mtu = CABLE_MTU;
	memcpy(cable->net.info.mac, our_mac, 6);
	return cable;
}

static inline int cable_open_stack(struct cable *cable, const char *address, uint8_t prefix_len, const char *gateway)
{
	struct stack_config config = { .ipv4 = ipv4_key(address, prefix_len), .gateway = ipv4_key(gateway, 32) };

	pass(0); /* so that the scheduler has read the clock */
	return stack_open(&cable->net, &config, &cable->stack);
}

static inline struct own_stack *own_of(const struct cable *cable)
{
	return (struct own_stack *)cable->stack;
}

static inline struct stack_counters counted(const struct cable *cable)
{
	struct stack_counters counters;

	stack_counters(cable->stack, &counters);
	return counters;
}

/* Frames ------------------------------------------------------------------------------------------------------ */

static inline void arrive(struct cable *cable, const void *bytes, size_t len, const struct platform_net_meta *meta)
{
	struct frame *frame = &cable->arriving[cable->arriving_count++];

	assert_true(cable->arriving_count <= CABLE_FRAMES);
	*frame = (struct frame){ .bytes = malloc(len ? len : 1), .len = len };
	memcpy(frame->bytes, bytes, len);
	if (meta)
		frame->meta = *meta;
}

static inline void give(struct cable *cable, const void *bytes, size_t len)
{
	arrive(cable, bytes, len, NULL);
	cable->net.ready(cable->net.ready_context);
}

static inline const struct frame *take(struct cable *cable)
{
	return cable->taken < cable->sent_count ? &cable->sent[cable->taken++] : NULL;
}

static inline void drop_sent(struct cable *cable)
{
	for (size_t i = 0; i < cable->sent_count; i++)
		free(cable->sent[i].bytes);
	cable->sent_count = cable->taken = 0;
}

static inline struct cable *cable_open(const char *address, uint8_t prefix_len, const char *gateway)
{
	struct cable *cable = cable_new();

	assert_int_equal(cable_open_stack(cable, address, prefix_len, gateway), 0);
	pass(SECOND(5));
	drop_sent(cable);
	return cable;
}

static inline int close_in_task(void *stack)
{
	stack_close(stack);
	return 0;
}

static inline void cable_close(struct cable *cable)
{
	int result;

	if (cable->stack)
		assert_int_equal(task_run(close_in_task, cable->stack, &result), 0);
	assert_null(cable->net.ready);
	for (; cable->arrived < cable->arriving_count; cable->arrived++)
		free(cable->arriving[cable->arrived].bytes);
	drop_sent(cable);
	free(cable);
}

/* Packets ----------------------------------------------------------------------------------------------------- */

enum { FRAME_HEADERS = NET_ETHERNET_HEADER + IPV4_HEADER };

/* An Ethernet frame with an IPv4 packet, to be changed and given. */
struct packet {
	uint8_t bytes[FRAME_HEADERS + 65536];
	size_t len;
};

static inline uint32_t number_of(const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_parse(text, &address), 0);
	return wire_get32(address.bytes + 12);
}

static inline uint8_t *ip_header(struct packet *packet)
{
	return packet->bytes + NET_ETHERNET_HEADER;
}

static inline size_t ip_header_len(struct packet *packet)
{
	return (ip_header(packet)[0] & 0x0f) * 4u;
}

static inline uint8_t *ip_payload(struct packet *packet)
{
	return ip_header(packet) + ip_header_len(packet);
}

/* Makes the IP header's checksum right again after a change. */
static inline void resum_ip(struct packet *packet)
{
	wire_put16(ip_header(packet) + 10, 0);
	wire_put16(ip_header(packet) + 10, checksum_finish(checksum_add(0, ip_header(packet), ip_header_len(packet))));
}

static inline void put_ip(
	struct packet *packet, const char *from, const char *to, uint8_t protocol, const void *payload, size_t len)
{
	uint8_t *header = ip_header(packet);

	memset(packet->bytes, 0, FRAME_HEADERS);
	memcpy(packet->bytes, our_mac, 6);
	memcpy(packet->bytes + 6, their_mac, 6);
	wire_put16(packet->bytes + 12, ETHERNET_IPV4);
	header[0] = 0x45;
	wire_put16(header + 2, (uint16_t)(IPV4_HEADER + len));
	header[8] = 64;
	header[9] = protocol;
	wire_put32(header + 12, number_of(from));
	wire_put32(header + 16, number_of(to));
	resum_ip(packet);
	if (len)
		memcpy(packet->bytes + FRAME_HEADERS, payload, len);
	packet->len = FRAME_HEADERS + len;
}

/* Sums the transport's checksum at this offset of the payload. */
static inline void resum(struct packet *packet, size_t offset)
{
	uint8_t *header = ip_header(packet), *payload = ip_payload(packet);
	size_t len = packet->len - (size_t)(payload - packet->bytes);
	struct ip_address from = ip_from_v4(header + 12), to = ip_from_v4(header + 16);
	uint32_t sum = header[9] == IP_PROTOCOL_ICMP ? 0 : checksum_pseudo(&from, &to, header[9], len);

	wire_put16(payload + offset, 0);
	wire_put16(payload + offset, checksum_finish(checksum_add(sum, payload, len)));
}

static inline void put_udp(struct packet *packet, const char *from, uint16_t from_port, const char *to,
	uint16_t to_port, const void *data, size_t len)
{
	uint8_t *udp = packet->bytes + FRAME_HEADERS;

	put_ip(packet, from, to, IP_PROTOCOL_UDP, NULL, 0);
	wire_put16(udp, from_port);
	wire_put16(udp + 2, to_port);
	wire_put16(udp + 4, (uint16_t)(8 + len));
	if (len)
		memcpy(udp + 8, data, len);
	packet->len = FRAME_HEADERS + 8 + len;
	wire_put16(ip_header(packet) + 2, (uint16_t)(IPV4_HEADER + 8 + len));
	resum_ip(packet);
	resum(packet, 6);
}

static inline void put_icmp(struct packet *packet, const char *from, const char *to, uint8_t type, uint8_t code,
	uint32_t rest, const void *data, size_t len)
{
	uint8_t *icmp = packet->bytes + FRAME_HEADERS;

	put_ip(packet, from, to, IP_PROTOCOL_ICMP, NULL, 0);
	icmp[0] = type;
	icmp[1] = code;
	wire_put32(icmp + 4, rest);
	if (len)
		memcpy(icmp + 8, data, len);
	packet->len = FRAME_HEADERS + 8 + len;
	wire_put16(ip_header(packet) + 2, (uint16_t)(IPV4_HEADER + 8 + len));
	resum_ip(packet);
	resum(packet, 2);
}

static inline void give_packet(struct cable *cable, const struct packet *packet)
{
	give(cable, packet->bytes, packet->len);
}

/* A neighbour answers, or asks: both make it known. */
static inline void give_arp(struct cable *cable, uint16_t operation, const char *from, const char *to)
{
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4 };
	uint8_t frame[NET_ETHERNET_HEADER + ARP_PACKET] = { 0 };

	memcpy(frame, operation == 1 ? every_mac : our_mac, 6);
	memcpy(frame + 6, their_mac, 6);
	memcpy(frame + 12, head, sizeof head);
	wire_put16(frame + 20, operation);
	memcpy(frame + 22, their_mac, 6);
	wire_put32(frame + 28, number_of(from));
	wire_put32(frame + 38, number_of(to));
	give(cable, frame, sizeof frame);
}

static inline bool is_arp_request(const struct frame *frame, const char *target)
{
	return frame && frame->len == NET_ETHERNET_HEADER + ARP_PACKET &&
	       wire_get16(frame->bytes + 12) == ETHERNET_ARP && wire_get16(frame->bytes + 20) == 1 &&
	       wire_get32(frame->bytes + 38) == number_of(target);
}

#endif
