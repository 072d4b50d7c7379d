/* SPDX-License-Identifier: ISC
 *
 * What a stack is and does, for the operator: its links and tables here, its sockets in stack_print_sockets.c. Only
 * what it holds is read, so that it makes no layer be linked which the program has not.
 */
/* All of this is off the hot paths: size counts. */
#pragma GCC optimize("Os")

#include <skerry/log.h>
#include <skerry/text.h>

#include "ipv4_routes.h"
#include "ipv6_stack.h"

LOG_SOURCE(stack);

enum { MAC_TEXT = 18, PREFIX_TEXT = IP_TEXT_MAX + 4 };

static const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT])
{
	text_format(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

static const char *ipv4_text(uint32_t number, char text[IP_TEXT_MAX])
{
	struct ip_address address = ipv4_address(number);

	return ip_format(&address, text);
}

static unsigned prefix_len(uint32_t mask)
{
	unsigned len = 0;

	for (; mask; mask <<= 1)
		len++;
	return len;
}

static unsigned long long seconds_since(const struct own_stack *stack, uint64_t then)
{
	return (stack_now(stack) - then) / SECOND(1);
}

/* Links and addresses ----------------------------------------------------------------------------------------- */

static void print_interface(const struct interface *interface, unsigned number)
{
	char text[IP_TEXT_MAX];

	if (interface->bare_ip)
		log_app("link %u: IP packets, MTU %u", number, interface->net->info.mtu);
	else
		log_app("link %u: %s, MTU %u", number, mac_text(interface->net->info.mac, text),
			interface->net->info.mtu);
	for (size_t i = 0; i < IPV4_LOCALS; i++) {
		const struct ipv4_local *local = &interface->ipv4.all[i];

		if (local->address)
			log_app("address %s/%u on link %u", ipv4_text(local->address, text), prefix_len(local->mask),
				number);
	}
}

static void print_ipv6_addresses(const struct ipv6 *machine)
{
	static const char *const states[] = {
		[IPV6_TENTATIVE] = ", tentative", [IPV6_ASSIGNED] = "", [IPV6_DUPLICATE] = ", duplicate"
	};
	static const char *const origins[] = { [IPV6_LINK_LOCAL] = "link-local",
		[IPV6_STATIC] = "configured",
		[IPV6_STABLE] = "stable",
		[IPV6_TEMPORARY] = "temporary" };
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < IPV6_ADDRESSES; i++) {
		const struct ipv6_own_address *own = &machine->addresses[i];

		if (own->state != IPV6_FREE)
			log_app("address %s/%u on link 0, %s%s", ip_format(&own->address, text), own->prefix_len,
				origins[own->origin], states[own->state]);
	}
}

/* Routes ------------------------------------------------------------------------------------------------------ */

static unsigned number_of(const struct own_stack *stack, const struct interface *interface)
{
	unsigned number = 0;

	for (const struct interface *at = stack->interfaces; at != interface; at = at->next)
		number++;
	return number;
}

static void print_ipv4_route(const struct own_stack *stack, const struct ipv4_route *route)
{
	char prefix[IP_TEXT_MAX], gateway[IP_TEXT_MAX];

	log_app("route %s/%u%s%s on link %u%s", ipv4_text(route->prefix, prefix), prefix_len(route->mask),
		route->gateway ? " by " : "", route->gateway ? ipv4_text(route->gateway, gateway) : "",
		number_of(stack, route->interface), route->until ? ", redirected" : "");
}

static void print_ipv4_routes(const struct own_stack *stack)
{
	const struct ipv4_route gateway = { .interface = stack->interfaces, .gateway = stack->gateway };

	if (gateway.gateway)
		print_ipv4_route(stack, &gateway);
	for (size_t i = 1; stack->routes && i < IPV4_ROUTES; i++)
		if (stack->routes->all[i].interface)
			print_ipv4_route(stack, &stack->routes->all[i]);
}

static void print_ipv6_routes(const struct ndp_routing *routing)
{
	char prefix[IP_TEXT_MAX], router[IP_TEXT_MAX];

	for (size_t i = 0; i < routing->prefix_count; i++)
		log_app("route %s/%u on link 0", ip_format(&routing->prefixes[i].prefix, prefix),
			routing->prefixes[i].len);
	for (size_t i = 0; i < routing->route_count; i++)
		log_app("route %s/%u by %s on link 0", ip_format(&routing->routes[i].prefix, prefix),
			routing->routes[i].len, ip_format(&routing->routes[i].router, router));
	for (size_t i = 0; i < routing->router_count; i++)
		log_app("route ::/0 by %s on link 0", ip_format(&routing->routers[i].address, router));
}

/* Neighbours -------------------------------------------------------------------------------------------------- */

static void print_neighbour(
	const struct own_stack *stack, const char *address, const uint8_t mac[6], const char *state, uint64_t state_at)
{
	static const uint8_t none[6];
	char text[MAC_TEXT];
	bool has_mac = false;

	for (size_t i = 0; i < sizeof none; i++)
		has_mac |= mac[i] != none[i];
	log_app("neighbour %s%s%s, %s %llu s ago", address, has_mac ? " at " : "", has_mac ? mac_text(mac, text) : "",
		state, seconds_since(stack, state_at));
}

static void print_ipv4_neighbours(const struct own_stack *stack, const struct arp *arp)
{
	char text[IP_TEXT_MAX];
	size_t shown = 0;

	for (size_t i = 0; i < ARP_ENTRIES; i++) {
		struct arp_neighbour neighbour;

		if (arp_at(arp, i, &neighbour) && shown++ < STACK_PRINT_MAX)
			print_neighbour(stack, ipv4_text(neighbour.address, text), neighbour.mac, neighbour.state,
				neighbour.state_at);
	}
	if (shown > STACK_PRINT_MAX)
		log_app("neighbours by ARP: %d of %zu are shown", STACK_PRINT_MAX, shown);
}

static void print_ipv6_neighbours(const struct own_stack *stack, const struct ndp_cache *cache)
{
	static const char *const states[] = { [NDP_INCOMPLETE] = "asked",
		[NDP_REACHABLE] = "reachable, heard of",
		[NDP_STALE] = "stale, heard of",
		[NDP_DELAY] = "delayed, heard of",
		[NDP_PROBE] = "probed, heard of",
		[NDP_FAILED] = "silent" };
	char text[IP_TEXT_MAX];
	size_t shown = 0;

	for (size_t i = 0; i < NDP_NEIGHBOURS; i++) {
		const struct ndp_neighbour *entry = &cache->entries[i];

		if (entry->state != NDP_FREE && shown++ < STACK_PRINT_MAX)
			print_neighbour(stack, ip_format(&entry->address, text), entry->mac, states[entry->state],
				entry->heard_at);
	}
	if (shown > STACK_PRINT_MAX)
		log_app("neighbours by NDP: %d of %zu are shown", STACK_PRINT_MAX, shown);
}

/* Counters ---------------------------------------------------------------------------------------------------- */

static void print_types(const char *direction, const uint64_t *counts, size_t count, size_t errors)
{
	for (size_t i = 0; i < count; i++) {
		/* Those of ICMPv6 behind its errors begin at 128. */
		size_t type = i < errors ? i : i - errors + 128;

		if (counts[i])
			log_app("counter %sType%zu %llu", direction, type, (unsigned long long)counts[i]);
	}
}

static void print_counters(const struct stack *stack)
{
	struct stack_counters counters;

	stack_counters(stack, &counters);
	for (size_t i = 0; i < STACK_NAMED_COUNTERS; i++) {
		uint64_t value = stack_counter_value(&counters, i);

		if (value)
			log_app("counter %s %llu", stack_counter_name(i), (unsigned long long)value);
	}
	print_types("IcmpMsgIn", counters.icmp_in, STACK_ICMP_TYPES, STACK_ICMP_TYPES);
	print_types("IcmpMsgOut", counters.icmp_out, STACK_ICMP_TYPES, STACK_ICMP_TYPES);
	print_types("Icmp6In", counters.icmp6_in, STACK_ICMP6_TYPES, STACK_ICMP6_ERRORS);
	print_types("Icmp6Out", counters.icmp6_out, STACK_ICMP6_TYPES, STACK_ICMP6_ERRORS);
	for (enum stack_drop reason = 0; reason < DROP_REASONS; reason++)
		if (counters.drops[reason])
			log_app("drop %s %llu", stack_drop_name(reason), (unsigned long long)counters.drops[reason]);
}

/* The calls --------------------------------------------------------------------------------------------------- */

void own_stack_print(const struct stack *base)
{
	const struct own_stack *stack = (const struct own_stack *)base;
	const struct ipv6 *machine = stack->ipv6 ? stack->ipv6->machine : NULL;
	unsigned number = 0;

	for (const struct interface *interface = stack->interfaces; interface; interface = interface->next)
		print_interface(interface, number++);
	if (machine)
		print_ipv6_addresses(machine);
	print_ipv4_routes(stack);
	if (machine)
		print_ipv6_routes(&machine->routing);
	for (const struct interface *interface = stack->interfaces; interface; interface = interface->next)
		if (interface->arp)
			print_ipv4_neighbours(stack, interface->arp);
	if (machine)
		print_ipv6_neighbours(stack, &machine->neighbours);
	stack_print_sockets(stack);
	print_counters(base);
}

void stack_print(const struct stack *stack)
{
	stack->ops->print(stack);
}
