/* SPDX-License-Identifier: ISC
 *
 * ARP (RFC 826), with address conflict detection (RFC 5227) and the rules of RFC 1122, 2.3.2.
 *
 * Theory of operation
 * -------------------
 * An entry is FREE; ASKING, after arp_find wanted an unknown neighbour: a broadcast request goes out at most every
 * ARP_RETRY_NS, and the latest packet waits; KNOWN; or FAILED, after ARP_TRIES requests had no answer. KNOWN entries
 * older than ARP_FRESH_NS are confirmed while they are used, by a request to the neighbour alone, and older than
 * ARP_EXPIRE_NS are forgotten; FAILED ones after ARP_FAILED_NS. Age is looked at when an entry is looked up, so only
 * ASKING entries and our own announcements need the timer.
 *
 * What is learned (RFC 826's merge rules): a sender that the table holds already is updated by any packet of its; one
 * that it does not hold is added only by a packet that asks for, or answers, us. Nobody is learned who cannot be a
 * neighbour of ours. When the table is full, the least useful entry makes room: one that was never used for sending,
 * the oldest first; then FAILED; for somebody who showed himself also ASKING; and last the one that was not used for
 * the longest time. A new question takes the place of none that was used within ARP_IN_USE_NS, so a flood of packets
 * from forged neighbours cannot push out the gateway.
 *
 * An address may be probed before it is used (RFC 5227, 2.1.1): requests for it with no sender's address. Any packet
 * from somebody who has it, or probes it himself, ends that. The times are the caller's: the RFC's own take 5 to 7
 * seconds, and a unikernel boots in a millisecond.
 *
 * Lookup is by hash chain; making room walks all ARP_ENTRIES.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <platform.h>

#include "arp.h"
#include "wire.h"

enum { BUCKETS = 256, END = UINT16_MAX };
enum { HARDWARE_ETHERNET = 1, PROTOCOL_IPV4 = 0x0800, REQUEST = 1, REPLY = 2 };
/* Where the fields lie (RFC 826). */
enum { HTYPE = 0, PTYPE = 2, HLEN = 4, PLEN = 5, OPERATION = 6 };
enum { SHA = ARP_SENDER_MAC, SPA = ARP_SENDER_ADDRESS, THA = 18, TPA = 24 };

enum entry_state { FREE, ASKING, KNOWN, FAILED };

struct entry {
	uint32_t address;
	uint8_t mac[6];
	uint8_t state;
	uint8_t tries;
	uint16_t next; /* in its hash chain, or among the free */
	size_t waiting_len;
	uint8_t *waiting;      /* ASKING: the latest packet, or NULL */
	uint64_t confirmed_at; /* KNOWN: the neighbour said so; FAILED: it was given up */
	uint64_t asked_at;     /* the last request; 0: none */
	uint64_t used_at;      /* last looked up for sending; 0: never */
};

/* What is done for an address of ours. */
struct care {
	uint64_t announce_at, defended_at;
	unsigned announcements_left;
};

struct arp {
	struct arp_config config;
	struct care cares[IPV4_LOCALS];
	uint16_t buckets[BUCKETS];
	uint16_t free;
	size_t count, asking_count, waiting_bytes;
	uint32_t probed; /* the address that is being probed; 0: none */
	uint64_t probe_at, probe_interval;
	unsigned probes_left;
	struct entry entries[ARP_ENTRIES];
};

static const uint8_t broadcast_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* Table ------------------------------------------------------------------------------------------------------- */

static uint16_t *bucket_of(struct arp *arp, uint32_t address)
{
	return &arp->buckets[(address * 0x9e3779b1u) >> 24];
}

static struct entry *lookup(struct arp *arp, uint32_t address)
{
	uint16_t index = *bucket_of(arp, address);

	while (index != END && arp->entries[index].address != address)
		index = arp->entries[index].next;
	return index == END ? NULL : &arp->entries[index];
}

