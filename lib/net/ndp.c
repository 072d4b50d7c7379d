/* SPDX-License-Identifier: ISC
 *
 * The messages of neighbour discovery, in both directions (RFC 4861, 6.1, 7.1, 7.2; duplicate addresses: RFC 4862, 5.4,
 * with the nonce of RFC 7527, by which our own probes are known when the link brings them back).
 */
#include <errno.h>
#include <string.h>

#include "ipv6.h"
#include "ipv6_wire.h"
#include "ndp_message.h"
#include "wire.h"

enum { HOP_LIMIT = 255, MESSAGE_MAX = NS_OPTIONS + NDP_OPTION_MAC_LEN + NDP_OPTION_NONCE_LEN };

static const struct ip_address all_nodes = { { 0xff, 0x02, [15] = 1 } };
static const struct ip_address all_routers = { { 0xff, 0x02, [15] = 2 } };

/* Sending ----------------------------------------------------------------------------------------------------- */

static size_t put_mac(const struct ipv6 *ipv6, uint8_t *option, enum ndp_option_type type)
{
	option[0] = (uint8_t)type;
	option[1] = 1;
	memcpy(option + 2, ipv6->config.mac, 6);
	return NDP_OPTION_MAC_LEN;
}

static void send(struct ipv6 *ipv6, const struct ipv6_message *message)
{
	ipv6->config.link->send(ipv6->config.link, message);
}

void ndp_solicit(struct ipv6 *ipv6, const struct ip_address *target, const uint8_t *mac, uint64_t now)
{
	uint8_t bytes[MESSAGE_MAX] = { NDP_NEIGHBOUR_SOLICITATION };
	struct ipv6_message message = { .mac = mac, .bytes = bytes, .len = NS_OPTIONS };

	message.destination = mac ? *target : ipv6_solicited_node(target);
	if (ipv6_choose_source(ipv6, target, now, &message.source) < 0)
		return;
	memcpy(bytes + NS_TARGET, target->bytes, 16);
	message.len += put_mac(ipv6, bytes + NS_OPTIONS, NDP_OPTION_SOURCE_MAC);
	send(ipv6, &message);
}

void ndp_probe(struct ipv6 *ipv6, const struct ipv6_own_address *own)
{
	uint8_t bytes[MESSAGE_MAX] = { NDP_NEIGHBOUR_SOLICITATION };
	const struct ipv6_message message = {
		.source = ip_unspecified,
		.destination = ipv6_solicited_node(&own->address),
		.bytes = bytes,
		.len = NS_OPTIONS + NDP_OPTION_NONCE_LEN,
	};

	memcpy(bytes + NS_TARGET, own->address.bytes, 16);
	bytes[NS_OPTIONS] = NDP_OPTION_NONCE;
	bytes[NS_OPTIONS + 1] = 1;
	memcpy(bytes + NS_OPTIONS + 2, own->nonce, sizeof own->nonce);
	send(ipv6, &message);
}

void ndp_solicit_routers(struct ipv6 *ipv6, uint64_t now)
{
	uint8_t bytes[MESSAGE_MAX] = { NDP_ROUTER_SOLICITATION };
	struct ipv6_message message = { .destination = all_routers, .bytes = bytes, .len = RS_OPTIONS };

	if (ipv6_choose_source(ipv6, &all_routers, now, &message.source) == 0)
		message.len += put_mac(ipv6, bytes + RS_OPTIONS, NDP_OPTION_SOURCE_MAC);
	else
		message.source = ip_unspecified;
	send(ipv6, &message);
}

/* Answers a solicitation (RFC 4861, 7.2.4): to all, if who asked has no address yet. */
static void advertise(struct ipv6 *ipv6, const struct ipv6_heard *asked, const struct ip_address *target)
{
	bool to_all = ipv6_is_unspecified(&asked->source);
	uint8_t bytes[MESSAGE_MAX] = { NDP_NEIGHBOUR_ADVERTISEMENT };
	struct ipv6_message message = {
		.source = *target,
		.destination = to_all ? all_nodes : asked->source,
		.bytes = bytes,
		.len = NA_OPTIONS,
	};

	message.mac = to_all ? NULL : ndp_mac(asked->bytes, asked->len, NDP_OPTION_SOURCE_MAC);
	bytes[NA_FLAGS] = NA_OVERRIDE | (to_all ? 0 : NA_SOLICITED);
	memcpy(bytes + NA_TARGET, target->bytes, 16);
	message.len += put_mac(ipv6, bytes + NA_OPTIONS, NDP_OPTION_TARGET_MAC);
	send(ipv6, &message);
}

