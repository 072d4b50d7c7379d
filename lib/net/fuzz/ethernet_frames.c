/* SPDX-License-Identifier: ISC
 *
 * A sequence of frames, with time between them, into a live stack of both families that has a TCP echo server on port
 * 80, a UDP echo server on port 7, and a task that sends. Its IPv6 addresses are there from the second second on.
 *
 * The input is a list of records, each a 16-bit number in network order and what it announces:
 *	0x8000 | ms	that time passes
 *	0x4000 | len	len bytes follow, a frame whose checksums count as right, and whose TCP acknowledgement
 *			counts from what the stack has sent last: so that mutations get past the checks that guess-proof
 *			numbers are for
 *	len		len bytes follow, a frame as it is
 * Random numbers are the same in every run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>
#include <skerry/random.h>
#include <skerry/task.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "lib/net/ipv6_stack.h"
#include "lib/net/own_stack.h"
#include "lib/net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PASS = 0x8000, HELPED = 0x4000, LENGTH = 0x3fff, TURNS = 8, FRAMES_MAX = 256 };
enum { HEADERS_6 = NET_ETHERNET_HEADER + IPV6_HEADER };
enum { HEADERS = NET_ETHERNET_HEADER + IPV4_HEADER, TCP_SEQ = HEADERS + 4, TCP_ACK_AT = HEADERS + 8 };

struct wire {
	struct net net;
	struct stack *stack;
	const uint8_t *input;
	size_t left;
	uint8_t frame[LENGTH + 1];
	ssize_t len; /* of the frame that arrives; negative: none */
	bool helped;
	uint32_t sequence; /* after what the stack sent last by TCP */
};

/* Time and chance --------------------------------------------------------------------------------------------- */

static uint64_t now, chance;

uint64_t platform_clock_monotonic(void)
{
	return now;
}

uint64_t platform_clock_wall(void)
{
	return now;
}

void platform_wait(uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX)
		abort(); /* nothing would ever happen again */
	if (deadline_ns > now)
		now = deadline_ns;
}

int random_init(void)
{
	return 0;
}

uint32_t random_u32(void)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(chance >> 32);
}

uint32_t random_below(uint32_t bound)
{
	return random_u32() % bound;
}

void random_bytes(void *buf, size_t len)
{
	uint8_t *bytes = buf;

	while (len-- > 0)
		*bytes++ = (uint8_t)random_u32();
}

/* The link ---------------------------------------------------------------------------------------------------- */

/* Every byte that the stack sends is looked at, so that the sanitizer sees what is not initialised or not there. */
static int wire_send(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct wire *wire = (struct wire *)net;
	uint8_t sent[NET_FRAME_MAX];
	size_t len = 0;

	(void)meta;
	for (size_t i = 0; i < count; len += pieces[i++].len) {
		if (pieces[i].len > sizeof sent - len)
			abort();
		memcpy(sent + len, pieces[i].data, pieces[i].len);
	}
	if (len < NET_ETHERNET_HEADER || len > (size_t)NET_ETHERNET_HEADER + wire->net.info.mtu)
		abort();
	if (len >= HEADERS_6 + 20 && wire_get16(sent + 12) == ETHERNET_IPV6 &&
		sent[NET_ETHERNET_HEADER + IPV6_NEXT_HEADER] == IP_PROTOCOL_TCP)
		wire->sequence = wire_get32(sent + HEADERS_6 + 4) + (sent[HEADERS_6 + 13] & 0x03 ? 1 : 0) +
				 (uint32_t)(len - HEADERS_6 - (sent[HEADERS_6 + 12] >> 4) * 4u);
	if (len >= HEADERS + 20 && wire_get16(sent + 12) == ETHERNET_IPV4 && sent[23] == IP_PROTOCOL_TCP)
		wire->sequence = wire_get32(sent + TCP_SEQ) + (sent[HEADERS + 13] & 0x03 ? 1 : 0) +
				 (uint32_t)(len - HEADERS - (sent[HEADERS + 12] >> 4) * 4u);
	return 0;
}

