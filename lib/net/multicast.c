/* SPDX-License-Identifier: ISC
 *
 * The calls of multicast.h: between IGMP's machine and the links of a stack.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/multicast.h>

#include "igmp.h"
#include "own_stack.h"
#include "wire.h"

_Static_assert((int)STACK_GROUPS_MAX == (int)IGMP_GROUPS, "the machine has as many places as multicast.h says");

enum { ROUTER_ALERT = 4, HEADER = IPV4_HEADER + ROUTER_ALERT, CONTROL = 0xc0 /* internetwork control: RFC 3376, 4 */ };

struct multicast {
	struct interface *interface;
	struct igmp_link link;
	struct igmp igmp;
	struct timer timer;
};

static struct multicast *multicast_of(struct igmp_link *link)
{
	return (struct multicast *)((char *)link - offsetof(struct multicast, link));
}

static void send_message(struct igmp_link *link, uint32_t destination, const uint8_t *message, size_t len)
{
	static const uint8_t alert[ROUTER_ALERT] = { 0x94, 4, 0, 0 }; /* RFC 2113 */
	static const struct platform_net_meta plain;
	struct interface *interface = multicast_of(link)->interface;
	uint8_t headers[NET_ETHERNET_HEADER + HEADER] = { 0 }, *header = headers + NET_ETHERNET_HEADER, mac[6];
	const struct platform_piece pieces[] = { { headers, sizeof headers }, { message, len } };

	header[IPV4_VERSION_IHL] = IPV4_VERSION | HEADER / 4;
	header[IPV4_TRAFFIC_CLASS] = CONTROL;
	wire_put16(header + IPV4_TOTAL_LENGTH, (uint16_t)(HEADER + len));
	wire_put16(header + IPV4_FRAGMENT, IPV4_DONT_FRAGMENT);
	header[IPV4_TTL] = 1;
	header[IPV4_PROTOCOL] = IP_PROTOCOL_IGMP;
	wire_put32(header + IPV4_SOURCE, ipv4_local_for(&interface->ipv4, 0));
	wire_put32(header + IPV4_DESTINATION, destination);
	memcpy(header + IPV4_HEADER, alert, sizeof alert);
	wire_put16(header + IPV4_CHECKSUM, checksum_finish(checksum_add(0, header, HEADER)));
	ipv4_multicast_mac(mac, destination);
	ethernet_put_header(interface, headers, mac, ETHERNET_IPV4);
	ethernet_send_or_drop(interface, pieces, 2, &plain);
}

static uint32_t chance(struct igmp_link *link, uint32_t limit)
{
	return stack_random_below(multicast_of(link)->interface->stack, limit);
}

static void set_timer(struct multicast *multicast)
{
	stack_timer_set(multicast->interface->stack, &multicast->timer, igmp_deadline(&multicast->igmp));
}

static void expire(struct timer *timer)
{
	struct multicast *multicast = (struct multicast *)((char *)timer - offsetof(struct multicast, timer));

	igmp_expire(&multicast->igmp, stack_now(multicast->interface->stack));
	set_timer(multicast);
}

static bool is_member(const struct interface *interface, uint32_t group)
{
	return igmp_is_member(&interface->multicast->igmp, group);
}

static void hear(struct interface *interface, const struct ip_received *packet)
{
	struct multicast *multicast = interface->multicast;

	if (igmp_hear(&multicast->igmp, packet->payload, packet->len, packet->ttl, stack_now(interface->stack)) < 0)
		stack_drop(interface->stack, DROP_IGMP_MESSAGE);
	set_timer(multicast);
}

static void close_groups(struct interface *interface)
{
	struct multicast *multicast = interface->multicast;

	stack_timer_cancel(interface->stack, &multicast->timer);
	free(multicast);
}

static const struct interface_groups calls = { is_member, hear, close_groups };

/* The link, if the stack has IPv4 there. 0 or an error of multicast.h. */
static int find(struct stack *stack, const struct net *net, const struct ip_address *group, struct interface **found)
{
	struct own_stack *own = (struct own_stack *)stack;

	if (stack->ops != &own_stack_ops || !own->first.arp || !ip_is_v4(group))
		return -ENOTSUP;
	*found = own->interfaces;
	while (*found && net && (*found)->net != net)
		*found = (*found)->next;
	return *found ? 0 : -ENODEV;
}

/* 0 or -ENOMEM. */
static int begin(struct interface *interface)
{
	struct multicast *multicast = calloc(1, sizeof *multicast);

	if (!multicast)
		return -ENOMEM;
	multicast->interface = interface;
	multicast->link = (struct igmp_link){ send_message, chance };
	multicast->igmp.link = &multicast->link;
	multicast->timer = (struct timer)TIMER_INIT(expire);
	interface->multicast = multicast;
	interface->groups = &calls;
	return 0;
}

int stack_join_group(struct stack *stack, struct net *net, const struct ip_address *group)
{
	struct interface *interface;
	int err = find(stack, net, group, &interface);

	if (err < 0)
		return err;
	if (!interface->multicast && begin(interface) < 0)
		return -ENOMEM;
	err = igmp_join(&interface->multicast->igmp, ipv4_number(group), stack_now(interface->stack));
	set_timer(interface->multicast);
	return err;
}

int stack_leave_group(struct stack *stack, struct net *net, const struct ip_address *group)
{
	struct interface *interface;
	int err = find(stack, net, group, &interface);

	if (err < 0)
		return err;
	if (!interface->multicast)
		return -ENOENT;
	err = igmp_leave(&interface->multicast->igmp, ipv4_number(group), stack_now(interface->stack));
	set_timer(interface->multicast);
	return err;
}
