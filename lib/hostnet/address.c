/* SPDX-License-Identifier: ISC
 *
 * Addresses and errors, between the host's words and ours.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "hostnet.h"

/* Our form of an IPv4 address, ::ffff:a.b.c.d, is the one in which an IPv6 socket takes it. */
socklen_t host_address(const struct host_stack *stack, const struct ip_endpoint *endpoint, struct sockaddr_storage *to)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(endpoint->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(endpoint->port) };

	memset(to, 0, sizeof *to);
	/* An address of the family that the host lacks is handed over as it is: the host refuses it. */
	if (stack->family == AF_INET &&
		(ip_is_v4(&endpoint->address) || ip_equal(&endpoint->address, &ip_unspecified))) {
		memcpy(&v4.sin_addr, endpoint->address.bytes + 12, 4);
		memcpy(to, &v4, sizeof v4);
		return sizeof v4;
	}
	memcpy(&v6.sin6_addr, endpoint->address.bytes, 16);
	memcpy(to, &v6, sizeof v6);
	return sizeof v6;
}

void host_endpoint(const struct sockaddr_storage *from, struct ip_endpoint *endpoint)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memset(endpoint, 0, sizeof *endpoint);
	if (from->ss_family == AF_INET6) {
		memcpy(&v6, from, sizeof v6);
		memcpy(endpoint->address.bytes, &v6.sin6_addr, 16);
		endpoint->port = ntohs(v6.sin6_port);
	} else if (from->ss_family == AF_INET) {
		memcpy(&v4, from, sizeof v4);
		endpoint->address = ip_from_v4((const uint8_t *)&v4.sin_addr);
		endpoint->port = ntohs(v4.sin_port);
	}
}

int host_error(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return -ETIME; /* the host gave up on the peer; -ETIMEDOUT is the caller's deadline */
	case ENETDOWN:
	case EAFNOSUPPORT:
		return -ENETUNREACH;
	case EHOSTDOWN:
	case EACCES:
	case EPERM:
		return -EHOSTUNREACH; /* a packet filter's refusal too */
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
		return -ENOMEM;
	case EPIPE:
	case ECONNABORTED:
		return -ECONNRESET;
	default:
		return -error;
	}
}
