/* SPDX-License-Identifier: ISC
 *
 * The neighbour cache (RFC 4861, 5.1 and 7): where neighbours are, and whether they are still there.
 *
 * An entry is INCOMPLETE while its address is asked for: its packets wait. REACHABLE: it has confirmed lately that
 * packets arrive, until due_at. STALE: it may have gone; the first packet that is sent to it makes it DELAY, in which
 * layers above may confirm it; else it becomes PROBE and is asked alone. Who does not answer is FAILED (RFC 4861 has no
 * such state: it lets who sends know at once, and keeps a flood of packets from becoming a flood of questions), or
 * forgotten, if it was known.
 *
 * When the table is full the least useful entry makes room, by the rules of arp.c: a flood of forged neighbours pushes
 * out none that is in use (RFC 6583). Lookup is by hash chain; only INCOMPLETE, DELAY and PROBE need the timer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipv6.h"
#include "ipv6_wire.h"
#include "wire.h"

struct ndp_waiting {
	struct ndp_waiting *next;
	size_t len;
	uint8_t bytes[];
};

/* Table ------------------------------------------------------------------------------------------------------- */

static uint16_t *bucket_of(struct ndp_cache *cache, const struct ip_address *address)
{
	uint32_t word = wire_get32(address->bytes + 12) ^ wire_get32(address->bytes + 8);

	return &cache->buckets[(word * 0x9e3779b1u >> 16) % NDP_BUCKETS];
}

static struct ndp_neighbour *lookup(struct ndp_cache *cache, const struct ip_address *address)
{
	uint16_t index = *bucket_of(cache, address);

	while (index != NDP_END && !ip_equal(&cache->entries[index].address, address))
		index = cache->entries[index].next;
	return index == NDP_END ? NULL : &cache->entries[index];
}

static bool is_timed(uint8_t state)
{
	return state == NDP_INCOMPLETE || state == NDP_DELAY || state == NDP_PROBE;
}

static void set_state(struct ipv6 *ipv6, struct ndp_neighbour *entry, enum ndp_state state, uint64_t due_at)
{
	struct ndp_cache *cache = &ipv6->neighbours;

	cache->asking_count += (size_t)(state == NDP_INCOMPLETE) - (size_t)(entry->state == NDP_INCOMPLETE);
	cache->timed_count += (size_t)is_timed((uint8_t)state) - (size_t)is_timed(entry->state);
	entry->state = (uint8_t)state;
	entry->due_at = due_at;
	entry->tries = 0;
	ipv6->changed |= is_timed((uint8_t)state);
}

static void drop_oldest_waiting(struct ndp_cache *cache, struct ndp_neighbour *entry)
{
	struct ndp_waiting *packet = entry->waiting;

	entry->waiting = packet->next;
	entry->waiting_count--;
	cache->waiting_bytes -= packet->len;
	pool_free(cache->pool, packet, sizeof *packet + packet->len);
}

static void drop_waiting(struct ipv6 *ipv6, struct ndp_neighbour *entry, enum stack_drop reason)
{
	ipv6->config.drops[reason] += entry->waiting_count;
	while (entry->waiting)
		drop_oldest_waiting(&ipv6->neighbours, entry);
}

static void forget(struct ipv6 *ipv6, struct ndp_neighbour *entry)
{
	struct ndp_cache *cache = &ipv6->neighbours;
	uint16_t index = (uint16_t)(entry - cache->entries), *link = bucket_of(cache, &entry->address);

	while (*link != index)
		link = &cache->entries[*link].next;
	*link = entry->next;
	drop_waiting(ipv6, entry, DROP_NDP_TABLE_FULL);
	set_state(ipv6, entry, NDP_FREE, FOREVER);
	entry->next = cache->free;
	cache->free = index;
	cache->count--;
}

