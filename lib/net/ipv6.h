/* SPDX-License-Identifier: ISC
 *
 * What an IPv6 host knows and does beside carrying packets, as a pure machine: messages and time in; messages, events
 * and the next deadline out.
 *
 * Theory of operation
 * -------------------
 * The machine has tables of fixed size, one for each of its subjects, and one file for each:
 *
 *	ipv6_address.c    our addresses: tentative, assigned, deprecated, gone; duplicates (RFC 4862, 5.4 and 5.5.4)
 *	slaac.c           addresses made from advertised prefixes: stable (RFC 7217) and temporary (RFC 8981)
 *	ipv6_source.c     which of our addresses a packet has as its source (RFC 6724)
 *	ndp_neighbour.c   neighbours and whether they are reachable (RFC 4861, 7)
 *	ndp_router.c      routers, prefixes on the link, resolvers, the link's parameters (RFC 4861, 6; 8106)
 *	ipv6_path.c       the next hop and the path MTU of a destination, redirects (RFC 4861, 5.2 and 8; 8201)
 *	mld.c             groups that we hear (RFC 3810, 2710)
 *	ndp.c             the messages of neighbour discovery, in both directions; ndp_message.c checks them
 *
 * Its owner (ipv6_stack.c) hands in ICMPv6 messages that are for it, and time, when ipv6_deadline says so. What the
 * machine does to the world goes through its link. It reads no clock and draws no random number.
 *
 * Each timed thing has its own due time; `changed` says that some became earlier, so that the owner asks for the
 * deadline only then.
 */
#ifndef NET_IPV6_H
#define NET_IPV6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <platform.h>
#include <skerry/address.h>
#include <skerry/clock.h>
#include <skerry/counters.h>

#include "pool.h"

/* All limits and times. The names in comments are those of RFC 4861, 10, RFC 4862, 5.1, RFC 8981, 3.8 and RFC 3810, 9.
 */
enum {
	IPV6_ADDRESSES = 16,     /* of ours; prefixes beyond that make none */
	IPV6_COLLISIONS_MAX = 3, /* addresses tried in place of duplicates (IDGEN_RETRIES, TEMP_IDGEN_RETRIES) */
	IPV6_PATHS = 64,         /* destinations with a redirect or a path MTU; the least used makes room */
	IPV6_GROUPS = IPV6_ADDRESSES + 1,
	NDP_NEIGHBOURS = 256, /* remembered or asked for */
	NDP_ASKING_MAX = 64,  /* of these: asked for at once */
	NDP_WAITING_MAX = 3,  /* packets that wait for one neighbour: the oldest makes room */
	NDP_WAITING_BYTES = 256 * 1024,
	NDP_ROUTERS = 8,
	NDP_PREFIXES = 16,
	NDP_ROUTES = 16,
	NDP_RESOLVERS = 4,
	NDP_TRIES = 3, /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
	IPV6_HOP_LIMIT_DEFAULT = 64,
	MLD_ROBUSTNESS = 2, /* Robustness Variable: how often a change is reported */
};
#define NDP_RETRANS_NS         SECOND(1)    /* RETRANS_TIMER */
#define NDP_REACHABLE_NS       SECOND(30)   /* REACHABLE_TIME */
#define NDP_REACHABLE_MAX      SECOND(3600) /* RFC 4861, 6.2.1: MAX, "no greater than one hour" */
#define NDP_DELAY_NS           SECOND(5)    /* DELAY_FIRST_PROBE_TIME */
#define NDP_FAILED_NS          SECOND(5)    /* how long an unreachable neighbour is not asked for again */
#define NDP_IN_USE_NS          SECOND(1)    /* an entry used so lately gives its place to no new question */
#define NDP_START_NS           SECOND(1) /* MAX_RTR_SOLICITATION_DELAY: the first message comes within it, by chance */
#define NDP_SOLICIT_NS         SECOND(4) /* RTR_SOLICITATION_INTERVAL, and RFC 7559's IRT */
#define NDP_SOLICIT_MAX        SECOND(3600)      /* RFC 7559's MRT */
#define NDP_PENDING_NS         SECOND(12)        /* how long after the start a router is hoped for: 3 solicitations */
#define IPV6_PATH_NS           SECOND(600)       /* RFC 8201, 4: how long a path MTU is believed */
#define SLAAC_TWO_HOURS        SECOND(7200)      /* RFC 4862, 5.5.3 e */
#define TEMPORARY_VALID_NS     SECOND(2 * 86400) /* TEMP_VALID_LIFETIME */
#define TEMPORARY_PREFERRED_NS SECOND(86400)     /* TEMP_PREFERRED_LIFETIME */
#define TEMPORARY_ADVANCE_NS   SECOND(5)         /* REGEN_ADVANCE: 2 + TEMP_IDGEN_RETRIES * probes * RETRANS_TIMER */
#define MLD_UNSOLICITED_NS     SECOND(1)         /* Unsolicited Report Interval */
#define MLD_OLD_QUERIER_NS     SECOND(260)       /* Older Version Querier Present Timeout: 2 * 125 + 10 */

