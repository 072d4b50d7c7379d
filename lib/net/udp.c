/* SPDX-License-Identifier: ISC
 *
 * UDP (RFC 768; RFC 1122, 4.1): the sockets of our own stack.
 *
 * A datagram is copied twice: from the receive buffer into the socket's queue (one allocation), and from there to the
 * caller. Sending copies nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>

#include "udp_stack.h"
#include "wire.h"

LOG_SOURCE(udp);

enum { SOURCE_PORT = 0, DESTINATION_PORT = 2, LENGTH = 4, CHECKSUM = 6, UDP_HEADER = 8, IP_HEADER_MOST = 40 };
enum { PORT_FIRST = 49152, PORTS = 65536 - PORT_FIRST }; /* RFC 6335: the dynamic ports */

static struct own_udp *own(struct udp *socket)
{
	return (struct own_udp *)socket;
}

static struct own_udp *find(const struct udp_stack *udp, uint16_t port)
{
	struct own_udp *socket = udp->buckets[port % UDP_BUCKETS];

	while (socket && socket->port != port)
		socket = socket->next;
	return socket;
}

/* RFC 6056, 3.3.1: from a random start, each port once. 0: none is free. */
static uint16_t choose_port(const struct udp_stack *udp)
{
	uint32_t start = stack_random_below(udp->stack, PORTS);

	for (uint32_t i = 0; i < PORTS; i++) {
		uint16_t port = (uint16_t)(PORT_FIRST + (start + i) % PORTS);

		if (!find(udp, port))
			return port;
	}
	return 0;
}

static struct own_udp *new_socket(struct udp_stack *udp, uint16_t port)
{
	struct own_udp *socket = calloc(1, sizeof *socket);

	if (!socket)
		return NULL;
	socket->base.ops = udp->stack->base.udp;
	socket->owner = udp;
	socket->port = port;
	socket->queue_limit = UDP_QUEUE_BYTES;
	socket->next = udp->buckets[port % UDP_BUCKETS];
	udp->buckets[port % UDP_BUCKETS] = socket;
	return socket;
}

static int own_udp_bind(struct stack *stack, uint16_t port, struct udp **result)
{
	struct udp_stack *udp = ((struct own_stack *)stack)->udp;
	struct own_udp *socket;

	if (port == 0)
		port = choose_port(udp);
	if (port == 0 || find(udp, port))
		return -EADDRINUSE;
	socket = new_socket(udp, port);
	if (!socket)
		return -ENOMEM;
	*result = &socket->base;
	return 0;
}

struct udp *udp_open_handler(struct udp_stack *udp, uint16_t port, udp_handler *handler, void *context)
{
	struct own_udp *socket = new_socket(udp, port);

	if (!socket)
		return NULL;
	socket->handler = handler;
	socket->context = context;
	return &socket->base;
}

static uint16_t own_udp_port(const struct udp *socket)
{
	return ((const struct own_udp *)socket)->port;
}

static void own_udp_close(struct udp *base)
{
	struct own_udp *socket = own(base);

	if (socket->owner) {
		struct own_udp **link = &socket->owner->buckets[socket->port % UDP_BUCKETS];

		while (*link != socket)
			link = &(*link)->next;
		*link = socket->next;
	}
	while (socket->first)
		udp_drop(socket, udp_take(socket));
	free(socket);
}

struct datagram *udp_take(struct own_udp *socket)
{
	struct datagram *datagram = socket->first;

	socket->first = datagram->next;
	socket->queued_bytes -= sizeof *datagram + datagram->len;
	return datagram;
}

void udp_drop(struct own_udp *socket, struct datagram *datagram)
{
	pool_free(socket->owner ? &socket->owner->stack->pool : NULL, datagram, sizeof *datagram + datagram->len);
}

void udp_queue(struct own_udp *socket, struct datagram *datagram)
{
	datagram->next = NULL;
	if (socket->first)
		socket->last->next = datagram;
	else
		socket->first = datagram;
	socket->last = datagram;
	socket->queued_bytes += sizeof *datagram + datagram->len;
}

