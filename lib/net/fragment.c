/* SPDX-License-Identifier: ISC
 *
 * Reassembly: each datagram has a buffer, into which fragments are copied where they belong, and a bit for each 8 bytes
 * that are there. So a fragment costs what its length is, however many came before in whatever order, and a list to
 * search does not exist. The buffer grows to the highest end seen.
 *
 * A fragment that repeats what is there, bit for bit, is a duplicate of the network's and is ignored, as RFC 8200, 4.5
 * allows; any other overlap drops the datagram. Datagrams stand in a list in the order of their first arrival, which is
 * that of their deadlines. One that is complete is taken off the list and waits, in `done` state, at its head.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fragment.h"

enum { UNITS = FRAGMENT_BUFFER_MAX / FRAGMENT_UNIT, BITS = 64 };

struct datagram_parts {
	struct datagram_parts *next;
	struct ip_address source, destination;
	uint32_t id;
	uint8_t protocol;
	bool over; /* complete or expired: only the caller still looks at it */
	uint64_t deadline;
	uint8_t header[FRAGMENT_HEADER_MAX];
	size_t header_len; /* 0: the first fragment has not come */
	size_t first_len;
	size_t total;      /* 0: the last has not come */
	size_t end;        /* the highest that came */
	size_t unit_count; /* how many bits are set */
	uint8_t *buffer;
	size_t buffer_size;
	uint64_t have[UNITS / BITS];
};

/* The list ---------------------------------------------------------------------------------------------------- */

static void drop(struct fragments *fragments, struct datagram_parts *parts)
{
	struct datagram_parts **link = &fragments->oldest, *previous = NULL;

	while (*link != parts) {
		previous = *link;
		link = &previous->next;
	}
	*link = parts->next;
	if (fragments->latest == parts)
		fragments->latest = previous;
	fragments->count--;
	fragments->bytes -= parts->buffer_size;
	pool_free(fragments->pool, parts->buffer, parts->buffer_size);
	pool_free(fragments->pool, parts, sizeof *parts);
}

static void drop_for(struct fragments *fragments, struct datagram_parts *parts, enum fragment_drop reason)
{
	fragments->drops[reason]++;
	drop(fragments, parts);
}

/* What the caller was shown is not needed any more. */
void fragments_release(struct fragments *fragments)
{
	if (fragments->oldest && fragments->oldest->over)
		drop(fragments, fragments->oldest);
}

/* To the front, where fragments_release finds it. */
static void finish(struct fragments *fragments, struct datagram_parts *parts)
{
	struct datagram_parts **link = &fragments->oldest, *previous = NULL;

	parts->over = true;
	while (*link != parts) {
		previous = *link;
		link = &previous->next;
	}
	*link = parts->next;
	if (fragments->latest == parts && previous)
		fragments->latest = previous;
	parts->next = fragments->oldest;
	fragments->oldest = parts;
}

static struct datagram_parts *find(const struct fragments *fragments, const struct fragment *fragment)
{
	struct datagram_parts *parts = fragments->oldest;

	while (parts && (parts->id != fragment->id || parts->protocol != fragment->protocol ||
				!ip_equal(&parts->source, &fragment->source) ||
				!ip_equal(&parts->destination, &fragment->destination)))
		parts = parts->next;
	return parts;
}

static struct datagram_parts *begin(struct fragments *fragments, const struct fragment *fragment, uint64_t now)
{
	struct datagram_parts *parts;

	if (fragments->count >= FRAGMENT_DATAGRAMS)
		drop_for(fragments, fragments->oldest, FRAGMENT_DROP_LIMIT);
	parts = pool_alloc_packet(fragments->pool, sizeof *parts);
	if (!parts)
		return NULL;
	memset(parts, 0, sizeof *parts);
	parts->source = fragment->source;
	parts->destination = fragment->destination;
	parts->id = fragment->id;
	parts->protocol = fragment->protocol;
	parts->deadline = now + (fragments->lifetime_ns ? fragments->lifetime_ns : FRAGMENT_LIFETIME_NS);
	if (fragments->latest)
		fragments->latest->next = parts;
	else
		fragments->oldest = parts;
	fragments->latest = parts;
	fragments->count++;
	return parts;
}

/* Putting together -------------------------------------------------------------------------------------------- */

/* Whether a fragment can be one at all. */
static bool is_possible(const struct fragment *fragment)
{
	size_t max = fragment->payload_max;

	if (fragment->len == 0 || fragment->offset > max || fragment->len > max - fragment->offset)
		return false;
	return !fragment->more || fragment->len % FRAGMENT_UNIT == 0;
}

/* Whether it agrees with what is known about the datagram's end. */
static bool agrees(const struct datagram_parts *parts, const struct fragment *fragment)
{
	size_t end = fragment->offset + fragment->len;

	if (parts->total > 0)
		return fragment->more ? end <= parts->total : end == parts->total;
	return fragment->more || end >= parts->end;
}