struct ipv6_link;

/* A message of neighbour or group discovery, to be sent with its checksum filled in. */
struct ipv6_message {
	struct ip_address source, destination;
	const uint8_t *mac; /* where to; NULL: destination is multicast */
	bool router_alert;  /* of MLD: hop limit 1 and a Hop-by-Hop option (RFC 2710, 3); else hop limit 255 */
	uint8_t *bytes;     /* borrowed for the call */
	size_t len;
};

enum ipv6_event {
	IPV6_ADDRESS_ASSIGNED,
	IPV6_ADDRESS_DUPLICATE, /* another host has it: it is not used */
	IPV6_ADDRESS_CLAIMED,   /* another host says that it has an assigned address of ours */
	IPV6_ADDRESS_GONE,
	IPV6_ROUTER_FOUND,
	IPV6_ROUTER_GONE,
	IPV6_ROUTER_NONE, /* none was found in NDP_PENDING_NS */
	IPV6_NEIGHBOUR_SILENT,
	IPV6_NEIGHBOUR_FOUND, /* what waited for it was sent */
};

/* What the machine does to the world. */
struct ipv6_link {
	void (*send)(struct ipv6_link *link, const struct ipv6_message *message);
	/* A packet that ndp_keep was given may go now. Borrowed for the call. */
	void (*forward)(struct ipv6_link *link, const uint8_t mac[6], const void *packet, size_t len);
	void (*event)(struct ipv6_link *link, enum ipv6_event event, const struct ip_address *address);
	uint32_t (*random)(struct ipv6_link *link, uint32_t bound); /* uniform in [0, bound) */
};

struct ipv6_config {
	struct ipv6_link *link; /* borrowed until ipv6_close, as is drops */
	struct pool *pool;      /* of the packets that wait; borrowed; NULL: no limit but NDP_WAITING_BYTES */
	uint64_t *drops;        /* where packets that waited and are not sent are counted, by enum stack_drop */
	uint8_t mac[6];
	uint16_t mtu;       /* of the link */
	uint8_t secret[16]; /* makes stable addresses (RFC 7217) */
	bool alone;         /* nobody else on the link can have our addresses: they are not probed */
	bool accept_advertisements;
	bool temporary_addresses; /* beside the stable ones (RFC 8981) */
};

enum ipv6_address_state { IPV6_FREE, IPV6_TENTATIVE, IPV6_ASSIGNED, IPV6_DUPLICATE };
enum ipv6_address_origin { IPV6_LINK_LOCAL, IPV6_STATIC, IPV6_STABLE, IPV6_TEMPORARY };

