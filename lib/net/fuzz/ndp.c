/* SPDX-License-Identifier: ISC
 *
 * Messages of neighbour and group discovery, and time, into the machine of ipv6.h, between which it is asked for
 * neighbours and routes. Its tables stay within their bounds, what it sends is well formed, and after a few expiries
 * its next deadline lies ahead: an address may be assigned, and at the same moment be due for a successor.
 *
 * The input is a list of records: an action, and what it needs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/ipv6.h"
#include "lib/net/ipv6_wire.h"
#include "lib/net/ndp_message.h"
#include "lib/net/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 128, EXPIRIES_MAX = 2000, AT_ONCE_MAX = 4 };
enum { PASS, HEAR, FIND, ROUTE, TOO_BIG, CONFIRM, ACTIONS };

struct world {
	struct ipv6_link link;
	struct ipv6 *ipv6;
	const uint8_t *input;
	size_t left;
	uint64_t now;
	uint32_t chance;
};

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static struct world *world_of(struct ipv6_link *link)
{
	return (struct world *)((char *)link - offsetof(struct world, link));
}

static void on_send(struct ipv6_link *link, const struct ipv6_message *message)
{
	const struct ipv6 *ipv6 = world_of(link)->ipv6;
	uint8_t type = message->bytes[0];

	must_hold(message->len >= ICMPV6_HEADER && message->len <= IPV6_MTU_MIN - IPV6_HEADER);
	must_hold(message->mac || ipv6_is_multicast(&message->destination) || type == NDP_NEIGHBOUR_ADVERTISEMENT);
	if (type >= NDP_ROUTER_SOLICITATION && type <= NDP_REDIRECT)
		must_hold(ndp_is_well_formed(message->bytes, message->len));
	if (ipv6 && !ipv6_is_unspecified(&message->source))
		must_hold(ipv6_is_ours(ipv6, &message->source));
}

static void on_forward(struct ipv6_link *link, const uint8_t mac[6], const void *packet, size_t len)
{
	(void)link;
	must_hold(!(mac[0] & 1) && len > 0 && *(const uint8_t *)packet == 'p');
}

static void on_event(struct ipv6_link *link, enum ipv6_event event, const struct ip_address *address)
{
	(void)link;
	must_hold(event == IPV6_ROUTER_NONE || !ipv6_is_unspecified(address) || event == IPV6_NEIGHBOUR_SILENT ||
		  event == IPV6_NEIGHBOUR_FOUND);
}

static uint32_t on_random(struct ipv6_link *link, uint32_t bound)
{
	struct world *w = world_of(link);

	must_hold(bound > 0);
	w->chance = w->chance * 1664525u + 1013904223u;
	return (w->chance >> 8) % bound;
}

static uint8_t next_byte(struct world *w)
{
	if (w->left == 0)
		return 0;
	w->left--;
	return *w->input++;
}

/* One of a few addresses, so that records meet: ours, neighbours, a router, groups. */
static struct ip_address next_address(struct world *w)
{
	static const struct ip_address known[] = {
		{ { 0xfe, 0x80, [15] = 1 } },
		{ { 0xfe, 0x80, [15] = 5 } },
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 } },
		{ { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 9 } },
		{ { 0xff, 0x02, [15] = 1 } },
		{ { 0 } },
	};
	uint8_t which = next_byte(w);
	struct ip_address address;

	if (which < sizeof known / sizeof *known)
		return known[which];
	if (which < 64)
		return w->ipv6->addresses[which % IPV6_ADDRESSES].address;
	address = known[2];
	address.bytes[14] = which;
	address.bytes[15] = next_byte(w);
	return address;
}

static void check(const struct ipv6 *ipv6)
{
	must_hold(ipv6->neighbours.count <= NDP_NEIGHBOURS && ipv6->neighbours.asking_count <= NDP_ASKING_MAX);
	must_hold(ipv6->neighbours.waiting_bytes <= NDP_WAITING_BYTES && ipv6->path_count <= IPV6_PATHS);
	must_hold(ipv6->routing.router_count <= NDP_ROUTERS && ipv6->routing.prefix_count <= NDP_PREFIXES);
	must_hold(ipv6->routing.route_count <= NDP_ROUTES);
	must_hold(ipv6->routing.resolver_count <= NDP_RESOLVERS && ipv6->mld.count <= IPV6_GROUPS);
	must_hold(ipv6->routing.hop_limit > 0 && ipv6->routing.mtu >= IPV6_MTU_MIN && ipv6->routing.mtu <= 1500);
	must_hold(ipv6->routing.retrans_ns >= MSEC(100) && ipv6->routing.reachable_ns > 0);
}

