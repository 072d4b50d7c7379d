/* SPDX-License-Identifier: ISC
 *
 * IPv4 addresses, and those that we have on a link.
 */
#include "ipv4_local.h"
#include "wire.h"

bool ipv4_is_host(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address < 0xe0000000;
}

uint32_t ipv4_mask(uint8_t prefix_len)
{
	return prefix_len == 0 ? 0 : UINT32_MAX << (32 - prefix_len);
}

uint32_t ipv4_number(const struct ip_address *address)
{
	return wire_get32(address->bytes + 12);
}

struct ip_address ipv4_address(uint32_t number)
{
	uint8_t bytes[4];

	wire_put32(bytes, number);
	return ip_from_v4(bytes);
}

const struct ipv4_local *ipv4_local_find(const struct ipv4_locals *locals, uint32_t address)
{
	for (size_t i = 0; i < IPV4_LOCALS; i++)
		if (address != 0 && locals->all[i].address == address)
			return &locals->all[i];
	return NULL;
}

const struct ipv4_local *ipv4_local_near(const struct ipv4_locals *locals, uint32_t address)
{
	const struct ipv4_local *best = NULL;

	for (size_t i = 0; i < IPV4_LOCALS; i++) {
		const struct ipv4_local *local = &locals->all[i];

		if (local->address != 0 && ((local->address ^ address) & local->mask) == 0 &&
			(!best || local->mask > best->mask))
			best = local;
	}
	return best;
}

uint32_t ipv4_local_for(const struct ipv4_locals *locals, uint32_t neighbour)
{
	const struct ipv4_local *near = ipv4_local_near(locals, neighbour);

	for (size_t i = 0; !near && i < IPV4_LOCALS; i++)
		if (locals->all[i].address != 0)
			near = &locals->all[i];
	return near ? near->address : 0;
}

bool ipv4_local_is_broadcast(const struct ipv4_local *local, uint32_t address)
{
	return local->address != 0 && local->mask < 0xfffffffe && ((address ^ local->address) & local->mask) == 0 &&
	       (address | local->mask) == UINT32_MAX;
}

bool ipv4_local_is_possible(const struct ipv4_local *local)
{
	return ipv4_is_host(local->address) && ((local->address & ~local->mask) != 0 || local->mask >= 0xfffffffe) &&
	       !ipv4_local_is_broadcast(local, local->address);
}
