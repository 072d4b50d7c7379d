/* SPDX-License-Identifier: ISC
 *
 * What a network stack implements: our own (lib/net) and the host's sockets (lib/hostnet). The public calls in
 * sockets.c only dispatch through this table; each object of a stack begins with a pointer to it. The contracts are
 * those of tcp.h and udp.h.
 */
#ifndef NET_STACK_OPS_H
#define NET_STACK_OPS_H

#include <skerry/stack.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

struct stack {
	const struct stack_ops *ops;
};
struct tcp_listener {
	const struct stack_ops *ops;
};
struct tcp {
	const struct stack_ops *ops;
};
struct udp {
	const struct stack_ops *ops;
};

struct stack_ops {
	void (*close)(struct stack *stack);
	void (*address)(const struct stack *stack, struct ip_address *address);
	const struct dhcp_lease *(*lease)(const struct stack *stack);
	size_t (*addresses)(const struct stack *stack, struct ip_address *addresses, size_t max);
	size_t (*advertised_resolvers)(const struct stack *stack, struct ip_address *addresses, size_t max);
	int (*set_neighbour)(struct stack *stack, const struct ip_address *address, const uint8_t mac[6]);
	void (*counters)(const struct stack *stack, struct stack_counters *counters);

	int (*tcp_listen)(struct stack *stack, uint16_t port, struct tcp_listener **listener);
	int (*tcp_accept)(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline);
	void (*tcp_unlisten)(struct tcp_listener *listener);
	int (*tcp_connect)(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow, uint64_t deadline);
	ssize_t (*tcp_read)(struct tcp *flow, void *buf, size_t size, uint64_t deadline);
	ssize_t (*tcp_write)(struct tcp *flow, const void *buf, size_t len, uint64_t deadline);
	size_t (*tcp_undelivered)(const struct tcp *flow);
	int (*tcp_shutdown)(struct tcp *flow);
	void (*tcp_close)(struct tcp *flow);
	void (*tcp_abort)(struct tcp *flow);
	void (*tcp_peer)(const struct tcp *flow, struct ip_endpoint *peer);
	void (*tcp_local)(const struct tcp *flow, struct ip_endpoint *local);
	void (*tcp_set_nodelay)(struct tcp *flow, bool nodelay);

	int (*udp_bind)(struct stack *stack, uint16_t port, struct udp **socket);
	ssize_t (*udp_receive)(struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, uint64_t deadline);
	int (*udp_send)(
		struct udp *socket, const struct ip_endpoint *to, const void *buf, size_t len, uint64_t deadline);
	uint16_t (*udp_port)(const struct udp *socket);
	void (*udp_close)(struct udp *socket);
};

#endif
