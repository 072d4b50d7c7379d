/* SPDX-License-Identifier: ISC
 *
 * Multicast Listener Discovery, the listener's half (RFC 3810; of version 1, RFC 2710): tells routers, and switches
 * that listen to it, which groups we hear. Sources are not filtered, so each group is in EXCLUDE mode with an empty
 * list.
 *
 * A change is reported at once and MLD_ROBUSTNESS times; a query is answered after a random time, which it bounds.
 * While a router of version 1 is there, reports are of version 1, and another host's report makes ours needless. The
 * group of all nodes is never reported.
 */
#include <errno.h>

#include "ipv6.h"
#include "ipv6_wire.h"
#include "wire.h"

enum { QUERY_DELAY = 4, QUERY_GROUP = 8, QUERY_1_LEN = 24, QUERY_2_LEN = 28, REPORT_1_LEN = 24 };
enum { REPORT_COUNT = 6, REPORT_RECORDS = 8, RECORD_GROUP = 4, RECORD_LEN = 20 };
enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 };

static const struct ip_address all_nodes = { { 0xff, 0x02, [15] = 1 } };
static const struct ip_address all_routers = { { 0xff, 0x02, [15] = 2 } };
static const struct ip_address all_mld2_routers = { { 0xff, 0x02, [15] = 0x16 } };

static uint64_t random_ns(const struct ipv6 *ipv6, uint64_t limit_ns)
{
	return MSEC(ipv6->config.link->random(ipv6->config.link, (uint32_t)(limit_ns / MSEC(1)) + 1));
}

static struct mld_group *find(struct ipv6 *ipv6, const struct ip_address *group)
{
	for (size_t i = 0; i < ipv6->mld.count; i++)
		if (ip_equal(&ipv6->mld.groups[i].group, group))
			return &ipv6->mld.groups[i];
	return NULL;
}

bool mld_is_member(const struct ipv6 *ipv6, const struct ip_address *group)
{
	for (size_t i = 0; i < ipv6->mld.count; i++)
		if (ipv6->mld.groups[i].members > 0 && ip_equal(&ipv6->mld.groups[i].group, group))
			return true;
	return false;
}

static void forget(struct ipv6 *ipv6, struct mld_group *entry)
{
	*entry = ipv6->mld.groups[--ipv6->mld.count];
}

/* Sending ----------------------------------------------------------------------------------------------------- */

/* RFC 3590, 4: before there is a link-local address, reports come from the unspecified one. */
static void send(struct ipv6 *ipv6, const struct ip_address *destination, uint8_t *bytes, size_t len, uint64_t now)
{
	struct ipv6_message message = {
		.source = ip_unspecified,
		.destination = *destination,
		.router_alert = true,
		.bytes = bytes,
		.len = len,
	};

	(void)ipv6_choose_source(ipv6, &all_routers, now, &message.source);
	ipv6->config.link->send(ipv6->config.link, &message);
}

static void send_version_1(struct ipv6 *ipv6, const struct mld_group *entry, uint64_t now)
{
	uint8_t bytes[REPORT_1_LEN] = { entry->members > 0 ? MLD_REPORT_1 : MLD_DONE_1 };

	memcpy(bytes + QUERY_GROUP, entry->group.bytes, 16);
	send(ipv6, entry->members > 0 ? &entry->group : &all_routers, bytes, sizeof bytes, now);
}

static uint8_t record_type(const struct mld_group *entry)
{
	if (entry->members == 0)
		return TO_INCLUDE;
	return entry->changes > 0 ? TO_EXCLUDE : IS_EXCLUDE;
}

/* All groups whose report is due, in one message. */
static void report(struct ipv6 *ipv6, uint64_t now)
{
	uint8_t bytes[REPORT_RECORDS + IPV6_GROUPS * RECORD_LEN] = { MLD_REPORT_2 };
	bool version_1 = now < ipv6->mld.old_querier_until;
	size_t len = REPORT_RECORDS;

	for (size_t i = ipv6->mld.count; i-- > 0;) {
		struct mld_group *entry = &ipv6->mld.groups[i];

		if (entry->report_at > now)
			continue;
		if (version_1) {
			send_version_1(ipv6, entry, now);
		} else {
			bytes[len] = record_type(entry);
			memcpy(bytes + len + RECORD_GROUP, entry->group.bytes, 16);
			len += RECORD_LEN;
		}
		if (entry->changes > 0)
			entry->changes--;
		entry->report_at = entry->changes > 0 ? now + random_ns(ipv6, MLD_UNSOLICITED_NS) : FOREVER;
		if (entry->members == 0 && entry->changes == 0)
			forget(ipv6, entry);
	}
	if (len == REPORT_RECORDS)
		return;
	wire_put16(bytes + REPORT_COUNT, (uint16_t)((len - REPORT_RECORDS) / RECORD_LEN));
	send(ipv6, &all_mld2_routers, bytes, len, now);
}

