/* SPDX-License-Identifier: ISC
 *
 * The calls of route.h: more links, addresses and routes of IPv4.
 */
#include <errno.h>
#include <stdlib.h>

#include "ipv4_routes.h"

_Static_assert((int)STACK_ADDRESSES_MAX == (int)IPV4_LOCALS, "the table of a link has as many places as route.h says");

/* Interfaces and addresses ------------------------------------------------------------------------------------ */

struct own_stack *ipv4_own_stack(struct stack *stack)
{
	struct own_stack *own = (struct own_stack *)stack;

	return stack->ops == &own_stack_ops && (own->first.arp || own->first.bare_ip) ? own : NULL;
}

/* NULL: it is none of the stack's. */
static struct interface *find_interface(const struct own_stack *stack, const struct net *net)
{
	struct interface *interface = stack->interfaces;

	while (interface && net && interface->net != net)
		interface = interface->next;
	return interface;
}

/* Weak: in a process of the host's (lib/embed) there is no task that serves devices. */
__attribute__((weak)) void interface_receive(void *interface);

int stack_add_interface(struct stack *base, struct net *net)
{
	struct own_stack *stack = ipv4_own_stack(base);
	struct interface *interface, **last;
	size_t count = 0;
	int err;

	if (!stack || !interface_receive)
		return -ENOTSUP;
	if (net->ready)
		return -EBUSY;
	for (last = &stack->interfaces; *last; last = &(*last)->next)
		count++;
	if (count >= STACK_INTERFACES_MAX)
		return -ENOSPC;
	interface = calloc(1, sizeof *interface);
	if (!interface)
		return -ENOMEM;
	interface->stack = stack;
	interface->net = net;
	err = neighbour_open(interface);
	if (err < 0) {
		free(interface);
		return err;
	}
	*last = interface;
	net->ready = interface_receive;
	net->ready_context = interface;
	return 0;
}

int stack_add_address(struct stack *base, struct net *net, const struct ip_address *address, uint8_t prefix_len)
{
	struct own_stack *stack = ipv4_own_stack(base);
	struct ipv4_local local = { ipv4_number(address), prefix_len <= 32 ? ipv4_mask(prefix_len) : 0 };
	struct interface *interface;

	if (!stack || !ip_is_v4(address))
		return -ENOTSUP;
	if (prefix_len > 32 || !ipv4_local_is_possible(&local))
		return -EINVAL;
	interface = find_interface(stack, net);
	if (!interface)
		return -ENODEV;
	if (ipv4_interface_of(stack, local.address))
		return -EEXIST;
	for (size_t i = interface == &stack->first; i < IPV4_LOCALS; i++) {
		if (interface->ipv4.all[i].address == 0) {
			interface->ipv4.all[i] = local;
			neighbour_set_address(interface, i);
			return 0;
		}
	}
	return -ENOSPC;
}

int stack_remove_address(struct stack *base, const struct ip_address *address)
{
	struct own_stack *stack = ipv4_own_stack(base);
	struct interface *interface;
	size_t index;

	if (!stack || !ip_is_v4(address))
		return -ENOTSUP;
	interface = ipv4_interface_of(stack, ipv4_number(address));
	if (!interface)
		return -ENOENT;
	index = (size_t)(ipv4_local_find(&interface->ipv4, ipv4_number(address)) - interface->ipv4.all);
	if (interface == &stack->first && index == 0)
		return -EBUSY;
	interface->ipv4.all[index] = (struct ipv4_local){ 0 };
	neighbour_set_address(interface, index);
	transport_lose_address(stack, address);
	return 0;
}

/* Routes ------------------------------------------------------------------------------------------------------ */

int ipv4_have_routes(struct own_stack *stack)
{
	if (!stack->routes)
		stack->routes = calloc(1, sizeof *stack->routes);
	stack->routing = &ipv4_routing;
	return stack->routes ? 0 : -ENOMEM;
}

bool ipv4_is_gateway(const struct own_stack *stack, uint32_t address)
{
	return ipv4_is_host(address) && !ipv4_interface_of(stack, address) && !ipv4_is_broadcast(stack, address);
}

static bool is_v4_or_none(const struct ip_address *address)
{
	return ip_is_v4(address) || ip_equal(address, &ip_unspecified);
}

/* Fills in what the table holds of a route. 0 or an error of route.h. */
static int read_route(const struct own_stack *stack, const struct stack_route *route, struct ipv4_route *entry)
{
	uint32_t gateway = ipv4_number(&route->gateway);

	if (!stack || !is_v4_or_none(&route->prefix) || !is_v4_or_none(&route->gateway))
		return -ENOTSUP;
	if (route->prefix_len > 32)
		return -EINVAL;
	*entry = (struct ipv4_route){ find_interface(stack, route->net), ipv4_number(&route->prefix),
		ipv4_mask(route->prefix_len), gateway, 0, 0 };
	if (!entry->interface)
		return -ENODEV;
	if ((entry->prefix & ~entry->mask) != 0 || (gateway != 0 && !ipv4_is_gateway(stack, gateway)))
		return -EINVAL;
	for (struct interface *each = stack->interfaces; !route->net && each; each = each->next) {
		if (ipv4_local_near(&each->ipv4, gateway)) {
			entry->interface = each;
			break;
		}
	}
	return 0;
}

/* The place of this route. NULL: it has none. */
static struct ipv4_route *find_route(struct ipv4_routes *routes, const struct ipv4_route *entry)
{
	for (size_t i = 1; routes && i <= STACK_ROUTES_MAX; i++) {
		struct ipv4_route *route = &routes->all[i];

		if (route->interface == entry->interface && route->prefix == entry->prefix &&
			route->mask == entry->mask && route->gateway == entry->gateway)
			return route;
	}
	return NULL;
}

int stack_add_route(struct stack *base, const struct stack_route *route)
{
	static const struct ipv4_route free_place;
	struct own_stack *stack = ipv4_own_stack(base);
	struct ipv4_route entry, *place;
	int err = read_route(stack, route, &entry);

	if (err < 0)
		return err;
	if (ipv4_have_routes(stack) < 0)
		return -ENOMEM;
	if (find_route(stack->routes, &entry))
		return -EEXIST;
	place = find_route(stack->routes, &free_place);
	if (!place)
		return -ENOSPC;
	*place = entry;
	return 0;
}

int stack_remove_route(struct stack *base, const struct stack_route *route)
{
	struct own_stack *stack = ipv4_own_stack(base);
	struct ipv4_route entry, *place;
	int err = read_route(stack, route, &entry);

	if (err < 0)
		return err;
	place = find_route(stack->routes, &entry);
	if (!place)
		return -ENOENT;
	*place = (struct ipv4_route){ 0 };
	return 0;
}
