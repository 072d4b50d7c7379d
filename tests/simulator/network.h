/* SPDX-License-Identifier: ISC
 *
 * The network between the hosts: subnets, each with a switch in its middle, and a router that joins them.
 *
 *	host --link--> |        | --link--> router --link--> |        | --link--> host
 *	host <--link-- | subnet | <--link-- router <--link-- | subnet | <--link-- host
 *
 * Each link goes one way and has terms of its own, so that paths are asymmetric. What a link is given arrives later, in
 * part: it loses, delays, doubles, corrupts, marks and reorders as the seed decides, has a rate and a queue in front of
 * it, and at times carries nothing (an outage). The router forwards IPv4 and IPv6, and sends ICMP errors or does not.
 */
#ifndef SIMULATOR_NETWORK_H
#define SIMULATOR_NETWORK_H

#include "events.h"
#include "packet.h"
#include "prng.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)
#define NEVER         UINT64_MAX

enum { SUBNETS_MAX = 4, HOSTS_MAX = 50, NODES_MAX = HOSTS_MAX + 1, OUTAGES_MAX = 3, MTU_STEPS_MAX = 4 };

struct outage {
	uint64_t from, until;
};

/* What a link does to the frames that it carries. Probabilities are in 10,000. */
struct link_terms {
	uint64_t delay_ns, jitter_ns;
	uint64_t bits_per_second; /* 0: not limited */
	uint32_t queue_bytes;     /* that wait for a link of a limited rate; what does not fit is dropped */
	uint32_t loss, duplication, corruption, reordering;
	uint32_t marks;   /* congestion experienced, on what may be marked (RFC 3168) */
	uint64_t late_ns; /* by how much what is reordered comes late, at most */
	struct outage outages[OUTAGES_MAX];
};

struct frame {
	size_t len;
	bool corrupted;
	uint8_t bytes[];
};

struct node;
struct network;

struct link {
	struct network *network;
	struct link_terms terms;
	struct node *node; /* the host or the router at its end that is not the switch */
	bool up;           /* from the node to the switch */
	uint64_t busy_until, last_arrival;
};

/* A host's or the router's place in a subnet. */
struct node {
	struct subnet *subnet;
	struct link up, down;
	uint8_t mac[6], ipv4[4], ipv6[16];
	char name[8];
	void (*receive)(void *context, const struct frame *frame);
	void *context;
};

/* From this time on packets of more than mtu bytes do not leave the router into the subnet. */
struct mtu_step {
	uint64_t at;
	uint16_t mtu;
	bool silent; /* and nobody says so */
};

struct subnet {
	struct network *network;
	bool ethernet;
	uint16_t mtu; /* of the hosts in it */
	struct node *nodes[NODES_MAX];
	size_t count;
	struct node router;
	struct mtu_step steps[MTU_STEPS_MAX];
	size_t step_count;
};

struct network_counters {
	uint64_t sent, delivered, lost, dropped, doubled, corrupted, late, marked;
	uint64_t forwarded, too_big, fragmented, unroutable;
};

struct network {
	struct events events;
	struct prng prng;
	bool verbose;
	struct subnet subnets[SUBNETS_MAX];
	size_t subnet_count;
	struct network_counters counters;
	size_t in_flight; /* frames that links hold */
	uint64_t began_at;
	uint16_t fragment_id;
};

/* Subnet i has the addresses 10.0.i.0/24 and fd00:i::/64, of which .1 and ::1 are the router's. */
void network_add_subnet(struct network *network, bool ethernet, uint16_t mtu);
/* A host; the caller has set its name, receive and context. It gets addresses, and ideal links. */
void network_add_host(struct subnet *subnet, struct node *node);
void network_fini(struct network *network);

/* A host, or the router, sends a frame (on a subnet that is not Ethernet: a packet). corrupted: it has come so. */
void node_send(struct node *node, const uint8_t *bytes, size_t len, bool corrupted);

/* Since the run began. */
static inline double network_seconds(const struct network *network)
{
	return (double)(network->events.now - network->began_at) / 1e9;
}

/* router.c: a frame has come to the router's node in a subnet. */
void router_receive(void *context, const struct frame *frame);

/* With -v: says what happens to a frame here. */
void network_say(const struct network *network, const char *where, const char *what, bool ethernet,
	const uint8_t *frame, size_t len);

#endif
