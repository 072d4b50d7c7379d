/* SPDX-License-Identifier: ISC
 *
 * Internet addresses and endpoints. One type for both families: an IPv4 address a.b.c.d is held as the IPv6 address
 * ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so comparing and hashing never ask for the family.
 */
#ifndef SKERRY_ADDRESS_H
#define SKERRY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip_address {
	uint8_t bytes[16]; /* network order */
};

struct ip_endpoint {
	struct ip_address address;
	uint16_t port; /* host order */
};

extern const struct ip_address ip_unspecified; /* "any": IPv4's 0.0.0.0 and IPv6's :: are both held as all zero */

struct ip_address ip_from_v4(const uint8_t v4[4]);
bool ip_is_v4(const struct ip_address *address);
bool ip_equal(const struct ip_address *a, const struct ip_address *b);

/* Reads dotted decimal (four parts, no octal) or IPv6 text (RFC 4291, 2.2). 0 or -EINVAL. */
int ip_parse(const char *text, struct ip_address *address);

/* Writes the address (IPv6 as RFC 5952 says), or address and port ("10.0.0.1:80", "[fe80::1]:80"). Returns text. */
enum { IP_TEXT_MAX = 46, IP_ENDPOINT_TEXT_MAX = 54 };
char *ip_format(const struct ip_address *address, char text[IP_TEXT_MAX]);
char *ip_endpoint_format(const struct ip_endpoint *endpoint, char text[IP_ENDPOINT_TEXT_MAX]);

#endif