struct ipv6_own_address {
	struct ip_address address;
	uint8_t prefix_len;
	uint8_t state, origin;
	uint8_t collisions; /* addresses of this place that were duplicates before */
	bool probed;        /* TENTATIVE: others were asked */
	bool succeeded;     /* TEMPORARY: its successor was made */
	uint8_t nonce[6];   /* of our probe (RFC 7527) */
	uint64_t due_at;    /* TENTATIVE: to ask, or to be sure */
	uint64_t made_at, preferred_until, valid_until;
};

enum ndp_state { NDP_FREE, NDP_INCOMPLETE, NDP_REACHABLE, NDP_STALE, NDP_DELAY, NDP_PROBE, NDP_FAILED };

struct ndp_neighbour {
	struct ip_address address;
	uint8_t mac[6];
	uint8_t state, tries, waiting_count;
	bool is_router;
	uint16_t next;               /* in its hash chain, or among the free */
	struct ndp_waiting *waiting; /* INCOMPLETE: packets, the oldest first */
	uint64_t due_at;             /* REACHABLE and FAILED: until; INCOMPLETE, DELAY and PROBE: the next step */
	uint64_t used_at;            /* last looked up for sending; 0: never */
	uint64_t heard_at;
};

enum { NDP_BUCKETS = 128, NDP_END = UINT16_MAX };
struct ndp_cache {
	uint16_t buckets[NDP_BUCKETS];
	uint16_t free;
	struct pool *pool; /* of what waits */
	size_t count, asking_count, timed_count, waiting_bytes;
	struct ndp_neighbour entries[NDP_NEIGHBOURS];
};

struct ndp_router {
	struct ip_address address;
	uint64_t until;    /* FOREVER: configured */
	int8_t preference; /* RFC 4191: 1 high, 0 medium, -1 low */
};

struct ndp_prefix {
	struct ip_address prefix;
	uint8_t len;
	uint64_t until;
};

/* Destinations that a router says it is better for than others (RFC 4191). */
struct ndp_route {
	struct ip_address prefix, router;
	uint8_t len;
	int8_t preference;
	uint64_t until;
};

struct ndp_resolver {
	struct ip_address address;
	uint64_t until;
};

/* What routers said about the link. */
struct ndp_routing {
	struct ndp_router routers[NDP_ROUTERS];
	struct ndp_prefix prefixes[NDP_PREFIXES];
	struct ndp_route routes[NDP_ROUTES];
	struct ndp_resolver resolvers[NDP_RESOLVERS];
	size_t router_count, prefix_count, route_count, resolver_count;
	size_t turn; /* which router is tried when none is known to be reachable */
	uint8_t hop_limit;
	uint16_t mtu;
	uint64_t reachable_base_ns, reachable_ns, retrans_ns;
	uint64_t solicit_at, solicit_interval_ns; /* FOREVER: not soliciting */
	uint64_t pending_until;                   /* a router may be found soon; 0: that is over */
	bool advertised;                          /* one was heard */
};

struct ipv6_path {
	struct ip_address destination;
	struct ip_address next_hop; /* by redirect; unspecified: none */
	uint16_t mtu;               /* 0: the link's */
	uint64_t mtu_until;
	uint64_t used_at;
};

struct mld_group {
	struct ip_address group;
	unsigned members;   /* 0: left, which is still to be reported */
	uint8_t changes;    /* reports of joining or leaving that are still to be sent */
	uint64_t report_at; /* FOREVER: nothing to report */
};

struct mld {
	struct mld_group groups[IPV6_GROUPS];
	size_t count;
	uint64_t old_querier_until; /* a router that speaks version 1 was heard */
};

struct ipv6 {
	struct ipv6_config config;
	bool changed; /* a deadline came nearer */
	struct ipv6_own_address addresses[IPV6_ADDRESSES];
	struct ndp_cache neighbours;
	struct ndp_routing routing;
	struct ipv6_path paths[IPV6_PATHS];
	size_t path_count;
	struct mld mld;
};

