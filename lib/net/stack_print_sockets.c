/* SPDX-License-Identifier: ISC
 *
 * A stack's listeners, connections and sockets, for the operator, in the manner of ss.
 */
/* All of this is off the hot paths: size counts. */
#pragma GCC optimize("Os")

#include <skerry/log.h>
#include <skerry/text.h>

#include "tcp_stack.h"
#include "udp_stack.h"

LOG_SOURCE(stack);

enum { TIMER_TEXT = 48 };

/* The timer that is due first, and when: as ss has it, but with this stack's own timers. */
static const char *timer_text(const struct tcp_connection *c, uint64_t now, char text[TIMER_TEXT])
{
	static const char *const names[TCP_TIMERS] = { [TCP_TIMER_RETRANSMIT] = "retransmit",
		[TCP_TIMER_PROBE] = "probe",
		[TCP_TIMER_REORDER] = "reorder",
		[TCP_TIMER_PERSIST] = "persist",
		[TCP_TIMER_DELAYED_ACK] = "delayed-ack",
		[TCP_TIMER_KEEPALIVE] = "keepalive",
		[TCP_TIMER_LINGER] = "linger" };
	size_t first = 0;
	uint64_t left_ms;

	for (size_t i = 1; i < TCP_TIMERS; i++)
		if (c->timers[i] < c->timers[first])
			first = i;
	if (c->timers[first] == FOREVER)
		return "";
	left_ms = c->timers[first] > now ? (c->timers[first] - now) / MSEC(1) : 0;
	text_format(text, TIMER_TEXT, " timer:(%s,%llu.%03llus)", names[first], (unsigned long long)(left_ms / 1000),
		(unsigned long long)(left_ms % 1000));
	return text;
}

static void print_flow(const struct tcp_flow *flow, uint64_t now)
{
	const struct tcp_connection *c = &flow->core;
	char local[IP_ENDPOINT_TEXT_MAX], peer[IP_ENDPOINT_TEXT_MAX], timer[TIMER_TEXT];

	log_app("tcp %s recv-q:%u send-q:%u %s %s%s cwnd:%u rtt:%llu.%03llums retrans:%u", tcp_state_names[c->state],
		c->rx.len, tcp_send_end(c) - c->snd_una, ip_endpoint_format(&flow->local, local),
		ip_endpoint_format(&flow->peer, peer), timer_text(c, now, timer), c->cwnd,
		(unsigned long long)(c->srtt_ns / MSEC(1)), (unsigned long long)(c->srtt_ns / USEC(1) % 1000),
		c->retransmissions);
}

/* An unspecified address is any. */
static const char *endpoint_text(const struct ip_endpoint *endpoint, char text[IP_ENDPOINT_TEXT_MAX])
{
	if (!ip_equal(&endpoint->address, &ip_unspecified))
		return ip_endpoint_format(endpoint, text);
	text_format(text, IP_ENDPOINT_TEXT_MAX, "*:%u", endpoint->port);
	return text;
}

static void print_listener(const struct own_listener *listener)
{
	const struct ip_endpoint local = { listener->address, listener->port };
	char text[IP_ENDPOINT_TEXT_MAX];

	log_app("tcp LISTEN ready:%zu of %u half-open:%zu %s", listener->ready.count, listener->backlog,
		listener->half_open.count, endpoint_text(&local, text));
}

static void print_tcp(const struct tcp_stack *tcp, uint64_t now)
{
	const struct tcp_node *node = tcp->all.first;
	size_t shown = 0;

	for (const struct own_listener *listener = tcp->listeners; listener; listener = listener->next)
		if (shown++ < STACK_PRINT_MAX)
			print_listener(listener);
	if (shown > STACK_PRINT_MAX)
		log_app("listeners: %d of %zu are shown", STACK_PRINT_MAX, shown);
	for (shown = 0; node && shown < STACK_PRINT_MAX; node = node->next, shown++)
		print_flow(node->flow, now);
	if (node)
		log_app("connections: %d of %zu are shown", STACK_PRINT_MAX, tcp->all.count);
}

static void print_socket(const struct own_udp *socket)
{
	const struct ip_endpoint local = { socket->local, socket->port };
	char here[IP_ENDPOINT_TEXT_MAX], peer[IP_ENDPOINT_TEXT_MAX];

	log_app("udp recv-q:%zu of %zu %s %s", socket->queued_bytes, socket->queue_limit, endpoint_text(&local, here),
		socket->peer.port ? ip_endpoint_format(&socket->peer, peer) : "*");
}

static void print_udp(const struct udp_stack *udp)
{
	size_t shown = 0;

	for (size_t i = 0; i < UDP_BUCKETS; i++)
		for (const struct own_udp *socket = udp->buckets[i]; socket; socket = socket->next)
			if (shown++ < STACK_PRINT_MAX)
				print_socket(socket);
	if (shown > STACK_PRINT_MAX)
		log_app("sockets: %d of %zu are shown", STACK_PRINT_MAX, shown);
}

void stack_print_sockets(const struct own_stack *stack)
{
	log_app("memory %zu of %zu bytes for data, %zu for connections", stack->pool.used_bytes,
		stack->pool.limit_bytes, stack->pool.flow_bytes);
	if (stack->tcp)
		print_tcp(stack->tcp, stack_now(stack));
	if (stack->udp)
		print_udp(stack->udp);
}
