/* SPDX-License-Identifier: ISC
 *
 * Inside our own stack: what the IP layer gives to and takes from the transports above it, and who they are.
 *
 * Receiving: the stack reads each frame into one buffer, and the layers handle it there, one after the other, before
 * the next is read; a transport copies the payload once, into the flow's ring or the socket's queue. Sending: a
 * transport hands over pieces (its header, and the payload where it lies); the IP layer puts its own headers in front
 * and the link gathers them. So frames have no owners, no reference counts and no pool, and memory is bounded by the
 * rings alone.
 */
#ifndef NET_IP_H
#define NET_IP_H

#include <skerry/layers.h>

#include "stack_ops.h"

enum { IP_PROTOCOL_ICMP = 1, IP_PROTOCOL_IGMP = 2, IP_PROTOCOL_TCP = 6, IP_PROTOCOL_UDP = 17 };

struct own_stack; /* our own stack: defined in own_stack.h */

/* A packet's payload on its way up: headers are checked, reassembly is done, the destination is ours. */
struct ip_received {
	struct ip_address source, destination;
	const uint8_t *payload; /* from the transport's header on; borrowed for the call */
	size_t len;
	bool checksum_verified; /* the link vouches for the transport checksum */
	bool broadcast;         /* sent to more than us, on the link or by IP */
	uint8_t traffic_class;  /* DSCP and ECN */
	uint8_t ttl;
	const uint8_t *header; /* the IP header in front of payload, for quoting in ICMP errors */
	size_t header_len;
};

/* A packet's payload on its way down. */
struct ip_sending {
	struct ip_address source, destination; /* source: from ip_route */
	uint8_t protocol;
	uint8_t traffic_class;
	uint8_t ttl;                         /* or hop limit; 0: the usual one */
	const struct platform_piece *pieces; /* at most IP_PIECES, borrowed for the call */
	size_t count;
	size_t len; /* the sum of the pieces' lengths */
	/* With checksum_partial: where the transport's checksum lies in the payload. The transport has written the
	 * pseudo-header's sum there if the link completes it (ip_link_features), else the whole checksum. */
	bool checksum_partial;
	uint16_t checksum_offset;
	uint16_t segment_bytes; /* TSO: payload bytes of each segment, and piece 0 is the header; 0: one packet */
	bool may_fragment;      /* larger than the MTU, it goes in fragments; else -EMSGSIZE */
	bool path_may_fragment; /* IPv4: DF is not set */
};
enum { IP_ECN_MASK = 3, IP_ECT_0 = 2 };       /* of the traffic class: RFC 3168, 5; both bits: congestion experienced */
enum { IP_DSCP_SHIFT = 2, IP_DSCP_MAX = 63 }; /* the rest of it: RFC 2474 */
enum { IP_PIECES = PLATFORM_PIECES - 1 };

/* Which source address and MTU (of the IP packet) a packet to destination would have. 0; -ENETUNREACH; -EAGAIN: an
 * IPv6 address or router may be found soon, which wakes own_stack.resolved. */
int ip_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu);

/* Waits until it does not answer -EAGAIN. Beside ip_route's errors: -ETIMEDOUT, -ECANCELED. */
int ip_wait_for_route(struct own_stack *stack, const struct ip_address *destination, uint64_t deadline,
	struct ip_address *source, uint16_t *mtu);

/* Whether ip_send to destination would send now: 0; -EAGAIN: its neighbour is being asked for; -EHOSTUNREACH,
 * -ENETUNREACH, -ENOMEM. */
int ip_ready(struct own_stack *stack, const struct ip_address *destination);

/* Sends; never blocks. 0 also when the packet waits for its neighbour (the latest packets are kept); -EAGAIN
 * when the link has no room, -ENETUNREACH, -EHOSTUNREACH (the neighbour did not answer lately), -EMSGSIZE, -ENOMEM. */
int ip_send(struct own_stack *stack, const struct ip_sending *packet);
/* The same of what nobody waits for: without room it is dropped. */
void ip_send_or_drop(struct own_stack *stack, const struct ip_sending *packet);
/* A transport knows that what it sends to destination arrives (RFC 4861, 7.3.1). */
void ip_confirm(struct own_stack *stack, const struct ip_address *destination);
/* PLATFORM_NET_* bits that all links have. */
uint32_t ip_link_features(const struct own_stack *stack);
/* The part of the packet's pieces from offset on, len bytes of it. How many pieces that makes. */
size_t ip_cut(struct platform_piece *cut, const struct ip_sending *packet, size_t offset, size_t len);

