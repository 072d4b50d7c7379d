/* SPDX-License-Identifier: ISC
 *
 * Ethernet frames on their way down (RFC 894).
 */
#include <errno.h>
#include <string.h>

#include "own_stack.h"
#include "wire.h"

const uint8_t ethernet_broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

void ethernet_put_header(
	const struct interface *interface, uint8_t header[NET_ETHERNET_HEADER], const uint8_t to[6], uint16_t type)
{
	memcpy(header + ETHERNET_DESTINATION, to, 6);
	memcpy(header + ETHERNET_SOURCE, interface->net->info.mac, 6);
	wire_put16(header + ETHERNET_TYPE, type);
}

int ethernet_send(struct interface *interface, const struct platform_piece *pieces, size_t count,
	const struct platform_net_meta *meta)
{
	struct own_stack *stack = interface->stack;
	int err = interface->net->ops->send(interface->net, pieces, count, meta);

	if (err == 0) {
		stack->counters.IfOutPkts++;
		for (size_t i = 0; i < count; i++)
			stack->counters.IfOutOctets += pieces[i].len;
	} else if (err == -EAGAIN && !stack->room_timer.armed) {
		stack_timer_set(stack, &stack->room_timer, stack_now(stack) + LINK_RETRY_NS);
	}
	return err == -EIO ? -ENETUNREACH : err;
}

void ethernet_send_or_drop(struct interface *interface, const struct platform_piece *pieces, size_t count,
	const struct platform_net_meta *meta)
{
	if (ethernet_send(interface, pieces, count, meta) == -EAGAIN)
		stack_drop(interface->stack, DROP_LINK_NO_ROOM);
}
