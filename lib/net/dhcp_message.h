/* SPDX-License-Identifier: ISC
 *
 * DHCP messages on the wire (RFC 2131, 2; RFC 2132; long options: RFC 3396), for client and server. IPv4 addresses are
 * numbers: 10.0.0.1 is 0x0a000001.
 */
#ifndef NET_DHCP_MESSAGE_H
#define NET_DHCP_MESSAGE_H

#include <skerry/dhcp.h>

enum dhcp_op { DHCP_FROM_CLIENT = 1, DHCP_FROM_SERVER = 2 };
enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_DECLINE = 4,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7,
	DHCP_INFORM = 8,
};
enum {
	DHCP_FIXED = 240,           /* bytes in front of the options, with the magic cookie */
	DHCP_MESSAGE_MIN = 300,     /* shorter ones are padded: BOOTP's size, which old relays ask for */
	DHCP_MESSAGE_ACCEPTED = 548 /* what every client accepts: RFC 2131, 2 */
};
enum { DHCP_FLAG_BROADCAST = 0x8000 };

struct dhcp_message {
	uint8_t op, type, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t client, yours, server, relay; /* ciaddr, yiaddr, siaddr, giaddr */
	uint8_t mac[6];
	struct dhcp_options options; /* all but the type and the overload */
};

/* 0; -EBADMSG: not DHCP on Ethernet, or malformed. */
int dhcp_message_parse(const uint8_t *bytes, size_t len, struct dhcp_message *message);
/* Writes at most max bytes (DHCP_MESSAGE_MIN to DHCP_MESSAGE_MAX); what does not fit behind the fixed part goes into
 * the overloaded fields. Returns the length, or 0 if it does not fit at all. */
size_t dhcp_message_build(const struct dhcp_message *message, uint8_t *bytes, size_t max);

/* Options of a fixed form. Getting: false if there is none, or one of another length. */
int dhcp_options_add8(struct dhcp_options *options, uint8_t code, uint8_t value);
int dhcp_options_add16(struct dhcp_options *options, uint8_t code, uint16_t value);
int dhcp_options_add32(struct dhcp_options *options, uint8_t code, uint32_t value);
bool dhcp_options_get16(const struct dhcp_options *options, uint8_t code, uint16_t *value);
bool dhcp_options_get32(const struct dhcp_options *options, uint8_t code, uint32_t *value);

/* DISCOVER, ...: for logs. */
const char *dhcp_type_name(uint8_t type);

#endif
