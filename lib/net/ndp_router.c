/* SPDX-License-Identifier: ISC
 *
 * Routers and what they say (RFC 4861, 6.3): the default routers, the prefixes on the link, the link's parameters; name
 * servers (RFC 8106); and asking for routers until one is heard (RFC 7559).
 *
 * Who is on the link may advertise anything, so every list is bounded, and a full one takes nothing new: what was heard
 * first, which a flood cannot know, stays.
 */
#include <errno.h>
#include <string.h>

#include "ipv6.h"
#include "ipv6_wire.h"
#include "ndp_message.h"
#include "wire.h"

enum { PREFERENCE_MASK = 0x18, PREFERENCE_HIGH = 0x08, PREFERENCE_LOW = 0x18 }; /* RFC 4191, 2.2 */
enum { PREFIX_LENGTH = 2, PREFIX_FLAGS = 3, PREFIX_VALID = 4, PREFIX_PREFERRED = 8, PREFIX = 16 };
enum { PREFIX_ON_LINK = 0x80, PREFIX_AUTONOMOUS = 0x40 };
enum { ROUTE_LENGTH = 2, ROUTE_FLAGS = 3, ROUTE_LIFETIME = 4, ROUTE_PREFIX = 8, PREFERENCE_RESERVED = 0x10 };
enum { MTU = 4, RDNSS_LIFETIME = 4, RDNSS_ADDRESSES = 8 };

static uint64_t lifetime_ns(uint32_t seconds)
{
	return seconds == UINT32_MAX ? FOREVER : SECOND(seconds);
}

static uint64_t later(uint64_t now, uint64_t ns)
{
	return ns == FOREVER ? FOREVER : now + ns;
}

/* RFC 4861, 6.3.2: uniform between half and one and a half of what routers say. */
static void set_reachable_time(struct ipv6 *ipv6, uint64_t base_ns)
{
	uint32_t half_ms = (uint32_t)(base_ns / MSEC(2));

	ipv6->routing.reachable_base_ns = base_ns;
	ipv6->routing.reachable_ns = MSEC(half_ms + ipv6->config.link->random(ipv6->config.link, 2 * half_ms + 1));
}

void ndp_routing_init(struct ipv6 *ipv6)
{
	struct ndp_routing *routing = &ipv6->routing;

	routing->hop_limit = IPV6_HOP_LIMIT_DEFAULT;
	routing->mtu = ipv6->config.mtu;
	routing->retrans_ns = NDP_RETRANS_NS;
	routing->solicit_at = FOREVER;
	set_reachable_time(ipv6, NDP_REACHABLE_NS);
}

/* RFC 4191, 2.1. */
static int8_t preference_of(uint8_t flags)
{
	uint8_t preference = flags & PREFERENCE_MASK;

	return (int8_t)((preference == PREFERENCE_HIGH) - (preference == PREFERENCE_LOW));
}

/* Routers ----------------------------------------------------------------------------------------------------- */

static struct ndp_router *find_router(struct ndp_routing *routing, const struct ip_address *address)
{
	for (size_t i = 0; i < routing->router_count; i++)
		if (ip_equal(&routing->routers[i].address, address))
			return &routing->routers[i];
	return NULL;
}

static void remove_router(struct ipv6 *ipv6, struct ndp_router *router)
{
	struct ndp_routing *routing = &ipv6->routing;
	struct ip_address address = router->address;

	*router = routing->routers[--routing->router_count];
	ipv6_paths_avoid(ipv6, &address);
	ipv6->config.link->event(ipv6->config.link, IPV6_ROUTER_GONE, &address);
}

int ndp_add_router(struct ipv6 *ipv6, const struct ip_address *address)
{
	struct ndp_routing *routing = &ipv6->routing;

	if (routing->router_count >= NDP_ROUTERS)
		return -ENOMEM;
	/* Before all that advertise themselves: whoever configured it meant it. */
	routing->routers[routing->router_count++] =
		(struct ndp_router){ .address = *address, .until = FOREVER, .preference = 2 };
	return 0;
}

static void hear_lifetime(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	struct ndp_routing *routing = &ipv6->routing;
	struct ndp_router *router = find_router(routing, &message->source);
	uint16_t seconds = wire_get16(message->bytes + RA_LIFETIME);

	if (router && router->until == FOREVER)
		return;
	if (seconds == 0) {
		if (router)
			remove_router(ipv6, router);
		return;
	}
	if (!router) {
		if (routing->router_count >= NDP_ROUTERS)
			return;
		router = &routing->routers[routing->router_count++];
		router->address = message->source;
		routing->pending_until = 0;
		ipv6->config.link->event(ipv6->config.link, IPV6_ROUTER_FOUND, &router->address);
	}
	router->until = now + SECOND(seconds);
	router->preference = preference_of(message->bytes[RA_FLAGS]);
}

