/* SPDX-License-Identifier: ISC
 *
 * A host: a stack in the network, and the users of its connections and sockets, who share one loop around it as a
 * program around libskerry-net does: give it the frames that came, advance it, act.
 */
#ifndef SIMULATOR_HOST_H
#define SIMULATOR_HOST_H

#include <skerry/embed.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "network.h"
#include "segment_judge.h"

struct host;

/* Who acts when the host has a turn and the time has come. */
struct user {
	struct user *next;
	void (*act)(struct user *user, uint64_t now); /* sets wakes_at anew */
	uint64_t wakes_at;                            /* in any turn from then on; NEVER: not again */
	bool eager; /* waits for something from the stack, which any turn may bring: acts in each */
};

struct host {
	struct node node;
	struct network *network;
	struct stack *stack; /* NULL: closed */
	struct prng random;
	struct user *users;
	uint64_t turn_at;     /* NEVER: none is due */
	uint64_t reaction_ns; /* how long frames may wait for the loop, at most */
	uint32_t busy;        /* in 10,000 frames, that the link has no room for at first */
	bool ipv6;
	uint32_t features; /* that the link offers: PLATFORM_NET_* */
	struct segment_judge judge;
	uint64_t frames_in, frames_out, bytes_in, bytes_out;
};

struct host_terms {
	uint64_t reaction_ns;
	uint32_t busy;
	size_t memory_bytes; /* 0: as the library chooses */
	bool ipv6;
	uint32_t features;
	enum stack_ecn ecn;
};

void host_open(struct host *host, struct subnet *subnet, const struct host_terms *terms);
void host_add_user(struct host *host, struct user *user);
/* Something was done from outside of a turn: the host has one now. */
void host_wake(struct host *host);
/* All users have let go. Checks what the stack says of itself. */
void host_close(struct host *host);

/* Its address of the one family or the other, with a port. */
struct ip_endpoint host_endpoint(const struct host *host, bool ipv6, uint16_t port);

#endif