/* How useful an entry is: higher ranks stay longer. RANK_STAYS is never asked to go. */
enum rank { RANK_UNUSED, RANK_FAILED, RANK_ASKING, RANK_USED, RANK_STAYS };

static enum rank rank_of(const struct ndp_neighbour *entry, bool shown, uint64_t now)
{
	if (entry->state == NDP_INCOMPLETE)
		return shown ? RANK_ASKING : RANK_STAYS;
	if (entry->state == NDP_FAILED)
		return RANK_FAILED;
	if (entry->used_at == 0)
		return RANK_UNUSED;
	return shown || now - entry->used_at >= NDP_IN_USE_NS ? RANK_USED : RANK_STAYS;
}

static bool make_room(struct ipv6 *ipv6, bool shown, uint64_t now)
{
	struct ndp_neighbour *least = NULL;
	enum rank least_rank = RANK_STAYS;
	uint64_t least_at = 0;

	for (size_t i = 0; i < NDP_NEIGHBOURS; i++) {
		struct ndp_neighbour *entry = &ipv6->neighbours.entries[i];
		enum rank rank = rank_of(entry, shown, now);
		uint64_t at = rank == RANK_UNUSED ? entry->heard_at : entry->used_at;

		if (rank < least_rank || (rank == least_rank && rank != RANK_STAYS && at < least_at)) {
			least = entry;
			least_rank = rank;
			least_at = at;
		}
	}
	if (least)
		forget(ipv6, least);
	return least != NULL;
}

/* An entry for an address that has none. shown: the neighbour showed himself; else it is to be asked for. */
static struct ndp_neighbour *add(struct ipv6 *ipv6, const struct ip_address *address, bool shown, uint64_t now)
{
	struct ndp_cache *cache = &ipv6->neighbours;
	uint16_t index, *bucket = bucket_of(cache, address);
	struct ndp_neighbour *entry;

	if (cache->free == NDP_END && !make_room(ipv6, shown, now))
		return NULL;
	index = cache->free;
	entry = &cache->entries[index];
	cache->free = entry->next;
	*entry = (struct ndp_neighbour){ .address = *address, .next = *bucket, .due_at = FOREVER, .heard_at = now };
	*bucket = index;
	cache->count++;
	return entry;
}

void ndp_cache_init(struct ndp_cache *cache, struct pool *pool)
{
	cache->pool = pool;
	memset(cache->buckets, 0xff, sizeof cache->buckets); /* NDP_END everywhere */
	for (uint16_t i = 0; i < NDP_NEIGHBOURS; i++)
		cache->entries[i].next = (uint16_t)(i + 1 < NDP_NEIGHBOURS ? i + 1 : NDP_END);
}

void ndp_cache_fini(struct ndp_cache *cache)
{
	for (size_t i = 0; i < NDP_NEIGHBOURS; i++)
		while (cache->entries[i].waiting)
			drop_oldest_waiting(cache, &cache->entries[i]);
}

/* Hearing ----------------------------------------------------------------------------------------------------- */

/* An INCOMPLETE or FAILED neighbour is at mac now, whatever its new state: what waited goes, in its order. */
static void release(struct ipv6 *ipv6, struct ndp_neighbour *entry)
{
	struct ndp_cache *cache = &ipv6->neighbours;
	struct ip_address address = entry->address;

	while (entry->waiting) {
		ipv6->config.link->forward(ipv6->config.link, entry->mac, entry->waiting->bytes, entry->waiting->len);
		drop_oldest_waiting(cache, entry);
	}
	ipv6->config.link->event(ipv6->config.link, IPV6_NEIGHBOUR_FOUND, &address);
}

static bool is_located(const struct ndp_neighbour *entry)
{
	return entry->state != NDP_INCOMPLETE && entry->state != NDP_FAILED;
}

void ndp_heard_from(
	struct ipv6 *ipv6, const struct ip_address *address, const uint8_t mac[6], bool is_router, uint64_t now)
{
	struct ndp_neighbour *entry = lookup(&ipv6->neighbours, address);
	bool located = entry && is_located(entry);

