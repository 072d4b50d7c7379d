/* SPDX-License-Identifier: ISC
 *
 * TCP: reliable byte streams (RFC 9293), in the shape of the socket calls.
 *
 * Errors of all calls beside those named: -ETIMEDOUT (the deadline passed), -EAGAIN (the deadline is AT_ONCE, and the
 * call would have to wait), -ECANCELED (the task is cancelled),
 * -ECONNRESET (the peer reset, or the stack was closed), -ETIME (the peer stopped answering: retransmission gave
 * up), -ENETUNREACH and -EHOSTUNREACH (no route; the neighbour does not answer, or an ICMP says so). The end of the
 * peer's stream is none of these: tcp_read returns 0.
 */
#ifndef SKERRY_TCP_H
#define SKERRY_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skerry/address.h>
#include <skerry/clock.h>
#include <skerry/stack.h>

struct tcp;
struct tcp_listener;

/* Accepts connections to this port (1 to 65535) from now on. -EADDRINUSE, -ENOMEM, -EINVAL (port 0); -EACCES (the host
 * keeps the port for itself). Connections that nobody has accepted yet wait in a queue of TCP_BACKLOG; a full queue
 * ignores new ones, whose peers try again. */
int tcp_listen(struct stack *stack, uint16_t port, struct tcp_listener **listener);
/* The same with a queue of this length, at most TCP_BACKLOG_MAX (-EINVAL); 0: TCP_BACKLOG. With refuse, what comes to a
 * full queue is reset, so that its peer knows and can go elsewhere. What a full queue turned away is counted:
 * stack_counters. On the host's sockets the host's own limit and policy go first, and it counts. */
struct tcp_listening {
	uint32_t backlog;
	bool refuse;
	/* Only what is sent to this address of ours is accepted (-EADDRNOTAVAIL if it is none), and goes before a
	 * listener to all of them on the same port; unspecified: to all. */
	struct ip_address address;
};
int tcp_listen_with(
	struct stack *stack, uint16_t port, const struct tcp_listening *listening, struct tcp_listener **listener);
enum { TCP_BACKLOG = 1024, TCP_BACKLOG_MAX = 65535 };

/* Takes the next established connection. Blocks. Concurrent callers get different flows; one that is cancelled or
 * times out loses none. */
int tcp_accept(struct tcp_listener *listener, struct tcp **flow, uint64_t deadline);

/* Stops listening and resets what was not accepted. Does not block. NULL is ignored. The _resource forms here are for
 * task_defer. */
void tcp_unlisten(struct tcp_listener *listener);
void tcp_unlisten_resource(void *listener);

/* Connects. Blocks until the connection is established. -ECONNREFUSED, -EADDRNOTAVAIL (no local port is free),
 * -EINVAL (port 0, or an address that no single host can have), -ENOMEM. A peer that does not answer at all is given up
 * after 3 minutes (-ETIME), if the deadline does not come before. */
int tcp_connect(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow, uint64_t deadline);

/* The same in two steps: begins to connect, without blocking, and gives a flow that is not connected yet and is the
 * caller's to close. The errors of tcp_connect but those that the network tells later; -EAGAIN: an IPv6 address or
 * router is still being found. */
int tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer, struct tcp **flow);
/* Blocks until such a flow is connected. 0; -ETIMEDOUT, -EAGAIN or -ECANCELED: it may be yet, ask again; else it never
 * will be. It is the caller's to close in any case. */
int tcp_connected(struct tcp *flow, uint64_t deadline);

/* Connects to whichever of a service's addresses answers first: Happy Eyeballs (RFC 8305). They are tried in the order
 * of RFC 6724, section 6, families taking turns; one each delay_ns (0: 250 ms; else 10 ms to 2 s), and the next at once
 * when one fails. The first that is established wins, and the others are closed: tcp_peer tells which it was. errors,
 * unless NULL, receives what became of each peer: 0 of who won, the errors of tcp_connect, -ECANCELED of those that
 * were still tried or never needed. Needs a task for each attempt: not for embedded stacks.
 *
 * 0; -EINVAL: no peer, more than TCP_ANY_MAX, or a delay out of its range; -ETIMEDOUT, -ECANCELED; if all failed, the
 * error of the one that came farthest: -ECONNREFUSED before others, since that was an answer, and -ENETUNREACH last. */
enum { TCP_ANY_MAX = 16 };
int tcp_connect_any(struct stack *stack, const struct ip_endpoint *peers, size_t count, uint64_t delay_ns, int *errors,
	struct tcp **flow, uint64_t deadline);

