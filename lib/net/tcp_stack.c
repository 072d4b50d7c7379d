/* SPDX-License-Identifier: ISC
 *
 * Between the IP layer and the flows: segments in, checked and handed to their flow or listener; segments out, summed;
 * errors of ICMP; local ports.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>

#include "tcp_stack.h"

LOG_SOURCE(tcp);

enum { ICMP_QUOTED = 8, SEQUENCE_STRIDE = 1 << 20 };

struct own_listener *tcp_find_listener(const struct tcp_stack *tcp, const struct ip_endpoint *local)
{
	struct own_listener *of_all = NULL;

	for (struct own_listener *listener = tcp->listeners; listener; listener = listener->next) {
		if (listener->port != local->port)
			continue;
		if (ip_equal(&listener->address, &local->address))
			return listener;
		if (ip_equal(&listener->address, &ip_unspecified))
			of_all = listener;
	}
	return of_all;
}

uint16_t tcp_choose_port(struct tcp_stack *tcp, const struct ip_address *local, const struct ip_endpoint *peer)
{
	const uint32_t range = TCP_PORT_MAX - TCP_PORT_MIN + 1;
	struct ip_endpoint here = { .address = *local };
	uint32_t offset = (uint32_t)(tcp_number(tcp, TCP_FOR_PORT, &here, peer, 0) % range);

	for (uint32_t i = 0; i < range; i++) {
		here.port = (uint16_t)(TCP_PORT_MIN + (offset + tcp->next_port++ % range) % range);
		if (!tcp_find_listener(tcp, &here) && !tcp_table_find(tcp, &here, peer))
			return here.port;
	}
	return 0;
}

/* The sum of the payload's pieces. The first may have an odd length where the ring wraps: then the second one's bytes
 * stand in the other halves of the 16-bit words, and its sum is swapped (RFC 1071, 2 B). */
static uint32_t sum_payload(uint32_t sum, const struct tcp_segment *segment)
{
	uint16_t second;

	if (segment->count > 0)
		sum = checksum_add(sum, segment->pieces[0].data, segment->pieces[0].len);
	if (segment->count < 2)
		return sum;
	if (segment->pieces[0].len % 2 == 0)
		return checksum_add(sum, segment->pieces[1].data, segment->pieces[1].len);
	/* Written to memory and summed again, so that no assumption about the order inside of sums is needed. */
	second = (uint16_t)~checksum_finish(checksum_add(0, segment->pieces[1].data, segment->pieces[1].len));
	return checksum_add(sum, (const uint8_t[]){ (uint8_t)second, (uint8_t)(second >> 8) }, 2);
}

static void put_checksum(uint8_t *header, uint16_t checksum)
{
	header[TCP_CHECKSUM_OFFSET] = (uint8_t)(checksum >> 8);
	header[TCP_CHECKSUM_OFFSET + 1] = (uint8_t)checksum;
}

/* What the link cuts is counted as what it becomes. */
static void count_sent(struct stack_counters *counters, const struct tcp_segment *segment)
{
	uint32_t count = segment->segment_bytes ? (segment->len - 1) / segment->segment_bytes + 1 : 1;

	if (segment->retransmission)
		counters->TcpRetransSegs += count;
	else
		counters->TcpOutSegs += count;
	if (segment->flags & TCP_RST)
		counters->TcpOutRsts++;
}

int tcp_transmit(struct tcp_stack *tcp, const struct tcp_tuning *tuning, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *segment)
{
	struct tcp_segment ported = *segment;
	uint8_t header[TCP_HEADER_MAX];
	struct platform_piece pieces[3] = { { .data = header } };
	struct ip_sending packet = {
		.source = local->address,
		.destination = peer->address,
		.protocol = IP_PROTOCOL_TCP,
		.pieces = pieces,
		.count = 1 + segment->count,
		.checksum_partial = ip_link_features(tcp->own) & PLATFORM_NET_CHECKSUM,
		.checksum_offset = TCP_CHECKSUM_OFFSET,
		.segment_bytes = segment->segment_bytes,
		.traffic_class = (uint8_t)(tuning->dscp << IP_DSCP_SHIFT | (segment->ecn_capable ? IP_ECT_0 : 0)),
		.ttl = tuning->ttl,
		.path_may_fragment = segment->fragmentable,
	};
	uint32_t sum;
	int err;

	ported.source_port = local->port;
	ported.destination_port = peer->port;
	pieces[0].len = tcp_segment_build(&ported, header);
	pieces[1] = segment->pieces[0];
	pieces[2] = segment->pieces[1];
	packet.len = pieces[0].len + segment->len;
	sum = checksum_pseudo(&packet.source, &packet.destination, IP_PROTOCOL_TCP, packet.len);
	if (packet.checksum_partial)
		put_checksum(header, (uint16_t)~checksum_finish(sum));
	else
		put_checksum(header, checksum_finish(sum_payload(checksum_add(sum, header, pieces[0].len), segment)));
	err = ip_send(tcp->own, &packet);
	if (err != -EAGAIN)
		count_sent(&tcp->own->counters, segment);
	return err;
}