static void pass(struct world *w, uint64_t ns)
{
	uint64_t end = w->now + ns;

	for (int i = 0, at_once = 0; ipv6_deadline(w->ipv6) <= end; i++) {
		must_hold(i < EXPIRIES_MAX);
		at_once = ipv6_deadline(w->ipv6) > w->now ? 0 : at_once + 1;
		must_hold(at_once <= AT_ONCE_MAX);
		if (at_once == 0)
			w->now = ipv6_deadline(w->ipv6);
		ipv6_expire(w->ipv6, w->now);
		if (w->now + SECOND(3600) < end)
			end = w->now + SECOND(3600); /* of what comes again and again, an hour is enough */
	}
	w->now = end;
}

/* The message lies at the end of the heap block, so that the sanitizer sees every overrun. */
static void hear(struct world *w)
{
	struct ipv6_heard heard = { .source = next_address(w), .destination = next_address(w) };
	uint8_t flags = next_byte(w);
	size_t len = next_byte(w);
	uint8_t *bytes;

	len = len < w->left ? len : w->left;
	if (len < ICMPV6_HEADER)
		return;
	bytes = malloc(len);
	if (!bytes)
		abort();
	memcpy(bytes, w->input, len);
	w->input += len;
	w->left -= len;
	if (flags & 1) /* a type that is the machine's, and no code */
		bytes[0] = (uint8_t)(bytes[0] % 9 == 8 ? MLD_REPORT_2 : MLD_QUERY + bytes[0] % 9);
	if (flags & 2)
		bytes[1] = 0;
	heard.hop_limit = flags & 4                                                         ? next_byte(w)
			  : bytes[0] >= NDP_ROUTER_SOLICITATION && bytes[0] <= NDP_REDIRECT ? 255
											    : 1;
	heard.bytes = bytes;
	heard.len = len;
	(void)ipv6_hear(w->ipv6, &heard, w->now);
	free(bytes);
}

static void find(struct world *w)
{
	static const uint8_t packet[2000] = { 'p' };
	struct ip_address address = next_address(w);
	const struct platform_piece piece = { packet, next_byte(w) * 7u + 1 };
	uint8_t mac[6];

	if (ipv6_is_multicast(&address) || ipv6_find_address(w->ipv6, &address))
		return;
	if (ndp_find(w->ipv6, &address, w->now, mac) == -EAGAIN)
		(void)ndp_keep(w->ipv6, &address, &piece, 1);
}

static void act(struct world *w)
{
	struct ip_address address, next_hop, source;
	uint16_t mtu;

	switch (next_byte(w) % ACTIONS) {
	case PASS:
		pass(w, MSEC(next_byte(w)) * (1 + next_byte(w) * 10u));
		break;
	case HEAR:
		hear(w);
		break;
	case FIND:
		find(w);
		break;
	case ROUTE:
		address = next_address(w);
		if (ipv6_find_path(w->ipv6, &address, w->now, &next_hop, &mtu) == 0)
			must_hold(mtu >= IPV6_MTU_MIN && mtu <= 1500);
		if (ipv6_choose_source(w->ipv6, &address, w->now, &source) == 0)
			must_hold(ipv6_is_ours(w->ipv6, &source));
		break;
	case TOO_BIG:
		address = next_address(w);
		ipv6_path_too_big(w->ipv6, &address, next_byte(w) * 8u, w->now);
		break;
	case CONFIRM:
		address = next_address(w);
		ndp_confirm(w->ipv6, &address, w->now);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .link = { on_send, on_forward, on_event, on_random }, .input = data, .left = size };
	uint64_t drops[DROP_REASONS] = { 0 };
	struct ipv6_config config = {
		.link = &w.link, .drops = drops, .mac = { 2, 0, 0, 0, 0, 2 }, .mtu = 1500, .accept_advertisements = true
	};

	w.now = SECOND(1000);
	w.chance = next_byte(&w);
	config.temporary_addresses = w.chance & 1;
	if (ipv6_open(&config, w.now, &w.ipv6) < 0)
		abort();
	if (w.chance & 2)
		pass(&w, SECOND(3));
	for (int i = 0; i < RECORDS_MAX && w.left > 0; i++) {
		act(&w);
		check(w.ipv6);
	}
	pass(&w, SECOND(100));
	ipv6_close(w.ipv6);
	return 0;
}
