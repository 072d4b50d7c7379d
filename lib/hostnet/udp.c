/* SPDX-License-Identifier: ISC
 *
 * UDP on the host's sockets. The queue of received datagrams is the host's receive buffer.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <skerry/log.h>

#include "hostnet.h"

struct host_udp {
	struct udp base;
	struct host_socket socket;
	struct ip_endpoint peer; /* of udp_connect; port 0: none */
};

/* What the host tells, or is told, of a datagram's address here: one of the two families' structures. */
union here {
	struct cmsghdr header; /* for its alignment */
	uint8_t v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

int host_udp_bind(struct stack *stack, uint16_t port, struct udp **socket)
{
	struct host_stack *host = (struct host_stack *)stack;
	struct host_udp *made = calloc(1, sizeof *made);
	int fd, err, yes = 1, queue_bytes = UDP_QUEUE_BYTES;

	if (!made)
		return -ENOMEM;
	made->base.ops = &host_udp_ops;
	fd = err = host_socket_make(host, SOCK_DGRAM);
	if (err < 0)
		goto failed;
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof queue_bytes);
	setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
	if (host->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
	err = host_socket_bind(host, fd, &(struct ip_endpoint){ .port = port });
	if (err < 0) {
		close(fd);
		goto failed;
	}
	err = host_socket_init(&made->socket, host, fd, "UDP socket");
	if (err < 0)
		goto failed;
	*socket = &made->base;
	return 0;
failed:
	free(made);
	return err;
}

/* After the host refused: waits and returns 0 to try again, or the error. */
static int udp_retry(struct host_udp *udp, struct wait_queue *queue, uint64_t deadline)
{
	int err;

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return host_error(errno);
	err = wait_on(queue, deadline);
	return err == 0 && !udp->socket.stack ? -ECONNRESET : err;
}

static bool is_to_many(const struct ip_address *address)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (ip_is_v4(address))
		return address->bytes[12] >> 4 == 14 || memcmp(address->bytes + 12, all, sizeof all) == 0;
	return address->bytes[0] == 0xff;
}

/* Where a datagram was sent to. */
static void tell_here(struct msghdr *message, struct ip_address *to)
{
	*to = ip_unspecified;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(at), sizeof v4);
			*to = ip_from_v4((const uint8_t *)&v4.ipi_addr);
		} else if (at->cmsg_level == IPPROTO_IPV6 && at->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(at), sizeof v6);
			memcpy(to->bytes, &v6.ipi6_addr, sizeof to->bytes);
		}
	}
	if (is_to_many(to))
		*to = ip_unspecified;
}

static bool is_peer(const struct host_udp *udp, const struct ip_endpoint *from)
{
	return !udp->peer.port || (udp->peer.port == from->port && ip_equal(&udp->peer.address, &from->address));
}

ssize_t host_udp_receive(
	struct udp *base, void *buf, size_t size, struct ip_endpoint *from, struct ip_address *to, uint64_t deadline)
{
	struct host_udp *udp = (struct host_udp *)base;
	int err = host_enter(&udp->socket);

	while (err == 0) {
		struct sockaddr_storage address = { 0 };
		struct iovec data = { .iov_base = buf, .iov_len = size };
		union here here[2];
		struct msghdr message = { .msg_name = &address,
			.msg_namelen = sizeof address,
			.msg_iov = &data,
			.msg_iovlen = 1,
			.msg_control = here,
			.msg_controllen = sizeof here };
		ssize_t len = recvmsg(udp->socket.fd, &message, MSG_TRUNC);
		struct ip_endpoint sender;

		host_endpoint(&address, &sender);
		if (len < 0) {
			err = udp_retry(udp, &udp->socket.readable, deadline);
		} else if (is_peer(udp, &sender)) { /* else it waited here when the socket was connected */
			if (from)
				*from = sender;
			if (to)
				tell_here(&message, to);
			return len;
		}
	}
	return err;
}

/* Says from where a datagram goes. */
static void choose_here(struct msghdr *message, union here *here, const struct ip_address *from, int family)
{
	struct in6_pktinfo v6 = { 0 };
	struct in_pktinfo v4 = { 0 };
	struct cmsghdr *header = &here->header;

	message->msg_control = here;
	if (family == AF_INET) {
		memcpy(&v4.ipi_spec_dst, from->bytes + 12, sizeof v4.ipi_spec_dst);
		message->msg_controllen = sizeof here->v4;
		*header = (struct cmsghdr){ CMSG_LEN(sizeof v4), IPPROTO_IP, IP_PKTINFO };
		memcpy(CMSG_DATA(header), &v4, sizeof v4);
	} else {
		memcpy(&v6.ipi6_addr, from->bytes, sizeof v6.ipi6_addr);
		message->msg_controllen = sizeof here->v6;
		*header = (struct cmsghdr){ CMSG_LEN(sizeof v6), IPPROTO_IPV6, IPV6_PKTINFO };
		memcpy(CMSG_DATA(header), &v6, sizeof v6);
	}
}