/* RFC 4861, 6.3.6 and RFC 4191, 3.2: of those that are probably reachable the most preferred; else each in turn. */
static const struct ip_address *choose_default(const struct ipv6 *ipv6)
{
	const struct ndp_routing *routing = &ipv6->routing;
	const struct ndp_router *best = NULL;

	if (routing->router_count == 0)
		return NULL;
	for (size_t i = 0; i < routing->router_count; i++) {
		const struct ndp_router *router = &routing->routers[i];

		if ((!best || router->preference > best->preference) && ndp_is_usable(ipv6, &router->address))
			best = router;
	}
	return best ? &best->address : &routing->routers[routing->turn % routing->router_count].address;
}

/* RFC 4191, 3.2: the longest prefix, of these the most preferred; but of routers that are probably reachable, unless
 * nobody else would take it. */
const struct ip_address *ndp_choose_router(const struct ipv6 *ipv6, const struct ip_address *destination)
{
	const struct ndp_routing *routing = &ipv6->routing;
	const struct ndp_route *best = NULL, *any = NULL;
	const struct ip_address *router;

	for (size_t i = 0; i < routing->route_count; i++) {
		const struct ndp_route *route = &routing->routes[i];

		if (ipv6_common_bits(&route->prefix, destination) < route->len)
			continue;
		any = route;
		if ((!best || route->len > best->len ||
			    (route->len == best->len && route->preference > best->preference)) &&
			ndp_is_usable(ipv6, &route->router))
			best = route;
	}
	if (best)
		return &best->router;
	router = choose_default(ipv6);
	return router || !any ? router : &any->router;
}

/* RFC 4191, 2.3: what its length does not hold of the prefix is 0. */
static void hear_route(
	struct ipv6 *ipv6, const struct ip_address *router, const uint8_t *option, size_t option_len, uint64_t now)
{
	struct ndp_routing *routing = &ipv6->routing;
	struct ndp_route route = { .router = *router, .len = option[ROUTE_LENGTH] };
	size_t held = option_len - ROUTE_PREFIX, i = 0;
	uint32_t seconds = wire_get32(option + ROUTE_LIFETIME);

	if (held > 16 || route.len > held * 8 || (option[ROUTE_FLAGS] & PREFERENCE_MASK) == PREFERENCE_RESERVED)
		return;
	memcpy(route.prefix.bytes, option + ROUTE_PREFIX, held);
	route.preference = preference_of(option[ROUTE_FLAGS]);
	route.until = later(now, lifetime_ns(seconds));
	while (i < routing->route_count &&
		(routing->routes[i].len != route.len || !ip_equal(&routing->routes[i].router, router) ||
			ipv6_common_bits(&routing->routes[i].prefix, &route.prefix) < route.len))
		i++;
	if (i == NDP_ROUTES || (i == routing->route_count && seconds == 0))
		return;
	routing->routes[i] = route; /* one of no lifetime ends at once: ndp_routing_expire */
	routing->route_count += i == routing->route_count;
}

void ndp_router_silent(struct ipv6 *ipv6, const struct ip_address *address)
{
	ipv6->routing.turn += find_router(&ipv6->routing, address) != NULL;
}

/* RFC 4861, 7.2.5: a neighbour that says it is a host now is no default router. */
void ndp_router_resigned(struct ipv6 *ipv6, const struct ip_address *address)
{
	struct ndp_router *router = find_router(&ipv6->routing, address);

	if (router && router->until != FOREVER)
		remove_router(ipv6, router);
	for (size_t i = ipv6->routing.route_count; i-- > 0;)
		if (ip_equal(&ipv6->routing.routes[i].router, address))
			ipv6->routing.routes[i] = ipv6->routing.routes[--ipv6->routing.route_count];
}

/* Prefixes ---------------------------------------------------------------------------------------------------- */

bool ndp_is_on_link(const struct ipv6 *ipv6, const struct ip_address *address)
{
	const struct ndp_routing *routing = &ipv6->routing;

	for (size_t i = 0; i < routing->prefix_count; i++)
		if (ipv6_common_bits(&routing->prefixes[i].prefix, address) >= routing->prefixes[i].len)
			return true;
	return ipv6_is_link_local(address);
}

