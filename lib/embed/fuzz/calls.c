/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: two stacks and the link between them, on which frames are lost, doubled, damaged and overtaken, in any
 * order with the calls that programs make and with time. Whatever is read is what was written, in order; every loan
 * comes back once; in the end all memory is given back.
 *
 * The input is a program of one-byte commands with their operands: see command(). Its first byte says which kind of
 * link it is, and what that can do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/embed.h>
#include <skerry/route.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

enum {
	HOSTS = 2,
	FLOWS = 6, /* of each host */
	LISTENERS = 2,
	SOCKETS = 2,
	FRAMES = 64, /* on their way to one host; more are lost */
	LOANS = 16,
	PERIOD = 2048, /* of the bytes that are sent: the byte at an offset is known to who reads it */
	PIECE_MAX = 16 * PERIOD,
	COMMANDS_MAX = 2000,
};

struct program {
	const uint8_t *data;
	size_t size, at;
};

struct frame {
	struct platform_net_meta meta;
	size_t len;
	uint8_t *bytes;
};

struct flow {
	struct tcp *tcp; /* NULL: the place is free */
	struct stack_watch watch;
	size_t written, read;
	bool sure; /* how much was written is known */
};

struct host {
	struct stack *stack;
	struct host *peer;
	struct frame frames[FRAMES]; /* that have arrived */
	size_t count;
	bool full;
	uint64_t chance;
	struct flow flows[FLOWS];
	struct tcp_listener *listeners[LISTENERS];
	struct udp *sockets[SOCKETS];
};

struct loan {
	struct tcp_loan base;
	bool out;
};

static uint64_t now;
static uint8_t link_byte; /* the program's first */
static struct host hosts[HOSTS];
static struct loan loans[LOANS];
static uint8_t pattern[PIECE_MAX + PERIOD];

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t next(struct program *program)
{
	return program->at < program->size ? program->data[program->at++] : 0;
}

static struct host *next_host(struct program *program)
{
	return &hosts[next(program) % HOSTS];
}

/* 0 to PIECE_MAX, small ones as likely as large ones. */
static size_t next_len(struct program *program)
{
	uint8_t byte = next(program);

	return byte < 128 ? byte : (size_t)(byte - 127) * (PIECE_MAX / 128);
}

/* The environment --------------------------------------------------------------------------------------------- */

static uint64_t tell_time(void *context)
{
	(void)context;
	return now;
}

static void give_chance(void *context, void *buf, size_t len)
{
	struct host *host = context;
	uint8_t *bytes = buf;

	for (size_t i = 0; i < len; i++) {
		host->chance = host->chance * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (uint8_t)(host->chance >> 56);
	}
}

static int take_frame(
	void *context, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct host *host = context, *to = host->peer;
	struct frame frame = { .meta = *meta };
	size_t at = 0;

	must_hold(count > 0 && count <= PLATFORM_PIECES);
	if (host->full)
		return -EAGAIN;
	if (to->count == FRAMES)
		return 0;
	for (size_t i = 0; i < count; i++)
		frame.len += pieces[i].len;
	must_hold(frame.len > 0 && frame.len <= NET_FRAME_MAX);
	frame.bytes = malloc(frame.len);
	must_hold(frame.bytes);
	for (size_t i = 0; i < count; at += pieces[i++].len)
		if (pieces[i].len > 0)
			memcpy(frame.bytes + at, pieces[i].data, pieces[i].len);
	to->frames[to->count++] = frame;
	return 0;
}

static void open_stack(struct host *host)
{
	uint8_t number = (uint8_t)(host - hosts + 1);
	const struct stack_environment environment = {
		.context = host,
		.send = take_frame,
		.now = tell_time,
		.random = give_chance,
		.kind = link_byte & 1 ? STACK_LINK_IP : STACK_LINK_ETHERNET,
		.mac = { 2, [5] = number },
		.mtu = link_byte & 2 ? 9000 : 1500,
		.features = link_byte & 4 ? PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4 | PLATFORM_NET_TSO6 : 0,
		.memory_bytes = link_byte & 8 ? 128 * 1024 : 0,
	};
	const struct stack_config config = {
		.ipv4 = { .address = { 10, 0, 0, number }, .prefix_len = 24, .set = true },
		.gateway = { .address = { 10, 0, 0, (uint8_t)(3 - number) }, .set = true },
		.ipv6 = link_byte & 16 ? &stack_ipv6 : NULL,
		.ipv6_address = { .address = { 0xfd, [15] = number }, .prefix_len = 64, .set = true },
		.probe_ns = link_byte & 32 ? MSEC(10) : 0,
	};

	must_hold(stack_embed(&environment, &config, &host->stack) == 0);
}