static void drop_waiting(struct arp *arp, struct entry *entry, enum stack_drop reason)
{
	arp->config.drops[reason] += entry->waiting != NULL;
	arp->waiting_bytes -= entry->waiting_len;
	pool_free(arp->config.pool, entry->waiting, entry->waiting_len);
	entry->waiting = NULL;
	entry->waiting_len = 0;
}

static void set_state(struct arp *arp, struct entry *entry, enum entry_state state)
{
	arp->asking_count += (size_t)(state == ASKING) - (size_t)(entry->state == ASKING);
	entry->state = (uint8_t)state;
}

static void forget(struct arp *arp, struct entry *entry)
{
	uint16_t index = (uint16_t)(entry - arp->entries), *link = bucket_of(arp, entry->address);

	while (*link != index)
		link = &arp->entries[*link].next;
	*link = entry->next;
	drop_waiting(arp, entry, DROP_ARP_TABLE_FULL);
	set_state(arp, entry, FREE);
	entry->next = arp->free;
	arp->free = index;
	arp->count--;
}

/* How useful an entry is: higher ranks stay longer. RANK_STAYS is never asked to go. */
enum rank { RANK_UNUSED, RANK_FAILED, RANK_ASKING, RANK_USED, RANK_STAYS };

static enum rank rank_of(const struct entry *entry, bool shown, uint64_t now)
{
	switch (entry->state) {
	case ASKING:
		return shown ? RANK_ASKING : RANK_STAYS;
	case FAILED:
		return RANK_FAILED;
	default:
		if (entry->used_at == 0 || now - entry->confirmed_at >= ARP_EXPIRE_NS)
			return RANK_UNUSED;
		return shown || now - entry->used_at >= ARP_IN_USE_NS ? RANK_USED : RANK_STAYS;
	}
}

static bool make_room(struct arp *arp, bool shown, uint64_t now)
{
	struct entry *least = NULL;
	enum rank least_rank = RANK_STAYS;
	uint64_t least_at = 0;

	for (size_t i = 0; i < ARP_ENTRIES; i++) {
		struct entry *entry = &arp->entries[i];
		enum rank rank = rank_of(entry, shown, now);
		uint64_t at = rank == RANK_UNUSED ? entry->confirmed_at : entry->used_at;

		if (rank < least_rank || (rank == least_rank && rank != RANK_STAYS && at < least_at)) {
			least = entry;
			least_rank = rank;
			least_at = at;
		}
	}
	if (least)
		forget(arp, least);
	return least != NULL;
}

/* An entry for an address that has none. shown: the neighbour showed himself; else it is to be asked for. */
static struct entry *add(struct arp *arp, uint32_t address, bool shown, uint64_t now)
{
	struct entry *entry;
	uint16_t index, *bucket = bucket_of(arp, address);

	if (arp->free == END && !make_room(arp, shown, now))
		return NULL;
	index = arp->free;
	entry = &arp->entries[index];
	arp->free = entry->next;
	*entry = (struct entry){ .address = address, .next = *bucket };
	*bucket = index;
	arp->count++;
	return entry;
}

/* Packets ----------------------------------------------------------------------------------------------------- */

static void send_packet(struct arp *arp, uint16_t operation, const uint8_t to[6], uint32_t sender,
	const uint8_t target_mac[6], uint32_t target)
{
	uint8_t packet[ARP_PACKET];

	wire_put16(packet + HTYPE, HARDWARE_ETHERNET);
	wire_put16(packet + PTYPE, PROTOCOL_IPV4);
	packet[HLEN] = 6;
	packet[PLEN] = 4;
	wire_put16(packet + OPERATION, operation);
	memcpy(packet + SHA, arp->config.mac, 6);
	wire_put32(packet + SPA, sender);
	memcpy(packet + THA, target_mac, 6);
	wire_put32(packet + TPA, target);
	arp->config.link->send(arp->config.link, to, packet);
}

