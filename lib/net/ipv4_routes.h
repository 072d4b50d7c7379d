/* SPDX-License-Identifier: ISC
 *
 * The routes that a program, or a gateway, has added to a stack.
 */
#ifndef NET_IPV4_ROUTES_H
#define NET_IPV4_ROUTES_H

#include <skerry/route.h>

#include "own_stack.h"

struct ipv4_route {
	struct interface *interface; /* NULL: the place is free */
	uint32_t prefix, mask;
	uint32_t gateway;   /* 0: all of the prefix is on the link */
	uint64_t failed_at; /* when the gateway did not answer last; 0: never */
	uint64_t until;     /* of a redirect; else 0 */
};

/* The first route is by the stack's gateway, which may change any time; then come the program's, then redirects. */
enum { IPV4_FIRST_REDIRECT = 1 + STACK_ROUTES_MAX, IPV4_ROUTES = IPV4_FIRST_REDIRECT + STACK_REDIRECTS_MAX };
struct ipv4_routes {
	struct ipv4_route all[IPV4_ROUTES];
	size_t next_redirect; /* counts from IPV4_FIRST_REDIRECT */
};

/* ipv4_way.c */
extern const struct ipv4_routing ipv4_routing;

/* ipv4_routes.c */

/* The same stack, if it is ours and has IPv4. Else NULL. */
struct own_stack *ipv4_own_stack(struct stack *stack);
/* Makes the table if there is none. 0 or -ENOMEM. */
int ipv4_have_routes(struct own_stack *stack);
/* Whether a packet may go by it: a host's address, and not ours. */
bool ipv4_is_gateway(const struct own_stack *stack, uint32_t address);

#endif
