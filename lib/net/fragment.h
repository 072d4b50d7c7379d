/* SPDX-License-Identifier: ISC
 *
 * Reassembly of datagrams (RFC 791, 3.2; RFC 1122, 3.3.2; RFC 8200, 4.5) as a pure machine: fragments and time in;
 * whole datagrams and the next deadline out. Bounded in datagrams, bytes and time; an overlap drops the whole datagram
 * (RFC 5722).
 */
#ifndef NET_FRAGMENT_H
#define NET_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/address.h>
#include <skerry/clock.h>

#include "pool.h"

enum {
	FRAGMENT_DATAGRAMS = 32,       /* that are incomplete at once; one more drops the oldest */
	FRAGMENT_BYTES = 256 * 1024,   /* of their buffers; more drops the oldest */
	FRAGMENT_HEADER_MAX = 256,     /* an IPv4 header with all its options has 60; IPv6's may be longer */
	FRAGMENT_BUFFER_MIN = 4096,    /* the first buffer, which doubles by need */
	FRAGMENT_BUFFER_MAX = 1 << 16, /* the last */
	FRAGMENT_UNIT = 8,
};
/* Linux's choice. RFC 1122 says 60 to 120 s, from a time of slower links; shorter holds less for attackers. */
#define FRAGMENT_LIFETIME_NS SECOND(30)

struct fragment {
	struct ip_address source, destination;
	uint32_t id;
	uint8_t protocol;      /* of IPv4, where it is a part of the identity; else 0 */
	bool more;             /* it is not the last */
	size_t offset;         /* of its payload, in bytes */
	size_t payload_max;    /* of a whole datagram with this header; at most FRAGMENT_BUFFER_MAX */
	const uint8_t *header; /* the first one's goes with the whole datagram */
	size_t header_len;
	const uint8_t *payload;
	size_t len;
};

/* Why fragments, or all of a datagram, are dropped: DROP_IP_FRAGMENT and those behind it, or IPv6's. */
enum fragment_drop {
	FRAGMENT_DROP_IMPOSSIBLE,
	FRAGMENT_DROP_OVERLAP,
	FRAGMENT_DROP_LIMIT,
	FRAGMENT_DROP_MEMORY,
	FRAGMENT_DROP_TIMEOUT,
};

struct datagram_parts; /* a datagram that is being put together */

struct fragments {
	struct datagram_parts *oldest, *latest;
	size_t count, bytes;
	uint64_t lifetime_ns; /* of an incomplete datagram; 0: FRAGMENT_LIFETIME_NS */
	struct pool *pool;    /* borrowed; NULL: their memory has no other limit */
	uint64_t *drops;      /* of what never became whole, by enum fragment_drop; borrowed */
};

/* A fragment came. 1: it completed its datagram, which whole now describes (offset 0, no more) until fragments_release;
 * 0: the datagram lacks others, or had this one already; -EBADMSG: the fragment cannot be (a length that is no multiple
 * of 8, an end beyond payload_max), or contradicts an earlier one, and then its datagram is dropped; -ENOMEM: as the
 * heap says, and its datagram is dropped. */
int fragments_add(struct fragments *fragments, const struct fragment *fragment, uint64_t now, struct fragment *whole);
/* The datagram that was completed last is handled. */
void fragments_release(struct fragments *fragments);

/* When the oldest must go, or FOREVER. */
uint64_t fragments_deadline(const struct fragments *fragments);
/* Drops one datagram whose time is over: false if there is none. If its first fragment had come (has_first), first
 * describes that until the next call of any of these: its sender is told (RFC 1122, 3.3.2). */
bool fragments_expire(struct fragments *fragments, uint64_t now, struct fragment *first, bool *has_first);

/* Drops all. */
void fragments_fini(struct fragments *fragments);

#endif
