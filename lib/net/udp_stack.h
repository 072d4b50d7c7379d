/* SPDX-License-Identifier: ISC
 *
 * The UDP sockets of one stack.
 */
#ifndef NET_UDP_STACK_H
#define NET_UDP_STACK_H

#include "own_stack.h"

enum { UDP_BUCKETS = 64 };

struct datagram {
	struct datagram *next;
	struct ip_endpoint from;
	struct ip_address to; /* unspecified: to more than us */
	size_t len;
	uint8_t bytes[];
};

struct own_udp {
	struct udp base;
	struct udp_stack *owner; /* NULL: the stack was closed */
	struct own_udp *next;    /* in its bucket */
	uint16_t port;
	uint8_t dscp, ttl;
	struct ip_endpoint peer; /* of udp_connect; port 0: none */
	struct ip_address local; /* from which we send to it */
	struct datagram *first, *last;
	size_t queued_bytes, queue_limit; /* with the heads */
	struct wait_queue readable;
	udp_handler *handler; /* NULL: datagrams are queued */
	void *context;
	int error; /* what ICMP said last, and about whom: told to the next who sends there, or has connected to it */
	struct ip_endpoint error_peer;
};

struct udp_stack {
	struct own_stack *stack;
	struct own_udp *buckets[UDP_BUCKETS];
};

/* udp.c */
struct datagram *udp_take(struct own_udp *socket);                 /* the first of the queue, which has one */
void udp_queue(struct own_udp *socket, struct datagram *datagram); /* behind the last */
void udp_drop(struct own_udp *socket, struct datagram *datagram);  /* frees what is in the queue no more */
bool udp_is_peer(const struct own_udp *socket, const struct ip_endpoint *from); /* whose datagrams it takes */

/* udp_connect.c */
int own_udp_connect(struct udp *socket, const struct ip_endpoint *peer, uint64_t deadline);
void own_udp_set_queue(struct udp *socket, size_t bytes);
void own_udp_set_header(struct udp *socket, uint8_t dscp, uint8_t ttl);

#endif