/* Hearing ----------------------------------------------------------------------------------------------------- */

static bool is_own_probe(const struct ipv6_heard *message, const struct ipv6_own_address *own)
{
	size_t at = 0, len;
	const uint8_t *nonce = ndp_option(message->bytes, message->len, NDP_OPTION_NONCE, &at, &len);

	return own->probed && nonce && len == NDP_OPTION_NONCE_LEN &&
	       memcmp(nonce + 2, own->nonce, sizeof own->nonce) == 0;
}

/* RFC 4861, 7.2.3; of addresses that are not yet ours RFC 4862, 5.4.3. */
static int hear_solicitation(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	struct ip_address target = ipv6_get(message->bytes + NS_TARGET);
	const uint8_t *mac = ndp_mac(message->bytes, message->len, NDP_OPTION_SOURCE_MAC);
	bool is_probe = ipv6_is_unspecified(&message->source);
	struct ip_address group = ipv6_solicited_node(&target);
	struct ipv6_own_address *own;

	if (ipv6_is_multicast(&target) || (is_probe && (mac || !ip_equal(&message->destination, &group))))
		return -EBADMSG;
	own = ipv6_find_address(ipv6, &target);
	if (!own)
		return 0;
	if (own->state == IPV6_TENTATIVE && is_probe && !is_own_probe(message, own))
		ipv6_address_collides(ipv6, own, now);
	if (own->state != IPV6_ASSIGNED)
		return 0;
	if (mac && !is_probe)
		ndp_heard_from(ipv6, &message->source, mac, false, now);
	advertise(ipv6, message, &target);
	return 0;
}

static int hear_advertisement(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	uint8_t flags = message->bytes[NA_FLAGS];
	const struct ndp_advertisement advertisement = {
		.target = ipv6_get(message->bytes + NA_TARGET),
		.mac = ndp_mac(message->bytes, message->len, NDP_OPTION_TARGET_MAC),
		.is_router = flags & NA_ROUTER,
		.solicited = flags & NA_SOLICITED,
		.override = flags & NA_OVERRIDE,
	};
	struct ipv6_own_address *own;

	if (ipv6_is_multicast(&advertisement.target) ||
		(ipv6_is_multicast(&message->destination) && advertisement.solicited))
		return -EBADMSG;
	own = ipv6_find_address(ipv6, &advertisement.target);
	if (!own)
		ndp_advertised(ipv6, &advertisement, now);
	else if (!advertisement.mac || memcmp(advertisement.mac, ipv6->config.mac, 6) != 0)
		ipv6_address_collides(ipv6, own, now);
	return 0;
}

/* Routers are told apart from hosts by who sends and by what: RFC 4861, 6.1.2. */
static int hear_router(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	if (!ipv6_is_link_local(&message->source))
		return -EBADMSG;
	if (ipv6->config.accept_advertisements)
		ndp_heard_router(ipv6, message, now);
	return 0;
}

int ndp_hear(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	if (message->hop_limit != HOP_LIMIT || message->len < ICMPV6_HEADER || message->bytes[ICMPV6_CODE] != 0 ||
		!ndp_is_well_formed(message->bytes, message->len))
		return -EBADMSG;
	switch (message->bytes[ICMPV6_TYPE]) {
	case NDP_NEIGHBOUR_SOLICITATION:
		return hear_solicitation(ipv6, message, now);
	case NDP_NEIGHBOUR_ADVERTISEMENT:
		return hear_advertisement(ipv6, message, now);
	case NDP_ROUTER_ADVERTISEMENT:
		return hear_router(ipv6, message, now);
	case NDP_REDIRECT:
		if (!ipv6_is_link_local(&message->source))
			return -EBADMSG;
		ipv6_heard_redirect(ipv6, message, now);
		return 0;
	default:
		return 0; /* a router solicitation: we are no router (RFC 4861, 6.2.6) */
	}
}
