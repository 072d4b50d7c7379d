/* SPDX-License-Identifier: ISC
 *
 * IGMP: tells routers, and switches that listen to it, which groups we hear. Sources are not filtered, so each group is
 * in EXCLUDE mode with an empty list.
 *
 * A change is reported at once and IGMP_ROBUSTNESS times; a query is answered after a random time, which it bounds.
 * While a router of version 1 or 2 is there, reports are of that version, another host's report makes ours needless,
 * and leaving is told to routers of version 2 once, to those of version 1 not at all. The group of all hosts is never
 * reported.
 */
#include <errno.h>

#include "igmp.h"
#include "ip.h"
#include "wire.h"

enum { TYPE = 0, CODE = 1, CHECKSUM = 2, GROUP = 4, QUERY_OLD_LEN = 8, QUERY_3_LEN = 12 };
enum { REPORT_COUNT = 6, REPORT_RECORDS = 8, RECORD_GROUP = 4, RECORD_LEN = 8 };
enum { QUERY = 0x11, REPORT_1 = 0x12, REPORT_2 = 0x16, LEAVE_2 = 0x17, REPORT_3 = 0x22 };
enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 };
#define ALL_HOSTS          0xe0000001
#define ALL_ROUTERS        0xe0000002
#define ALL_IGMP_3_ROUTERS 0xe0000016
#define TENTH_NS           MSEC(100)

static uint64_t random_ns(const struct igmp *igmp, uint64_t limit_ns)
{
	return MSEC(igmp->link->random(igmp->link, (uint32_t)(limit_ns / MSEC(1)) + 1));
}

static bool is_old(const struct igmp *igmp, uint64_t now)
{
	return now < igmp->version_1_until || now < igmp->version_2_until;
}

static struct igmp_group *find(struct igmp *igmp, uint32_t group)
{
	for (size_t i = 0; i < igmp->count; i++)
		if (igmp->groups[i].group == group)
			return &igmp->groups[i];
	return NULL;
}

bool igmp_is_member(const struct igmp *igmp, uint32_t group)
{
	for (size_t i = 0; i < igmp->count; i++)
		if (igmp->groups[i].group == group && igmp->groups[i].members > 0)
			return true;
	return group == ALL_HOSTS;
}

static void forget(struct igmp *igmp, struct igmp_group *entry)
{
	*entry = igmp->groups[--igmp->count];
}

/* Sending ----------------------------------------------------------------------------------------------------- */

static void send(struct igmp *igmp, uint32_t destination, uint8_t *message, size_t len)
{
	wire_put16(message + CHECKSUM, checksum_finish(checksum_add(0, message, len)));
	igmp->link->send(igmp->link, destination, message, len);
}

static void send_old(struct igmp *igmp, const struct igmp_group *entry, uint64_t now)
{
	bool version_1 = now < igmp->version_1_until;
	uint8_t message[QUERY_OLD_LEN] = { version_1 ? REPORT_1 : REPORT_2 };

	wire_put32(message + GROUP, entry->group);
	if (entry->members > 0) {
		send(igmp, entry->group, message, sizeof message);
	} else if (!version_1) {
		message[TYPE] = LEAVE_2;
		send(igmp, ALL_ROUTERS, message, sizeof message);
	}
}

static uint8_t record_type(const struct igmp_group *entry)
{
	if (entry->members == 0)
		return TO_INCLUDE;
	return entry->changes > 0 ? TO_EXCLUDE : IS_EXCLUDE;
}

/* All groups whose report is due, in one message of version 3. */
static void report(struct igmp *igmp, uint64_t now)
{
	uint8_t message[IGMP_MESSAGE_MAX] = { REPORT_3 };
	bool old = is_old(igmp, now);
	size_t len = REPORT_RECORDS;

	for (size_t i = igmp->count; i-- > 0;) {
		struct igmp_group *entry = &igmp->groups[i];

		if (entry->report_at > now)
			continue;
		if (old) {
			send_old(igmp, entry, now);
		} else {
			message[len] = record_type(entry);
			wire_put32(message + len + RECORD_GROUP, entry->group);
			len += RECORD_LEN;
		}
		if (entry->changes > 0)
			entry->changes--;
		if (entry->members == 0 && (old || entry->changes == 0)) {
			forget(igmp, entry);
			continue;
		}
		entry->report_at = FOREVER;
		if (entry->changes > 0)
			entry->report_at = now + random_ns(igmp, old ? IGMP_UNSOLICITED_OLD_NS : IGMP_UNSOLICITED_NS);
	}
	if (len == REPORT_RECORDS)
		return;
	wire_put16(message + REPORT_COUNT, (uint16_t)((len - REPORT_RECORDS) / RECORD_LEN));
	send(igmp, ALL_IGMP_3_ROUTERS, message, len);
}