bool udp_is_peer(const struct own_udp *socket, const struct ip_endpoint *from)
{
	return !socket->peer.port ||
	       (socket->peer.port == from->port && ip_equal(&socket->peer.address, &from->address));
}

/* Receiving --------------------------------------------------------------------------------------------------- */

static bool checksum_holds(const struct ip_received *packet, size_t len)
{
	uint32_t sum;

	if (packet->checksum_verified)
		return true;
	if (wire_get16(packet->payload + CHECKSUM) == 0) /* the sender made none: never over IPv6 (RFC 8200, 8.1) */
		return ip_is_v4(&packet->source);
	sum = checksum_pseudo(&packet->source, &packet->destination, IP_PROTOCOL_UDP, len);
	return checksum_finish(checksum_add(sum, packet->payload, len)) == 0;
}

static struct ip_endpoint source_of(const struct ip_received *packet)
{
	return (struct ip_endpoint){ packet->source, wire_get16(packet->payload + SOURCE_PORT) };
}

static bool enqueue(struct own_udp *socket, const struct ip_received *packet, size_t len)
{
	struct pool *pool = &socket->owner->stack->pool;
	struct datagram *datagram;
	size_t bytes = sizeof *datagram + len;

	if (socket->queued_bytes + bytes > socket->queue_limit || !(datagram = pool_alloc_packet(pool, bytes)))
		return false;
	datagram->from = source_of(packet);
	datagram->to = packet->broadcast ? ip_unspecified : packet->destination;
	datagram->len = len;
	memcpy(datagram->bytes, packet->payload + UDP_HEADER, len);
	udp_queue(socket, datagram);
	wake_one(&socket->readable);
	return true;
}

/* Whether the program itself takes the datagram. */
static bool is_for_listener(struct stack_listener *listener, const struct ip_received *packet, size_t len)
{
	const uint8_t *header = packet->payload;
	const struct ip_endpoint source = source_of(packet);
	const struct ip_endpoint destination = { packet->destination, wire_get16(header + DESTINATION_PORT) };

	return listener && listener->datagram &&
	       listener->datagram(listener, &source, &destination, header + UDP_HEADER, len);
}

static bool receive_packet(struct udp_stack *udp, const struct ip_received *packet)
{
	struct ip_endpoint source;
	struct own_udp *socket;
	size_t len = packet->len >= UDP_HEADER ? wire_get16(packet->payload + LENGTH) : 0;

	/* The length may be below what IP carried: the rest is padding. */
	if (len < UDP_HEADER || len > packet->len) {
		stack_drop(udp->stack, DROP_UDP_HEADER);
		return true;
	}
	if (!checksum_holds(packet, len)) {
		stack_drop(udp->stack, DROP_UDP_CHECKSUM);
		return true;
	}
	if (is_for_listener(udp->stack->listener, packet, len - UDP_HEADER)) {
		udp->stack->counters.UdpInDatagrams++;
		return true;
	}
	socket = find(udp, wire_get16(packet->payload + DESTINATION_PORT));
	source = source_of(packet);
	if (!socket || !udp_is_peer(socket, &source)) {
		stack_drop(udp->stack, DROP_UDP_NO_PORT);
		return false;
	}
	if (socket->handler) {
		socket->handler(socket->context, packet, packet->payload + UDP_HEADER, len - UDP_HEADER);
	} else if (!enqueue(socket, packet, len - UDP_HEADER)) {
		stack_drop(udp->stack, DROP_UDP_QUEUE_FULL);
		return true;
	}
	udp->stack->counters.UdpInDatagrams++;
	return true;
}

/* Takes the error that ICMP has reported about this peer. */
static int take_error(struct own_udp *socket, const struct ip_endpoint *to)
{
	int error = socket->error;

	if (error == 0 || socket->error_peer.port != to->port || !ip_equal(&socket->error_peer.address, &to->address))
		return 0;
	socket->error = 0;
	return error;
}

static ssize_t own_udp_receive(
	struct udp *base, void *buf, size_t size, struct ip_endpoint *from, struct ip_address *to, uint64_t deadline)
{
	struct own_udp *socket = own(base);
	struct datagram *datagram;
	ssize_t len;