int ndp_add_prefix(struct ipv6 *ipv6, const struct ip_address *prefix, uint8_t len)
{
	struct ndp_routing *routing = &ipv6->routing;

	if (routing->prefix_count >= NDP_PREFIXES)
		return -ENOMEM;
	routing->prefixes[routing->prefix_count++] =
		(struct ndp_prefix){ .prefix = *prefix, .len = len, .until = FOREVER };
	return 0;
}

static void hear_on_link(struct ndp_routing *routing, const struct ndp_prefix_information *heard, uint64_t now)
{
	size_t i = 0;

	while (i < routing->prefix_count &&
		(routing->prefixes[i].len != heard->len ||
			ipv6_common_bits(&routing->prefixes[i].prefix, &heard->prefix) < heard->len))
		i++;
	if (i == routing->prefix_count) {
		if (heard->valid_ns == 0 || i >= NDP_PREFIXES)
			return;
		routing->prefixes[routing->prefix_count++] =
			(struct ndp_prefix){ .prefix = heard->prefix, .len = heard->len };
	} else if (routing->prefixes[i].until == FOREVER) {
		return; /* configured, or advertised without end: it would be an attacker's to end it */
	}
	routing->prefixes[i].until = later(now, heard->valid_ns);
}

static void hear_prefix(struct ipv6 *ipv6, const uint8_t *option, uint64_t now)
{
	const struct ndp_prefix_information heard = {
		.prefix = ipv6_get(option + PREFIX),
		.len = option[PREFIX_LENGTH],
		.on_link = option[PREFIX_FLAGS] & PREFIX_ON_LINK,
		.autonomous = option[PREFIX_FLAGS] & PREFIX_AUTONOMOUS,
		.valid_ns = lifetime_ns(wire_get32(option + PREFIX_VALID)),
		.preferred_ns = lifetime_ns(wire_get32(option + PREFIX_PREFERRED)),
	};

	if (heard.len > 128 || ipv6_is_link_local(&heard.prefix) || ipv6_is_multicast(&heard.prefix))
		return;
	if (heard.on_link)
		hear_on_link(&ipv6->routing, &heard, now);
	if (heard.autonomous)
		slaac_advertised(ipv6, &heard, now);
}

/* Resolvers --------------------------------------------------------------------------------------------------- */

/* RFC 8106, 5.1 and 6.1. */
static void hear_resolver(struct ndp_routing *routing, const struct ip_address *address, uint64_t until)
{
	size_t i = 0;

	while (i < routing->resolver_count && !ip_equal(&routing->resolvers[i].address, address))
		i++;
	if (i >= NDP_RESOLVERS || ipv6_is_multicast(address) || ipv6_is_unspecified(address))
		return;
	routing->resolvers[i] = (struct ndp_resolver){ *address, until };
	routing->resolver_count += i == routing->resolver_count;
}

static void hear_resolvers(struct ipv6 *ipv6, const uint8_t *option, size_t len, uint64_t now)
{
	uint64_t until = later(now, lifetime_ns(wire_get32(option + RDNSS_LIFETIME)));

	for (size_t at = RDNSS_ADDRESSES; at + 16 <= len; at += 16) {
		struct ip_address address = ipv6_get(option + at);

		hear_resolver(&ipv6->routing, &address, until);
	}
}

/* Advertisements ---------------------------------------------------------------------------------------------- */

static void hear_parameters(struct ipv6 *ipv6, const uint8_t *message, size_t len)
{
	struct ndp_routing *routing = &ipv6->routing;
	uint64_t reachable_ns = MSEC(wire_get32(message + RA_REACHABLE));
	uint64_t retrans_ns = MSEC(wire_get32(message + RA_RETRANS));
	size_t at = 0, option_len;
	const uint8_t *option = ndp_option(message, len, NDP_OPTION_MTU, &at, &option_len);

	if (message[RA_HOP_LIMIT] != 0)
		routing->hop_limit = message[RA_HOP_LIMIT];
	/* Not without limits: a forged time would have us ask without a pause, or never again. */
	if (reachable_ns >= SECOND(1) && reachable_ns <= NDP_REACHABLE_MAX &&
		reachable_ns != routing->reachable_base_ns)
		set_reachable_time(ipv6, reachable_ns);
	if (retrans_ns >= MSEC(100) && retrans_ns <= SECOND(60))
		routing->retrans_ns = retrans_ns;
	if (option && wire_get32(option + MTU) >= IPV6_MTU_MIN && wire_get32(option + MTU) <= ipv6->config.mtu)
		routing->mtu = (uint16_t)wire_get32(option + MTU);
}

