/* SPDX-License-Identifier: ISC
 *
 * Addresses of ours that a program chooses to send from.
 */
#include "ipv6_wire.h"
#include "own_stack.h"

enum { LOOPBACK_NETWORK = 12 }; /* where 127/8 is told */

static bool is_loopback(const struct ip_address *address)
{
	return ip_is_v4(address) ? address->bytes[LOOPBACK_NETWORK] == IPV4_LOOPBACK : ipv6_is_loopback(address);
}

/* A loopback address stays within the host (RFC 1122, 3.2.1.3 g; RFC 4291, 2.5.3). */
bool ip_may_send_from(const struct own_stack *stack, const struct ip_address *from, const struct ip_address *to)
{
	return ip_is_v4(from) == ip_is_v4(to) && loopback_leads_to(stack, from) &&
	       (loopback_leads_to(stack, to) || !is_loopback(from));
}
