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

#endif
