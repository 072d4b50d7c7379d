/* SPDX-License-Identifier: ISC
 *
 * Addresses that nobody configured (RFC 4862, 5.3 and 5.5): from the link's own prefix and those that routers
 * advertise, with identifiers that are the same each time on this network, and tell it nothing about the machine (RFC
 * 7217), or that change each day (RFC 8981).
 */
#include <string.h>

#include <bearssl.h>

#include "ipv6.h"
#include "ipv6_wire.h"
#include "wire.h"

enum { PREFIX_BYTES = 8, IDENTIFIER_LEN = 64 };

/* Identifiers that mean something to all: RFC 5453, with the anycast ones of RFC 2526. */
static bool is_reserved(const uint8_t identifier[8])
{
	static const uint8_t zero[8], anycast[7] = { 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t ethernet[5] = { 0x02, 0x00, 0x5e, 0xff, 0xfe }; /* RFC 9542: IANA's own block */

	return memcmp(identifier, zero, 8) == 0 || memcmp(identifier, ethernet, 5) == 0 ||
	       (memcmp(identifier, anycast, 7) == 0 && identifier[7] >= 0x80);
}

/* RFC 7217, 5: F is SHA-256, Net_Iface the MAC address; there is no Network_ID on Ethernet. */
static void make_stable(const struct ipv6 *ipv6, struct ip_address *address, uint8_t counter)
{
	uint8_t digest[br_sha256_SIZE];
	br_sha256_context context;

	br_sha256_init(&context);
	br_sha256_update(&context, address->bytes, PREFIX_BYTES);
	br_sha256_update(&context, ipv6->config.mac, sizeof ipv6->config.mac);
	br_sha256_update(&context, &counter, 1);
	br_sha256_update(&context, ipv6->config.secret, sizeof ipv6->config.secret);
	br_sha256_out(&context, digest);
	memcpy(address->bytes + PREFIX_BYTES, digest, 8);
}

static void make_random(const struct ipv6 *ipv6, struct ip_address *address)
{
	for (size_t i = PREFIX_BYTES; i < 16; i++)
		address->bytes[i] = (uint8_t)ipv6->config.link->random(ipv6->config.link, 256);
}

/* Fills in the identifier; collisions counts those that cannot be used, too, and so ends. */
static void make_identifier(const struct ipv6 *ipv6, struct ipv6_own_address *own)
{
	do {
		if (own->origin == IPV6_TEMPORARY)
			make_random(ipv6, &own->address);
		else
			make_stable(ipv6, &own->address, own->collisions);
	} while (is_reserved(own->address.bytes + PREFIX_BYTES) && ++own->collisions < UINT8_MAX);
}

static void add(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t delay_ns, uint64_t now)
{
	make_identifier(ipv6, own);
	if (!ipv6_find_address(ipv6, &own->address))
		(void)ipv6_add_address(ipv6, own, delay_ns, now);
}

/* RFC 4862, 5.4.2: the first message after the start comes after a random delay, so that hosts which start together do
 * not speak together. */
static uint64_t first_delay(const struct ipv6 *ipv6)
{
	return MSEC(ipv6->config.link->random(ipv6->config.link, (uint32_t)(NDP_START_NS / MSEC(1))));
}

void slaac_add_link_local(struct ipv6 *ipv6, uint64_t now)
{
	struct ipv6_own_address own = {
		.address = { { 0xfe, 0x80 } },
		.prefix_len = IDENTIFIER_LEN,
		.origin = IPV6_LINK_LOCAL,
		.preferred_until = FOREVER,
		.valid_until = FOREVER,
	};

	add(ipv6, &own, first_delay(ipv6), now);
}

/* What was a duplicate is replaced after a second (IDGEN_DELAY of RFC 7217, 6). */
void slaac_replace(struct ipv6 *ipv6, const struct ipv6_own_address *duplicate, uint64_t now)
{
	struct ipv6_own_address own = *duplicate;

	if (++own.collisions <= IPV6_COLLISIONS_MAX)
		add(ipv6, &own, SECOND(1), now);
}

/* Temporary addresses ----------------------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* RFC 8981, 3.4: never longer than the prefix lives, and preferred for a day less a random part (DESYNC_FACTOR, up to
 * 0.4 of that day). */
static void add_temporary(struct ipv6 *ipv6, const struct ip_address *prefix, uint64_t preferred_until,
	uint64_t valid_until, uint64_t now)
{
	uint64_t desync_ns = SECOND(
		ipv6->config.link->random(ipv6->config.link, (uint32_t)(TEMPORARY_PREFERRED_NS / SECOND(1) / 10 * 4)));
	struct ipv6_own_address own = {
		.address = *prefix,
		.prefix_len = IDENTIFIER_LEN,
		.origin = IPV6_TEMPORARY,
		.preferred_until = earlier(preferred_until, now + TEMPORARY_PREFERRED_NS - desync_ns),
		.valid_until = earlier(valid_until, now + TEMPORARY_VALID_NS),
	};

	if (own.preferred_until > now + TEMPORARY_ADVANCE_NS)
		add(ipv6, &own, 0, now);
}

/* The stable address of the same prefix says how long that lives. */
void slaac_succeed(struct ipv6 *ipv6, struct ipv6_own_address *own, uint64_t now)
{
	for (size_t i = 0; i < IPV6_ADDRESSES; i++) {
		const struct ipv6_own_address *stable = &ipv6->addresses[i];

		if (stable->state != IPV6_FREE && stable->origin == IPV6_STABLE &&
			memcmp(stable->address.bytes, own->address.bytes, PREFIX_BYTES) == 0) {
			add_temporary(ipv6, &stable->address, stable->preferred_until, stable->valid_until, now);
			return;
		}
	}
}

/* Prefixes ---------------------------------------------------------------------------------------------------- */

static uint64_t later(uint64_t now, uint64_t ns)
{
	return ns == FOREVER ? FOREVER : now + ns;
}

/* RFC 4862, 5.5.3 e: a valid lifetime is not cut below two hours, so that a forged advertisement cannot end an
 * address; RFC 8981, 3.4: a temporary one never lives longer than it was to at first. */
static void renew(struct ipv6_own_address *own, const struct ndp_prefix_information *heard, uint64_t now)
{
	uint64_t preferred = later(now, heard->preferred_ns), valid = later(now, heard->valid_ns);

	if (own->origin == IPV6_TEMPORARY) {
		preferred = earlier(preferred, own->preferred_until);
		valid = earlier(valid, own->made_at + TEMPORARY_VALID_NS);
	}
	own->preferred_until = preferred;
	if (heard->valid_ns > SLAAC_TWO_HOURS || valid > own->valid_until)
		own->valid_until = valid;
	else if (own->valid_until > later(now, SLAAC_TWO_HOURS))
		own->valid_until = now + SLAAC_TWO_HOURS;
}

static bool is_made_from(const struct ipv6_own_address *own, const struct ip_address *prefix)
{
	return own->state != IPV6_FREE && (own->origin == IPV6_STABLE || own->origin == IPV6_TEMPORARY) &&
	       memcmp(own->address.bytes, prefix->bytes, PREFIX_BYTES) == 0;
}

void slaac_advertised(struct ipv6 *ipv6, const struct ndp_prefix_information *heard, uint64_t now)
{
	struct ipv6_own_address own = {
		.address = heard->prefix,
		.prefix_len = heard->len,
		.origin = IPV6_STABLE,
		.preferred_until = later(now, heard->preferred_ns),
		.valid_until = later(now, heard->valid_ns),
	};
	bool known = false, has_temporary = !ipv6->config.temporary_addresses;

	if (heard->preferred_ns > heard->valid_ns || heard->len != 128 - IDENTIFIER_LEN)
		return;
	for (size_t i = 0; i < IPV6_ADDRESSES; i++) {
		struct ipv6_own_address *made = &ipv6->addresses[i];

		if (!is_made_from(made, &heard->prefix))
			continue;
		renew(made, heard, now);
		known |= made->origin == IPV6_STABLE;
		has_temporary |= made->origin == IPV6_TEMPORARY && made->preferred_until > now;
	}
	ipv6->changed = true;
	if (!known && heard->valid_ns > 0)
		add(ipv6, &own, 0, now);
	if (!has_temporary)
		add_temporary(ipv6, &heard->prefix, own.preferred_until, own.valid_until, now);
}
