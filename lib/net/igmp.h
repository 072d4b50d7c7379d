/* SPDX-License-Identifier: ISC
 *
 * The Internet Group Management Protocol, the host's half (RFC 3376; of older versions, RFC 2236 and 1112), as a pure
 * machine for one link: messages and time in; messages and the next deadline out. Groups are numbers: 224.0.0.1 is
 * 0xe0000001.
 */
#ifndef NET_IGMP_H
#define NET_IGMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/clock.h>

enum {
	IGMP_GROUPS = 16,
	IGMP_ROBUSTNESS = 2, /* RFC 3376, 8.1: how often a change is reported */
	IGMP_MESSAGE_MAX = 8 + IGMP_GROUPS * 8,
};
#define IGMP_UNSOLICITED_NS     SECOND(1)   /* 8.11: between reports of a change */
#define IGMP_UNSOLICITED_OLD_NS SECOND(10)  /* the same of version 2: RFC 2236, 8.10 */
#define IGMP_OLD_QUERIER_NS     SECOND(260) /* 8.12, of the usual values */

struct igmp_link {
	/* Borrows the message for the call. It goes with a TTL of 1 and the Router Alert option. */
	void (*send)(struct igmp_link *link, uint32_t destination, const uint8_t *message, size_t len);
	uint32_t (*random)(struct igmp_link *link, uint32_t limit); /* below limit, which is not 0 */
};

struct igmp_group {
	uint32_t group;
	unsigned members;   /* how often it was joined; 0: it is being left */
	unsigned changes;   /* reports of the last change that are still due */
	uint64_t report_at; /* FOREVER: none is due */
};

/* All zero but link at first. */
struct igmp {
	struct igmp_link *link;
	struct igmp_group groups[IGMP_GROUPS];
	size_t count;
	uint64_t version_1_until, version_2_until; /* a router of this version is there */
};

/* 0; -EINVAL: no group, or that of all hosts, of which everybody is a member; -ENOSPC. */
int igmp_join(struct igmp *igmp, uint32_t group, uint64_t now);
/* 0 or -ENOENT. */
int igmp_leave(struct igmp *igmp, uint32_t group, uint64_t now);
bool igmp_is_member(const struct igmp *igmp, uint32_t group);
/* A message came, with this TTL. 0; -EBADMSG: its length, checksum or TTL cannot be. */
int igmp_hear(struct igmp *igmp, const uint8_t *message, size_t len, uint8_t ttl, uint64_t now);
/* When igmp_expire is due, or FOREVER. */
uint64_t igmp_deadline(const struct igmp *igmp);
void igmp_expire(struct igmp *igmp, uint64_t now);

#endif
