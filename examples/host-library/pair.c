/* SPDX-License-Identifier: ISC
 *
 * Two hosts in one process: one serves a megabyte, the other fetches it, over a link that takes 20 ms each way and
 * loses every fiftieth packet. Nothing is waited for: the clock is a variable, which goes on to whatever is due next,
 * so seconds pass in milliseconds, and each run is the same to the last bit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/embed.h>
#include <skerry/tcp.h>

enum { BYTES = 1000000, LOSE = 50, PORT = 80 };
#define DELAY_NS MSEC(20)

struct packet {
	struct packet *next;
	uint64_t due;
	size_t len;
	unsigned char bytes[1500];
};

struct host {
	struct stack *stack;
	struct host *peer;
	struct packet *first, **end; /* on their way to this host */
	uint64_t chance;
	unsigned sent;
};

static uint64_t now;

/* What the stacks are given ------------------------------------------------------------------------------------- */

static uint64_t tell_time(void *context)
{
	(void)context;
	return now;
}

/* Good enough for a simulation only: a stack on a real link needs what nobody can foretell. */
static void give_chance(void *context, void *buf, size_t len)
{
	struct host *host = context;
	unsigned char *bytes = buf;

	for (size_t i = 0; i < len; i++) {
		host->chance = host->chance * 6364136223846793005 + 1442695040888963407;
		bytes[i] = (unsigned char)(host->chance >> 56);
	}
}

/* The packet is kept: the other stack's turn comes later. */
static int send_packet(
	void *context, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct host *from = context, *to = from->peer;
	struct packet *packet;

	(void)meta; /* no features were offered, so there is nothing in it */
	if (++from->sent % LOSE == 0)
		return 0;
	packet = calloc(1, sizeof *packet);
	if (!packet)
		return 0;
	packet->due = now + DELAY_NS;
	for (size_t i = 0; i < count; i++) {
		memcpy(packet->bytes + packet->len, pieces[i].data, pieces[i].len);
		packet->len += pieces[i].len;
	}
	*to->end = packet;
	to->end = &packet->next;
	return 0;
}

static void open_host(struct host *host, struct host *peer, unsigned char number)
{
	const struct stack_environment environment = {
		.context = host,
		.send = send_packet,
		.now = tell_time,
		.random = give_chance,
		.kind = STACK_LINK_IP,
		.mtu = 1500,
	};
	const struct stack_config config = {
		.ipv4 = { .address = { 10, 0, 0, number }, .prefix_len = 24, .set = true },
	};

	*host = (struct host){ .peer = peer, .end = &host->first, .chance = number };
	if (stack_embed(&environment, &config, &host->stack) < 0)
		exit(1); /* stack_log has said why */
}

void stack_log(enum log_level level, const char *source, const char *message)
{
	(void)level;
	fprintf(stderr, "%s: %s\n", source, message);
}

/* Time ---------------------------------------------------------------------------------------------------------- */

static void take_packets(struct host *host)
{
	while (host->first && host->first->due <= now) {
		struct packet *packet = host->first;

		host->first = packet->next;
		if (!host->first)
			host->end = &host->first;
		stack_receive(host->stack, packet->bytes, packet->len, NULL);
		free(packet);
	}
	stack_advance(host->stack);
}

/* Both have their turn, and the clock goes on to what is due next at either. */
static void let_time_pass(struct host hosts[2])
{
	uint64_t due = FOREVER;

	for (int i = 0; i < 2; i++)
		take_packets(&hosts[i]);
	for (int i = 0; i < 2; i++) {
		uint64_t deadline = stack_deadline(hosts[i].stack);

		if (hosts[i].first && hosts[i].first->due < deadline)
			deadline = hosts[i].first->due;
		if (deadline < due)
			due = deadline;
	}
	if (due != FOREVER && due > now)
		now = due;
}

/* The two programs: each does what it can and returns ------------------------------------------------------------- */

static void serve(struct tcp_listener *listener, struct tcp **flow, size_t *sent)
{
	static const unsigned char bytes[BYTES];
	ssize_t len;

	if (!*flow && tcp_accept(listener, flow, AT_ONCE) < 0)
		return;
	len = *sent < BYTES ? tcp_write(*flow, bytes + *sent, BYTES - *sent, AT_ONCE) : 0;
	if (len > 0)
		*sent += (size_t)len;
	if (*sent == BYTES)
		(void)tcp_shutdown(*flow);
}

/* Whether it has come to the end. */
static bool fetch(struct tcp *flow, size_t *received)
{
	unsigned char bytes[4096];
	ssize_t len;

	if (tcp_connected(flow, AT_ONCE) < 0)
		return false;
	while ((len = tcp_read(flow, bytes, sizeof bytes, AT_ONCE)) > 0)
		*received += (size_t)len;
	return len == 0;
}

int main(void)
{
	const struct ip_endpoint there = { ip_from_v4((const unsigned char[]){ 10, 0, 0, 2 }), PORT };
	struct host hosts[2];
	struct tcp_listener *listener;
	struct tcp *client, *server = NULL;
	struct tcp_statistics statistics;
	size_t sent = 0, received = 0;

	open_host(&hosts[0], &hosts[1], 1);
	open_host(&hosts[1], &hosts[0], 2);
	if (tcp_listen(hosts[1].stack, PORT, &listener) < 0 || tcp_connect_begin(hosts[0].stack, &there, &client) < 0)
		return 1;
	while (!fetch(client, &received)) {
		let_time_pass(hosts);
		serve(listener, &server, &sent);
	}
	tcp_statistics(server, &statistics);
	printf("%zu bytes in %.1f s\n", received, (double)now / (double)SECOND(1));
	printf("server: %s, round trip %.0f ms, %u segments sent again\n", statistics.state,
		(double)statistics.round_trip_ns / (double)MSEC(1), statistics.retransmissions);
	tcp_close(client);
	tcp_close(server);
	tcp_unlisten(listener);
	while (stack_delivers(hosts[0].stack) || stack_delivers(hosts[1].stack))
		let_time_pass(hosts);
	for (int i = 0; i < 2; i++) {
		stack_close(hosts[i].stack);
		for (struct packet *packet = hosts[i].first, *next; packet; packet = next) {
			next = packet->next;
			free(packet);
		}
	}
	return 0;
}