/* ipv6.c ---------------------------------------------------------------------------------------------------------- */

/* Begins: the link-local address is made and probed; then routers are asked for. 0 or -ENOMEM. */
int ipv6_open(const struct ipv6_config *config, uint64_t now, struct ipv6 **ipv6);
void ipv6_close(struct ipv6 *ipv6);
/* An ICMPv6 message of a type that is the machine's, MLD_QUERY to NDP_REDIRECT, with a right checksum. 0; -EBADMSG: it
 * is malformed, or comes from where none may come (RFC 4861, 6.1, 7.1, 8.1). */
struct ipv6_heard {
	struct ip_address source, destination;
	uint8_t hop_limit;
	const uint8_t *bytes;
	size_t len;
};
int ipv6_hear(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now);
/* When ipv6_expire is due, or FOREVER. */
uint64_t ipv6_deadline(const struct ipv6 *ipv6);
void ipv6_expire(struct ipv6 *ipv6, uint64_t now);

static inline void ipv6_sooner(uint64_t *deadline, uint64_t due)
{
	if (due < *deadline)
		*deadline = due;
}

/* ipv6_address.c -------------------------------------------------------------------------------------------------- */

/* Adds an address, which is probed after delay_ns. NULL: there is no room. */
struct ipv6_own_address *ipv6_add_address(
	struct ipv6 *ipv6, const struct ipv6_own_address *model, uint64_t delay_ns, uint64_t now);
void ipv6_remove_address(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now);
struct ipv6_own_address *ipv6_find_address(struct ipv6 *ipv6, const struct ip_address *address);
bool ipv6_is_ours(const struct ipv6 *ipv6, const struct ip_address *address); /* assigned */
/* Somebody else asks whether it is free, or has it. */
void ipv6_address_collides(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now);
uint64_t ipv6_addresses_deadline(const struct ipv6 *ipv6);
void ipv6_addresses_expire(struct ipv6 *ipv6, uint64_t now);

/* slaac.c --------------------------------------------------------------------------------------------------------- */

struct ndp_prefix_information {
	struct ip_address prefix;
	uint8_t len;
	bool on_link, autonomous;
	uint64_t valid_ns, preferred_ns; /* FOREVER: without end */
};
void slaac_add_link_local(struct ipv6 *ipv6, uint64_t now);
void slaac_advertised(struct ipv6 *ipv6, const struct ndp_prefix_information *information, uint64_t now);
/* A successor for a temporary address whose time to be preferred is over soon. */
void slaac_succeed(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now);
/* Another address in place of a duplicate, if the limit allows. */
void slaac_replace(struct ipv6 *ipv6, const struct ipv6_own_address *duplicate, uint64_t now);

/* ipv6_source.c --------------------------------------------------------------------------------------------------- */

/* The source for packets to destination. 0; -EAGAIN: an address that would do is being probed; -EADDRNOTAVAIL. */
int ipv6_choose_source(
	const struct ipv6 *ipv6, const struct ip_address *destination, uint64_t now, struct ip_address *source);

/* ndp_neighbour.c ------------------------------------------------------------------------------------------------- */

void ndp_cache_init(struct ndp_cache *cache, struct pool *pool);
void ndp_cache_fini(struct ndp_cache *cache);
/* Where a neighbour is. 0 and its mac; -EAGAIN: it is being asked for; -EHOSTUNREACH: it did not answer lately;
 * -ENOMEM: too many are being asked for. */
int ndp_find(struct ipv6 *ipv6, const struct ip_address *address, uint64_t now, uint8_t mac[6]);
/* Keeps a copy of what is to be sent to a neighbour that is being asked for. pieces are gathered. 0 or -ENOMEM. */
int ndp_keep(struct ipv6 *ipv6, const struct ip_address *address, const struct platform_piece *pieces, size_t count);
/* The neighbour's own message says where it is; about itself nothing (RFC 4861, 7.2.3). */
void ndp_heard_from(
	struct ipv6 *ipv6, const struct ip_address *address, const uint8_t mac[6], bool is_router, uint64_t now);
