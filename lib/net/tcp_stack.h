/* SPDX-License-Identifier: ISC
 *
 * All TCP connections of one stack: what binds the pure machine of tcp_core.h to addresses, tasks, timers and the IP
 * layer.
 *
 * A flow is one connection. It is in the table, found by its addresses and ports, until its machine is CLOSED; it lives
 * until then and until the user has closed his handle. Where it waits (half open or ready at its listener; TIME-WAIT)
 * is a list, so that each count is known, has a limit, and the oldest is at hand when the limit is reached.
 *
 * After input a flow is marked, and tcp_flush() lets each marked flow send: a batch of frames is acknowledged once.
 * What the user does is sent at once. A flow whose link has no room stays marked.
 */
#ifndef NET_TCP_STACK_H
#define NET_TCP_STACK_H

#include <skerry/hash.h>

#include "own_stack.h"
#include "tcp_core.h"

enum {
	TCP_SYN_BACKLOG = 256,    /* half-open connections of a listener; more are remembered by cookies */
	TCP_TIME_WAIT_MAX = 2048, /* one more ends the oldest, so that any rate of short connections is served */
	TCP_TIME_WAIT_PART = 4,   /* nor do they take more than this part of what rings may have */
	TCP_FLOWS_MAX = 65536,    /* all, in any state */
	TCP_BUCKETS_MIN = 64,
	TCP_BUCKETS_MAX = 65536,
	TCP_PORT_MIN = 1024, /* local ports of our own choice: as many as RFC 6056, 3.2 allows */
	TCP_PORT_MAX = 65535,
};
#define TCP_CLOSE_LINGER_NS SECOND(3) /* how long closing the stack waits for the peers to take the last bytes */

struct tcp_flow;
struct tcp_list {
	struct tcp_node *first, *last;
	size_t count;
};
struct tcp_node {
	struct tcp_node *previous, *next;
	struct tcp_list *list; /* NULL: in none */
	struct tcp_flow *flow;
};

struct tcp_stack {
	struct own_stack *own;
	struct tcp_tuning tuning; /* of what begins */
	struct hash_key key;      /* of the table, and of what else nobody may predict: RFC 6528, 6056, 7323 */
	struct tcp_flow **buckets;
	size_t bucket_count, entries;
	uint32_t next_port;
	struct tcp_list all, closed; /* in the table; CLOSED, but the user still has a handle */
	struct tcp_list dirty, time_wait;
	struct tcp_list orphans; /* the user has closed them: what is left is to be delivered */
	size_t time_wait_max, flows_max;
	struct own_listener *listeners;
	struct wait_queue drained; /* who closes the stack waits here */
	struct tcp_fast *fast;     /* NULL: Fast Open was never asked for */
};

struct own_listener {
	struct tcp_listener base;
	struct tcp_stack *tcp; /* NULL: the stack was closed */
	uint16_t port;
	struct ip_address address; /* unspecified: all of ours */
	struct tcp_list half_open, ready;
	uint32_t backlog; /* the most that may be ready */
	bool refuse;      /* one more is reset */
	struct wait_queue acceptors;
	struct tcp_tuning tuning;
	uint64_t cookies_until; /* until when an ACK may bring one */
	unsigned fast_pending;  /* how many connections of Fast Open may be pending; 0: none */
	struct own_listener *next;
};

struct tcp_flow {
	struct tcp base;
	struct tcp_stack *tcp; /* NULL: the stack was closed */
	struct tcp_sink sink;
	struct ip_endpoint local, peer;
	struct timer timer;
	struct tcp_flow *chain; /* the table's */
	struct tcp_node all, dirty;
	struct tcp_node place;         /* half open, ready, orphans, or TIME-WAIT */
	struct own_listener *listener; /* until it is accepted */
	struct wait_queue readers, writers;
	bool held;         /* the user has a handle */
	bool fast_pending; /* it counts among those */
	struct tcp_connection core;
};

static inline uint64_t tcp_now(const struct tcp_stack *tcp)
{
	return stack_now(tcp->own);
}

/* What a flow costs: with its part of the table, which has twice as many places when it has just grown. */
enum { TCP_FLOW_BYTES = sizeof(struct tcp_flow) + 2 * sizeof(struct tcp_flow *) };

/* tcp_table.c */
void tcp_list_append(struct tcp_list *list, struct tcp_node *node, struct tcp_flow *flow);
void tcp_list_remove(struct tcp_node *node); /* NULL list: does nothing */
int tcp_table_init(struct tcp_stack *tcp);
void tcp_table_add(struct tcp_stack *tcp, struct tcp_flow *flow);
void tcp_table_remove(struct tcp_stack *tcp, struct tcp_flow *flow); /* not in the table: does nothing */
struct tcp_flow *tcp_table_find(
	const struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer);
/* A number nobody outside can compute, fixed for these endpoints, this purpose and extra. */
enum tcp_purpose {
	TCP_FOR_TABLE,
	TCP_FOR_SEQUENCE,
	TCP_FOR_TIMESTAMP,
	TCP_FOR_PORT,
	TCP_FOR_COOKIE,
	TCP_FOR_FAST_OPEN
};
uint64_t tcp_number(const struct tcp_stack *tcp, enum tcp_purpose purpose, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, uint64_t extra);

/* tcp_flow.c */
/* A machine's configuration, without sink. */
void tcp_flow_config(struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	uint16_t mtu, struct tcp_config *config);
/* There is to be a new flow, for somebody who deserves it. If there is no place, the oldest in TIME-WAIT goes; or that
 * is half open at the listener, if one is given; or that its user has closed already. */
