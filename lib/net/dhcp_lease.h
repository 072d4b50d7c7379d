/* SPDX-License-Identifier: ISC
 *
 * What a server's message offers or gives, read and checked once.
 */
#ifndef NET_DHCP_LEASE_H
#define NET_DHCP_LEASE_H

#include "dhcp_message.h"

enum { DHCP_FUZZ_FRACTION = 32 }; /* of a renewal's time, which comes by chance up to that much sooner: 4.4.5 */

/* The lease that began at this time. chance decides when it is renewed. 0; -EBADMSG: it has no server, or none of an
 * address that a host can have, or no time. */
int dhcp_lease_read(const struct dhcp_message *message, uint64_t began_at, uint32_t chance, struct dhcp_lease *lease);

/* Whether a host may have this address: not 0/8, 127/8, multicast, or class E. */
bool dhcp_is_host(uint32_t address);
/* The mask of a prefix length, and the length of a mask: -EINVAL if its ones do not all come first. */
uint32_t dhcp_mask(uint8_t prefix_len);
int dhcp_prefix_len(uint32_t mask, uint8_t *prefix_len);

uint32_t dhcp_number(const struct ip_address *address);
struct ip_address dhcp_address(uint32_t number);

#endif
