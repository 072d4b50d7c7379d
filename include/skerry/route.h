/* SPDX-License-Identifier: ISC
 *
 * More than one address, link and gateway for IPv4 of our own stack, beside what stack_config says. Linked only into
 * programs that call these.
 *
 * What is sent takes the way with the longest prefix: to a subnet of one of our addresses, or by a route; the gateway
 * that was configured or leased is a route of length 0. Of ways with equal prefixes one is taken that leaves by the
 * link of the packet's source address, so that an answer leaves where its question came (RFC 1122, 3.3.4.2); of these,
 * the one whose gateway has not failed to answer ARP, or not for the longest time (3.3.1.4): until then it stays the
 * same. It is sent from the address of that link whose subnet the next hop is of, or else from the first there
 * (3.3.4.3). What comes is for us only on the link that has the address.
 *
 * Errors of all calls: -ENOTSUP: the host's sockets, a stack without IPv4, or an IPv6 address; -ENODEV: the stack is
 * not on that device. None blocks.
 */
#ifndef SKERRY_ROUTE_H
#define SKERRY_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include <skerry/address.h>
#include <skerry/net.h>
#include <skerry/stack.h>

enum {
	STACK_ADDRESSES_MAX = 8, /* of IPv4 on one link */
	STACK_ROUTES_MAX = 16,   /* without the configured or leased gateway */
	STACK_INTERFACES_MAX = 8,
};

/* Another link for this stack, which borrows the device until stack_close. It has no address yet. DHCP and IPv6 stay
 * with the link that the stack was opened on. 0, -EBUSY (a stack has the device), -ENOSPC, -ENOMEM. */
int stack_add_interface(struct stack *stack, struct net *net);

/* Another address on this link (NULL: the one that the stack was opened on), which is announced, and not probed. 0;
 * -EINVAL: no host can have it with this prefix; -EEXIST: it is ours already; -ENOSPC. */
int stack_add_address(struct stack *stack, struct net *net, const struct ip_address *address, uint8_t prefix_len);

/* It is ours no more: connections that use it end with -ENETUNREACH. 0; -ENOENT: it was not; -EBUSY: it is the
 * configured or leased one. */
int stack_remove_address(struct stack *stack, const struct ip_address *address);

struct stack_route {
	struct ip_address prefix; /* unspecified, with a length of 0: all there is */
	uint8_t prefix_len;
	struct ip_address gateway; /* need not be of a subnet of ours; unspecified: all of prefix is on the link */
	struct net *net;           /* the link; NULL: where the gateway's subnet is, or else the first */
};

/* 0; -EINVAL: a prefix with bits behind its length, or a gateway that is no single host's address, or ours; -EEXIST:
 * the route is there; -ENOSPC, -ENOMEM. */
int stack_add_route(struct stack *stack, const struct stack_route *route);
/* 0; -ENOENT: there is no such route. The configured or leased gateway is not removed by this. */
int stack_remove_route(struct stack *stack, const struct stack_route *route);

/* Whether ICMP redirects are obeyed (RFC 1122, 3.2.2.2): the gateway says which other one on its link is a better first
 * hop to a host; for ten minutes, or until that one does not answer ARP. Of STACK_REDIRECTS_MAX hosts the oldest makes
 * room. Ignored at first: whoever is on the link can forge one. 0 or -ENOMEM. */
enum { STACK_REDIRECTS_MAX = 16 };
int stack_obey_redirects(struct stack *stack, bool obey);

#endif
