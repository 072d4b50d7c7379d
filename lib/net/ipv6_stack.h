/* SPDX-License-Identifier: ISC
 *
 * IPv6 within our own stack: what binds the machine of ipv6.h to the device, the timers and the transports. A stack
 * without it has no reference to any of this, so that it is not linked.
 */
#ifndef NET_IPV6_STACK_H
#define NET_IPV6_STACK_H

#include "ipv6.h"
#include "ipv6_wire.h"
#include "own_stack.h"

enum { IPV6_FRAGMENT_HEADER = 8 };
#define IPV6_FRAGMENT_NS SECOND(60) /* RFC 8200, 4.5 */
enum { IPV6_TOLD_MAX = 32 };        /* lines of the log in IPV6_TOLD_NS: who is on the link causes each of them */
#define IPV6_TOLD_NS SECOND(10)

struct ipv6_stack {
	struct own_stack *stack;
	struct ipv6 *machine;
	struct ipv6_link link;
	struct timer timer; /* the machine's and the fragments' */
	struct fragments fragments;
	uint64_t told_since; /* when the count of lines began */
	unsigned told_count;
};

/* A packet on its way through its headers. */
struct ipv6_chain {
	struct ip_received packet; /* payload: from the header on that is looked at now */
	const uint8_t *body;       /* what follows packet.header, up to the packet's end */
	size_t body_len;
	uint8_t next;   /* what the payload begins with */
	size_t next_at; /* where in the packet that is said */
	bool to_many;   /* on the link */
	bool fragmented, reassembled;
};

/* ipv6_stack.c: arms the timer anew if the machine asks for it. Call it after whatever the machine was told. */
void ipv6_settle(struct ipv6_stack *six);

/* ipv6_input.c */
void ipv6_receive(
	struct own_stack *stack, const uint8_t *packet, size_t len, bool to_many, const struct platform_net_meta *meta);
void ipv6_receive_looped(struct own_stack *stack, const uint8_t *packet, size_t len);
void ipv6_expire_fragments(struct ipv6_stack *six, uint64_t now);
/* Moves over the extension headers that at begins with, up to the upper layer's header, whose type next becomes: its
 * offset. SIZE_MAX: the end comes before it. */
size_t ipv6_skip_extensions(uint8_t *next, const uint8_t *at, size_t len);

/* ipv6_output.c: as ip_route, ip_ready and ip_send. */
int ipv6_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu);
int ipv6_ready(struct own_stack *stack, const struct ip_address *destination);
int ipv6_send(struct own_stack *stack, const struct ip_sending *packet);
/* For loopback.c, as struct stack_ipv6 has them. */
bool ipv6_is_own(const struct own_stack *stack, const struct ip_address *address);
void ipv6_put_whole_header(const struct own_stack *stack, uint8_t header[IPV6_HEADER], const struct ip_sending *packet);
/* What the machine's link does. */
void ipv6_send_message(struct ipv6_link *link, const struct ipv6_message *message);
void ipv6_forward(struct ipv6_link *link, const uint8_t mac[6], const void *packet, size_t len);

/* icmp6.c */
void icmp6_receive(struct ipv6_stack *six, const struct ipv6_chain *chain);
/* Says so to the packet's source, unless RFC 4443, 2.4 or the rate forbids it. value: the pointer of a parameter
 * problem, else 0. */
enum icmp6_error_kind { /* type and code */
	ICMP6_PORT_UNREACHABLE = ICMPV6_UNREACHABLE << 8 | 4,
	ICMP6_REASSEMBLY_TIME_EXCEEDED = ICMPV6_TIME_EXCEEDED << 8 | 1,
	ICMP6_ERRONEOUS_FIELD = ICMPV6_PARAMETER_PROBLEM << 8 | 0,
	ICMP6_UNKNOWN_NEXT_HEADER = ICMPV6_PARAMETER_PROBLEM << 8 | 1,
	ICMP6_UNKNOWN_OPTION = ICMPV6_PARAMETER_PROBLEM << 8 | 2,
	ICMP6_INCOMPLETE_CHAIN = ICMPV6_PARAMETER_PROBLEM << 8 | 3,
};
void icmp6_send_error(struct ipv6_stack *six, const struct ipv6_chain *chain, enum icmp6_error_kind kind, size_t value);

#endif