void ndp_heard_router(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	const uint8_t *mac = ndp_mac(message->bytes, message->len, NDP_OPTION_SOURCE_MAC), *option;
	size_t at = 0, option_len;

	if (wire_get16(message->bytes + RA_LIFETIME) > 0) {
		ipv6->routing.solicit_at = FOREVER; /* RFC 7559, 2: only one that routes ends the asking */
		ipv6->routing.advertised = true;
	}
	hear_parameters(ipv6, message->bytes, message->len);
	hear_lifetime(ipv6, message, now);
	if (mac)
		ndp_heard_from(ipv6, &message->source, mac, true, now);
	while ((option = ndp_option(message->bytes, message->len, NDP_OPTION_PREFIX, &at, &option_len)))
		hear_prefix(ipv6, option, now);
	at = 0;
	while ((option = ndp_option(message->bytes, message->len, NDP_OPTION_ROUTE, &at, &option_len)))
		hear_route(ipv6, &message->source, option, option_len, now);
	at = 0;
	while ((option = ndp_option(message->bytes, message->len, NDP_OPTION_RDNSS, &at, &option_len)))
		hear_resolvers(ipv6, option, option_len, now);
	ipv6->changed = true;
}

/* Time -------------------------------------------------------------------------------------------------------- */

/* The random delay was that of the address's probe already (RFC 4861, 6.3.7). */
void ndp_start_soliciting(struct ipv6 *ipv6, uint64_t now)
{
	if (!ipv6->config.accept_advertisements || ipv6->routing.advertised)
		return;
	ipv6->routing.solicit_at = now;
	ipv6->routing.solicit_interval_ns = 0;
	ipv6->changed = true;
}

/* RFC 7559, 2 with RFC 8415, 15: the interval doubles to its limit, each time give or take a tenth. */
static void solicit(struct ipv6 *ipv6, uint64_t now)
{
	struct ndp_routing *routing = &ipv6->routing;
	uint64_t interval = routing->solicit_interval_ns ? routing->solicit_interval_ns * 2 : NDP_SOLICIT_NS;

	if (interval > NDP_SOLICIT_MAX)
		interval = NDP_SOLICIT_MAX;
	routing->solicit_interval_ns = interval;
	interval = interval - interval / 10 + interval / 5000 * ipv6->config.link->random(ipv6->config.link, 1001);
	routing->solicit_at = now + interval;
	ndp_solicit_routers(ipv6, now);
}

uint64_t ndp_routing_deadline(const struct ipv6 *ipv6)
{
	const struct ndp_routing *routing = &ipv6->routing;
	uint64_t deadline = routing->solicit_at;

	if (routing->pending_until != 0)
		ipv6_sooner(&deadline, routing->pending_until);
	for (size_t i = 0; i < routing->router_count; i++)
		ipv6_sooner(&deadline, routing->routers[i].until);
	for (size_t i = 0; i < routing->prefix_count; i++)
		ipv6_sooner(&deadline, routing->prefixes[i].until);
	for (size_t i = 0; i < routing->route_count; i++)
		ipv6_sooner(&deadline, routing->routes[i].until);
	for (size_t i = 0; i < routing->resolver_count; i++)
		ipv6_sooner(&deadline, routing->resolvers[i].until);
	return deadline;
}

void ndp_routing_expire(struct ipv6 *ipv6, uint64_t now)
{
	struct ndp_routing *routing = &ipv6->routing;

	if (routing->solicit_at <= now)
		solicit(ipv6, now);
	if (routing->pending_until != 0 && routing->pending_until <= now) {
		routing->pending_until = 0;
		ipv6->config.link->event(ipv6->config.link, IPV6_ROUTER_NONE, &ip_unspecified);
	}
	for (size_t i = routing->router_count; i-- > 0;)
		if (routing->routers[i].until <= now)
			remove_router(ipv6, &routing->routers[i]);
	for (size_t i = routing->prefix_count; i-- > 0;)
		if (routing->prefixes[i].until <= now)
			routing->prefixes[i] = routing->prefixes[--routing->prefix_count];
	for (size_t i = routing->route_count; i-- > 0;)
		if (routing->routes[i].until <= now)
			routing->routes[i] = routing->routes[--routing->route_count];
	for (size_t i = routing->resolver_count; i-- > 0;)
		if (routing->resolvers[i].until <= now)
			routing->resolvers[i] = routing->resolvers[--routing->resolver_count];
}
