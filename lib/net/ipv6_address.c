/* SPDX-License-Identifier: ISC
 *
 * Our own addresses: from tentative to gone (RFC 4862, 5.4 and 5.5.4).
 *
 * A new address is TENTATIVE: its solicited-node group is joined, others are asked whether they have it, once, and what
 * is heard within RETRANS_TIMER from others makes it a DUPLICATE, which is never used but kept, so that it is not made
 * again. Else, and at once where nobody else can have it, it is ASSIGNED. It is deprecated, which only the choice of
 * sources looks at, once preferred_until is over, and FREE after valid_until. An assigned address that somebody else
 * claims later is kept.
 */
#include "ipv6.h"
#include "ipv6_wire.h"

static void tell(struct ipv6 *ipv6, enum ipv6_event event, const struct ipv6_own_address *own)
{
	ipv6->config.link->event(ipv6->config.link, event, &own->address);
}

struct ipv6_own_address *ipv6_find_address(struct ipv6 *ipv6, const struct ip_address *address)
{
	for (size_t i = 0; i < IPV6_ADDRESSES; i++)
		if (ipv6->addresses[i].state != IPV6_FREE && ip_equal(&ipv6->addresses[i].address, address))
			return &ipv6->addresses[i];
	return NULL;
}

bool ipv6_is_ours(const struct ipv6 *ipv6, const struct ip_address *address)
{
	for (size_t i = 0; i < IPV6_ADDRESSES; i++)
		if (ipv6->addresses[i].state == IPV6_ASSIGNED && ip_equal(&ipv6->addresses[i].address, address))
			return true;
	return false;
}

struct ipv6_own_address *ipv6_add_address(
	struct ipv6 *ipv6, const struct ipv6_own_address *model, uint64_t delay_ns, uint64_t now)
{
	struct ipv6_own_address *own = ipv6->addresses, *end = own + IPV6_ADDRESSES;

	while (own < end && own->state != IPV6_FREE)
		own++;
	if (own == end)
		return NULL;
	*own = *model;
	own->state = IPV6_TENTATIVE;
	own->probed = own->succeeded = false;
	own->made_at = now;
	own->due_at = ipv6->config.alone ? now : now + delay_ns;
	for (size_t i = 0; i < sizeof own->nonce; i++)
		own->nonce[i] = (uint8_t)ipv6->config.link->random(ipv6->config.link, 256);
	ipv6->changed = true;
	return own;
}

static void leave_group(struct ipv6 *ipv6, const struct ipv6_own_address *own, uint64_t now)
{
	struct ip_address group = ipv6_solicited_node(&own->address);

	if (own->state == IPV6_ASSIGNED || own->probed)
		mld_leave(ipv6, &group, now);
}

void ipv6_remove_address(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now)
{
	leave_group(ipv6, own, now);
	if (own->state == IPV6_ASSIGNED)
		tell(ipv6, IPV6_ADDRESS_GONE, own);
	own->state = IPV6_FREE;
}

void ipv6_address_collides(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now)
{
	if (own->state == IPV6_ASSIGNED)
		tell(ipv6, IPV6_ADDRESS_CLAIMED, own);
	if (own->state != IPV6_TENTATIVE)
		return;
	leave_group(ipv6, own, now);
	own->probed = false;
	own->state = IPV6_DUPLICATE;
	tell(ipv6, IPV6_ADDRESS_DUPLICATE, own);
	if (own->origin != IPV6_STATIC)
		slaac_replace(ipv6, own, now);
}

/* Time -------------------------------------------------------------------------------------------------------- */

static uint64_t due_of(const struct ipv6_own_address *own)
{
	uint64_t due = own->valid_until;

	if (own->state == IPV6_FREE)
		return FOREVER;
	if (own->state == IPV6_TENTATIVE)
		ipv6_sooner(&due, own->due_at);
	if (own->state == IPV6_ASSIGNED && own->origin == IPV6_TEMPORARY && !own->succeeded &&
		own->preferred_until != FOREVER)
		ipv6_sooner(&due, own->preferred_until - TEMPORARY_ADVANCE_NS);
	return due;
}

uint64_t ipv6_addresses_deadline(const struct ipv6 *ipv6)
{
	uint64_t deadline = FOREVER;

	for (size_t i = 0; i < IPV6_ADDRESSES; i++)
		ipv6_sooner(&deadline, due_of(&ipv6->addresses[i]));
	return deadline;
}

static void step(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now)
{
	struct ip_address group = ipv6_solicited_node(&own->address);

	if (!own->probed) {
		mld_join(ipv6, &group, now);
		own->probed = true;
		if (!ipv6->config.alone) {
			own->due_at = now + ipv6->routing.retrans_ns;
			ndp_probe(ipv6, own);
			return;
		}
	}
	own->state = IPV6_ASSIGNED;
	tell(ipv6, IPV6_ADDRESS_ASSIGNED, own);
	if (own->origin == IPV6_LINK_LOCAL)
		ndp_start_soliciting(ipv6, now);
}

void ipv6_addresses_expire(struct ipv6 *ipv6, uint64_t now)
{
	for (size_t i = 0; i < IPV6_ADDRESSES; i++) {
		struct ipv6_own_address *own = &ipv6->addresses[i];

		if (due_of(own) > now)
			continue;
		if (own->valid_until <= now) {
			ipv6_remove_address(ipv6, own, now);
		} else if (own->state == IPV6_TENTATIVE) {
			step(ipv6, own, now);
		} else {
			own->succeeded = true;
			slaac_succeed(ipv6, own, now);
		}
	}
}
