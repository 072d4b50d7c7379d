/* SPDX-License-Identifier: ISC
 *
 * Hosts for tests: stacks of libskerry-net, each with a clock and a chance of its own, and a queue for each direction
 * of the link between two of them. Nothing here is global, so that several pairs can run in threads of their own.
 */
#ifndef EMBED_TEST_HOSTS_H
#define EMBED_TEST_HOSTS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <skerry/embed.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

enum { HOST_FRAMES = 1024 };

struct host_frame {
	struct platform_net_meta meta;
	size_t len;
	uint8_t *bytes;
};

struct host {
	struct stack *stack;
	struct stack_environment environment;
	const uint64_t *time;  /* the pair's */
	uint64_t clock_offset; /* this host's clock is ahead by so much */
	uint64_t state;        /* of its chance */
	struct host *peer;
	struct host_frame frames[HOST_FRAMES]; /* that have arrived here */
	size_t first, count, room;
	int answer; /* what its link says of each frame, if it is not 0 */
	uint64_t sent, sent_bytes, digest;
	struct host_frame last; /* that was sent; bytes: the first of them */
	uint8_t last_bytes[128];
};

struct pair {
	uint64_t time;
	struct host hosts[2];
};

static inline uint64_t host_now(void *context)
{
	const struct host *host = context;

	return *host->time + host->clock_offset;
}

static inline void host_random(void *context, void *buf, size_t len)
{
	struct host *host = context;
	uint8_t *bytes = buf;

	for (size_t i = 0; i < len; i++) {
		host->state = host->state * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t)(host->state >> 56);
	}
}

static inline int host_send(
	void *context, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct host *host = context, *peer = host->peer;
	struct host_frame frame = { .meta = *meta };

	if (host->answer < 0)
		return host->answer;
	if (peer->count >= peer->room)
		return -EAGAIN;
	for (size_t i = 0; i < count; i++)
		frame.len += pieces[i].len;
	frame.bytes = malloc(frame.len);
	frame.len = 0;
	for (size_t i = 0; i < count; i++) {
		memcpy(frame.bytes + frame.len, pieces[i].data, pieces[i].len);
		frame.len += pieces[i].len;
	}
	host->sent++;
	host->sent_bytes += frame.len;
	for (size_t i = 0; i < frame.len; i++)
		host->digest = (host->digest ^ frame.bytes[i]) * 1099511628211u;
	host->last = frame;
	memcpy(host->last_bytes, frame.bytes,
		frame.len < sizeof host->last_bytes ? frame.len : sizeof host->last_bytes);
	peer->frames[(peer->first + peer->count++) % HOST_FRAMES] = frame;
	return 0;
}

static inline struct stack_environment host_environment(struct host *host, enum stack_link_kind kind)
{
	return (struct stack_environment){
		.context = host,
		.send = host_send,
		.now = host_now,
		.random = host_random,
		.kind = kind,
		.mac = { 2, 0, 0, 0, 0, (uint8_t)(host->state & 0xff) },
		.mtu = 1500,
	};
}

static inline struct stack_config host_config(unsigned number)
{
	return (struct stack_config){
		.ipv4 = { .address = { 10, 0, 0, (uint8_t)number }, .prefix_len = 24, .set = true },
	};
}

/* Two hosts without stacks. */
static inline void pair_init(struct pair *pair)
{
	memset(pair, 0, sizeof *pair);
	pair->time = SECOND(1000);
	for (unsigned i = 0; i < 2; i++) {
		pair->hosts[i].time = &pair->time;
		pair->hosts[i].state = i + 1;
		pair->hosts[i].peer = &pair->hosts[1 - i];
		pair->hosts[i].room = HOST_FRAMES;
	}
}

static inline void pair_open(struct pair *pair, enum stack_link_kind kind)
{
	pair_init(pair);
	for (unsigned i = 0; i < 2; i++) {
		struct stack_config config = host_config(i + 1);
		struct stack_environment environment = host_environment(&pair->hosts[i], kind);

		assert_int_equal(stack_embed(&environment, &config, &pair->hosts[i].stack), 0);
	}
}

