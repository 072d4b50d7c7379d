/* SPDX-License-Identifier: ISC
 *
 * What a network stack implements: our own (lib/net) and the host's sockets (lib/hostnet). The public calls in
 * stack_calls.c, tcp_calls.c and udp_calls.c only dispatch through these tables; each object of a stack begins with a
 * pointer to its own. The contracts are those of tcp.h and udp.h.
 */
#ifndef NET_STACK_OPS_H
#define NET_STACK_OPS_H

#include <skerry/stack.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

struct stack {
	const struct stack_ops *ops;
	const struct tcp_ops *tcp; /* NULL: the stack has no TCP */
	const struct udp_ops *udp;
};
struct tcp_listener {
	const struct tcp_ops *ops;
};
struct tcp {
	const struct tcp_ops *ops;
};
struct udp {
	const struct udp_ops *ops;
};

struct stack_ops {
	void (*close)(struct stack *stack);
	void (*address)(const struct stack *stack, struct ip_address *address);
	const struct dhcp_lease *(*lease)(const struct stack *stack);
	size_t (*addresses)(const struct stack *stack, struct ip_address *addresses, size_t max);
	size_t (*advertised_resolvers)(const struct stack *stack, struct ip_address *addresses, size_t max);
	int (*set_neighbour)(struct stack *stack, const struct ip_address *address, const uint8_t mac[6]);
	void (*counters)(const struct stack *stack, struct stack_counters *counters);
	void (*print)(const struct stack *stack);
};

struct tcp_ops {
	int (*listen)(struct stack *stack, uint16_t port, const struct tcp_listening *listening,
		struct tcp_listener **listener);
	int (*accept)(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline);
	void (*unlisten)(struct tcp_listener *listener);
	/* As tcp_connect_begin; it may wait for a route until the deadline. tuning: NULL is the stack's. */
	int (*connect_begin)(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
		struct tcp **flow, uint64_t deadline);
	int (*connected)(struct tcp *flow, uint64_t deadline);
	/* Fast Open; NULL: the stack has none. connect_fast connects, and tells how much of the bytes it has taken. */
	int (*fast_open)(struct tcp_listener *listener, unsigned pending);
	int (*connect_fast)(struct stack *stack, const struct ip_endpoint *peer, const void *buf, size_t len,
		size_t *taken, struct tcp **flow, uint64_t deadline);
	/* From which of our addresses a connection to this one would come; unspecified: that is not known yet. 0 or
	 * -ENETUNREACH. */
	int (*source)(struct stack *stack, const struct ip_address *destination, struct ip_address *source);
	ssize_t (*read)(struct tcp *flow, void *buf, size_t size, uint64_t deadline);
	ssize_t (*peek)(struct tcp *flow, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline);
	void (*consume)(struct tcp *flow, size_t len);
	ssize_t (*write)(struct tcp *flow, const void *buf, size_t len, uint64_t deadline);
	int (*lend)(struct tcp *flow, struct tcp_loan *loan, uint64_t deadline);
	void (*reset)(struct tcp *flow); /* the flow stays its owner's to close, and lends nothing any more */
	size_t (*undelivered)(const struct tcp *flow);
	int (*shutdown)(struct tcp *flow);
	void (*close)(struct tcp *flow);
	void (*abort)(struct tcp *flow);
	void (*peer)(const struct tcp *flow, struct ip_endpoint *peer);
	void (*local)(const struct tcp *flow, struct ip_endpoint *local);
	void (*set_nodelay)(struct tcp *flow, bool nodelay);
	int (*tune)(struct tcp *flow, const struct tcp_tuning *tuning);
	int (*tune_stack)(struct stack *stack, const struct tcp_tuning *tuning);
	int (*tune_listener)(struct tcp_listener *listener, const struct tcp_tuning *tuning);
	void (*statistics)(const struct tcp *flow, struct tcp_statistics *statistics);
};

struct udp_ops {
	int (*bind)(struct stack *stack, uint16_t port, struct udp **socket);
	ssize_t (*receive)(struct udp *socket, void *buf, size_t size, struct ip_endpoint *from, struct ip_address *to,
		uint64_t deadline);
	int (*send)(struct udp *socket, const struct ip_address *from, const struct ip_endpoint *to, const void *buf,
		size_t len, uint64_t deadline);
	int (*connect)(struct udp *socket, const struct ip_endpoint *peer, uint64_t deadline);
	void (*set_queue)(struct udp *socket, size_t bytes);
	void (*set_header)(struct udp *socket, uint8_t dscp, uint8_t ttl);
	uint16_t (*port)(const struct udp *socket);
	void (*close)(struct udp *socket);
};

/* tcp_connect, with the stack's tuning if it is NULL, or with this, which was checked. */
int tcp_connect_with(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **flow, uint64_t deadline);

/* What Linux calls it. */
const char *tcp_congestion_name(const struct tcp_congestion *congestion);

/* The defaults of struct tcp_tuning. */
enum { TCP_KEEPALIVE_INTERVAL_S = 75, TCP_KEEPALIVE_PROBES = 9 };

#endif