	while (!socket->first) {
		int err = socket->owner ? take_error(socket, &socket->peer) : -ECONNRESET;

		if (err == 0)
			err = wait_on(&socket->readable, deadline);
		if (err < 0)
			return err;
	}
	datagram = udp_take(socket);
	len = (ssize_t)datagram->len;
	if (from)
		*from = datagram->from;
	if (to)
		*to = datagram->to;
	if (size > 0 && len > 0)
		memcpy(buf, datagram->bytes, size < datagram->len ? size : datagram->len);
	udp_drop(socket, datagram);
	if (socket->first)
		wake_one(&socket->readable);
	return len;
}

/* Sending ----------------------------------------------------------------------------------------------------- */

static bool hear_error(
	struct udp_stack *udp, const struct ip_address *destination, const uint8_t *quoted, size_t len, int error)
{
	struct own_udp *socket = len >= UDP_HEADER ? find(udp, wire_get16(quoted + SOURCE_PORT)) : NULL;

	if (!socket)
		return false;
	socket->error = error;
	socket->error_peer.address = *destination;
	socket->error_peer.port = wire_get16(quoted + DESTINATION_PORT);
	wake_all(&socket->readable); /* who is connected to it receives it */
	return true;
}

/* One attempt. -EAGAIN: after wait is woken, it may succeed. */
static int try_send(struct own_stack *stack, const struct ip_sending *packet, struct wait_queue **wait)
{
	int err = ip_ready(stack, &packet->destination);

	*wait = &stack->resolved;
	if (err == 0) {
		*wait = &stack->room;
		err = ip_send(stack, packet);
		stack->counters.UdpOutDatagrams += err == 0;
	}
	return err;
}

static int send_packet(struct own_udp *socket, const struct ip_sending *packet, uint64_t deadline)
{
	struct wait_queue *wait;

	while (socket->owner) {
		int err = try_send(socket->owner->stack, packet, &wait);

		if (err == -EAGAIN)
			err = wait_on(wait, deadline);
		else
			return err;
		if (err < 0)
			return err;
	}
	return -ECONNRESET;
}

/* A sum of 0 is sent as all ones, since 0 means that there is none; a partial sum is the link's to complete. */
static void put_header(uint8_t header[UDP_HEADER], const struct own_udp *socket, const struct ip_sending *packet,
	uint16_t destination_port)
{
	uint32_t sum = checksum_pseudo(&packet->source, &packet->destination, IP_PROTOCOL_UDP, packet->len);
	uint16_t checksum;

	wire_put16(header + SOURCE_PORT, socket->port);
	wire_put16(header + DESTINATION_PORT, destination_port);
	wire_put16(header + LENGTH, (uint16_t)packet->len);
	wire_put16(header + CHECKSUM, 0);
	if (packet->checksum_partial) {
		wire_put16(header + CHECKSUM, (uint16_t)~checksum_finish(sum));
		return;
	}
	for (size_t i = 0; i < packet->count; i++)
		sum = checksum_add(sum, packet->pieces[i].data, packet->pieces[i].len);
	checksum = checksum_finish(sum);
	wire_put16(header + CHECKSUM, checksum ? checksum : 0xffff);
}

/* What is on its way down: packet's pieces are these. What is larger than the path takes goes in fragments, and then
 * no link can complete its checksum. */
struct outgoing {
	uint8_t header[UDP_HEADER];
	struct platform_piece pieces[2];
	struct ip_sending packet;
};

