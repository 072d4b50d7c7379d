/* SPDX-License-Identifier: ISC
 *
 * Where packets go next (RFC 4861, 5.2 and 8), and how large they may be on the whole way (RFC 8201).
 *
 * Only destinations that differ from what prefixes and routers say have an entry: by redirect, or with a smaller MTU.
 */
#include <errno.h>
#include <string.h>

#include "ipv6.h"
#include "ipv6_wire.h"
#include "ndp_message.h"

static struct ipv6_path *find(struct ipv6 *ipv6, const struct ip_address *destination)
{
	for (size_t i = 0; i < ipv6->path_count; i++)
		if (ip_equal(&ipv6->paths[i].destination, destination))
			return &ipv6->paths[i];
	return NULL;
}

/* The destination's entry, which is made in place of the one that was not used for the longest time. */
static struct ipv6_path *find_or_add(struct ipv6 *ipv6, const struct ip_address *destination, uint64_t now)
{
	struct ipv6_path *path = find(ipv6, destination);

	if (path)
		return path;
	if (ipv6->path_count < IPV6_PATHS) {
		path = &ipv6->paths[ipv6->path_count++];
	} else {
		path = &ipv6->paths[0];
		for (size_t i = 1; i < IPV6_PATHS; i++)
			if (ipv6->paths[i].used_at < path->used_at)
				path = &ipv6->paths[i];
	}
	*path = (struct ipv6_path){ .destination = *destination, .used_at = now };
	return path;
}

int ipv6_find_path(struct ipv6 *ipv6, const struct ip_address *destination, uint64_t now, struct ip_address *next_hop,
	uint16_t *mtu)
{
	struct ipv6_path *path = find(ipv6, destination);
	const struct ip_address *router;

	*mtu = ipv6->routing.mtu;
	*next_hop = *destination;
	if (path) {
		path->used_at = now;
		if (path->mtu != 0 && path->mtu < *mtu && now < path->mtu_until)
			*mtu = path->mtu;
		if (!ipv6_is_unspecified(&path->next_hop)) {
			*next_hop = path->next_hop;
			return 0;
		}
	}
	if (ipv6_is_multicast(destination) || ndp_is_on_link(ipv6, destination))
		return 0;
	router = ndp_choose_router(ipv6, destination);
	if (!router)
		return ipv6->routing.pending_until != 0 ? -EAGAIN : -ENETUNREACH;
	*next_hop = *router;
	return 0;
}

void ipv6_path_too_big(struct ipv6 *ipv6, const struct ip_address *destination, uint32_t mtu, uint64_t now)
{
	struct ipv6_path *path;

	if (mtu < IPV6_MTU_MIN || mtu >= ipv6->routing.mtu)
		return;
	path = find_or_add(ipv6, destination, now);
	if (path->mtu != 0 && mtu >= path->mtu && now < path->mtu_until)
		return; /* RFC 8201, 4: such a message never makes it larger */
	path->mtu = (uint16_t)mtu;
	path->mtu_until = now + IPV6_PATH_NS;
}

/* RFC 4861, 8.1 and 8.3: believed only from the neighbour that the destination's packets go to now, and only to the
 * destination itself or to a router's link-local address. */
void ipv6_heard_redirect(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	struct ip_address target = ipv6_get(message->bytes + REDIRECT_TARGET);
	struct ip_address destination = ipv6_get(message->bytes + REDIRECT_DESTINATION), next_hop;
	const uint8_t *mac = ndp_mac(message->bytes, message->len, NDP_OPTION_TARGET_MAC);
	bool to_router = !ip_equal(&target, &destination);
	uint16_t mtu;

	if (ipv6_is_multicast(&destination) || (to_router && !ipv6_is_link_local(&target)) ||
		ipv6_find_address(ipv6, &target) || ipv6_find_address(ipv6, &destination))
		return;
	if (ipv6_find_path(ipv6, &destination, now, &next_hop, &mtu) < 0 || !ip_equal(&next_hop, &message->source))
		return;
	find_or_add(ipv6, &destination, now)->next_hop = target;
	if (mac)
		ndp_heard_from(ipv6, &target, mac, to_router, now);
}

void ipv6_paths_avoid(struct ipv6 *ipv6, const struct ip_address *next_hop)
{
	for (size_t i = 0; i < ipv6->path_count; i++)
		if (ip_equal(&ipv6->paths[i].next_hop, next_hop))
			ipv6->paths[i].next_hop = ip_unspecified;
}
