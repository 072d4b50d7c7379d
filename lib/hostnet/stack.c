/* SPDX-License-Identifier: ISC
 *
 * The stack on the host's sockets: opened, closed, and what all its sockets share.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <skerry/log.h>

#include "hostnet.h"
#include "platform/unix/watch.h"

LOG_SOURCE(hostnet);

static void host_close(struct stack *stack);

static void host_stack_address(const struct stack *stack, struct ip_address *address)
{
	(void)stack;
	*address = ip_unspecified;
}

static const struct dhcp_lease *host_lease(const struct stack *stack)
{
	(void)stack;
	return NULL;
}

/* The host has its addresses and name servers for itself. */
static size_t host_no_addresses(const struct stack *stack, struct ip_address *addresses, size_t max)
{
	(void)stack;
	(void)addresses;
	(void)max;
	return 0;
}

static int host_set_neighbour(struct stack *stack, const struct ip_address *address, const uint8_t mac[6])
{
	(void)stack;
	(void)address;
	(void)mac;
	return -ENOTSUP;
}

static void host_counters(const struct stack *stack, struct stack_counters *counters)
{
	*counters = ((const struct host_stack *)stack)->counters;
}

static void host_print(const struct stack *stack)
{
	const struct host_stack *host = (const struct host_stack *)stack;
	size_t count = 0;

	for (const struct host_socket *socket = host->sockets; socket; socket = socket->next)
		count++;
	log_app("%zu sockets are the host's: ss -tuanp shows them there", count);
}

static const struct stack_ops host_ops = {
	.close = host_close,
	.address = host_stack_address,
	.lease = host_lease,
	.addresses = host_no_addresses,
	.advertised_resolvers = host_no_addresses,
	.set_neighbour = host_set_neighbour,
	.counters = host_counters,
	.print = host_print,
};

const struct tcp_ops host_tcp_ops = {
	.listen = host_tcp_listen,
	.accept = host_tcp_accept,
	.unlisten = host_tcp_unlisten,
	.connect_begin = host_tcp_connect_begin,
	.connected = host_tcp_connected,
	.source = host_tcp_source,
	.read = host_tcp_read,
	.peek = host_tcp_peek,
	.consume = host_tcp_consume,
	.write = host_tcp_write,
	.lend = host_tcp_lend,
	.reset = host_tcp_reset,
	.undelivered = host_tcp_undelivered,
	.shutdown = host_tcp_shutdown,
	.close = host_tcp_close,
	.abort = host_tcp_abort,
	.peer = host_tcp_peer,
	.local = host_tcp_local,
	.set_nodelay = host_tcp_set_nodelay,
	.tune = host_tcp_tune,
	.tune_stack = host_tcp_tune_stack,
	.tune_listener = host_tcp_tune_listener,
	.statistics = host_tcp_statistics,
};

const struct udp_ops host_udp_ops = {
	.bind = host_udp_bind,
	.receive = host_udp_receive,
	.send = host_udp_send,
	.connect = host_udp_connect,
	.set_queue = host_udp_set_queue,
	.set_header = host_udp_set_header,
	.port = host_udp_port,
	.close = host_udp_close,
};

int stack_open_host(struct stack **stack)
{
	struct host_stack *host = calloc(1, sizeof *host);
	int probe;

	if (!host)
		return -ENOMEM;
	host->base = (struct stack){ &host_ops, &host_tcp_ops, &host_udp_ops };
	probe = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	host->family = probe < 0 ? AF_INET : AF_INET6;
	if (probe >= 0)
		close(probe);
	*stack = &host->base;
	return 0;
}

/* Handles outlive the stack, as their owners still hold them: every call on them fails from now on. */
static void host_close(struct stack *stack)
{
	struct host_stack *host = (struct host_stack *)stack;

	wake_all(&host->descriptors);
	while (host->sockets) {
		struct host_socket *socket = host->sockets;

		log_error("%s on port %u is still open when its stack is closed", socket->kind, socket->local.port);
		host_reset_on_close(socket->fd);
		host_socket_fini(socket);
		wake_all(&socket->readable);
		wake_all(&socket->writable);
	}
	free(host);
}

/* An event, of whatever kind: who waits tries again. */
static void ready(struct platform_source *source)
{
	struct host_socket *socket = (struct host_socket *)source;

	wake_all(&socket->readable);
	wake_all(&socket->writable);
}

static void learn_local(struct host_socket *socket)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof address;

	getsockname(socket->fd, (struct sockaddr *)&address, &len);
	host_endpoint(&address, &socket->local);
}

int host_socket_init(struct host_socket *socket, struct host_stack *stack, int fd, const char *kind)
{
	int err;

	*socket = (struct host_socket){ .source = { ready }, .stack = stack, .fd = fd, .kind = kind };
	err = watch_add_edges(fd, &socket->source);
	if (err < 0) {
		close(fd);
		return -ENOMEM;
	}
	learn_local(socket);
	socket->next = stack->sockets;
	if (socket->next)
		socket->next->previous = socket;
	stack->sockets = socket;
	return 0;
}

void host_socket_fini(struct host_socket *socket)
{
	struct host_stack *stack = socket->stack;

	if (!stack)
		return;
	if (socket->previous)
		socket->previous->next = socket->next;
	else
		stack->sockets = socket->next;
	if (socket->next)
		socket->next->previous = socket->previous;
	watch_remove(socket->fd, &socket->source);
	close(socket->fd);
	socket->fd = -1;
	socket->stack = NULL;
	wake_one(&stack->descriptors);
}

int host_socket_make(const struct host_stack *stack, int type)
{
	int fd = socket(stack->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int no = 0;

	if (fd < 0)
		return -ENOMEM;
	if (stack->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	return fd;
}

int host_socket_bind(const struct host_stack *stack, int fd, const struct ip_endpoint *local)
{
	struct sockaddr_storage address;
	socklen_t len = host_address(stack, local, &address);

	return bind(fd, (struct sockaddr *)&address, len) < 0 ? -errno : 0;
}

/* A socket of one family refuses the other's options, and one of IPv6 has IPv4's beside its own. */
void host_socket_header(int fd, uint8_t dscp, uint8_t ttl)
{
	int traffic_class = dscp << 2, hops = ttl ? ttl : -1;

	setsockopt(fd, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class);
	setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
	setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
	setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
}

int host_enter(const struct host_socket *socket)
{
	int err = task_yield();

	if (err < 0)
		return err;
	return socket->stack ? 0 : -ECONNRESET;
}

void host_reset_on_close(int fd)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}