void tcp_transmit_or_drop(struct tcp_stack *tcp, const struct tcp_tuning *tuning, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *segment)
{
	if (tcp_transmit(tcp, tuning, local, peer, segment) == -EAGAIN)
		stack_drop(tcp->own, DROP_LINK_NO_ROOM);
}

/* The answer of CLOSED, for what belongs to nobody. */
static void refuse(struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	const struct tcp_segment *segment)
{
	struct tcp_segment reset;

	if (tcp_segment_refuse(segment, &reset))
		tcp_transmit_or_drop(tcp, &tcp->tuning, local, peer, &reset);
}

/* A flow of a listener's, half open; or, when too many are (most), or memory is short, its configuration alone. */
static struct tcp_flow *open_half(struct own_listener *listener, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, size_t most, struct tcp_config *config)
{
	struct tcp_stack *tcp = listener->tcp;
	struct tcp_flow *flow = NULL;
	struct ip_address source;
	uint16_t mtu;

	config->mss = 0;
	if (ip_route(tcp->own, &peer->address, &source, &mtu) < 0)
		return NULL;
	if (listener->half_open.count < most)
		flow = tcp_flow_new(tcp, local, peer, mtu, config);
	if (!flow)
		*config = (struct tcp_config){ .mss = (uint16_t)(mtu - tcp_ip_headers(peer)) };
	config->tuning = listener->tuning;
	if (!flow)
		return NULL;
	flow->listener = listener;
	tcp_list_append(&listener->half_open, &flow->place, flow);
	return flow;
}

/* Whether nobody accepts fast enough. The peer asks again later, or elsewhere. */
static bool overflows(struct own_listener *listener, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	const struct tcp_segment *segment)
{
	if (listener->ready.count < listener->backlog)
		return false;
	stack_drop(listener->tcp->own, DROP_TCP_LISTEN_OVERFLOW);
	if (listener->refuse)
		refuse(listener->tcp, local, peer, segment);
	return true;
}

/* A SYN for a listener begins a half-open flow, or is answered with a cookie. iss_after: what the new sequence numbers
 * must lie beyond. */
static void begin(struct own_listener *listener, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	const struct tcp_segment *syn, const uint32_t *iss_after)
{
	struct tcp_config config;
	struct tcp_flow *flow;

	if (overflows(listener, local, peer, syn))
		return;
	flow = open_half(listener, local, peer, TCP_SYN_BACKLOG, &config);
	if (iss_after)
		config.iss = *iss_after + SEQUENCE_STRIDE;
	if (flow) {
		tcp_core_accept(&flow->core, &config, syn, tcp_now(listener->tcp));
		if (listener->fast_pending > 0)
			tcp_fast_begin(listener, flow, syn);
		tcp_flow_mark(flow);
	} else if (config.mss) {
		tcp_cookie_answer(listener, &config, local, peer, syn);
	} else {
		stack_drop(listener->tcp->own, DROP_TCP_LISTEN_MEMORY);
	}
}

static void flow_receive(struct tcp_flow *flow, struct tcp_segment *segment);

/* An ACK brings a cookie back: the connection that it remembers. Whether it was one; without memory it is dropped. */
static bool begin_from_cookie(struct own_listener *listener, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, struct tcp_segment *ack)
{
	struct tcp_segment syn;
	struct tcp_config config;
	struct tcp_flow *flow;

	if (!tcp_cookie_check(listener, local, peer, ack, &syn))
		return false;
	if (overflows(listener, local, peer, ack))
		return true;
	tcp_flow_make_room(listener->tcp, listener);
	flow = open_half(listener, local, peer, SIZE_MAX, &config);
	if (flow) {
		config.iss = ack->ack - 1;
		tcp_core_accept_cookie(&flow->core, &config, &syn, tcp_now(listener->tcp));
		flow_receive(flow, ack);
	} else {
		stack_drop(listener->tcp->own, DROP_TCP_LISTEN_MEMORY);
	}
	return true;
}