static void prepare(struct outgoing *outgoing, const struct own_udp *socket, const struct ip_address *source,
	uint16_t mtu, const struct ip_endpoint *to, const void *buf, size_t len)
{
	bool whole = IP_HEADER_MOST + UDP_HEADER + len <= mtu;

	outgoing->pieces[0] = (struct platform_piece){ outgoing->header, UDP_HEADER };
	outgoing->pieces[1] = (struct platform_piece){ buf, len };
	outgoing->packet = (struct ip_sending){
		.source = *source,
		.destination = to->address,
		.protocol = IP_PROTOCOL_UDP,
		.pieces = outgoing->pieces,
		.count = len ? 2 : 1,
		.len = UDP_HEADER + len,
		.checksum_partial = whole && ip_link_features(socket->owner->stack) & PLATFORM_NET_CHECKSUM,
		.checksum_offset = CHECKSUM,
		.may_fragment = true,
		.traffic_class = (uint8_t)(socket->dscp << IP_DSCP_SHIFT),
		.ttl = socket->ttl,
	};
	put_header(outgoing->header, socket, &outgoing->packet, to->port);
}

static int own_udp_send(struct udp *base, const struct ip_address *from, const struct ip_endpoint *to, const void *buf,
	size_t len, uint64_t deadline)
{
	struct own_udp *socket = own(base);
	struct ip_address source;
	struct outgoing outgoing;
	uint16_t mtu;
	int err;

	if (len > UDP_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (!socket->owner)
		return -ECONNRESET;
	if (!to && !socket->peer.port)
		return -EDESTADDRREQ;
	if (!to)
		from = &socket->local;
	to = to ? to : &socket->peer;
	err = take_error(socket, to);
	if (err == 0)
		err = ip_wait_for_route(socket->owner->stack, &to->address, deadline, &source, &mtu);
	if (err == 0 && ip_equal(&source, &ip_unspecified)) /* the stack's own clients may send without one */
		err = -ENETUNREACH;
	if (err == 0 && from && !ip_may_send_from(socket->owner->stack, from, &to->address))
		err = -EADDRNOTAVAIL;
	if (err < 0)
		return err;
	prepare(&outgoing, socket, from ? from : &source, mtu, to, buf, len);
	return send_packet(socket, &outgoing.packet, deadline);
}

void udp_send_now(struct udp *base, const struct ip_endpoint *to, const void *buf, size_t len)
{
	struct own_udp *socket = own(base);
	struct ip_address source;
	struct outgoing outgoing;
	uint16_t mtu;

	if (ip_route(socket->owner->stack, &to->address, &source, &mtu) < 0)
		return;
	prepare(&outgoing, socket, &source, mtu, to, buf, len);
	socket->owner->stack->counters.UdpOutDatagrams++;
	ip_send_or_drop(socket->owner->stack, &outgoing.packet);
}

/* Opening ----------------------------------------------------------------------------------------------------- */

static int open_udp(struct own_stack *stack, struct udp_stack **result)
{
	struct udp_stack *udp = calloc(1, sizeof *udp);

	if (!udp)
		return -ENOMEM;
	udp->stack = stack;
	*result = udp;
	return 0;
}

/* The sockets outlive the stack, as their owners still hold them: every call on them fails from now on. */
static void close_udp(struct udp_stack *udp)
{
	if (!udp)
		return;
	for (size_t i = 0; i < UDP_BUCKETS; i++) {
		for (struct own_udp *socket = udp->buckets[i]; socket; socket = socket->next) {
			log_error("the stack is closed, but the socket on port %u is not", socket->port);
			socket->owner = NULL;
			wake_all(&socket->readable);
		}
	}
	free(udp);
}

/* Weak: only programs that connect sockets, set their queues or choose addresses take udp_connect.c out of the library.
 */
__attribute__((weak)) int own_udp_connect(struct udp *socket, const struct ip_endpoint *peer, uint64_t deadline);
__attribute__((weak)) void own_udp_set_queue(struct udp *socket, size_t bytes);
__attribute__((weak)) void own_udp_set_header(struct udp *socket, uint8_t dscp, uint8_t ttl);

static const struct udp_ops calls = {
	.bind = own_udp_bind,
	.receive = own_udp_receive,
	.send = own_udp_send,
	.connect = own_udp_connect,
	.set_queue = own_udp_set_queue,
	.set_header = own_udp_set_header,
	.port = own_udp_port,
	.close = own_udp_close,
};

const struct stack_udp stack_udp = {
	.calls = &calls,
	.open = open_udp,
	.close = close_udp,
	.receive = receive_packet,
	.icmp_error = hear_error,
};
