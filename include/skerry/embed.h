/* SPDX-License-Identifier: ISC
 *
 * libskerry-net: our own stack in an ordinary process, which hands it all that it needs: a link, a clock, chance. There
 * may be any number of stacks, on links of their own or joined to each other; the library has no main(), no threads, no
 * signals and no descriptors, and does nothing but when it is called.
 *
 *	struct stack *stack;
 *	stack_embed(&environment, &config, &stack);
 *	for (;;) {
 *		wait for a frame, or whatever else the program waits for, until stack_deadline(stack);
 *		stack_receive(stack, frame, len, NULL), for each frame that is there;
 *		stack_advance(stack);
 *		tcp_accept(), tcp_read(), tcp_write() ... each with AT_ONCE, for those that stack_next_ready() tells
 *	}
 *
 * The calls of <skerry/tcp.h>, <skerry/udp.h>, <skerry/stack.h> and <skerry/route.h> are there, but for those that open
 * devices or do nothing but wait (tcp_connect, tcp_connect_any, tcp_deliver). None blocks, whatever its deadline: where
 * a task would wait they return -EAGAIN. AT_ONCE is the deadline that says so. Connecting is done in two steps:
 * tcp_connect_begin(), then tcp_connected() until it does not return -EAGAIN.
 *
 * A stack, and all that came from it, is used by one thread at a time. Two stacks share nothing that changes, so each
 * may be in a thread of its own.
 */
#ifndef SKERRY_EMBED_H
#define SKERRY_EMBED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/clock.h>
#include <skerry/log.h>
#include <skerry/net.h>
#include <skerry/stack.h>

enum stack_link_kind {
	STACK_LINK_ETHERNET, /* frames: ARP and neighbour discovery find who is where */
	STACK_LINK_IP,       /* bare packets, as on a TUN device, to the one other end: neither of these, and no DHCP */
};

/* What the process gives. Its functions are called from within the library's, and must not call those for the same
 * stack: a link that leads to another stack keeps what it is given, and hands it over later. */
struct stack_environment {
	void *context; /* the first argument of each */
	/* Takes one frame or packet, in up to PLATFORM_PIECES pieces, which are borrowed for the call. 0: it is sent,
	 * or lost. -EAGAIN: there is no room; it is offered again half a millisecond later, or lost, as its layer has
	 * it. -EIO: the link is gone, which calls tell by -ENETUNREACH. */
	int (*send)(
		void *context, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta);
	/* Nanoseconds since any start, never going back. NULL: CLOCK_MONOTONIC. */
	uint64_t (*now)(void *context);
	/* Bytes that nobody can foretell: ports, sequence numbers and keys are made of them. NULL: getrandom(). */
	void (*random)(void *context, void *buf, size_t len);
	enum stack_link_kind kind;
	uint8_t mac[6];        /* on Ethernet */
	uint16_t mtu;          /* of IP packets, NET_MTU_MIN or more */
	uint32_t features;     /* PLATFORM_NET_* bits: what meta may ask of the link. 0: meta is all zero */
	uint64_t memory_bytes; /* that the stack may hold, if the configuration says 0. 0: 64 MiB */
};

/* Opens a stack with TCP and UDP on a link. Does not block: with DHCP, or with probe_ns, it gets its address later. The
 * environment is copied, config borrowed as stack_open has it. 0; -EINVAL: no such link, or no such configuration (and
 * stack_log says why); -ENOMEM.
 *
 * stack_close does not block either: what closed flows have still to deliver is lost, so ask stack_delivers before. */
int stack_embed(const struct stack_environment *environment, const struct stack_config *config, struct stack **stack);

/* 0: the stack has its IPv4 address, or is to have none; -EAGAIN: not yet; -EADDRINUSE: it is another host's. */
int stack_configured(const struct stack *stack);

/* Hands over a frame, or packet, that has come in, borrowed for the call. meta may be NULL: nothing is known of it.
 * What TCP has to say to it waits for stack_advance, so that many frames are acknowledged at once. What cannot be a
 * frame is counted and dropped. */
void stack_receive(struct stack *stack, const void *frame, size_t len, const struct platform_net_meta *meta);

/* Does what is due: after frames were handed over, and at the deadline. Returns the next: as stack_deadline. */
uint64_t stack_advance(struct stack *stack);

/* When stack_advance is to be called, by the environment's clock: AT_ONCE, or a time that has passed, now; FOREVER: not
 * before something else happens. Any call may change it. */
uint64_t stack_deadline(const struct stack *stack);

/* Which of many flows to look at. A watch is on one. It comes up when a call that returned -EAGAIN, or took less than
 * all, may do more now, and when the connection has ended; and once at first, for what happened before. So the program
 * makes its calls until they return -EAGAIN, and then waits for the watch (as with epoll's edges). On a UDP socket it
 * tells of what is to be received; a call that sends is made again after stack_advance. A flow that takes no byte
 * although tcp_undelivered says 0 lacks memory, which others may give back: try again a little later.
 *
 * The watch, the program's memory, is lent until another or NULL takes its place: which must be before the flow is
 * closed. After stack_close none comes up. */
struct stack_watch {
	void *context;                       /* the program's own */
	struct stack_watch *next, *previous; /* these are the library's */
	struct stack *stack;
	bool ready;
};
struct tcp;
struct tcp_listener;
struct udp;
void tcp_watch(struct tcp *flow, struct stack_watch *watch);
void tcp_watch_listener(struct tcp_listener *listener, struct stack_watch *watch);
void udp_watch(struct udp *socket, struct stack_watch *watch);
/* Takes the next that has come up; NULL: there is none. */
struct stack_watch *stack_next_ready(struct stack *stack);

/* Whether flows that were closed still have bytes, or their end, that their peers have not taken. */
bool stack_delivers(const struct stack *stack);

/* Not in the library: a program that wants to know what goes wrong, and what is going on, defines this. It is called
 * from within the library's functions, by the thread that is in them. source names a part of the stack, such as "arp";
 * message is one line, without its end. What a program that does not define it would be told is lost. */
void stack_log(enum log_level level, const char *source, const char *message);

#endif