static void request(struct arp *arp, const uint8_t to[6], uint32_t sender, uint32_t target)
{
	static const uint8_t unknown_mac[6];

	send_packet(arp, REQUEST, to, sender, unknown_mac, target);
}

static void ask(struct arp *arp, struct entry *entry, const uint8_t to[6], uint64_t now)
{
	entry->asked_at = now;
	entry->tries++;
	request(arp, to, ipv4_local_for(arp->config.locals, entry->address), entry->address);
}

/* RFC 5227, 2.1.1: no address is sent as the sender's. */
static void send_probe(struct arp *arp, uint64_t now)
{
	arp->probes_left--;
	arp->probe_at = now + arp->probe_interval;
	request(arp, broadcast_mac, 0, arp->probed);
}

static void end_probe(struct arp *arp, bool in_use)
{
	arp->probed = 0;
	arp->config.link->probed(arp->config.link, in_use);
}

/* RFC 5227, 2.3: a request for our own address, which updates whoever knows us already. */
static void announce(struct arp *arp, uint32_t address)
{
	request(arp, broadcast_mac, address, address);
}

/* Addresses --------------------------------------------------------------------------------------------------- */

/* Whether a host with this address can be on our link: not we, nor a subnet itself, nor its broadcast. */
static bool is_neighbour(const struct ipv4_locals *locals, uint32_t address)
{
	const struct ipv4_local *near = ipv4_local_near(locals, address);

	return near && !ipv4_local_find(locals, address) &&
	       ipv4_local_is_possible(&(struct ipv4_local){ address, near->mask });
}

static bool is_host_mac(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, 6) != 0;
}

/* Receiving --------------------------------------------------------------------------------------------------- */

/* entry's neighbour is at mac. */
static void confirm(struct arp *arp, struct entry *entry, const uint8_t mac[6], uint64_t now)
{
	struct entry answered = *entry;

	set_state(arp, entry, KNOWN);
	memcpy(entry->mac, mac, 6);
	entry->confirmed_at = now;
	entry->asked_at = 0;
	entry->tries = 0;
	if (answered.state == KNOWN)
		return;
	arp->waiting_bytes -= answered.waiting_len;
	entry->waiting = NULL;
	entry->waiting_len = 0;
	arp->config.link->resolved(arp->config.link, answered.address, mac, answered.waiting, answered.waiting_len);
	pool_free(arp->config.pool, answered.waiting, answered.waiting_len);
}

/* The merge rules of RFC 826. */
static void learn(struct arp *arp, uint32_t sender, const uint8_t mac[6], bool for_us, uint64_t now)
{
	struct entry *entry = lookup(arp, sender);

	if (!entry && for_us && is_neighbour(arp->config.locals, sender))
		entry = add(arp, sender, true, now);
	if (entry)
		confirm(arp, entry, mac, now);
}

void arp_learn(struct arp *arp, uint32_t address, const uint8_t mac[6], uint64_t now)
{
	if (is_host_mac(mac))
		learn(arp, address, mac, true, now);
}

static int defend(struct arp *arp, const struct ipv4_local *own, uint64_t now)
{
	struct care *care = &arp->cares[own - arp->config.locals->all];

	if (care->defended_at != 0 && now - care->defended_at < ARP_DEFEND_NS)
		return -EALREADY;
	care->defended_at = now;
	announce(arp, own->address);
	return -EADDRINUSE;
}