	if (!entry)
		entry = add(ipv6, address, true, now);
	if (!entry)
		return;
	entry->heard_at = now;
	entry->is_router |= is_router;
	if (located && memcmp(entry->mac, mac, 6) == 0)
		return;
	memcpy(entry->mac, mac, 6);
	set_state(ipv6, entry, NDP_STALE, FOREVER);
	if (entry->waiting || !located)
		release(ipv6, entry);
}

static void set_router(struct ipv6 *ipv6, struct ndp_neighbour *entry, bool is_router)
{
	bool resigns = entry->is_router && !is_router;

	entry->is_router = is_router;
	if (resigns)
		ndp_router_resigned(ipv6, &entry->address);
}

/* RFC 4861, 7.2.5 and appendix C. */
void ndp_advertised(struct ipv6 *ipv6, const struct ndp_advertisement *advertisement, uint64_t now)
{
	struct ndp_neighbour *entry = lookup(&ipv6->neighbours, &advertisement->target);
	const uint8_t *mac = advertisement->mac;
	bool located = entry && is_located(entry), differs;
	uint64_t reachable_until = now + ipv6->routing.reachable_ns;

	if (!entry)
		return;
	if (!located && !mac)
		return; /* it does not say what was asked */
	entry->heard_at = now;
	differs = mac && (!located || memcmp(entry->mac, mac, 6) != 0);
	if (located && differs && !advertisement->override) {
		if (entry->state == NDP_REACHABLE)
			set_state(ipv6, entry, NDP_STALE, FOREVER);
		return;
	}
	if (differs)
		memcpy(entry->mac, mac, 6);
	set_router(ipv6, entry, advertisement->is_router);
	if (advertisement->solicited)
		set_state(ipv6, entry, NDP_REACHABLE, reachable_until);
	else if (differs)
		set_state(ipv6, entry, NDP_STALE, FOREVER);
	if (!located)
		release(ipv6, entry);
}

void ndp_confirm(struct ipv6 *ipv6, const struct ip_address *address, uint64_t now)
{
	struct ndp_neighbour *entry = lookup(&ipv6->neighbours, address);

	if (entry && is_located(entry))
		set_state(ipv6, entry, NDP_REACHABLE, now + ipv6->routing.reachable_ns);
}

bool ndp_is_usable(const struct ipv6 *ipv6, const struct ip_address *address)
{
	const struct ndp_cache *cache = &ipv6->neighbours;
	/* The table is only read. */
	uint32_t word = wire_get32(address->bytes + 12) ^ wire_get32(address->bytes + 8);
	uint16_t index = cache->buckets[(word * 0x9e3779b1u >> 16) % NDP_BUCKETS];

	while (index != NDP_END && !ip_equal(&cache->entries[index].address, address))
		index = cache->entries[index].next;
	return index != NDP_END && is_located(&cache->entries[index]);
}

/* Looking up -------------------------------------------------------------------------------------------------- */

static int begin_asking(struct ipv6 *ipv6, struct ndp_neighbour *entry, const struct ip_address *address, uint64_t now)
{
	if (ipv6->neighbours.asking_count >= NDP_ASKING_MAX)
		return -ENOMEM;
	if (!entry)
		entry = add(ipv6, address, false, now);
	if (!entry)
		return -ENOMEM;
	set_state(ipv6, entry, NDP_INCOMPLETE, now + ipv6->routing.retrans_ns);
	entry->used_at = now;
	entry->tries = 1;
	ndp_solicit(ipv6, address, NULL, now);
	return -EAGAIN;
}