/* Hands over what has arrived at a host. Whether there was any. */
static inline bool host_deliver(struct host *host)
{
	size_t count = host->count;

	for (size_t i = 0; i < count; i++) {
		struct host_frame frame = host->frames[host->first];

		host->first = (host->first + 1) % HOST_FRAMES;
		host->count--;
		if (host->stack)
			stack_receive(host->stack, frame.bytes, frame.len, &frame.meta);
		free(frame.bytes);
	}
	return count > 0;
}

/* One turn of both: frames are handed over, and if there were none, time goes on to what is due, or to `until`. False:
 * it has come to that. */
static inline bool pair_step(struct pair *pair, uint64_t until)
{
	uint64_t next = FOREVER;
	bool any = false;

	for (int i = 0; i < 2; i++)
		any |= host_deliver(&pair->hosts[i]);
	for (int i = 0; i < 2; i++) {
		struct host *host = &pair->hosts[i];
		uint64_t due = host->stack ? stack_advance(host->stack) : FOREVER;

		if (due != FOREVER)
			due = due > host->clock_offset ? due - host->clock_offset : 0;
		next = due < next ? due : next;
	}
	if (any) {
		pair->time += USEC(10);
		return true;
	}
	if (pair->hosts[0].count + pair->hosts[1].count > 0)
		return true;
	if (next > until) {
		pair->time = until > pair->time ? until : pair->time;
		return false;
	}
	pair->time = next > pair->time ? next : pair->time;
	return true;
}

static inline void pair_run(struct pair *pair, uint64_t for_ns)
{
	uint64_t until = pair->time + for_ns;

	while (pair->time < until && pair_step(pair, until))
		;
}

static inline void pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		stack_close(pair->hosts[i].stack);
		pair->hosts[i].stack = NULL;
	}
	for (int i = 0; i < 2; i++)
		host_deliver(&pair->hosts[i]);
}

static inline struct ip_endpoint host_at(unsigned number, uint16_t port)
{
	return (struct ip_endpoint){ ip_from_v4((const uint8_t[]){ 10, 0, 0, (uint8_t)number }), port };
}

/* A connection from the first host to the second. */
static inline void pair_connect(struct pair *pair, struct tcp_listener **listener, struct tcp *flows[2])
{
	const struct ip_endpoint there = host_at(2, 7);

	assert_int_equal(tcp_listen(pair->hosts[1].stack, 7, listener), 0);
	assert_int_equal(tcp_connect_begin(pair->hosts[0].stack, &there, &flows[0]), 0);
	assert_int_equal(tcp_connected(flows[0], AT_ONCE), -EAGAIN);
	pair_run(pair, MSEC(10));
	assert_int_equal(tcp_connected(flows[0], AT_ONCE), 0);
	assert_int_equal(tcp_accept(*listener, &flows[1], AT_ONCE), 0);
}

/* Sends len bytes from one to the other; returns how much arrived in order within so much time. */
static inline size_t pair_transfer(struct pair *pair, struct tcp *from, struct tcp *to, size_t len, uint64_t for_ns)
{
	uint64_t until = pair->time + for_ns;
	size_t written = 0, read = 0;
	uint8_t bytes[4096];

	while (read < len && pair->time < until) {
		ssize_t done;

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)((written + i) * 31 >> 3);
		done = written < len ? tcp_write(from, bytes,
					       len - written < sizeof bytes ? len - written : sizeof bytes, AT_ONCE)
				     : 0;
		if (done > 0)
			written += (size_t)done;
		while ((done = tcp_read(to, bytes, sizeof bytes, AT_ONCE)) > 0) {
			for (size_t i = 0; i < (size_t)done; i++)
				if (bytes[i] != (uint8_t)((read + i) * 31 >> 3))
					return read + i;
			read += (size_t)done;
		}
		pair_step(pair, pair->time + MSEC(1));
	}
	return read;
}

#endif