int arp_receive(struct arp *arp, const uint8_t *packet, size_t len, uint64_t now)
{
	const struct ipv4_local *own;
	uint16_t operation;
	uint32_t sender, target;

	if (len < ARP_PACKET || wire_get16(packet + HTYPE) != HARDWARE_ETHERNET ||
		wire_get16(packet + PTYPE) != PROTOCOL_IPV4 || packet[HLEN] != 6 || packet[PLEN] != 4)
		return -EBADMSG;
	operation = wire_get16(packet + OPERATION);
	sender = wire_get32(packet + SPA);
	target = wire_get32(packet + TPA);
	if ((operation != REQUEST && operation != REPLY) || !is_host_mac(packet + SHA))
		return -EBADMSG;
	if (memcmp(packet + SHA, arp->config.mac, 6) == 0)
		return 0; /* our own, come back by a hub or a bridge */
	if (arp->probed && (sender == arp->probed || (sender == 0 && operation == REQUEST && target == arp->probed)))
		end_probe(arp, true);
	own = ipv4_local_find(arp->config.locals, sender);
	if (own)
		return defend(arp, own, now);
	own = ipv4_local_find(arp->config.locals, target);
	if (sender != 0) /* 0: a probe (RFC 5227, 1.1), which says nothing about its sender */
		learn(arp, sender, packet + SHA, own != NULL, now);
	if (operation == REQUEST && own)
		send_packet(arp, REPLY, packet + SHA, target, packet + SHA, sender);
	return 0;
}

/* Looking up -------------------------------------------------------------------------------------------------- */

/* A neighbour that is known: whether it may still be used. Asks it to confirm when that is due. */
static bool use_known(struct arp *arp, struct entry *entry, uint64_t now)
{
	uint64_t age = now - entry->confirmed_at;

	if (age >= ARP_EXPIRE_NS)
		return false;
	if (age >= ARP_FRESH_NS && (entry->asked_at == 0 || now - entry->asked_at >= ARP_RETRY_NS))
		ask(arp, entry, entry->mac, now);
	entry->used_at = now;
	return true;
}

static int begin_asking(struct arp *arp, struct entry *entry, uint32_t address, uint64_t now)
{
	uint64_t asked_at = entry ? entry->asked_at : 0;

	if (arp->asking_count >= ARP_ASKING_MAX)
		return -ENOMEM;
	if (!entry)
		entry = add(arp, address, false, now);
	if (!entry)
		return -ENOMEM;
	set_state(arp, entry, ASKING);
	entry->used_at = now;
	entry->tries = 0;
	if (asked_at == 0 || now - asked_at >= ARP_RETRY_NS)
		ask(arp, entry, broadcast_mac, now);
	return -EAGAIN;
}

int arp_find(struct arp *arp, uint32_t address, uint64_t now, uint8_t mac[6])
{
	struct entry *entry = lookup(arp, address);

	if (entry && entry->state == KNOWN && use_known(arp, entry, now)) {
		memcpy(mac, entry->mac, 6);
		return 0;
	}
	if (entry && entry->state == ASKING) {
		entry->used_at = now;
		return -EAGAIN;
	}
	if (entry && entry->state == FAILED && now - entry->confirmed_at < ARP_FAILED_NS)
		return -EHOSTUNREACH;
	return begin_asking(arp, entry, address, now);
}