static void listen_receive(struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	struct tcp_segment *segment)
{
	struct own_listener *listener = tcp_find_listener(tcp, local);
	enum tcp_verdict verdict = listener ? tcp_listen_verdict(segment) : TCP_REFUSE;

	if (verdict == TCP_ACCEPT) {
		begin(listener, local, peer, segment, NULL);
		return;
	}
	if (verdict == TCP_REFUSE && listener && begin_from_cookie(listener, local, peer, segment))
		return;
	stack_drop(tcp->own, listener ? DROP_TCP_FLAGS : DROP_TCP_NO_LISTENER);
	if (verdict == TCP_REFUSE)
		refuse(tcp, local, peer, segment);
}

/* A new SYN in TIME-WAIT: the old connection is over (RFC 6191). Its successor's numbers lie beyond all it used. */
static void replace(struct tcp_flow *flow, struct own_listener *listener, const struct tcp_segment *syn)
{
	struct ip_endpoint local = flow->local, peer = flow->peer;
	uint32_t used = flow->core.snd_nxt;

	tcp_flow_forget(flow);
	begin(listener, &local, &peer, syn, &used);
}

static void flow_receive(struct tcp_flow *flow, struct tcp_segment *segment)
{
	struct own_listener *listener = flow->listener;
	uint32_t acknowledged = flow->core.snd_una;

	if (tcp_core_replaceable(&flow->core, segment)) {
		listener = tcp_find_listener(flow->tcp, &flow->local);
		if (listener) {
			replace(flow, listener, segment);
			return;
		}
	}
	if (listener && flow->place.list == &listener->half_open && !(segment->flags & TCP_RST) &&
		overflows(listener, &flow->local, &flow->peer, segment)) {
		if (listener->refuse)
			tcp_flow_forget(flow);
		return;
	}
	tcp_core_input(&flow->core, segment, tcp_now(flow->tcp));
	if (flow->core.snd_una != acknowledged)
		ip_confirm(flow->tcp->own, &flow->peer.address);
	if (flow->core.state != TCP_CLOSED)
		tcp_flow_mark(flow);
	tcp_flow_settle(flow);
}

static bool checksum_holds(const struct ip_received *packet)
{
	uint32_t sum = checksum_pseudo(&packet->source, &packet->destination, IP_PROTOCOL_TCP, packet->len);

	return checksum_finish(checksum_add(sum, packet->payload, packet->len)) == 0;
}

/* Port 0 is nobody's; and who claims to be us, at this very port, would have us talk to ourselves. */
static bool has_ends(const struct ip_received *packet, const struct tcp_segment *segment)
{
	return segment->source_port && segment->destination_port &&
	       (segment->source_port != segment->destination_port || !ip_equal(&packet->source, &packet->destination));
}

void tcp_receive(struct tcp_stack *tcp, const struct ip_received *packet)
{
	struct ip_endpoint local = { .address = packet->destination }, peer = { .address = packet->source };
	struct tcp_segment segment;
	struct tcp_flow *flow;

	tcp->own->counters.TcpInSegs++;
	if (packet->broadcast) { /* MUST-57 */
		stack_drop(tcp->own, DROP_TCP_BROADCAST);
		return;
	}
	if (!packet->checksum_verified && !checksum_holds(packet)) {
		stack_drop(tcp->own, DROP_TCP_CHECKSUM);
		return;
	}
	if (tcp_segment_parse(packet->payload, packet->len, &segment) < 0 || !has_ends(packet, &segment)) {
		stack_drop(tcp->own, DROP_TCP_HEADER);
		return;
	}
	segment.congested = (packet->traffic_class & IP_ECN_MASK) == IP_ECN_MASK;
	local.port = segment.destination_port;
	peer.port = segment.source_port;
	flow = tcp_table_find(tcp, &local, &peer);
	if (flow)
		flow_receive(flow, &segment);
	else
		listen_receive(tcp, &local, &peer, &segment);
}

static bool icmp_error(struct tcp_stack *tcp, const struct ip_address *source, const struct ip_address *destination,
	const uint8_t *quoted, size_t len, int error, uint16_t mtu)
{
	struct ip_endpoint local = { .address = *source }, peer = { .address = *destination };
	uint16_t headers = tcp_ip_headers(&peer);
	struct tcp_flow *flow;
	uint32_t seq;

	if (len < ICMP_QUOTED)
		return false;
	local.port = (uint16_t)(quoted[0] << 8 | quoted[1]);
	peer.port = (uint16_t)(quoted[2] << 8 | quoted[3]);
	seq = (uint32_t)quoted[4] << 24 | (uint32_t)quoted[5] << 16 | (uint32_t)quoted[6] << 8 | quoted[7];
	flow = tcp_table_find(tcp, &local, &peer);
	if (!flow)
		return false;
	tcp_core_undelivered(&flow->core, seq, error, mtu > headers ? (uint16_t)(mtu - headers) : 0, tcp_now(tcp));
	tcp_flow_push(flow);
	return true;
}

