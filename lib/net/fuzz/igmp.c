/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a host joins, leaves and hears any messages while time passes. The table stays within its bounds, what
 * is sent is well formed, time moves on, and who was never left is a member.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/net/igmp.h"
#include "lib/net/ip.h"
#include "lib/net/wire.h"

enum { JOIN, LEAVE, HEAR, HEAR_WITH_CHECKSUM, WAIT, STEPS, MESSAGE_MAX = 64, GROUPS = 24 };

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static void look_at(struct igmp_link *link, uint32_t destination, const uint8_t *message, size_t len)
{
	(void)link;
	must_hold(destination >> 28 == 0xe && len >= 8 && len <= IGMP_MESSAGE_MAX && len % 8 == 0);
	must_hold(checksum_finish(checksum_add(0, message, len)) == 0);
	must_hold(message[0] != 0x22 || wire_get16(message + 6) * 8u + 8 == len);
}

static uint32_t chance(struct igmp_link *link, uint32_t limit)
{
	static uint32_t state = 1;

	(void)link;
	state = state * 1664525 + 1013904223;
	return (state >> 8) % limit;
}

static void hear(struct igmp *igmp, const uint8_t *data, size_t len, bool with_checksum, uint64_t now)
{
	uint8_t *message = malloc(len ? len : 1);

	must_hold(message != NULL);
	memcpy(message, data, len);
	if (with_checksum && len >= 4) {
		wire_put16(message + 2, 0);
		wire_put16(message + 2, checksum_finish(checksum_add(0, message, len)));
	}
	(void)igmp_hear(igmp, message, len, 1, now);
	free(message);
}

/* The timer is called when it is due, and is not due again at once. */
static void pass(struct igmp *igmp, uint64_t *now, uint64_t ns)
{
	uint64_t end = *now + ns, due;

	for (unsigned i = 0; (due = igmp_deadline(igmp)) <= end; i++) {
		must_hold(i < 100000);
		*now = due > *now ? due : *now;
		igmp_expire(igmp, *now);
	}
	*now = end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct igmp_link link = { look_at, chance };
	struct igmp igmp = { .link = &link };
	unsigned joined[GROUPS] = { 0 };
	uint64_t now = SECOND(1000);

	for (size_t at = 0; at + 2 <= size;) {
		uint8_t step = data[at++] % STEPS, argument = data[at++];
		uint32_t group = 0xe0000000 + argument % GROUPS;
		size_t len = size - at < argument % MESSAGE_MAX ? size - at : argument % MESSAGE_MAX;

		if (step == JOIN) {
			joined[argument % GROUPS] += igmp_join(&igmp, group, now) == 0;
		} else if (step == LEAVE) {
			must_hold((igmp_leave(&igmp, group, now) == 0) == (joined[argument % GROUPS] > 0));
			joined[argument % GROUPS] -= joined[argument % GROUPS] > 0;
		} else if (step == WAIT) {
			pass(&igmp, &now, argument * MSEC(argument));
		} else {
			hear(&igmp, data + at, len, step == HEAR_WITH_CHECKSUM, now);
			at += len;
		}
		must_hold(igmp.count <= IGMP_GROUPS);
		for (uint32_t i = 0; i < GROUPS; i++)
			must_hold(igmp_is_member(&igmp, 0xe0000000 + i) == (joined[i] > 0 || i == 1));
	}
	return 0;
}