struct ndp_advertisement {
	struct ip_address target;
	const uint8_t *mac; /* NULL: it did not say */
	bool is_router, solicited, override;
};
void ndp_advertised(struct ipv6 *ipv6, const struct ndp_advertisement *advertisement, uint64_t now);
/* A layer above knows that packets to it arrive (RFC 4861, 7.3.1). */
void ndp_confirm(struct ipv6 *ipv6, const struct ip_address *address, uint64_t now);
/* Whether it is not known to be unreachable: it is in the cache and has answered once. */
bool ndp_is_usable(const struct ipv6 *ipv6, const struct ip_address *address);
uint64_t ndp_cache_deadline(const struct ipv6 *ipv6);
void ndp_cache_expire(struct ipv6 *ipv6, uint64_t now);

/* ndp_router.c ---------------------------------------------------------------------------------------------------- */

void ndp_routing_init(struct ipv6 *ipv6);
void ndp_start_soliciting(struct ipv6 *ipv6, uint64_t now);
void ndp_heard_router(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now);
/* Configured by hand: they stay. 0 or -ENOMEM. */
int ndp_add_router(struct ipv6 *ipv6, const struct ip_address *address);
int ndp_add_prefix(struct ipv6 *ipv6, const struct ip_address *prefix, uint8_t len);
bool ndp_is_on_link(const struct ipv6 *ipv6, const struct ip_address *address);
/* The router to send to destination by: NULL if there is none. */
const struct ip_address *ndp_choose_router(const struct ipv6 *ipv6, const struct ip_address *destination);
/* A neighbour does not answer, or says that it is no router. */
void ndp_router_silent(struct ipv6 *ipv6, const struct ip_address *address);
void ndp_router_resigned(struct ipv6 *ipv6, const struct ip_address *address);
uint64_t ndp_routing_deadline(const struct ipv6 *ipv6);
void ndp_routing_expire(struct ipv6 *ipv6, uint64_t now);

/* ipv6_path.c ----------------------------------------------------------------------------------------------------- */

/* Which neighbour a packet to destination goes to (the group itself if it is one), and how large it may be. 0; -EAGAIN:
 * a router may be found soon; -ENETUNREACH. */
int ipv6_find_path(struct ipv6 *ipv6, const struct ip_address *destination, uint64_t now, struct ip_address *next_hop,
	uint16_t *mtu);
void ipv6_path_too_big(struct ipv6 *ipv6, const struct ip_address *destination, uint32_t mtu, uint64_t now);
void ipv6_heard_redirect(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now);
/* Forgets redirects to a neighbour that does not answer. */
void ipv6_paths_avoid(struct ipv6 *ipv6, const struct ip_address *next_hop);

/* mld.c ----------------------------------------------------------------------------------------------------------- */

void mld_join(struct ipv6 *ipv6, const struct ip_address *group, uint64_t now);
void mld_leave(struct ipv6 *ipv6, const struct ip_address *group, uint64_t now);
bool mld_is_member(const struct ipv6 *ipv6, const struct ip_address *group);
int mld_hear(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now);
uint64_t mld_deadline(const struct ipv6 *ipv6);
void mld_expire(struct ipv6 *ipv6, uint64_t now);

/* ndp.c ----------------------------------------------------------------------------------------------------------- */

int ndp_hear(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now);
/* Asks a neighbour (mac: it alone, to confirm; NULL: all that might have the address). */
void ndp_solicit(struct ipv6 *ipv6, const struct ip_address *target, const uint8_t *mac, uint64_t now);
/* Asks whether anybody has an address that we want. */
void ndp_probe(struct ipv6 *ipv6, const struct ipv6_own_address *own);
void ndp_solicit_routers(struct ipv6 *ipv6, uint64_t now);

#endif
