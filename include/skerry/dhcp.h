/* SPDX-License-Identifier: ISC
 *
 * DHCPv4 (RFC 2131): options as all sides know them, and what a lease holds.
 */
#ifndef SKERRY_DHCP_H
#define SKERRY_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skerry/address.h>

enum {
	DHCP_SERVER_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	DHCP_MESSAGE_MAX = 1472,          /* what is sent and received: a datagram of an Ethernet frame */
	DHCP_OPTIONS_MAX = 1424,          /* of one message, together: with the fields that options may overload */
	DHCP_ADDRESSES_MAX = 8,           /* of one kind that a lease lists */
	DHCP_NAME_MAX = 255,              /* bytes of a name */
	DHCP_LEASE_FOR_EVER = 0xffffffff, /* seconds */
};

/* Codes of options (RFC 2132 unless noted). Any other number is as good. */
enum dhcp_code {
	DHCP_SUBNET_MASK = 1,
	DHCP_ROUTERS = 3,
	DHCP_DNS_SERVERS = 6,
	DHCP_HOST_NAME = 12,
	DHCP_DOMAIN_NAME = 15,
	DHCP_MTU = 26,
	DHCP_BROADCAST = 28,
	DHCP_NTP_SERVERS = 42,
	DHCP_REQUESTED_ADDRESS = 50,
	DHCP_LEASE_TIME = 51,
	DHCP_OVERLOAD = 52,
	DHCP_MESSAGE_TYPE = 53,
	DHCP_SERVER_ID = 54,
	DHCP_PARAMETERS = 55,
	DHCP_TEXT = 56,
	DHCP_MESSAGE_SIZE = 57,
	DHCP_RENEWAL_TIME = 58,
	DHCP_REBINDING_TIME = 59,
	DHCP_CLIENT_ID = 61,
	DHCP_RELAY_AGENT = 82,    /* RFC 3046 */
	DHCP_DOMAIN_SEARCH = 119, /* RFC 3397 */
};

/* Options in the form that they have in a message: code, length, value, one after the other. All zero: none. */
struct dhcp_options {
	size_t len;
	uint8_t bytes[DHCP_OPTIONS_MAX];
};

/* Adds an option; one longer than 255 bytes is split (RFC 3396). 0, or -EMSGSIZE: there is no room. */
int dhcp_options_add(struct dhcp_options *options, uint8_t code, const void *value, size_t len);
/* Copies an option's value, its parts joined (RFC 3396). Returns its length, even when that is larger than size and
 * only size bytes were stored; -ENOENT: there is none. */
ssize_t dhcp_options_get(const struct dhcp_options *options, uint8_t code, void *buf, size_t size);

/* What a server gave to our stack. */
struct dhcp_lease {
	struct ip_address address, server;
	uint8_t prefix_len;
	struct ip_address routers[DHCP_ADDRESSES_MAX], dns[DHCP_ADDRESSES_MAX]; /* the first is to be preferred */
	size_t router_count, dns_count;
	char domain[DHCP_NAME_MAX + 1];           /* empty: none */
	uint64_t renew_at, rebind_at, expires_at; /* deadlines; FOREVER: never */
	struct dhcp_options options;              /* all that the server sent */
};

#endif