/* Internet checksum (RFC 1071) over pieces of memory: sums add up, any alignment and length; a piece of odd length
 * may only come last. A sum is opaque until it is finished: it is in the processor's order. */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);
uint32_t checksum_pseudo(
	const struct ip_address *source, const struct ip_address *destination, uint8_t protocol, size_t len);
uint16_t checksum_finish(uint32_t sum); /* folded and complemented, host order: store big-endian */

/* The transports. Each is a table, so that programs without it do not link it, and keeps its state in an object of its
 * own, made and freed with the stack. */
struct tcp_stack;
struct stack_tcp {
	const struct tcp_ops *calls;
	int (*open)(struct own_stack *stack, struct tcp_stack **tcp);
	void (*close)(struct tcp_stack *tcp);
	void (*receive)(struct tcp_stack *tcp, const struct ip_received *packet);
	/* ICMP says that a packet of ours could not be delivered: quoted is its payload's first 8 or more bytes. error:
	 * -ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH, or -EMSGSIZE with the path's new mtu. Soft unless noted in RFC
	 * 5461. false: it is about nothing of ours. */
	bool (*icmp_error)(struct tcp_stack *tcp, const struct ip_address *source, const struct ip_address *destination,
		const uint8_t *quoted, size_t len, int error, uint16_t mtu);
	/* The stack has this address no more: connections that used it end with -ENETUNREACH, without a word to their
	 * peers. */
	void (*lose_address)(struct tcp_stack *tcp, const struct ip_address *address);
	/* Whether closed connections still have bytes, or their end, that the peers have not taken. */
	bool (*delivers)(const struct tcp_stack *tcp);
	/* After each batch of received frames, and when the link may have room again (after -EAGAIN): what is due may
	 * go now. */
	void (*flush)(struct tcp_stack *tcp);
};
void tcp_receive(struct tcp_stack *tcp, const struct ip_received *packet); /* the tables' own, for tests */
void tcp_flush(struct tcp_stack *tcp);

struct udp_stack;
struct stack_udp {
	const struct udp_ops *calls;
	int (*open)(struct own_stack *stack, struct udp_stack **udp);
	void (*close)(struct udp_stack *udp);
	/* false: nobody listens on the port (the caller sends ICMP port unreachable). */
	bool (*receive)(struct udp_stack *udp, const struct ip_received *packet);
	/* As TCP's. */
	bool (*icmp_error)(struct udp_stack *udp, const struct ip_address *destination, const uint8_t *quoted,
		size_t len, int error);
};
/* A socket of the stack's own, whose datagrams are handed over as they come: packet's payload is the UDP header, and
 * data what follows it. NULL: no memory. */
typedef void udp_handler(void *context, const struct ip_received *packet, const uint8_t *data, size_t len);
struct udp *udp_open_handler(struct udp_stack *udp, uint16_t port, udp_handler *handler, void *context);
/* Sends without waiting for anything: what cannot be sent now is lost, but the latest datagram waits for ARP. */
void udp_send_now(struct udp *socket, const struct ip_endpoint *to, const void *buf, size_t len);

/* transport.c: the transports that a stack has. */
int transport_open(struct own_stack *stack, const struct stack_layers *layers);
void transport_close_tcp(struct own_stack *stack); /* may wait for its peers */
void transport_close_udp(struct own_stack *stack);
/* What is not taken is counted, and the caller tells its sender by ICMP. */
enum transport_answer { TRANSPORT_TOOK, TRANSPORT_NO_PORT, TRANSPORT_NO_PROTOCOL };
enum transport_answer transport_receive(struct own_stack *stack, const struct ip_received *packet, uint8_t protocol);
bool transport_icmp_error(struct own_stack *stack, uint8_t protocol, const struct ip_address *source,
	const struct ip_address *destination, const uint8_t *quoted, size_t len, int error, uint16_t mtu);
void transport_lose_address(struct own_stack *stack, const struct ip_address *address);
void transport_flush(struct own_stack *stack);

#endif