/* The link ---------------------------------------------------------------------------------------------------- */

static struct frame take_out(struct host *host, size_t index)
{
	struct frame frame = host->frames[index];

	host->count--;
	memmove(host->frames + index, host->frames + index + 1, (host->count - index) * sizeof frame);
	return frame;
}

/* How one frame arrives: as it is, not at all, damaged by a bit, or once more later. */
static void arrive(struct host *host, struct program *program)
{
	uint8_t how = next(program);
	struct frame frame;

	if (host->count == 0)
		return;
	frame = take_out(host, how / 8 % host->count);
	if (how % 8 == 1 && frame.len > 0 && !frame.meta.checksum_partial)
		frame.bytes[next(program) * 251u % frame.len] ^= (uint8_t)(1 << next(program) % 8);
	if (how % 8 != 0)
		stack_receive(host->stack, frame.bytes, frame.len, how % 8 == 4 ? NULL : &frame.meta);
	if (how % 8 == 2 && host->count < FRAMES)
		host->frames[host->count++] = frame;
	else
		free(frame.bytes);
}

static void arrive_all(struct host *host)
{
	while (host->count > 0) {
		struct frame frame = take_out(host, 0);

		stack_receive(host->stack, frame.bytes, frame.len, &frame.meta);
		free(frame.bytes);
	}
	stack_advance(host->stack);
}

/* What nobody has sent. */
static void arrive_made_up(struct host *host, struct program *program)
{
	size_t len = next(program);
	uint8_t *bytes = malloc(len + 1);

	must_hold(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = next(program);
	stack_receive(host->stack, bytes, len, NULL);
	free(bytes);
}

static void pass_time(struct program *program)
{
	uint8_t byte = next(program);
	uint64_t due = stack_deadline(hosts[byte % HOSTS].stack);

	if (byte & 0x80)
		now += (uint64_t)1 << (byte % 40);
	else if (due != FOREVER && due > now)
		now = due;
	for (int i = 0; i < HOSTS; i++)
		must_hold(stack_advance(hosts[i].stack) == stack_deadline(hosts[i].stack));
}

/* TCP --------------------------------------------------------------------------------------------------------- */

static struct flow *place_for_flow(struct host *host)
{
	struct flow *flow = host->flows;

	while (flow < host->flows + FLOWS && flow->tcp)
		flow++;
	return flow < host->flows + FLOWS ? flow : NULL;
}

static void begin_flow(struct flow *flow, struct tcp *tcp)
{
	*flow = (struct flow){ .tcp = tcp, .sure = true };
	tcp_watch(tcp, &flow->watch);
}

static struct ip_endpoint some_peer(struct program *program)
{
	uint8_t byte = next(program), number = byte % 3 + 1;
	struct ip_endpoint peer = { ip_from_v4((const uint8_t[]){ 10, 0, 0, number }), 7 + byte / 4 % 2 };

	if (byte & 0x80)
		peer.address = (struct ip_address){ { 0xfd, [15] = number } };
	return peer;
}

static void open_flow(struct host *host, struct program *program)
{
	struct flow *flow = place_for_flow(host);
	struct ip_endpoint peer = some_peer(program);
	struct tcp *tcp;

	if (flow && tcp_connect_begin(host->stack, &peer, &tcp) == 0)
		begin_flow(flow, tcp);
}

static void listen_or_not(struct host *host, struct program *program)
{
	uint8_t byte = next(program);
	struct tcp_listener **listener = &host->listeners[byte % LISTENERS];
	const struct tcp_listening listening = { .backlog = byte & 0x40 ? 1 : 0, .refuse = byte & 0x20 };

	if (*listener) {
		tcp_watch_listener(*listener, NULL);
		tcp_unlisten(*listener);
		*listener = NULL;
	} else if (tcp_listen_with(host->stack, 7 + byte % LISTENERS, &listening, listener) < 0) {
		*listener = NULL;
	}
}

static void accept_flow(struct host *host, struct program *program)
{
	struct tcp_listener *listener = host->listeners[next(program) % LISTENERS];
	struct flow *flow = place_for_flow(host);
	struct tcp *tcp;

	if (listener && flow && tcp_accept(listener, &tcp, AT_ONCE) == 0)
		begin_flow(flow, tcp);
}

static void check_bytes(struct flow *flow, const uint8_t *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t offset = flow->read % PERIOD, part = len - done < PIECE_MAX ? len - done : PIECE_MAX;

		must_hold(memcmp(bytes + done, pattern + offset, part) == 0);
		done += part;
		flow->read += part;
	}
}

