/* SPDX-License-Identifier: ISC
 *
 * The order in which the addresses of one service are tried (RFC 6724, 6; RFC 8305, 4).
 */
#ifndef NET_DESTINATION_H
#define NET_DESTINATION_H

#include <skerry/address.h>

struct destination {
	struct ip_address address;
	struct ip_address source; /* that would be used; unspecified: not known */
	bool reachable;           /* there is a route */
	size_t index;             /* the caller's */
};

/* Sorts by the rules of RFC 6724, section 6, and keeps the order of equals. */
void destination_sort(struct destination *destinations, size_t count);
/* Lets the families take turns, the first one's first, each in its order. */
void destination_interleave(struct destination *destinations, size_t count);

#endif