int ndp_find(struct ipv6 *ipv6, const struct ip_address *address, uint64_t now, uint8_t mac[6])
{
	struct ndp_neighbour *entry = lookup(&ipv6->neighbours, address);

	if (!entry)
		return begin_asking(ipv6, NULL, address, now);
	if (entry->state == NDP_FAILED)
		return now < entry->due_at ? -EHOSTUNREACH : begin_asking(ipv6, entry, address, now);
	entry->used_at = now;
	if (entry->state == NDP_INCOMPLETE)
		return -EAGAIN;
	if (entry->state == NDP_STALE || (entry->state == NDP_REACHABLE && now >= entry->due_at))
		set_state(ipv6, entry, NDP_DELAY, now + NDP_DELAY_NS);
	memcpy(mac, entry->mac, 6);
	return 0;
}

int ndp_keep(struct ipv6 *ipv6, const struct ip_address *address, const struct platform_piece *pieces, size_t count)
{
	struct ndp_cache *cache = &ipv6->neighbours;
	struct ndp_neighbour *entry = lookup(cache, address);
	struct ndp_waiting *packet, **last;
	size_t len = 0, at = 0;

	if (!entry || entry->state != NDP_INCOMPLETE)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		len += pieces[i].len;
	if (entry->waiting_count >= NDP_WAITING_MAX) {
		ipv6->config.drops[DROP_NDP_QUEUE_FULL]++;
		drop_oldest_waiting(cache, entry);
	}
	if (len > NDP_WAITING_BYTES - cache->waiting_bytes)
		return -ENOMEM;
	packet = pool_alloc_packet(cache->pool, sizeof *packet + len);
	if (!packet)
		return -ENOMEM;
	for (size_t i = 0; i < count; at += pieces[i++].len)
		memcpy(packet->bytes + at, pieces[i].data, pieces[i].len);
	packet->len = len;
	packet->next = NULL;
	for (last = &entry->waiting; *last; last = &(*last)->next)
		;
	*last = packet;
	entry->waiting_count++;
	cache->waiting_bytes += len;
	return 0;
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint64_t ndp_cache_deadline(const struct ipv6 *ipv6)
{
	uint64_t deadline = FOREVER;

	for (size_t i = 0; i < NDP_NEIGHBOURS && ipv6->neighbours.timed_count > 0; i++) {
		const struct ndp_neighbour *entry = &ipv6->neighbours.entries[i];

		if (is_timed(entry->state))
			ipv6_sooner(&deadline, entry->due_at);
	}
	return deadline;
}

static void give_up(struct ipv6 *ipv6, struct ndp_neighbour *entry, uint64_t now)
{
	struct ip_address address = entry->address;

	if (entry->state == NDP_INCOMPLETE) {
		drop_waiting(ipv6, entry, DROP_NDP_NO_ANSWER);
		set_state(ipv6, entry, NDP_FAILED, now + NDP_FAILED_NS);
	} else {
		forget(ipv6, entry);
	}
	ndp_router_silent(ipv6, &address);
	ipv6_paths_avoid(ipv6, &address);
	ipv6->config.link->event(ipv6->config.link, IPV6_NEIGHBOUR_SILENT, &address);
}

static void step(struct ipv6 *ipv6, struct ndp_neighbour *entry, uint64_t now)
{
	if (entry->state == NDP_DELAY)
		set_state(ipv6, entry, NDP_PROBE, now);
	if (entry->tries >= NDP_TRIES) {
		give_up(ipv6, entry, now);
		return;
	}
	entry->tries++;
	entry->due_at = now + ipv6->routing.retrans_ns;
	ndp_solicit(ipv6, &entry->address, entry->state == NDP_PROBE ? entry->mac : NULL, now);
}

void ndp_cache_expire(struct ipv6 *ipv6, uint64_t now)
{
	for (size_t i = 0; i < NDP_NEIGHBOURS && ipv6->neighbours.timed_count > 0; i++) {
		struct ndp_neighbour *entry = &ipv6->neighbours.entries[i];

		if (is_timed(entry->state) && entry->due_at <= now)
			step(ipv6, entry, now);
	}
}