static void read_flow(struct flow *flow, struct program *program)
{
	static uint8_t bytes[PIECE_MAX];
	ssize_t len = tcp_read(flow->tcp, bytes, next_len(program), AT_ONCE);

	if (len > 0)
		check_bytes(flow, bytes, (size_t)len);
}

static void peek_flow(struct flow *flow, struct program *program)
{
	struct tcp_piece pieces[TCP_PIECES];
	ssize_t len = tcp_peek(flow->tcp, pieces, 0, AT_ONCE);
	size_t wanted = next_len(program), taken = 0;

	for (int i = 0; i < TCP_PIECES && len > 0; i++) {
		size_t part = wanted - taken < pieces[i].len ? wanted - taken : pieces[i].len;

		check_bytes(flow, pieces[i].data, part);
		taken += part;
	}
	if (len > 0)
		tcp_consume(flow->tcp, taken);
}

/* After an error how much was taken is unknown: such a flow writes no more. */
static void write_flow(struct flow *flow, struct program *program)
{
	size_t wanted = next_len(program);
	ssize_t len = flow->sure ? tcp_write(flow->tcp, pattern + flow->written % PERIOD, wanted, AT_ONCE) : -EAGAIN;

	must_hold(len <= (ssize_t)wanted);
	if (len > 0)
		flow->written += (size_t)len;
	else if (len < 0 && len != -EAGAIN)
		flow->sure = false;
}

static void come_back(struct tcp_loan *base, int error)
{
	struct loan *loan = (struct loan *)(void *)base;

	must_hold(loan->out && error <= 0);
	loan->out = false;
	free((void *)(uintptr_t)base->data); /* a copy of its own, so that a use afterwards is noticed */
}

static void lend_to_flow(struct flow *flow, struct program *program)
{
	size_t len = next_len(program) + 1;
	struct loan *loan = loans;
	void *bytes;
	int err;

	while (loan < loans + LOANS && loan->out)
		loan++;
	bytes = loan < loans + LOANS && flow->sure ? malloc(len) : NULL;
	if (!bytes)
		return;
	memcpy(bytes, pattern + flow->written % PERIOD, len);
	*loan = (struct loan){ .base = { .data = bytes, .len = len, .released = come_back }, .out = true };
	err = tcp_lend(flow->tcp, &loan->base, AT_ONCE);
	if (err == 0) {
		flow->written += len;
		return;
	}
	must_hold(loan->out);
	loan->out = false;
	free(bytes);
	flow->sure = err == -EAGAIN;
}

static void tune_flow(struct flow *flow, struct program *program)
{
	uint8_t byte = next(program);
	struct tcp_tuning tuning = {
		.keepalive_ns = byte & 1 ? SECOND(1) : 0,
		.user_timeout_ns = byte & 2 ? SECOND(5) : 0,
		.congestion = byte & 4 ? &tcp_newreno : NULL,
		.prompt_ack = byte & 8,
		.dscp = byte & 16 ? 46 : 0,
	};
	struct tcp_statistics statistics;

	(void)tcp_tune(flow->tcp, &tuning);
	tcp_set_nodelay(flow->tcp, byte & 32);
	tcp_statistics(flow->tcp, &statistics);
	must_hold(statistics.state[0] != 0);
}

static void end_flow(struct flow *flow, bool abort_it)
{
	tcp_watch(flow->tcp, NULL);
	if (abort_it)
		tcp_abort(flow->tcp);
	else
		tcp_close(flow->tcp);
	flow->tcp = NULL;
}

enum { CONNECTED, READ, PEEK, WRITE, LEND, TUNE, SHUTDOWN, CLOSE, ABORT, FLOW_COMMANDS };

static void command_flow(struct host *host, struct program *program)
{
	uint8_t byte = next(program);
	struct flow *flow = &host->flows[byte / FLOW_COMMANDS % FLOWS];

	if (!flow->tcp)
		return;
	switch (byte % FLOW_COMMANDS) {
	case CONNECTED:
		(void)tcp_connected(flow->tcp, AT_ONCE);
		break;
	case READ:
		read_flow(flow, program);
		break;
	case PEEK:
		peek_flow(flow, program);
		break;
	case WRITE:
		write_flow(flow, program);
		break;
	case LEND:
		lend_to_flow(flow, program);
		break;
	case TUNE:
		tune_flow(flow, program);
		break;
	case SHUTDOWN:
		(void)tcp_shutdown(flow->tcp);
		break;
	default:
		end_flow(flow, byte % FLOW_COMMANDS == ABORT);
	}
}