/* Members ----------------------------------------------------------------------------------------------------- */

static void change(struct igmp *igmp, struct igmp_group *entry, uint64_t now)
{
	entry->changes = IGMP_ROBUSTNESS;
	entry->report_at = now;
	report(igmp, now);
}

/* An entry for a new group. Of one that was left lately the place is taken over. NULL: all are in use. */
static struct igmp_group *add(struct igmp *igmp, uint32_t group)
{
	struct igmp_group *entry = NULL;

	if (igmp->count < IGMP_GROUPS)
		entry = &igmp->groups[igmp->count++];
	for (size_t i = 0; i < IGMP_GROUPS && !entry; i++)
		if (igmp->groups[i].members == 0)
			entry = &igmp->groups[i];
	if (entry)
		*entry = (struct igmp_group){ .group = group, .report_at = FOREVER };
	return entry;
}

int igmp_join(struct igmp *igmp, uint32_t group, uint64_t now)
{
	struct igmp_group *entry = find(igmp, group);

	if (group >> 28 != 0xe || group == ALL_HOSTS)
		return -EINVAL;
	if (!entry)
		entry = add(igmp, group);
	if (!entry)
		return -ENOSPC;
	if (++entry->members == 1)
		change(igmp, entry, now);
	return 0;
}

int igmp_leave(struct igmp *igmp, uint32_t group, uint64_t now)
{
	struct igmp_group *entry = find(igmp, group);

	if (!entry || entry->members == 0)
		return -ENOENT;
	if (--entry->members == 0)
		change(igmp, entry, now);
	return 0;
}

/* Hearing ----------------------------------------------------------------------------------------------------- */

/* How long an answer may take: RFC 3376, 4.1.1 (large times are floating point); of version 1, RFC 2236, 4. */
static uint64_t response_ns(const uint8_t *query, size_t len)
{
	uint64_t code = query[CODE];

	if (len == QUERY_OLD_LEN && code == 0)
		code = 100;
	if (len >= QUERY_3_LEN && code >= 128)
		code = ((code & 0x0f) | 0x10) << ((code >> 4 & 7) + 3);
	return code * TENTH_NS;
}

/* RFC 3376, 7.2.1: the length and code tell the version of the router. */
static void hear_query(struct igmp *igmp, const uint8_t *query, size_t len, uint64_t now)
{
	uint32_t group = wire_get32(query + GROUP);
	uint64_t limit_ns = response_ns(query, len);

	if (len == QUERY_OLD_LEN && query[CODE] == 0)
		igmp->version_1_until = now + IGMP_OLD_QUERIER_NS;
	else if (len == QUERY_OLD_LEN)
		igmp->version_2_until = now + IGMP_OLD_QUERIER_NS;
	for (size_t i = 0; i < igmp->count; i++) {
		struct igmp_group *entry = &igmp->groups[i];
		uint64_t at = now + random_ns(igmp, limit_ns);

		if ((group == 0 || group == entry->group) && at < entry->report_at)
			entry->report_at = at;
	}
}

/* RFC 2236, 3: another member's report is enough for routers of the older versions. */
static void hear_report(struct igmp *igmp, uint32_t group, uint64_t now)
{
	struct igmp_group *entry = find(igmp, group);

	if (entry && entry->changes == 0 && is_old(igmp, now))
		entry->report_at = FOREVER;
}

int igmp_hear(struct igmp *igmp, const uint8_t *message, size_t len, uint8_t ttl, uint64_t now)
{
	if (len < QUERY_OLD_LEN || ttl != 1 || checksum_finish(checksum_add(0, message, len)) != 0)
		return -EBADMSG;
	if (message[TYPE] == REPORT_1 || message[TYPE] == REPORT_2)
		hear_report(igmp, wire_get32(message + GROUP), now);
	else if (message[TYPE] == QUERY && (len == QUERY_OLD_LEN || len >= QUERY_3_LEN))
		hear_query(igmp, message, len, now);
	return 0; /* of all others RFC 3376, 4: they are ignored */
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint64_t igmp_deadline(const struct igmp *igmp)
{
	uint64_t deadline = FOREVER;

	for (size_t i = 0; i < igmp->count; i++)
		if (igmp->groups[i].report_at < deadline)
			deadline = igmp->groups[i].report_at;
	return deadline;
}

void igmp_expire(struct igmp *igmp, uint64_t now)
{
	if (igmp_deadline(igmp) <= now)
		report(igmp, now);
}
