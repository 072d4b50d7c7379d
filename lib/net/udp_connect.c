/* SPDX-License-Identifier: ISC
 *
 * What most UDP sockets do without: a peer of their own and a queue of another size; and what
 * stands in the headers of their packets.
 */
#include <errno.h>
#include <stdlib.h>

#include "udp_stack.h"

static void drop_others(struct own_udp *socket)
{
	struct datagram *left = socket->first, *datagram;

	socket->first = NULL;
	socket->queued_bytes = 0;
	while ((datagram = left)) {
		left = datagram->next;
		if (udp_is_peer(socket, &datagram->from)) {
			udp_queue(socket, datagram);
		} else {
			stack_drop(socket->owner->stack, DROP_UDP_NO_PORT);
			udp_drop(socket, datagram);
		}
	}
}

int own_udp_connect(struct udp *base, const struct ip_endpoint *peer, uint64_t deadline)
{
	struct own_udp *socket = (struct own_udp *)base;
	struct ip_address source;
	uint16_t mtu;
	int err;

	if (!peer) {
		socket->peer.port = 0;
		return 0;
	}
	if (peer->port == 0 || ip_equal(&peer->address, &ip_unspecified))
		return -EINVAL;
	if (!socket->owner)
		return -ECONNRESET;
	err = ip_wait_for_route(socket->owner->stack, &peer->address, deadline, &source, &mtu);
	if (err == 0 && ip_equal(&source, &ip_unspecified))
		err = -ENETUNREACH;
	if (err < 0)
		return err;
	socket->peer = *peer;
	socket->local = source;
	socket->error = 0;
	drop_others(socket);
	return 0;
}

void own_udp_set_queue(struct udp *base, size_t bytes)
{
	((struct own_udp *)base)->queue_limit = bytes;
}

void own_udp_set_header(struct udp *base, uint8_t dscp, uint8_t ttl)
{
	struct own_udp *socket = (struct own_udp *)base;

	socket->dscp = dscp;
	socket->ttl = ttl;
}

int udp_connect(struct udp *socket, const struct ip_endpoint *peer, uint64_t deadline)
{
	return socket->ops->connect(socket, peer, deadline);
}

void udp_set_queue(struct udp *socket, size_t bytes)
{
	socket->ops->set_queue(socket, bytes);
}

ssize_t udp_receive_to(
	struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, struct ip_address *to, uint64_t deadline)
{
	return socket->ops->receive(socket, buf, size, from, to, deadline);
}

int udp_send_from(struct udp *socket, const struct ip_address *from, const struct ip_endpoint *to, const void *buf,
	size_t len, uint64_t deadline)
{
	return socket->ops->send(socket, ip_equal(from, &ip_unspecified) ? NULL : from, to, buf, len, deadline);
}

int udp_set_header(struct udp *socket, uint8_t dscp, uint8_t ttl)
{
	if (dscp > IP_DSCP_MAX)
		return -EINVAL;
	socket->ops->set_header(socket, dscp, ttl);
	return 0;
}
