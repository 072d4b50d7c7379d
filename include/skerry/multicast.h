/* SPDX-License-Identifier: ISC
 *
 * Groups that our own stack hears (RFC 1112): a socket receives what is sent to its port at any of them, and
 * udp_receive_to tells no address for that. Linked only into programs that call these. Sending to a group needs no
 * membership.
 *
 * Routers and switches are told by IGMP version 3, or as old as a router on the link is (RFC 3376).
 */
#ifndef SKERRY_MULTICAST_H
#define SKERRY_MULTICAST_H

#include <skerry/address.h>
#include <skerry/net.h>
#include <skerry/stack.h>

enum { STACK_GROUPS_MAX = 16 }; /* on one link */

/* Joins a group on this link (NULL: the one that the stack was opened on), until it is left as often, or the stack is
 * closed. Does not block. 0; -EINVAL: no group, or 224.0.0.1, of which each host is a member; -ENOSPC, -ENOMEM;
 * -ENODEV: the stack is not on that device; -ENOTSUP: a group of IPv6, a stack without IPv4, the host's sockets. */
int stack_join_group(struct stack *stack, struct net *net, const struct ip_address *group);
/* 0 or -ENOENT; and as above. */
int stack_leave_group(struct stack *stack, struct net *net, const struct ip_address *group);

#endif
