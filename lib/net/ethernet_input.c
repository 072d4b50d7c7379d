/* SPDX-License-Identifier: ISC
 *
 * Ethernet frames on their way up (RFC 894), with IEEE 802.2 SNAP (RFC 1042), too.
 */
#include <string.h>

#include "own_stack.h"
#include "wire.h"

enum { LENGTH_MAX = 1500, SNAP_HEADER = 8 };

/* What follows the header, whose type field is a length if it is not above LENGTH_MAX: then RFC 1042's own header
 * comes, with the type. Moves *payload past it. The type, or 0 for something else. */
static uint16_t payload_type(const uint8_t *frame, const uint8_t **payload, size_t *len)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	uint16_t type = wire_get16(frame + ETHERNET_TYPE);

	if (type > LENGTH_MAX)
		return type;
	if (*len < SNAP_HEADER || type < SNAP_HEADER || memcmp(*payload, snap, sizeof snap) != 0)
		return 0;
	type = wire_get16(*payload + sizeof snap);
	*payload += SNAP_HEADER;
	*len -= SNAP_HEADER;
	return type;
}

/* Whether the stack has a layer for this type, which then has taken the payload. */
static bool take(struct interface *interface, uint16_t type, const uint8_t *payload, size_t len, bool to_many,
	const struct platform_net_meta *meta)
{
	struct own_stack *stack = interface->stack;
	bool has_ipv6 = interface == &stack->first && stack->ipv6;
	bool has_layer = type == ETHERNET_IPV6 ? has_ipv6 : interface->arp != NULL;

	if (has_layer && type == ETHERNET_ARP)
		neighbour_receive(interface, payload, len);
	else if (has_layer && type == ETHERNET_IPV4)
		ipv4_receive(interface, payload, len, to_many, meta);
	else if (has_layer && type == ETHERNET_IPV6)
		stack->ipv6_ops->receive(stack, payload, len, to_many, meta);
	else
		return false;
	return true;
}

void ethernet_receive(
	struct interface *interface, const uint8_t *frame, size_t len, const struct platform_net_meta *meta)
{
	struct own_stack *stack = interface->stack;
	const uint8_t *payload = frame + NET_ETHERNET_HEADER;
	uint16_t type;
	bool to_many;

	if (len < NET_ETHERNET_HEADER || frame[ETHERNET_SOURCE] & 1) {
		stack_drop(stack, DROP_LINK_HEADER);
		return;
	}
	to_many = frame[ETHERNET_DESTINATION] & 1;
	if (!to_many && memcmp(frame + ETHERNET_DESTINATION, interface->net->info.mac, 6) != 0) {
		stack_drop(stack, DROP_LINK_OTHER_HOST);
		return;
	}
	len -= NET_ETHERNET_HEADER;
	type = payload_type(frame, &payload, &len);
	if (take(interface, type, payload, len, to_many, meta))
		return;
	stack_drop(stack, DROP_LINK_TYPE);
	if (stack->listener && stack->listener->frame)
		stack->listener->frame(stack->listener, type, payload, len);
}
