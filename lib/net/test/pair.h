/* SPDX-License-Identifier: ISC
 *
 * Two whole stacks, joined by a cable in this process, for tests with tasks that use them as programs do. Time is
 * virtual: it passes when everybody waits. Include it in one file of a program: it takes the place of the platform's
 * clocks and of its waiting.
 */
#ifndef NET_TEST_PAIR_H
#define NET_TEST_PAIR_H

#include "lib/task/test/scenario.h"

#include <errno.h>

#include <skerry/log.h>
#include <skerry/random.h>
#include <skerry/task.h>

#include "lib/net/tcp_stack.h"

enum { CABLE_FRAMES = 4096, CLIENT = 0, SERVER = 1, PORT = 7 };

struct frame {
	struct platform_net_meta meta;
	size_t len;
	uint8_t *bytes;
};

struct end {
	struct net net;
	struct frame frames[CABLE_FRAMES]; /* that have arrived here */
	size_t first, count, room, largest;
	uint64_t seen, partial, cut; /* frames sent from here: all; with partial checksums; to be segmented */
	unsigned lose, corrupt;      /* every so manieth frame from here; 0: none */
	struct stack *stack;
};

static struct end ends[2];
static uint64_t virtual_now = SECOND(1000);

/* The platform's time, which this program defines in place of platform/unix/time.c. */

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
	bool any = false;

	for (int i = 0; i < 2; i++) {
		if (ends[i].count > 0 && ends[i].net.ready) {
			any = true;
			ends[i].net.ready(ends[i].net.ready_context);
		}
	}
	if (any)
		virtual_now += USEC(10); /* the cable's delay */
	else if (deadline_ns > virtual_now)
		virtual_now = deadline_ns < virtual_now + SECOND(1) ? deadline_ns : virtual_now + SECOND(1);
}

static inline int end_send(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct end *from = (struct end *)net, *to = &ends[from == &ends[0]];
	struct frame *frame = &to->frames[(to->first + to->count) % CABLE_FRAMES];

	if (to->count >= to->room)
		return -EAGAIN;
	from->seen++;
	from->partial += meta->checksum_partial;
	from->cut += meta->segment_bytes > 0;
	if (from->lose && from->seen % from->lose == 0)
		return 0;
	*frame = (struct frame){ .meta = *meta };
	for (size_t i = 0; i < count; i++)
		frame->len += pieces[i].len;
	frame->bytes = malloc(frame->len);
	frame->len = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(frame->bytes + frame->len, pieces[i].data, pieces[i].len);
		frame->len += pieces[i].len;
	}
	if (frame->len > from->largest)
		from->largest = frame->len;
	if (from->corrupt && from->seen % from->corrupt == 0)
		frame->bytes[34 + from->seen % (frame->len - 34)] ^= 0x40; /* behind Ethernet's and IP's headers */
	to->count++;
	return 0;
}

static inline ssize_t end_receive(struct net *net, void *buf, size_t size, struct platform_net_meta *meta)
{
	struct end *end = (struct end *)net;
	struct frame *frame = &end->frames[end->first];
	ssize_t len = (ssize_t)frame->len;

	if (end->count == 0)
		return -EAGAIN;
	must(frame->len <= size);
	memcpy(buf, frame->bytes, frame->len);
	*meta = frame->meta;
	free(frame->bytes);
	end->first = (end->first + 1) % CABLE_FRAMES;
	end->count--;
	return len;
}

static const struct net_ops end_ops = { .send = end_send, .receive = end_receive };

static inline struct tcp_stack *tcp_of(int which)
{
	return ((struct own_stack *)ends[which].stack)->tcp;
}

static inline struct stack_counters counters_of(int which)
{
	struct stack_counters counters;

	stack_counters(ends[which].stack, &counters);
	return counters;
}

static size_t memory_bytes[2]; /* what the stacks may hold; 0: as usual */

static inline void plug_in(uint32_t features)
{
	memset(ends, 0, sizeof ends);
	for (uint8_t i = 0; i < 2; i++) {
		ends[i].net.ops = &end_ops;
		ends[i].net.info.mac[0] = 2;
		ends[i].net.info.mac[5] = i;
		ends[i].net.info.mtu = 1500;
		ends[i].net.info.features = features;
		ends[i].room = CABLE_FRAMES;
	}
	for (uint8_t i = 0; i < 2; i++) {
		struct stack_config config = {
			.ipv4 = { .address = { 10, 0, 0, (uint8_t)(i + 1) }, .prefix_len = 24, .set = true },
			.memory_bytes = memory_bytes[i],
		};
		must(stack_open(&ends[i].net, &config, &ends[i].stack) == 0);
	}
}

/* Closes both stacks, and forgets what is still on the cable. */
static inline void unplug(void)
{
	for (int i = 0; i < 2; i++) {
		stack_close(ends[i].stack);
		ends[i].stack = NULL;
	}
	for (int i = 0; i < 2; i++) {
		for (; ends[i].count > 0; ends[i].count--) {
			free(ends[i].frames[ends[i].first].bytes);
			ends[i].first = (ends[i].first + 1) % CABLE_FRAMES;
		}
	}
}

static inline struct ip_endpoint server_at(uint16_t port)
{
	return (struct ip_endpoint){ .address = ip_from_v4((const uint8_t[]){ 10, 0, 0, 2 }), .port = port };
}

static inline uint64_t soon(void)
{
	return clock_deadline(SECOND(100));
}

static inline struct tcp *connected(void)
{
	struct ip_endpoint server = server_at(PORT);
	struct tcp *flow = NULL;

	must(tcp_connect(ends[CLIENT].stack, &server, &flow, soon()) == 0);
	return flow;
}

static inline struct tcp *accepted(struct tcp_listener *listener)
{
	struct tcp *flow = NULL;

	must(tcp_accept(listener, &flow, soon()) == 0);
	return flow;
}

static inline struct tcp_listener *listening(void)
{
	struct tcp_listener *listener = NULL;

	must(tcp_listen(ends[SERVER].stack, PORT, &listener) == 0);
	return listener;
}

static inline uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 13 + at / 997);
}

#endif
