/* SPDX-License-Identifier: ISC
 *
 * Which way a packet takes, if there is more than a gateway.
 */
#include "ipv4_routes.h"

static struct ipv4_routes *current_routes(struct own_stack *stack)
{
	struct ipv4_route *first = &stack->routes->all[0];

	if (first->gateway != stack->gateway)
		*first = (struct ipv4_route){ .gateway = stack->gateway };
	first->interface = stack->gateway ? &stack->first : NULL;
	return stack->routes;
}

static void choose(struct own_stack *stack, uint32_t address, const struct ipv4_local *near,
	const struct interface *source, struct ipv4_hop *hop)
{
	const struct ipv4_routes *routes = current_routes(stack);
	const struct ipv4_route *best = NULL;
	uint64_t best_cost = 0, now = stack_now(stack);

	for (size_t i = 0; i < IPV4_ROUTES; i++) {
		const struct ipv4_route *route = &routes->all[i];
		uint64_t cost = route->failed_at | (uint64_t)(route->interface != source) << 63;

		if (!route->interface || ((address ^ route->prefix) & route->mask) != 0 ||
			(route->until != 0 && (route->until <= now || route->failed_at != 0)))
			continue;
		if (!best || route->mask > best->mask || (route->mask == best->mask && cost < best_cost)) {
			best = route;
			best_cost = cost;
		}
	}
	if (best && (!near || best->mask > near->mask)) {
		hop->interface = best->interface;
		hop->neighbour = best->gateway ? best->gateway : address;
	}
}

static void fail(struct interface *interface, uint32_t neighbour)
{
	struct ipv4_routes *routes = current_routes(interface->stack);

	for (size_t i = 0; i < IPV4_ROUTES; i++)
		if (routes->all[i].interface == interface && routes->all[i].gateway == neighbour)
			routes->all[i].failed_at = stack_now(interface->stack);
}

const struct ipv4_routing ipv4_routing = { choose, fail };
