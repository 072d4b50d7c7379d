/* SPDX-License-Identifier: ISC
 *
 * IPv4 addresses as numbers (10.0.0.1 is 0x0a000001), and those that we have on one link, as a pure table.
 */
#ifndef NET_IPV4_LOCAL_H
#define NET_IPV4_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/address.h>

enum { IPV4_LOCALS = 8 };

/* An address of ours, and its prefix as a mask. */
struct ipv4_local {
	uint32_t address; /* 0: the place is free */
	uint32_t mask;
};
struct ipv4_locals {
	struct ipv4_local all[IPV4_LOCALS];
};

/* Whether a host may have this address: not 0/8, 127/8, multicast, or class E. */
bool ipv4_is_host(uint32_t address);
/* Of up to 32 bits. */
uint32_t ipv4_mask(uint8_t prefix_len);
uint32_t ipv4_number(const struct ip_address *address);
struct ip_address ipv4_address(uint32_t number);

/* The one with this address. NULL: it is none of ours. */
const struct ipv4_local *ipv4_local_find(const struct ipv4_locals *locals, uint32_t address);
/* The one whose subnet this address is of; of several, with the longest prefix. NULL: it is of none. */
const struct ipv4_local *ipv4_local_near(const struct ipv4_locals *locals, uint32_t address);
/* Which address of ours to speak from to a neighbour: of its subnet, or else the first. 0: there is none. */
uint32_t ipv4_local_for(const struct ipv4_locals *locals, uint32_t neighbour);
/* Whether a host may have this address with this prefix: not the subnet's own, nor its broadcast. */
bool ipv4_local_is_possible(const struct ipv4_local *local);
/* Whether this is the broadcast address of its subnet: one of two (RFC 3021) or of one has none. */
bool ipv4_local_is_broadcast(const struct ipv4_local *local, uint32_t address);

#endif
