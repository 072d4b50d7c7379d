/* SPDX-License-Identifier: ISC
 *
 * What a server's message offers or gives, read and checked once.
 */
#include <errno.h>
#include <string.h>

#include <skerry/clock.h>

#include "dhcp_lease.h"
#include "wire.h"

bool dhcp_is_host(uint32_t address)
{
	return address >> 24 != 0 && address >> 24 != 127 && address < 0xe0000000;
}

uint32_t dhcp_mask(uint8_t prefix_len)
{
	return prefix_len == 0 ? 0 : UINT32_MAX << (32 - prefix_len);
}

int dhcp_prefix_len(uint32_t mask, uint8_t *prefix_len)
{
	uint8_t len = 0;

	while (len < 32 && mask & UINT32_C(0x80000000) >> len)
		len++;
	if (mask != dhcp_mask(len))
		return -EINVAL;
	*prefix_len = len;
	return 0;
}

uint32_t dhcp_number(const struct ip_address *address)
{
	return wire_get32(address->bytes + 12);
}

struct ip_address dhcp_address(uint32_t number)
{
	uint8_t bytes[4];

	wire_put32(bytes, number);
	return ip_from_v4(bytes);
}

/* The mask that the server gives; else the one of the address's class, as it was when DHCP was young. */
static int read_prefix(const struct dhcp_message *message, struct dhcp_lease *lease)
{
	uint32_t mask, host;

	if (!dhcp_options_get32(&message->options, DHCP_SUBNET_MASK, &mask))
		mask = message->yours < 0x80000000 ? 0xff000000 : message->yours < 0xc0000000 ? 0xffff0000 : 0xffffff00;
	if (dhcp_prefix_len(mask, &lease->prefix_len) < 0)
		return -EBADMSG;
	host = message->yours & ~mask;
	return lease->prefix_len < 31 && (host == 0 || host == ~mask) ? -EBADMSG : 0;
}

/* The addresses of an option that hosts can have. */
static size_t read_addresses(
	const struct dhcp_options *options, uint8_t code, struct ip_address addresses[DHCP_ADDRESSES_MAX])
{
	uint8_t bytes[4 * DHCP_ADDRESSES_MAX];
	ssize_t len = dhcp_options_get(options, code, bytes, sizeof bytes);
	size_t count = 0;

	if (len > (ssize_t)sizeof bytes)
		len = sizeof bytes;
	for (ssize_t at = 0; at + 4 <= len; at += 4)
		if (dhcp_is_host(wire_get32(bytes + at)))
			addresses[count++] = ip_from_v4(bytes + at);
	return count;
}

/* Up to the first byte that is in no name: some servers send a 0 at the end. */
static void read_name(const struct dhcp_options *options, uint8_t code, char name[DHCP_NAME_MAX + 1])
{
	uint8_t bytes[DHCP_NAME_MAX];
	ssize_t len = dhcp_options_get(options, code, bytes, sizeof bytes), at = 0;

	if (len <= DHCP_NAME_MAX)
		for (; at < len && bytes[at] > ' ' && bytes[at] < 0x7f; at++)
			name[at] = (char)bytes[at];
	name[at] = '\0';
}

static uint64_t some_sooner(uint64_t time, uint32_t chance)
{
	return time - (time / DHCP_FUZZ_FRACTION >> 16) * (chance & 0xffff);
}

/* T1 and T2 (4.4.5): the server's, if they make sense, else at a half and at seven eighths. */
static void read_times(const struct dhcp_options *options, uint32_t seconds, uint64_t began_at, uint32_t chance,
	struct dhcp_lease *lease)
{
	uint64_t end = SECOND(seconds), renew = end / 2, rebind = end / 8 * 7;
	uint32_t told;

	lease->renew_at = lease->rebind_at = lease->expires_at = FOREVER;
	if (seconds == DHCP_LEASE_FOR_EVER)
		return;
	if (dhcp_options_get32(options, DHCP_REBINDING_TIME, &told) && told > 0 && told < seconds)
		rebind = SECOND(told);
	if (dhcp_options_get32(options, DHCP_RENEWAL_TIME, &told) && told > 0 && SECOND(told) <= rebind)
		renew = SECOND(told);
	lease->renew_at = began_at + some_sooner(renew < rebind ? renew : rebind, chance);
	lease->rebind_at = began_at + some_sooner(rebind, chance);
	lease->expires_at = began_at + end;
}

int dhcp_lease_read(const struct dhcp_message *message, uint64_t began_at, uint32_t chance, struct dhcp_lease *lease)
{
	const struct dhcp_options *options = &message->options;
	uint32_t server, seconds;

	if (!dhcp_options_get32(options, DHCP_SERVER_ID, &server) || !dhcp_is_host(server) ||
		!dhcp_is_host(message->yours) || !dhcp_options_get32(options, DHCP_LEASE_TIME, &seconds) ||
		seconds == 0 || read_prefix(message, lease) < 0)
		return -EBADMSG;
	lease->address = dhcp_address(message->yours);
	lease->server = dhcp_address(server);
	lease->router_count = read_addresses(options, DHCP_ROUTERS, lease->routers);
	lease->dns_count = read_addresses(options, DHCP_DNS_SERVERS, lease->dns);
	read_name(options, DHCP_DOMAIN_NAME, lease->domain);
	read_times(options, seconds, began_at, chance, lease);
	lease->options = *options;
	return 0;
}