static ssize_t wire_receive(struct net *net, void *buf, size_t size, struct platform_net_meta *meta)
{
	struct wire *wire = (struct wire *)net;
	ssize_t len = wire->len;

	*meta = (struct platform_net_meta){ .checksum_verified = wire->helped };
	wire->len = -EAGAIN;
	if (len > 0 && (size_t)len <= size)
		memcpy(buf, wire->frame, (size_t)len);
	return len;
}

static void wire_close(struct net *net)
{
	(void)net;
}

/* The link vouches for TCP and UDP; ICMPv6 is summed by everybody. */
static void help_ipv6(struct wire *wire)
{
	uint8_t *header = wire->frame + NET_ETHERNET_HEADER, *payload = header + IPV6_HEADER;
	size_t len = wire->len < HEADERS_6 ? 0 : (size_t)wire->len - HEADERS_6, at;
	struct ip_address source = ipv6_get(header + IPV6_SOURCE), destination = ipv6_get(header + IPV6_DESTINATION);
	uint8_t next = header[IPV6_NEXT_HEADER];

	if (wire_get16(header + IPV6_PAYLOAD_LENGTH) < len)
		len = wire_get16(header + IPV6_PAYLOAD_LENGTH);
	at = ipv6_skip_extensions(&next, payload, len);
	if (at == SIZE_MAX || len - at < ICMPV6_HEADER)
		return;
	payload += at;
	len -= at;
	if (next == IP_PROTOCOL_TCP && len >= 12)
		wire_put32(payload + 8, wire_get32(payload + 8) + wire->sequence);
	if (next != IP_PROTOCOL_ICMPV6)
		return;
	wire_put16(payload + ICMPV6_CHECKSUM, 0);
	wire_put16(payload + ICMPV6_CHECKSUM,
		checksum_finish(checksum_add(checksum_pseudo(&source, &destination, next, len), payload, len)));
}

static void help(struct wire *wire)
{
	uint8_t *frame = wire->frame;
	size_t header_len = (frame[NET_ETHERNET_HEADER] & 0x0f) * 4u;

	if (wire->len >= HEADERS_6 && wire_get16(frame + 12) == ETHERNET_IPV6) {
		help_ipv6(wire);
		return;
	}
	if ((size_t)wire->len < HEADERS || NET_ETHERNET_HEADER + header_len > (size_t)wire->len || header_len < 12)
		return;
	wire_put16(frame + NET_ETHERNET_HEADER + 10, 0);
	wire_put16(frame + NET_ETHERNET_HEADER + 10,
		checksum_finish(checksum_add(0, frame + NET_ETHERNET_HEADER, header_len)));
	if (frame[NET_ETHERNET_HEADER + 9] == IP_PROTOCOL_TCP && (size_t)wire->len >= TCP_ACK_AT + 4)
		wire_put32(frame + TCP_ACK_AT, wire_get32(frame + TCP_ACK_AT) + wire->sequence);
}

/* Its next record. false: the input is at its end. */
static bool next_record(struct wire *wire, uint64_t *pass_ns)
{
	uint16_t record;

	*pass_ns = 0;
	if (wire->left < 2)
		return false;
	record = wire_get16(wire->input);
	wire->input += 2;
	wire->left -= 2;
	if (record & PASS) {
		*pass_ns = MSEC(record & (PASS - 1));
		return true;
	}
	wire->len = (record & LENGTH) < wire->left ? record & LENGTH : (ssize_t)wire->left;
	wire->helped = record & HELPED;
	memcpy(wire->frame, wire->input, (size_t)wire->len);
	wire->input += wire->len;
	wire->left -= (size_t)wire->len;
	if (wire->helped)
		help(wire);
	return true;
}

/* The unikernel ----------------------------------------------------------------------------------------------- */

