/* SPDX-License-Identifier: ISC
 *
 * DHCPv4 (RFC 2131): options as all sides know them, what a lease holds, and a server. The client is a part of the
 * stack: see <skerry/stack.h>.
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

/* A server (RFC 2131, 4.3) as a machine without I/O: the program receives datagrams on DHCP_SERVER_PORT, hands each
 * over with the time, and sends what is answered. One subnet, on the link or behind relays (RFC 3046). */

enum {
	DHCP_SERVER_ADDRESSES_MAX = 4096, /* of the range and the hosts together, and so of the leases */
	DHCP_CLIENT_ID_MAX = 136,         /* RFC 4361's longest; a client with a longer one gets nothing */
	DHCP_LABEL_MAX = 63,              /* bytes of a host's name */
	DHCP_SUMMARY_MAX = 160,
};

/* A host that always has the same address, in the range or outside of it. */
struct dhcp_host {
	uint8_t mac[6];
	struct ip_address address;
	const char *name; /* what the host is told that it is called; may be NULL */
};

struct dhcp_server_config {
	struct ip_address address; /* the server's own */
	uint8_t prefix_len;
	struct ip_address first, last; /* the range; both unspecified: hosts only */
	const struct dhcp_host *hosts;
	size_t host_count;
	uint32_t lease_seconds, lease_seconds_max; /* if the client wants no other time, and if he does; 0: 1 h, 1 d */
	struct dhcp_options options;               /* that clients may have beside what each lease needs */
};

struct dhcp_server;
/* All is copied. 0; -EINVAL: addresses outside of the subnet, the server's own among them, one of two hosts, or too
 * many; -ENOMEM. */
int dhcp_server_open(const struct dhcp_server_config *config, struct dhcp_server **server);
void dhcp_server_close(struct dhcp_server *server);

struct dhcp_reply {
	size_t len; /* 0: nothing is to be sent */
	uint8_t bytes[DHCP_MESSAGE_MAX];
	struct ip_endpoint to;
	/* to is the address that a client at mac is given, and which it does not yet know: see stack_set_neighbour. Who
	 * cannot send so may broadcast. */
	bool is_new;
	uint8_t mac[6];
};

/* A datagram came. What it changes is changed when this returns. 0; -EBADMSG: malformed, or not from a client. */
int dhcp_server_receive(
	struct dhcp_server *server, const void *bytes, size_t len, uint64_t now, struct dhcp_reply *reply);

/* The leases in force: stores at most max, in the order of their addresses, and returns how many there are. */
struct dhcp_server_lease {
	struct ip_address address;
	uint8_t mac[6];
	char name[DHCP_LABEL_MAX + 1]; /* as the client calls itself; may be empty */
	uint64_t expires_at;           /* FOREVER: never */
};
size_t dhcp_server_leases(const struct dhcp_server *server, uint64_t now, struct dhcp_server_lease *leases, size_t max);

/* A message in a few words, such as "REQUEST from 02:00:00:00:00:07 (web) for 192.168.1.70": for logs. Returns text. */
char *dhcp_summary(const void *bytes, size_t len, char text[DHCP_SUMMARY_MAX]);

#endif