/* The buffer becomes at least as large as this; older datagrams make room. */
static int grow(struct fragments *fragments, struct datagram_parts *parts, size_t needed)
{
	size_t size = parts->buffer_size ? parts->buffer_size : FRAGMENT_BUFFER_MIN;
	uint8_t *buffer;

	if (needed <= parts->buffer_size)
		return 0;
	while (size < needed)
		size *= 2;
	while (fragments->bytes - parts->buffer_size + size > FRAGMENT_BYTES)
		drop_for(fragments, fragments->oldest == parts ? parts->next : fragments->oldest, FRAGMENT_DROP_LIMIT);
	buffer = pool_alloc_packet(fragments->pool, size);
	if (!buffer)
		return -ENOMEM;
	if (parts->buffer)
		memcpy(buffer, parts->buffer, parts->buffer_size);
	pool_free(fragments->pool, parts->buffer, parts->buffer_size);
	fragments->bytes += size - parts->buffer_size;
	parts->buffer = buffer;
	parts->buffer_size = size;
	return 0;
}

/* How many of the units from first up to end are there already. */
static size_t count_units(const struct datagram_parts *parts, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t unit = first; unit < end; unit++)
		count += parts->have[unit / BITS] >> unit % BITS & 1;
	return count;
}

static void mark_units(struct datagram_parts *parts, size_t first, size_t end)
{
	for (size_t unit = first; unit < end; unit++)
		parts->have[unit / BITS] |= UINT64_C(1) << unit % BITS;
	parts->unit_count += end - first;
}

/* 0: it is in its place, or was there already; -EBADMSG: it overlaps; -ENOMEM. */
static int place(struct fragments *fragments, struct datagram_parts *parts, const struct fragment *fragment)
{
	size_t end = fragment->offset + fragment->len;
	size_t first_unit = fragment->offset / FRAGMENT_UNIT, end_unit = (end + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT;
	size_t there = count_units(parts, first_unit, end_unit);
	int err;

	if (there > 0) {
		bool same = there == end_unit - first_unit && end <= parts->end &&
			    memcmp(parts->buffer + fragment->offset, fragment->payload, fragment->len) == 0;

		return same ? 0 : -EBADMSG;
	}
	err = grow(fragments, parts, end);
	if (err < 0)
		return err;
	memcpy(parts->buffer + fragment->offset, fragment->payload, fragment->len);
	mark_units(parts, first_unit, end_unit);
	if (end > parts->end)
		parts->end = end;
	if (!fragment->more)
		parts->total = end;
	if (fragment->offset == 0) {
		memcpy(parts->header, fragment->header, fragment->header_len);
		parts->header_len = fragment->header_len;
		parts->first_len = fragment->len;
	}
	return 0;
}

static struct fragment describe(const struct datagram_parts *parts, size_t len)
{
	return (struct fragment){
		.source = parts->source,
		.destination = parts->destination,
		.id = parts->id,
		.protocol = parts->protocol,
		.header = parts->header,
		.header_len = parts->header_len,
		.payload = parts->buffer,
		.len = len,
	};
}

int fragments_add(struct fragments *fragments, const struct fragment *fragment, uint64_t now, struct fragment *whole)
{
	struct datagram_parts *parts;
	int err;

	fragments_release(fragments);
	if (!is_possible(fragment)) {
		fragments->drops[FRAGMENT_DROP_IMPOSSIBLE]++;
		return -EBADMSG;
	}
	parts = find(fragments, fragment);
	if (!parts)
		parts = begin(fragments, fragment, now);
	if (!parts) {
		fragments->drops[FRAGMENT_DROP_MEMORY]++;
		return -ENOMEM;
	}
	err = agrees(parts, fragment) ? place(fragments, parts, fragment) : -EBADMSG;
	if (err < 0) {
		drop_for(fragments, parts, err == -ENOMEM ? FRAGMENT_DROP_MEMORY : FRAGMENT_DROP_OVERLAP);
		return err;
	}
	if (parts->total == 0 || parts->unit_count < (parts->total + FRAGMENT_UNIT - 1) / FRAGMENT_UNIT)
		return 0;
	*whole = describe(parts, parts->total);
	finish(fragments, parts);
	return 1;
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint64_t fragments_deadline(const struct fragments *fragments)
{
	return fragments->oldest ? fragments->oldest->deadline : FOREVER;
}

bool fragments_expire(struct fragments *fragments, uint64_t now, struct fragment *first, bool *has_first)
{
	struct datagram_parts *parts;

	fragments_release(fragments);
	parts = fragments->oldest;
	if (!parts || parts->deadline > now)
		return false;
	parts->over = true;
	fragments->drops[FRAGMENT_DROP_TIMEOUT]++;
	*has_first = parts->header_len > 0;
	*first = describe(parts, parts->first_len);
	return true;
}

void fragments_fini(struct fragments *fragments)
{
	while (fragments->oldest)
		drop(fragments, fragments->oldest);
}
