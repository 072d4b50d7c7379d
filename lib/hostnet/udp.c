/* SPDX-License-Identifier: ISC
 *
 * UDP on the host's sockets. The queue of received datagrams is the host's receive buffer.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <skerry/log.h>

#include "hostnet.h"

struct host_udp {
	struct udp base;
	struct host_socket socket;
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
	err = host_socket_bind(host, fd, port);
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

ssize_t host_udp_receive(struct udp *base, void *buf, size_t size, struct ip_endpoint *from, uint64_t deadline)
{
	struct host_udp *udp = (struct host_udp *)base;
	int err = host_enter(&udp->socket);

	while (err == 0) {
		struct sockaddr_storage address = { 0 };
		socklen_t address_len = sizeof address;
		ssize_t len = recvfrom(udp->socket.fd, buf, size, MSG_TRUNC, (struct sockaddr *)&address, &address_len);

		if (len >= 0) {
			if (from)
				host_endpoint(&address, from);
			return len;
		}
		err = udp_retry(udp, &udp->socket.readable, deadline);
	}
	return err;
}

int host_udp_send(struct udp *base, const struct ip_endpoint *to, const void *buf, size_t len, uint64_t deadline)
{
	struct host_udp *udp = (struct host_udp *)base;
	struct sockaddr_storage address;
	int err = host_enter(&udp->socket);

	if (err == 0 && len > UDP_PAYLOAD_MAX)
		return -EMSGSIZE;
	while (err == 0) {
		socklen_t address_len = host_address(udp->socket.stack, to, &address);

		if (sendto(udp->socket.fd, buf, len, MSG_NOSIGNAL, (struct sockaddr *)&address, address_len) >= 0)
			return 0;
		err = udp_retry(udp, &udp->socket.writable, deadline);
	}
	return err;
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