/* Why the host did not send from this address: it says "no route" too when it has not got it. */
static bool is_strange(const struct host_stack *stack, const struct ip_address *from)
{
	const struct ip_endpoint any_port = { .address = *from };
	int reason = errno, fd = host_socket_make(stack, SOCK_DGRAM);
	struct sockaddr_storage address;
	bool strange;

	strange = fd >= 0 && bind(fd, (struct sockaddr *)&address, host_address(stack, &any_port, &address)) < 0;
	if (fd >= 0)
		close(fd);
	errno = reason;
	return strange;
}

int host_udp_send(struct udp *base, const struct ip_address *from, const struct ip_endpoint *to, const void *buf,
	size_t len, uint64_t deadline)
{
	struct host_udp *udp = (struct host_udp *)base;
	struct iovec data = { .iov_len = len };
	struct sockaddr_storage address;
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	union here here = { 0 };
	int err = host_enter(&udp->socket);

	if (err == 0 && len > UDP_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (err == 0 && !to && !udp->peer.port)
		return -EDESTADDRREQ;
	memcpy(&data.iov_base, &buf, sizeof buf); /* sendmsg() does not write there, whatever its type says */
	while (err == 0) {
		if (to) {
			message.msg_name = &address;
			message.msg_namelen = host_address(udp->socket.stack, to, &address);
		}
		if (from)
			choose_here(&message, &here, from, udp->socket.stack->family);
		if (sendmsg(udp->socket.fd, &message, MSG_NOSIGNAL) >= 0)
			return 0;
		if (from && (errno == EINVAL || errno == ENETUNREACH) && is_strange(udp->socket.stack, from))
			return -EADDRNOTAVAIL;
		err = udp_retry(udp, &udp->socket.writable, deadline);
	}
	return err;
}

/* The host forgets the port of a socket that it chose the port of: it is asked for again. */
static void disconnect(struct host_udp *udp)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	connect(udp->socket.fd, &nobody, sizeof nobody);
	(void)host_socket_bind(
		udp->socket.stack, udp->socket.fd, &(struct ip_endpoint){ .port = udp->socket.local.port });
	udp->peer.port = 0;
}

int host_udp_connect(struct udp *base, const struct ip_endpoint *peer, uint64_t deadline)
{
	struct host_udp *udp = (struct host_udp *)base;
	struct sockaddr_storage address;
	int err = host_enter(&udp->socket);

	(void)deadline;
	if (err < 0)
		return err;
	if (!peer) {
		disconnect(udp);
		return 0;
	}
	if (peer->port == 0 || ip_equal(&peer->address, &ip_unspecified))
		return -EINVAL;
	if (connect(udp->socket.fd, (struct sockaddr *)&address, host_address(udp->socket.stack, peer, &address)) < 0)
		return host_error(errno);
	udp->peer = *peer;
	return 0;
}

void host_udp_set_queue(struct udp *base, size_t bytes)
{
	struct host_udp *udp = (struct host_udp *)base;
	int value = bytes < INT_MAX ? (int)bytes : INT_MAX;

	if (udp->socket.stack)
		setsockopt(udp->socket.fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value);
}

void host_udp_set_header(struct udp *base, uint8_t dscp, uint8_t ttl)
{
	struct host_udp *udp = (struct host_udp *)base;
	int hops = ttl ? ttl : -1;

	if (!udp->socket.stack)
		return;
	host_socket_header(udp->socket.fd, dscp, ttl);
	setsockopt(udp->socket.fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops);
	setsockopt(udp->socket.fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
}

uint16_t host_udp_port(const struct udp *base)
{
	return ((const struct host_udp *)base)->socket.local.port;
}

void host_udp_close(struct udp *base)
{
	struct host_udp *udp = (struct host_udp *)base;

	must(!udp->socket.readable.first && !udp->socket.writable.first); /* nobody may be using it */
	host_socket_fini(&udp->socket);
	free(udp);
}