static int echo(void *arg)
{
	struct tcp *flow = arg;
	char buf[512];
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, FOREVER)) > 0)
		if (tcp_write(flow, buf, (size_t)len, FOREVER) < 0)
			break;
	return 0;
}

static int serve_tcp(void *stack)
{
	struct tcp_listener *listener;
	struct tcp *flow;

	if (tcp_listen(stack, 80, &listener) < 0)
		abort();
	while (tcp_accept(listener, &flow, FOREVER) == 0)
		if (task_spawn_with(task_orphans(), echo, flow, tcp_close_resource, NULL) < 0)
			tcp_abort(flow);
	task_group_cancel(task_orphans());
	tcp_unlisten(listener);
	return 0;
}

static int serve_udp(void *stack)
{
	struct ip_endpoint from;
	struct udp *socket;
	char buf[512];
	ssize_t len;

	if (udp_bind(stack, 7, &socket) < 0)
		abort();
	while ((len = udp_receive(socket, buf, sizeof buf, &from, FOREVER)) >= 0) {
		size_t size = (size_t)len < sizeof buf ? (size_t)len : sizeof buf;
		int err = udp_send(socket, &from, buf, size, task_now() + MSEC(100));

		if (err == -ECANCELED)
			break;
	}
	udp_close(socket);
	return 0;
}

static void check_bounds(const struct own_stack *stack)
{
	const struct ipv6 *ipv6 = stack->ipv6->machine;

	if (arp_count(stack->first.arp) > ARP_ENTRIES || ipv6->neighbours.count > NDP_NEIGHBOURS ||
		ipv6->neighbours.waiting_bytes > NDP_WAITING_BYTES || ipv6->path_count > IPV6_PATHS ||
		ipv6->routing.router_count > NDP_ROUTERS || ipv6->routing.prefix_count > NDP_PREFIXES ||
		ipv6->routing.resolver_count > NDP_RESOLVERS || ipv6->mld.count > IPV6_GROUPS ||
		stack->ipv6->fragments.bytes > FRAGMENT_BYTES)
		abort();
}

static int feed(void *arg)
{
	struct wire *wire = arg;
	static const struct stack_config config = { .ipv4 = { { 10, 0, 0, 2 }, 24, true },
		.gateway = { { 10, 0, 0, 1 }, 32, true },
		.ipv6 = &stack_ipv6,
		.ipv6_address = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 }, 64, true },
		.accept_router_advertisements = true,
		.ipv6_temporary = true };
	struct task *servers[2];
	uint64_t pass_ns;

	if (stack_open(&wire->net, &config, &wire->stack) < 0 ||
		task_spawn(NULL, serve_tcp, wire->stack, &servers[0]) < 0 ||
		task_spawn(NULL, serve_udp, wire->stack, &servers[1]) < 0)
		abort();
	for (int frames = 0; frames < FRAMES_MAX && next_record(wire, &pass_ns); frames++) {
		if (wire->len >= 0)
			wire->net.ready(wire->net.ready_context);
		for (int i = 0; i < TURNS; i++)
			(void)task_yield();
		if (pass_ns > 0)
			(void)task_sleep(task_now() + pass_ns);
	}
	task_cancel(servers[0]);
	task_cancel(servers[1]);
	check_bounds((const struct own_stack *)wire->stack);
	stack_close(wire->stack);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct net_ops ops = { wire_send, wire_receive, wire_close };
	static struct wire wire;
	static bool quiet;
	char error[1];
	int result;

	if (!quiet)
		quiet = log_configure("quiet", error, sizeof error) == 0;

	wire = (struct wire){ .net.ops = &ops, .net.info.mtu = 1500, .input = data, .left = size, .len = -EAGAIN };
	memcpy(wire.net.info.mac, "\2\0\0\0\0\2", 6);
	now = SECOND(1000);
	chance = 1;
	if (task_run(feed, &wire, &result) < 0)
		abort();
	return 0;
}