int arp_keep(struct arp *arp, uint32_t address, const struct platform_piece *pieces, size_t count)
{
	struct entry *entry = lookup(arp, address);
	size_t len = 0, at = 0;

	if (!entry || entry->state != ASKING)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		len += pieces[i].len;
	drop_waiting(arp, entry, DROP_ARP_QUEUE_FULL);
	if (len > ARP_WAITING_BYTES - arp->waiting_bytes)
		return -ENOMEM;
	entry->waiting = pool_alloc_packet(arp->config.pool, len);
	if (!entry->waiting)
		return -ENOMEM;
	for (size_t i = 0; i < count; at += pieces[i++].len)
		memcpy(entry->waiting + at, pieces[i].data, pieces[i].len);
	entry->waiting_len = len;
	arp->waiting_bytes += len;
	return 0;
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint64_t arp_deadline(const struct arp *arp)
{
	uint64_t deadline = FOREVER;

	for (size_t i = 0; i < IPV4_LOCALS; i++)
		if (arp->cares[i].announcements_left > 0 && arp->cares[i].announce_at < deadline)
			deadline = arp->cares[i].announce_at;
	if (arp->probed && arp->probe_at < deadline)
		deadline = arp->probe_at;
	if (arp->asking_count == 0)
		return deadline;
	for (size_t i = 0; i < ARP_ENTRIES; i++) {
		const struct entry *entry = &arp->entries[i];

		if (entry->state == ASKING && entry->asked_at + ARP_RETRY_NS < deadline)
			deadline = entry->asked_at + ARP_RETRY_NS;
	}
	return deadline;
}

static void give_up(struct arp *arp, struct entry *entry, uint64_t now)
{
	drop_waiting(arp, entry, DROP_ARP_NO_ANSWER);
	set_state(arp, entry, FAILED);
	entry->confirmed_at = now;
	arp->config.link->resolved(arp->config.link, entry->address, NULL, NULL, 0);
}

void arp_expire(struct arp *arp, uint64_t now)
{
	for (size_t i = 0; i < IPV4_LOCALS; i++) {
		struct care *care = &arp->cares[i];

		if (care->announcements_left > 0 && now >= care->announce_at) {
			care->announcements_left--;
			care->announce_at = now + ARP_ANNOUNCE_NS;
			announce(arp, arp->config.locals->all[i].address);
		}
	}
	if (arp->probed && now >= arp->probe_at) {
		if (arp->probes_left > 0)
			send_probe(arp, now);
		else
			end_probe(arp, false);
	}
	for (size_t i = 0; i < ARP_ENTRIES && arp->asking_count > 0; i++) {
		struct entry *entry = &arp->entries[i];

		if (entry->state != ASKING || now - entry->asked_at < ARP_RETRY_NS)
			continue;
		if (entry->tries >= ARP_TRIES)
			give_up(arp, entry, now);
		else
			ask(arp, entry, broadcast_mac, now);
	}
}

size_t arp_count(const struct arp *arp)
{
	return arp->count;
}

bool arp_at(const struct arp *arp, size_t index, struct arp_neighbour *neighbour)
{
	static const char *const names[] = { [ASKING] = "asked", [KNOWN] = "known", [FAILED] = "silent" };
	const struct entry *entry = &arp->entries[index];

	if (entry->state == FREE)
		return false;
	*neighbour = (struct arp_neighbour){
		.address = entry->address,
		.state = names[entry->state],
		.state_at = entry->state == ASKING ? entry->asked_at : entry->confirmed_at,
	};
	memcpy(neighbour->mac, entry->mac, sizeof neighbour->mac);
	return true;
}

/* Opening ----------------------------------------------------------------------------------------------------- */

void arp_set_address(struct arp *arp, size_t index, uint64_t now)
{
	uint32_t address = arp->config.locals->all[index].address;

	if (arp->probed == address)
		arp->probed = 0;
	arp->cares[index] = (struct care){ .announcements_left = address ? ARP_ANNOUNCEMENTS : 0, .announce_at = now };
	arp_expire(arp, now);
}

void arp_probe(struct arp *arp, uint32_t address, uint64_t interval_ns, uint64_t now)
{
	arp->probed = address;
	arp->probe_interval = interval_ns;
	arp->probes_left = ARP_PROBES;
	send_probe(arp, now);
}

int arp_open(const struct arp_config *config, struct arp **result)
{
	struct arp *arp = calloc(1, sizeof *arp);

	if (!arp)
		return -ENOMEM;
	arp->config = *config;
	memset(arp->buckets, 0xff, sizeof arp->buckets); /* END everywhere */
	for (uint16_t i = 0; i < ARP_ENTRIES; i++)
		arp->entries[i].next = (uint16_t)(i + 1 < ARP_ENTRIES ? i + 1 : END);
	*result = arp;
	return 0;
}

void arp_close(struct arp *arp)
{
	if (!arp)
		return;
	for (size_t i = 0; i < ARP_ENTRIES; i++)
		pool_free(arp->config.pool, arp->entries[i].waiting, arp->entries[i].waiting_len);
	free(arp);
}