/* Fast Open (RFC 7413): who has connected before sends its first bytes with its SYN, and has the answer a round trip
 * sooner. Off until one of these is called. Such bytes may arrive twice, as two connections, if the network doubles the
 * SYN (RFC 7413, 6.2): only for requests that may be done twice.
 *
 * Connections to this listener may be accepted and read, and answered, before their handshake is over; pending: how
 * many at most, of the whole stack, are in that state (0: none any more), so that an attacker cannot have the program
 * work for addresses that are not his. 0 or -ENOMEM; -ENOTSUP: on the host's sockets. */
int tcp_fast_open(struct tcp_listener *listener, unsigned pending);
/* tcp_connect, and tcp_write of these bytes. They go with the SYN if the peer has granted us a cookie on an earlier
 * connection, which the stack remembers of the last 64; else after the handshake, in which one is asked for. The errors
 * of both. On the host's sockets they go after the handshake. */
int tcp_connect_fast(struct stack *stack, const struct ip_endpoint *peer, const void *buf, size_t len,
	struct tcp **flow, uint64_t deadline);

/* Reads what is there, 1 to size bytes; blocks while nothing is. 0: the peer has ended its stream and all of it was
 * read. One reader at a time. */
ssize_t tcp_read(struct tcp *flow, void *buf, size_t size, uint64_t deadline);

/* Reading without a copy: shows what is there, where it lies, and takes nothing. The pieces follow each other in the
 * stream, and those that are not needed are empty. Blocks until more than `seen` bytes are there: 0 for any, else what
 * the last call has shown and was not enough. Returns how many there are; not more than seen: the peer ended its stream
 * behind them, 0: and nothing is left. -ENOBUFS: seen is TCP_PEEK_MAX or more.
 *
 * The pieces are borrowed until the next tcp_peek, tcp_consume, tcp_read or close, and stay as they are whatever
 * arrives, or ends the connection, meanwhile. */
enum { TCP_PIECES = 2, TCP_PEEK_MAX = 64 * 1024 };
struct tcp_piece {
	const uint8_t *data;
	size_t len;
};
ssize_t tcp_peek(struct tcp *flow, struct tcp_piece pieces[TCP_PIECES], size_t seen, uint64_t deadline);
/* Takes the first len bytes of those that tcp_peek has shown. Does not block. */
void tcp_consume(struct tcp *flow, size_t len);

/* Writes all of len bytes into the connection; blocks while its send buffer is full, or memory short. Bytes are copied:
 * buf is free on return. Returns len; or an error, and then how much was taken is unknown: close. With AT_ONCE it
 * writes what there is room for and returns how much that is, or -EAGAIN. -EPIPE after tcp_shutdown. One writer at a
 * time. */
ssize_t tcp_write(struct tcp *flow, const void *buf, size_t len, uint64_t deadline);

/* Writing without a copy: the bytes are sent, and sent again, from where they lie, in their turn among what is written.
 * The loan, the caller's memory like the bytes, is lent with them until `released` is called: once, with 0 when the
 * peer has acknowledged all, else with what ended the connection. That may be in the turn of the device, or within the
 * call that ends the flow: so it must neither block nor call anything of this flow; it may free both. tcp_close goes on
 * delivering what is lent; tcp_abort ends all loans before it returns.
 *
 * Blocks while 1 GiB is lent. 0; -EINVAL: a loan of nothing, or of more than TCP_LOAN_MAX; errors as tcp_write's: then
 * nothing is lent, and released is not called; -ETIMEDOUT and -EAGAIN: the same call may be tried again, with the same
 * loan. The host's sockets copy, as tcp_write does, and release the loan within the call. */
enum { TCP_LOAN_MAX = 1 << 29 };
struct tcp_loan {
	const void *data;
	size_t len;
	void (*released)(struct tcp_loan *loan, int error); /* NULL: nobody wants to know */
	/* The stack's own; 0 at first. */
	struct tcp_loan *next;
	size_t taken;
	uint32_t begin;
};
int tcp_lend(struct tcp *flow, struct tcp_loan *loan, uint64_t deadline);
/* The same in one call, which returns when the peer has acknowledged all (on the host's sockets: when the host has it):
 * buf is free then, in any case. Returns len; or an error, and then the connection is reset: close it. */
ssize_t tcp_deliver(struct tcp *flow, const void *buf, size_t len, uint64_t deadline);

/* How many of the bytes that were written the peer has not acknowledged yet. */
size_t tcp_undelivered(const struct tcp *flow);

/* Ends our stream (FIN, after all that was written); reading goes on. Does not block. 0 or -ENOTCONN. */
int tcp_shutdown(struct tcp *flow);

/* Closes both ways and frees the handle; never blocks. What was written is still delivered, in the background. Data
 * that was received and not read resets the connection (RFC 9293, 3.6; SHLD-3). NULL is ignored. */
void tcp_close(struct tcp *flow);
void tcp_close_resource(void *flow);

