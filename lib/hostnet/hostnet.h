/* SPDX-License-Identifier: ISC
 *
 * Inside the stack on the host's sockets.
 *
 * Each socket is non-blocking and watched edge-triggered, once, for both directions: a call tries first and waits only
 * after the host has said EAGAIN, and an event merely makes it try again. So there is one epoll_ctl in a socket's
 * life, no interest to keep up to date, and a spurious wake-up does no harm. Every call lets other ready tasks run
 * before it asks the host, or a task with a fast peer would never be left.
 *
 * A call costs one system call when it need not wait; bytes are copied once, by the host.
 */
#ifndef HOSTNET_H
#define HOSTNET_H

#include <sys/socket.h>

#include <platform.h>
#include <skerry/task.h>

#include "lib/net/stack_ops.h"

struct host_socket;

struct host_stack {
	struct stack base;
	struct host_socket *sockets;   /* all that are open */
	struct wait_queue descriptors; /* who waits until the host can give another descriptor */
	struct stack_counters counters;
	int family; /* AF_INET6, which reaches IPv4 too, or AF_INET on a host without */
};

/* What listeners, flows and UDP sockets have in common. */
struct host_socket {
	struct platform_source source;
	struct host_stack *stack; /* NULL once the stack is closed */
	struct host_socket *next, *previous;
	int fd;
	struct wait_queue readable, writable;
	struct ip_endpoint local;
	const char *kind; /* for the report of what is left open */
};

struct host_flow {
	struct tcp base;
	struct host_socket socket;
	struct ip_endpoint peer;
	int error;      /* what ended the connection: a negative errno, 0 while it lives */
	bool shut;      /* tcp_shutdown was called */
	uint8_t *ahead; /* TCP_PEEK_MAX bytes, of which some were read ahead of the user; NULL: none */
	size_t ahead_start, ahead_len;
};

/* Takes over fd, or closes it on failure; the host's end of connecting must have begun. 0 or -ENOMEM. */
int host_socket_init(struct host_socket *socket, struct host_stack *stack, int fd, const char *kind);
void host_socket_fini(struct host_socket *socket);
/* A descriptor of our own making: a non-blocking socket of this type, or -ENOMEM. */
int host_socket_make(const struct host_stack *stack, int type);
int host_socket_bind(const struct host_stack *stack, int fd, const struct ip_endpoint *local);
/* What IP says in front of what is sent; ttl 0: as the host does. */
void host_socket_header(int fd, uint8_t dscp, uint8_t ttl);
/* Every call begins with this: a turn for others. 0; -ECANCELED; -ECONNRESET when the stack is closed. */
int host_enter(const struct host_socket *socket);
/* Tells close() to reset the connection rather than to end it. */
void host_reset_on_close(int fd);

/* The host's words for an address and an error. */
socklen_t host_address(const struct host_stack *stack, const struct ip_endpoint *endpoint, struct sockaddr_storage *to);
void host_endpoint(const struct sockaddr_storage *from, struct ip_endpoint *endpoint);
int host_error(int error);

/* Every call on a flow begins with this: a turn for others, and what ended the flow. */
int host_flow_enter(struct host_flow *flow);
/* After the host refused to transfer: waits and returns 0 to try again, or the error. */
int host_flow_retry(struct host_flow *flow, struct wait_queue *queue, uint64_t deadline);
/* Takes up to size of the bytes that were read ahead: how many. */
size_t host_flow_take(struct host_flow *flow, void *buf, size_t size);

int host_tcp_listen(
	struct stack *stack, uint16_t port, const struct tcp_listening *listening, struct tcp_listener **listener);
int host_tcp_accept(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline);
void host_tcp_unlisten(struct tcp_listener *listener);
int host_tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **flow, uint64_t deadline);
int host_tcp_connected(struct tcp *flow, uint64_t deadline);
int host_tcp_source(struct stack *stack, const struct ip_address *destination, struct ip_address *source);
ssize_t host_tcp_read(struct tcp *flow, void *buf, size_t size, uint64_t deadline);
ssize_t host_tcp_peek(struct tcp *flow, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline);
void host_tcp_consume(struct tcp *flow, size_t len);
ssize_t host_tcp_write(struct tcp *flow, const void *buf, size_t len, uint64_t deadline);
int host_tcp_lend(struct tcp *flow, struct tcp_loan *loan, uint64_t deadline);
void host_tcp_reset(struct tcp *flow);
size_t host_tcp_undelivered(const struct tcp *flow);
int host_tcp_shutdown(struct tcp *flow);
void host_tcp_close(struct tcp *flow);
void host_tcp_abort(struct tcp *flow);
void host_tcp_peer(const struct tcp *flow, struct ip_endpoint *peer);
void host_tcp_local(const struct tcp *flow, struct ip_endpoint *local);
void host_tcp_set_nodelay(struct tcp *flow, bool nodelay);
int host_tcp_tune(struct tcp *flow, const struct tcp_tuning *tuning);
int host_tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning);
int host_tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning);
void host_tcp_statistics(const struct tcp *flow, struct tcp_statistics *statistics);
int host_udp_bind(struct stack *stack, uint16_t port, struct udp **socket);
ssize_t host_udp_receive(
	struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, struct ip_address *to, uint64_t deadline);
int host_udp_send(struct udp *socket, const struct ip_address *from, const struct ip_endpoint *to, const void *buf,
	size_t len, uint64_t deadline);
int host_udp_connect(struct udp *socket, const struct ip_endpoint *peer, uint64_t deadline);
void host_udp_set_queue(struct udp *socket, size_t bytes);
void host_udp_set_header(struct udp *socket, uint8_t dscp, uint8_t ttl);
uint16_t host_udp_port(const struct udp *socket);
void host_udp_close(struct udp *socket);

extern const struct tcp_ops host_tcp_ops;
extern const struct udp_ops host_udp_ops;

#endif