/* UDP, and the stack itself ----------------------------------------------------------------------------------- */

static void command_udp(struct host *host, struct program *program)
{
	uint8_t byte = next(program);
	struct udp **socket = &host->sockets[byte % SOCKETS];
	struct ip_endpoint peer = some_peer(program), from;
	struct ip_address to;
	uint8_t bytes[256];

	if (!*socket) {
		if (udp_bind(host->stack, 7 + byte % SOCKETS, socket) < 0)
			*socket = NULL;
		return;
	}
	switch (byte / SOCKETS % 6) {
	case 0:
		(void)udp_connect(*socket, byte & 0x80 ? &peer : NULL, AT_ONCE);
		break;
	case 1:
	case 2:
		(void)udp_send(*socket, byte & 0x80 ? &peer : NULL, pattern, next_len(program), AT_ONCE);
		break;
	case 3:
		udp_set_queue(*socket, (size_t)next(program) * 256);
		break;
	case 4:
		udp_close(*socket);
		*socket = NULL;
		break;
	default:
		(void)udp_receive_to(*socket, bytes, sizeof bytes, &from, &to, AT_ONCE);
	}
}

static void command_stack(struct host *host, struct program *program)
{
	uint8_t byte = next(program);
	const struct ip_address other = ip_from_v4((const uint8_t[]){ 10, 0, 0, 3 });
	const struct stack_route route = { .prefix_len = 0, .gateway = some_peer(program).address };
	struct stack_counters counters;

	switch (byte % 8) {
	case 0: /* what came from it stays, and answers that it is gone */
		stack_close(host->stack);
		open_stack(host);
		break;
	case 1:
		(void)stack_add_address(host->stack, NULL, &other, 24);
		break;
	case 2:
		(void)stack_remove_address(host->stack, &other);
		break;
	case 3:
		(void)stack_add_route(host->stack, &route);
		break;
	case 4:
		(void)stack_remove_route(host->stack, &route);
		break;
	case 5:
		host->full = !host->full;
		break;
	case 6:
		(void)stack_delivers(host->stack);
		(void)stack_configured(host->stack);
		stack_counters(host->stack, &counters);
		break;
	default:
		while (stack_next_ready(host->stack))
			;
	}
}

static void command(struct program *program)
{
	uint8_t byte = next(program);
	struct host *host = next_host(program);

	switch (byte % 16) {
	case 0:
		listen_or_not(host, program);
		break;
	case 1:
	case 2:
		open_flow(host, program);
		break;
	case 3:
	case 4:
		accept_flow(host, program);
		break;
	case 5:
		command_udp(host, program);
		break;
	case 6:
		command_stack(host, program);
		break;
	case 7:
		arrive_made_up(host, program);
		break;
	case 8:
		arrive(host, program);
		break;
	case 9:
	case 10:
		arrive_all(host);
		break;
	case 11:
		pass_time(program);
		break;
	default:
		command_flow(host, program);
	}
}

static void close_all(struct host *host, bool stack_first)
{
	if (stack_first)
		stack_close(host->stack);
	for (int i = 0; i < FLOWS; i++)
		if (host->flows[i].tcp)
			end_flow(&host->flows[i], false);
	for (int i = 0; i < LISTENERS; i++)
		tcp_unlisten(host->listeners[i]);
	for (int i = 0; i < SOCKETS; i++)
		udp_close(host->sockets[i]);
	if (!stack_first)
		stack_close(host->stack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program program = { .data = data, .size = size };

	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 131 >> 3);
	memset(hosts, 0, sizeof hosts);
	now = SECOND(1);
	link_byte = next(&program);
	for (int i = 0; i < HOSTS; i++) {
		hosts[i].peer = &hosts[1 - i];
		hosts[i].chance = (uint64_t)i + 1;
		open_stack(&hosts[i]);
	}
	for (int i = 0; i < COMMANDS_MAX && program.at < program.size; i++)
		command(&program);
	close_all(&hosts[0], link_byte & 64);
	close_all(&hosts[1], link_byte & 128);
	for (int i = 0; i < HOSTS; i++)
		while (hosts[i].count > 0)
			free(hosts[i].frames[--hosts[i].count].bytes);
	for (int i = 0; i < LOANS; i++)
		must_hold(!loans[i].out);
	return 0;
}