/* Resets the connection and frees the handle: the peer sees an error, not an end. */
void tcp_abort(struct tcp *flow);

void tcp_peer(const struct tcp *flow, struct ip_endpoint *peer);
void tcp_local(const struct tcp *flow, struct ip_endpoint *local);

/* How a connection behaves. What is 0, false or NULL has its default, which is Linux's; the RFC's figure is named where
 * it is another. */
struct tcp_congestion;
extern const struct tcp_congestion tcp_cubic, tcp_newreno; /* RFC 9438, and 5681 with 6582 */
struct tcp_tuning {
	/* Keep-alive (RFC 9293, 3.8.4): how long the peer may be silent before it is asked whether it is still there
	 * (0: for ever), how long it has for an answer (75 s), and how many questions without one end the connection
	 * with -ETIME (9). On the host's sockets in whole seconds, at least one. */
	uint64_t keepalive_ns, keepalive_interval_ns;
	unsigned keepalive_probes; /* up to 255 */
	/* How long what was sent may stay without acknowledgement before the connection ends with -ETIME (5 min). */
	uint64_t user_timeout_ns;
	const struct tcp_congestion *congestion; /* CUBIC */
	/* The least retransmission time-out, up to 60 s (200 ms; RFC 6298, 2.4: 1 s); how long an acknowledgement waits
	 * for more to acknowledge or for data to ride on, up to 500 ms (40 ms; RFC 9293, 3.8.6.3: less than 500 ms);
	 * and the length of TIME-WAIT (60 s; RFC 9293, 3.4.1: 4 min). */
	uint64_t minimum_rto_ns, delayed_ack_ns, time_wait_ns;
	bool prompt_ack; /* each segment is acknowledged at once */
	/* What the opening decides: a connection that is open already keeps what it has. The initial congestion window,
	 * in segments, up to 10 (10; up to 4: as RFC 5681, 3.1 says, fewer if they are large), and options of the SYN
	 * that are neither offered nor taken: selective acknowledgement, timestamps, window scaling. */
	unsigned initial_window;
	bool no_sack, no_timestamps, no_window_scaling;
	/* What IP's headers say (RFC 9293, MUST-48 and 49): the differentiated services code point (RFC 2474), up to
	 * 63; and the TTL or hop limit (64). */
	uint8_t dscp, ttl;
	/* For one that is opened from here: which address of ours it has (MUST-43), -EADDRNOTAVAIL if that is none.
	 * Unspecified: the one that the route has. */
	struct ip_address local;
};
/* Tunes an open connection. 0; -EINVAL: a keep-alive of more probes, or a figure beyond its limit; -ENOENT: the host's
 * sockets do not have this congestion control; -ECONNRESET: the stack was closed. On the host's sockets, what comes
 * after the congestion control is the host's own. */
int tcp_tune(struct tcp *flow, const struct tcp_tuning *tuning);

/* The same for what begins later: the defaults of a stack, for its connections and listeners from now on; for the
 * connections that come to a listener from now on; and for one that is opened. -ENOTSUP: the first two, on the host's
 * sockets. */
int tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning);
int tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning);
int tcp_connect_tuned(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **flow, uint64_t deadline);

/* How a connection fares. Sizes in bytes. */
struct tcp_statistics {
	const char *state;                               /* by its name in RFC 9293, 3.3.2 */
	uint64_t round_trip_ns, round_trip_deviation_ns; /* smoothed: RFC 6298; 0: not measured yet */
	uint64_t retransmission_timeout_ns;
	uint32_t congestion_window, slow_start_threshold;
	uint32_t peer_window;     /* what the peer takes at present */
	uint32_t segment_size;    /* largest payload */
	uint32_t in_flight;       /* sent and not acknowledged */
	uint32_t retransmissions; /* segments that were sent again */
	/* Time-outs in a row, nothing acknowledged since; from 3 on it is time to think of another way (R1 of RFC
	 * 9293, 3.8.3). And what routers said last of segments that were not delivered, which ends no connection:
	 * -EHOSTUNREACH, -ENETUNREACH, -ECONNREFUSED, or 0. Both are forgotten when the peer acknowledges something
	 * new. */
	uint32_t time_outs;
	int soft_error;
	/* How many of the bytes that are read next the peer calls urgent (RFC 9293, 3.8.5), come or not. They lie in
	 * the stream like all others. No call sends any: new programs should not (SHLD-13). */
	uint32_t urgent;
};
void tcp_statistics(const struct tcp *flow, struct tcp_statistics *statistics);

/* Nagle's algorithm (RFC 9293, 3.7.4) is off after tcp_set_nodelay(flow, true); it is on at first. */
void tcp_set_nodelay(struct tcp *flow, bool nodelay);

#endif
