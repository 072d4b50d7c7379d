/* SPDX-License-Identifier: ISC
 *
 * What the stack sends to itself: to its own addresses, to 127.0.0.0/8 (RFC 1122, 3.2.1.3), or to ::1 (RFC
 * 4291, 2.5.3).
 *
 * Packets are copied into a queue, and received in a turn of their own, so that no layer is called from within itself.
 * The queue is bounded: a sender that finds it full waits as for a link.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "own_stack.h"

struct looped {
	struct looped *next;
	size_t len;
	uint8_t packet[];
};

bool loopback_leads_to(const struct own_stack *stack, const struct ip_address *destination)
{
	uint32_t address;

	if (!ip_is_v4(destination))
		return stack->ipv6 && stack->ipv6_ops->is_own(stack, destination);
	address = ipv4_number(destination);
	return ipv4_interface_of(stack, address) || address >> 24 == IPV4_LOOPBACK;
}

int loopback_send(struct own_stack *stack, const struct ip_sending *packet)
{
	struct loopback *loopback = &stack->loopback;
	bool v4 = ip_is_v4(&packet->destination);
	size_t header_len = v4 ? IPV4_HEADER : IPV6_HEADER_BYTES;
	struct looped *looped;
	size_t bytes = sizeof *looped + header_len + packet->len;
	uint8_t *at;

	if (packet->len > UINT16_MAX - (v4 ? header_len : 0)) /* IPv6's length is without its header */
		return -EMSGSIZE;
	if (loopback->bytes > LOOPBACK_BYTES)
		return -EAGAIN;
	looped = pool_alloc_packet(&stack->pool, bytes);
	if (!looped)
		return loopback->first ? -EAGAIN : -ENOMEM;
	looped->next = NULL;
	looped->len = header_len + packet->len;
	if (v4)
		ipv4_put_whole_header(looped->packet, packet);
	else
		stack->ipv6_ops->put_header(stack, looped->packet, packet);
	at = looped->packet + header_len;
	for (size_t i = 0; i < packet->count; at += packet->pieces[i++].len)
		if (packet->pieces[i].len)
			memcpy(at, packet->pieces[i].data, packet->pieces[i].len);
	if (loopback->first)
		loopback->last->next = looped;
	else
		loopback->first = looped;
	loopback->last = looped;
	loopback->bytes += looped->len;
	stack_timer_set(stack, &loopback->timer, stack_now(stack));
	return 0;
}

static struct looped *take(struct own_stack *stack)
{
	struct looped *looped = stack->loopback.first;

	stack->loopback.first = looped->next;
	stack->loopback.bytes -= looped->len;
	return looped;
}

static void drop(struct own_stack *stack, struct looped *looped)
{
	pool_free(&stack->pool, looped, sizeof *looped + looped->len);
}

void loopback_deliver(struct timer *timer)
{
	struct own_stack *stack = (struct own_stack *)((char *)timer - offsetof(struct own_stack, loopback.timer));
	struct loopback *loopback = &stack->loopback;

	for (int i = 0; i < STACK_BATCH && loopback->first; i++) {
		struct looped *looped = take(stack);

		loopback->receive(stack, looped->packet, looped->len);
		drop(stack, looped);
	}
	transport_flush(stack);
	wake_all(&stack->room);
	if (loopback->first)
		stack_timer_set(stack, timer, stack_now(stack));
}

void loopback_close(struct own_stack *stack)
{
	stack_timer_cancel(stack, &stack->loopback.timer);
	while (stack->loopback.first)
		drop(stack, take(stack));
}