void tcp_flow_make_room(struct tcp_stack *tcp, const struct own_listener *listener);
/* Makes a flow that is in the table, and its machine's configuration. NULL: -ENOMEM. */
struct tcp_flow *tcp_flow_new(struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer,
	uint16_t mtu, struct tcp_config *config);
/* After anything happened to the machine: wakes, moves between lists, takes out what is CLOSED. May free the flow
 * unless it is held. */
void tcp_flow_settle(struct tcp_flow *flow);
/* Sends what is due, settles, and arms the timer. May free the flow unless it is held. */
void tcp_flow_push(struct tcp_flow *flow);
/* Ends it without a word. */
void tcp_flow_forget(struct tcp_flow *flow);
/* Ends it with a reset and lets go of it. */
void tcp_flow_kill(struct tcp_flow *flow);
void tcp_flow_mark(struct tcp_flow *flow);
void tcp_flow_free(struct tcp_flow *flow);

/* tcp_socket.c */
extern const struct tcp_ops tcp_calls;

/* tcp_any.c */
int own_tcp_source(struct stack *stack, const struct ip_address *destination, struct ip_address *source);

/* tcp_deliver.c */
int own_tcp_lend(struct tcp *flow, struct tcp_loan *loan, uint64_t deadline);
void own_tcp_reset(struct tcp *flow);

/* tcp_peek.c */
ssize_t own_tcp_peek(struct tcp *flow, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline);
void own_tcp_consume(struct tcp *flow, size_t len);

/* tcp_connect.c */
/* A flow, held, and the configuration of its machine, which is still to be made. */
int tcp_connect_prepare(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp_flow **flow, struct tcp_config *config, uint64_t deadline);
/* As tcp_connect_begin; waits for a route until the deadline. tuning: NULL is the stack's. */
int own_tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **flow, uint64_t deadline);
int own_tcp_connected(struct tcp *flow, uint64_t deadline);

/* tcp_fast.c: only programs that ask for Fast Open have it. */
enum { TCP_FAST_PEERS = 64, TCP_FAST_COOKIE = 8 }; /* remembered; the bytes of ours */
#define TCP_FAST_KEY_NS   SECOND(3600)             /* a cookie is good in the hour in which it was made, and the next */
#define TCP_FAST_RESET_NS SECOND(60)               /* for how long a pending connection that was reset counts on */
struct tcp_fast_peer {
	struct ip_address address;
	struct tcp_fast_cookie cookie; /* not present: a free place */
	uint16_t mss;
};
struct tcp_fast {
	unsigned pending, reset; /* reset ones are counted in pending until then */
	uint64_t reset_until;
	struct tcp_fast_peer peers[TCP_FAST_PEERS];
	size_t next; /* the oldest of them */
};
/* A SYN has made this flow: grants a cookie, or takes the SYN's text. */
__attribute__((weak)) void tcp_fast_begin(
	const struct own_listener *listener, struct tcp_flow *flow, const struct tcp_segment *syn);
/* The flow is pending no more: established, or CLOSED. */
__attribute__((weak)) void tcp_fast_end(struct tcp_flow *flow);
int own_tcp_fast_open(struct tcp_listener *listener, unsigned pending);
int own_tcp_connect_fast(struct stack *stack, const struct ip_endpoint *peer, const void *buf, size_t len,
	size_t *taken, struct tcp **flow, uint64_t deadline);
/* cookie NULL: none any more. */
void tcp_fast_remember(
	struct tcp_fast *fast, const struct ip_address *peer, const struct tcp_fast_cookie *cookie, uint16_t mss);

/* tcp_tune.c */
int own_tcp_tune(struct tcp *flow, const struct tcp_tuning *tuning);
int own_tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning);
int own_tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning);
/* With the defaults in place of what is 0 or NULL. */
void tcp_tuning_fill(struct tcp_tuning *filled, const struct tcp_tuning *tuning);
void own_tcp_statistics(const struct tcp *flow, struct tcp_statistics *statistics);

/* tcp_cookie.c */
/* Answers a SYN without keeping anything. */
void tcp_cookie_answer(struct own_listener *listener, const struct tcp_config *config, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *syn);
/* Whether an ACK brings a cookie of ours, and the SYN that it was made from. */
bool tcp_cookie_check(const struct own_listener *listener, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *ack, struct tcp_segment *syn);

/* tcp_stack.c */
/* Who accepts what comes to this address and port: of two, the one of this address alone. */
struct own_listener *tcp_find_listener(const struct tcp_stack *tcp, const struct ip_endpoint *local);
static inline uint16_t tcp_ip_headers(const struct ip_endpoint *peer)
{
	return ip_is_v4(&peer->address) ? TCP_IP_HEADERS : TCP_IP_HEADERS_6;
}
/* tuning: what it says about IP's header. */
int tcp_transmit(struct tcp_stack *tcp, const struct tcp_tuning *tuning, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *segment);
/* The same of what nobody sends again: without room it is dropped. */
void tcp_transmit_or_drop(struct tcp_stack *tcp, const struct tcp_tuning *tuning, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, const struct tcp_segment *segment);
/* A free local port for a connection to peer (RFC 6056, 3.3.3), 0 if there is none; tries each at most once. */
uint16_t tcp_choose_port(struct tcp_stack *tcp, const struct ip_address *local, const struct ip_endpoint *peer);

#endif
