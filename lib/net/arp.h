/* SPDX-License-Identifier: ISC
 *
 * ARP for IPv4 on Ethernet (RFC 826, 5227) as a pure machine: packets and time in; packets, resolved neighbours and the
 * next deadline out.
 */
#ifndef NET_ARP_H
#define NET_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/clock.h>
#include <skerry/counters.h>

#include "ipv4_local.h"
#include "pool.h"

/* All limits and times. RFC 1122, 2.3.2: entries expire within about a minute, and no neighbour is asked for more often
 * than once a second. */
enum {
	ARP_PACKET = 28,
	ARP_ENTRIES = 512,              /* neighbours that are remembered, and that are asked for */
	ARP_ASKING_MAX = 128,           /* of these: asked for at once, so that others always have room to be learned */
	ARP_WAITING_BYTES = 256 * 1024, /* of frames that wait for their neighbours */
	ARP_TRIES = 3,                  /* requests before a neighbour counts as unreachable */
	ARP_ANNOUNCEMENTS = 2,          /* ANNOUNCE_NUM of RFC 5227 */
	ARP_PROBES = 3,                 /* PROBE_NUM */
};
enum { ARP_SENDER_MAC = 8, ARP_SENDER_ADDRESS = 14 }; /* where they lie in a packet */
#define ARP_RETRY_NS    SECOND(1)
#define ARP_FRESH_NS    SECOND(60) /* an older entry is confirmed by a request to that neighbour alone, while in use */
#define ARP_EXPIRE_NS   SECOND(90) /* an older entry is forgotten */
#define ARP_FAILED_NS   SECOND(5)  /* how long an unreachable neighbour is not asked for again */
#define ARP_IN_USE_NS   SECOND(1)  /* an entry used so lately gives its place to no new question */
#define ARP_ANNOUNCE_NS SECOND(2)  /* ANNOUNCE_INTERVAL of RFC 5227 */
#define ARP_DEFEND_NS   SECOND(10) /* DEFEND_INTERVAL of RFC 5227 */

struct arp;

/* What the machine does to the world. */
struct arp_link {
	void (*send)(struct arp_link *link, const uint8_t to[6], const uint8_t packet[ARP_PACKET]);
	/* A neighbour that was asked for has answered (mac) or will not (NULL). waiting, if any, is what arp_keep was
	 * given last, borrowed for the call. */
	void (*resolved)(struct arp_link *link, uint32_t address, const uint8_t *mac, const void *waiting, size_t len);
	/* What arp_probe has found: another host uses the address, or wants to. */
	void (*probed)(struct arp_link *link, bool in_use);
};

struct arp_config {
	struct arp_link *link; /* borrowed until arp_close, as is drops */
	struct pool *pool;     /* of the packets that wait; borrowed; NULL: no limit but ARP_WAITING_BYTES */
	uint64_t *drops;       /* where packets that waited and are not sent are counted, by enum stack_drop */
	uint8_t mac[6];
	const struct ipv4_locals *locals; /* our addresses there, borrowed until arp_close; their subnets are learned */
};

/* 0 or -ENOMEM. */
int arp_open(const struct arp_config *config, struct arp **arp);
/* This one of our addresses is another now, which is announced, or there is none (0); neighbours are known on. Ends a
 * probe of it. */
void arp_set_address(struct arp *arp, size_t index, uint64_t now);
/* Finds out whether another host uses this address, before we do (RFC 5227, 2.1): by ARP_PROBES questions, each
 * of which has this long for an answer. */
void arp_probe(struct arp *arp, uint32_t address, uint64_t interval_ns, uint64_t now);
void arp_close(struct arp *arp);

/* A packet came. 0; -EBADMSG: not ARP for IPv4 on Ethernet, or with a hardware address that no host has;
 * -EADDRINUSE: the sender says that it has an address of ours, which was defended (RFC 5227, 2.4) if that was not done
 * lately; -EALREADY: the same, and it was. */
int arp_receive(struct arp *arp, const uint8_t *packet, size_t len, uint64_t now);

/* Learns where a neighbour is from elsewhere; of who cannot be one, nothing. */
void arp_learn(struct arp *arp, uint32_t address, const uint8_t mac[6], uint64_t now);

/* Where a neighbour is. 0 and its mac; -EAGAIN: it is being asked for; -EHOSTUNREACH: it did not answer lately;
 * -ENOMEM: too many are being asked for. */
int arp_find(struct arp *arp, uint32_t address, uint64_t now, uint8_t mac[6]);

/* Keeps a copy of what is to be sent to a neighbour that is being asked for, in place of what was kept before (RFC
 * 1122, 2.3.2.2: at least the latest packet is kept). 0 or -ENOMEM. pieces are gathered. */
struct platform_piece;
int arp_keep(struct arp *arp, uint32_t address, const struct platform_piece *pieces, size_t count);

/* When arp_expire is due, or FOREVER: asks again, gives up, announces. */
uint64_t arp_deadline(const struct arp *arp);
void arp_expire(struct arp *arp, uint64_t now);

/* How many neighbours are remembered or asked for. */
size_t arp_count(const struct arp *arp);

/* What is at this place of the table, from 0 to ARP_ENTRIES - 1. false: nothing. */
struct arp_neighbour {
	uint32_t address;
	uint8_t mac[6];
	const char *state; /* "known", "asked", "silent" */
	uint64_t state_at; /* since when; it was confirmed, last asked for, given up */
};
bool arp_at(const struct arp *arp, size_t index, struct arp_neighbour *neighbour);

#endif