/* Members ----------------------------------------------------------------------------------------------------- */

static void change(struct ipv6 *ipv6, struct mld_group *entry, uint64_t now)
{
	if (ip_equal(&entry->group, &all_nodes))
		return;
	entry->changes = MLD_ROBUSTNESS;
	entry->report_at = now;
	report(ipv6, now);
	ipv6->changed = true;
}

/* There is room for a group of each address; of one that was left lately the place is taken over. */
void mld_join(struct ipv6 *ipv6, const struct ip_address *group, uint64_t now)
{
	struct mld_group *entry = find(ipv6, group);

	if (!entry && ipv6->mld.count == IPV6_GROUPS) {
		for (size_t i = 0; i < IPV6_GROUPS && !entry; i++)
			if (ipv6->mld.groups[i].members == 0)
				entry = &ipv6->mld.groups[i];
		if (entry)
			forget(ipv6, entry);
		entry = NULL;
	}
	if (!entry) {
		if (ipv6->mld.count == IPV6_GROUPS)
			return;
		entry = &ipv6->mld.groups[ipv6->mld.count++];
		*entry = (struct mld_group){ .group = *group, .report_at = FOREVER };
	}
	if (++entry->members == 1)
		change(ipv6, entry, now);
}

void mld_leave(struct ipv6 *ipv6, const struct ip_address *group, uint64_t now)
{
	struct mld_group *entry = find(ipv6, group);

	if (entry && entry->members > 0 && --entry->members == 0)
		change(ipv6, entry, now);
}

/* Hearing ----------------------------------------------------------------------------------------------------- */

/* RFC 3810, 5.1.3: large times are floating point. */
static uint64_t response_ns(const struct ipv6_heard *query)
{
	uint32_t code = wire_get16(query->bytes + QUERY_DELAY);

	if (query->len >= QUERY_2_LEN && code >= 0x8000)
		code = ((code & 0x0fff) | 0x1000) << ((code >> 12 & 7) + 3);
	return MSEC(code);
}

static void hear_query(struct ipv6 *ipv6, const struct ipv6_heard *query, uint64_t now)
{
	struct ip_address group = ipv6_get(query->bytes + QUERY_GROUP);
	uint64_t limit_ns = response_ns(query);

	if (query->len < QUERY_2_LEN)
		ipv6->mld.old_querier_until = now + MLD_OLD_QUERIER_NS;
	for (size_t i = 0; i < ipv6->mld.count; i++) {
		struct mld_group *entry = &ipv6->mld.groups[i];

		if (ip_equal(&entry->group, &all_nodes) ||
			(!ipv6_is_unspecified(&group) && !ip_equal(&group, &entry->group)))
			continue;
		ipv6_sooner(&entry->report_at, now + random_ns(ipv6, limit_ns));
	}
	ipv6->changed = true;
}

/* RFC 2710, 4: another listener's report is enough for version 1's routers. */
static void hear_report(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	struct ip_address group = ipv6_get(message->bytes + QUERY_GROUP);
	struct mld_group *entry = find(ipv6, &group);

	if (entry && entry->changes == 0 && now < ipv6->mld.old_querier_until)
		entry->report_at = FOREVER;
}

/* RFC 3810, 5.1.14 and 6.2: a query comes from a link-local address with a hop limit of 1. That it carries a Router
 * Alert is not asked for, as only a router's own filter could depend on it. */
int mld_hear(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	uint8_t type = message->bytes[ICMPV6_TYPE];

	if (type == MLD_REPORT_2 || type == MLD_DONE_1)
		return 0; /* for routers */
	if (message->len < QUERY_1_LEN || !ipv6_is_link_local(&message->source) || message->hop_limit != 1)
		return -EBADMSG;
	if (type == MLD_REPORT_1)
		hear_report(ipv6, message, now);
	else if (message->len == QUERY_1_LEN || message->len >= QUERY_2_LEN)
		hear_query(ipv6, message, now);
	return 0;
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint64_t mld_deadline(const struct ipv6 *ipv6)
{
	uint64_t deadline = FOREVER;

	for (size_t i = 0; i < ipv6->mld.count; i++)
		ipv6_sooner(&deadline, ipv6->mld.groups[i].report_at);
	return deadline;
}

void mld_expire(struct ipv6 *ipv6, uint64_t now)
{
	if (mld_deadline(ipv6) <= now)
		report(ipv6, now);
}
