/* SPDX-License-Identifier: ISC
 *
 * Our own stack as one object: the device, its addresses, the layers' state.
 */
#ifndef NET_OWN_STACK_H
#define NET_OWN_STACK_H

#include <skerry/task.h>

#include "ip.h"

struct arp;

struct own_stack {
	struct stack base;
	struct net *net;
	struct ip_address address;
	uint8_t prefix_len; /* of the IPv4 address: 0 to 32 */
	struct ip_address gateway;
	bool has_gateway;
	struct arp *arp;
	struct tcp_stack *tcp;
	struct udp_stack *udp;
	struct stack_counters counters;
	uint16_t next_ip_id;
	uint8_t *frame; /* the receive buffer, NET_FRAME_MAX bytes */
};

/* The socket operations of our own stack: tcp_socket.c and udp.c. */
int own_tcp_listen(struct stack *stack, uint16_t port, struct tcp_listener **listener);
int own_tcp_accept(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline);
void own_tcp_unlisten(struct tcp_listener *listener);
int own_tcp_connect(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow, uint64_t deadline);
ssize_t own_tcp_read(struct tcp *flow, void *buf, size_t size, uint64_t deadline);
ssize_t own_tcp_write(struct tcp *flow, const void *buf, size_t len, uint64_t deadline);
int own_tcp_shutdown(struct tcp *flow);
void own_tcp_close(struct tcp *flow);
void own_tcp_abort(struct tcp *flow);
void own_tcp_peer(const struct tcp *flow, struct ip_endpoint *peer);
void own_tcp_local(const struct tcp *flow, struct ip_endpoint *local);
void own_tcp_set_nodelay(struct tcp *flow, bool nodelay);
int own_udp_bind(struct stack *stack, uint16_t port, struct udp **socket);
ssize_t own_udp_receive(struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, uint64_t deadline);
int own_udp_send(struct udp *socket, const struct ip_endpoint *to, const void *buf, size_t len, uint64_t deadline);
uint16_t own_udp_port(const struct udp *socket);
void own_udp_close(struct udp *socket);

#endif