void tcp_flush(struct tcp_stack *tcp)
{
	bool room = true;

	for (size_t count = tcp->dirty.count; count > 0 && room && tcp->dirty.first; count--) {
		struct tcp_flow *flow = tcp->dirty.first->flow;
		size_t marked;
		tcp_list_remove(&flow->dirty);
		marked = tcp->dirty.count;
		tcp_flow_push(flow);
		room = tcp->dirty.count <= marked; /* it marked itself again: the link is full */
	}
}

static int open_tcp(struct own_stack *stack, struct tcp_stack **result)
{
	struct tcp_stack *tcp = calloc(1, sizeof *tcp);

	if (!tcp)
		return -ENOMEM;
	if (tcp_table_init(tcp) < 0) {
		free(tcp);
		return -ENOMEM;
	}
	tcp->own = stack;
	tcp->flows_max = TCP_FLOWS_MAX;
	tcp->tuning = tcp_defaults;
	tcp->time_wait_max = stack->pool.limit_bytes / TCP_TIME_WAIT_PART / TCP_FLOW_BYTES;
	if (tcp->time_wait_max > TCP_TIME_WAIT_MAX)
		tcp->time_wait_max = TCP_TIME_WAIT_MAX;
	stack_random(stack, &tcp->key, sizeof tcp->key);
	tcp->next_port = stack_random_u32(stack);
	*result = tcp;
	return 0;
}

/* Whether a closed connection still has bytes, or its FIN, that the peer has not taken. */
static bool delivers(const struct tcp_flow *flow)
{
	enum tcp_state state = flow->core.state;

	return flow->core.orphan && (state == TCP_FIN_WAIT_1 || state == TCP_CLOSING || state == TCP_LAST_ACK);
}

static bool any_delivers(const struct tcp_stack *tcp)
{
	const struct tcp_node *node = tcp->all.first;

	while (node && !delivers(node->flow))
		node = node->next;
	return node;
}

/* The user's handles outlive the stack: they answer -ECONNRESET until they are closed. */
static void detach(struct tcp_flow *flow)
{
	char text[IP_ENDPOINT_TEXT_MAX];

	log_error("the stack is closed, but the flow with %s is not", ip_endpoint_format(&flow->peer, text));
	tcp_core_abort(&flow->core, -ECONNRESET);
	tcp_flow_settle(flow);
	tcp_list_remove(&flow->all);
	flow->core.rx.pool = NULL;
	flow->tcp = NULL;
}

static void lose_address(struct tcp_stack *tcp, const struct ip_address *address)
{
	for (struct tcp_node *node = tcp->all.first, *next; node; node = next) {
		struct tcp_flow *flow = node->flow;

		next = node->next;
		if (!ip_equal(&flow->local.address, address))
			continue;
		if (!flow->held)
			flow->listener = NULL;
		tcp_core_abort(&flow->core, -ENETUNREACH);
		tcp_flow_settle(flow);
	}
}

static void close_tcp(struct tcp_stack *tcp)
{
	uint64_t deadline;

	if (!tcp)
		return;
	deadline = tcp_now(tcp) + TCP_CLOSE_LINGER_NS;
	tcp_flush(tcp);
	while (any_delivers(tcp) && wait_on(&tcp->drained, deadline) == 0)
		;
	for (struct own_listener *listener = tcp->listeners; listener; listener = listener->next) {
		log_error("the stack is closed, but the listener on port %u is not", listener->port);
		while (listener->half_open.first)
			tcp_flow_kill(listener->half_open.first->flow);
		while (listener->ready.first)
			tcp_flow_kill(listener->ready.first->flow);
		listener->tcp = NULL;
		wake_all(&listener->acceptors);
	}
	while (tcp->all.first) {
		if (tcp->all.first->flow->held)
			detach(tcp->all.first->flow);
		else
			tcp_flow_kill(tcp->all.first->flow);
	}
	while (tcp->closed.first)
		detach(tcp->closed.first->flow);
	free(tcp->fast);
	free(tcp->buckets);
	free(tcp);
}

const struct stack_tcp stack_tcp = {
	.calls = &tcp_calls,
	.open = open_tcp,
	.close = close_tcp,
	.receive = tcp_receive,
	.icmp_error = icmp_error,
	.lose_address = lose_address,
	.delivers = any_delivers,
	.flush = tcp_flush,
};
