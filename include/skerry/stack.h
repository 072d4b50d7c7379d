/* SPDX-License-Identifier: ISC
 *
 * A network stack: where TCP flows and UDP sockets come from. Two implementations stand behind this one type: our
 * own TCP/IP on a network device (lib/net), and the host's sockets on unix (lib/hostnet). tcp.h and udp.h work on
 * either.
 */
#ifndef SKERRY_STACK_H
#define SKERRY_STACK_H

#include <skerry/address.h>
#include <skerry/counters.h>
#include <skerry/key.h>
#include <skerry/net.h>

struct stack;

/* The DHCP client (RFC 2131), which is linked only into programs that name it. */
struct stack_dhcp;
extern const struct stack_dhcp stack_dhcp;

/* IPv6, in the same way. */
struct stack_ipv6;
extern const struct stack_ipv6 stack_ipv6;

/* Explicit congestion notification of TCP (RFC 3168): agreed to when the peer asks, as Linux does; asked for, too; or
 * neither. */
enum stack_ecn { STACK_ECN_AGREE, STACK_ECN_ASK, STACK_ECN_OFF };

enum { STACK_MEMORY_MIN = 64 * 1024 };

/* Configuration of our own stack. */
struct stack_config {
	struct key_ipv4 ipv4;    /* address and prefix; when set, goes before dhcp. Without either there is no IPv4 */
	struct key_ipv4 gateway; /* default gateway; not set: only the own subnet can be reached */
	const struct stack_dhcp *dhcp; /* &stack_dhcp: a DHCP server gives both; NULL: none is asked */
	enum stack_ecn ecn;
	const char *hostname; /* what a DHCP server is told, borrowed until stack_close; may be NULL */
	/* Options that the server is asked for beside the usual ones (<skerry/dhcp.h>), a 0 behind the last; borrowed
	 * for the call; may be NULL. */
	const uint8_t *dhcp_options;
	/* The address that a lease gave before, if the program has kept it: that one is asked for again (RFC
	 * 2131, 3.2), and another only if it cannot be had. */
	struct key_ipv4 dhcp_remembered;
	/* Whether another host uses the address already is asked three times, so far apart (RFC 5227 says one to two
	 * seconds). 0: a tenth of a second with DHCP; a fixed address is not asked for. */
	uint64_t probe_ns;
	/* &stack_ipv6: the stack has IPv6, too, on links of an MTU of 1280 or more; NULL: it has not. It always makes a
	 * link-local address. Each address is used a second or two later, when no other host has answered for it (RFC
	 * 4862, 5.4): until then calls that need it wait. */
	const struct stack_ipv6 *ipv6;
	struct key_ipv6 ipv6_address;      /* and prefix; not set: only those that are made from advertised prefixes */
	struct key_ipv6 ipv6_gateway;      /* goes before the routers that advertise themselves */
	bool accept_router_advertisements; /* prefixes, routers, name servers (RFC 4861, 4862, 8106) */
	/* Addresses that change each day, used for connections from here (RFC 8981). They keep servers from telling a
	 * client again; a server has none to hide from, and a name that leads to it. */
	bool ipv6_temporary;
	/* Makes the addresses that are not given (RFC 7217): with the same secret, network and MAC address they are the
	 * same each time. NULL: chosen at random each time. Borrowed for the call. */
	const char *ipv6_secret;
	bool ipv4_only, ipv6_only; /* one family, whatever is said above */
	/* How many bytes the stack may hold of what others send or make it keep: buffers of all connections and the
	 * connections themselves, what arrived out of order, datagrams, fragments, and packets that wait for a
	 * neighbour or for ourselves. What is sent from the program's own memory (tcp_lend) does not count. 0: a
	 * quarter of the heap; less than STACK_MEMORY_MIN counts as that. Windows that are offered to peers become
	 * smaller as it fills, for all connections; when it is full new connections are refused, and packets dropped,
	 * until there is room. */
	size_t memory_bytes;
};

/* Our own stack on this device, which it borrows until stack_close. Blocks until it has an address: with DHCP a minute
 * at most; with probe_ns until the answers are due; else not at all. Announces the address by ARP. Seeds the random
 * generator if nobody has. 0; -EINVAL (no address, or one that no host can have), -ETIMEDOUT (no DHCP server has given
 * one), -EADDRINUSE (another host has it), all logged; -ENOMEM, -EIO (random), -ECANCELED.
 *
 * A lease is renewed in time. When it ends, or the server gives another address, the stack's connections end with
 * -ENETUNREACH, as does what is sent until there is an address again; listeners and sockets stay. */
int stack_open(struct net *net, const struct stack_config *config, struct stack **stack);

/* The host's sockets (unix only: other targets do not link it). 0 or -ENOMEM. */
int stack_open_host(struct stack **stack);

/* Frees the stack. First waits, for 3 seconds at most, until the peers have taken what closed flows have still to
 * deliver; then resets what flows are still open, and reports each as a leak: their owners should have closed them.
 * Those handles answer -ECONNRESET and are still to be closed. NULL is ignored. */
void stack_close(struct stack *stack);

/* The stack's own IPv4 address; unspecified while it has none, and on the host's sockets. */
void stack_address(const struct stack *stack, struct ip_address *address);

/* Says where a neighbour is, before it answers such questions itself: to who serves DHCP. 0; -ENOTSUP on the host's
 * sockets, and without IPv4. */
int stack_set_neighbour(struct stack *stack, const struct ip_address *address, const uint8_t mac[6]);

/* What a DHCP server has given (<skerry/dhcp.h>), borrowed until the caller blocks; NULL: nothing, now or at all. */
struct dhcp_lease;
const struct dhcp_lease *stack_lease(const struct stack *stack);
/* All addresses that the stack uses now, at most max of them: how many. IPv4's comes first. */
size_t stack_addresses(const struct stack *stack, struct ip_address *addresses, size_t max);
/* The name servers that IPv6 routers advertise (RFC 8106), at most max of them: how many. */
size_t stack_advertised_resolvers(const struct stack *stack, struct ip_address *addresses, size_t max);

/* Logs what the stack is and does, a line for each thing, as ip, ss and nstat do on Linux: links, addresses, routes,
 * neighbours, listeners, connections, sockets, and the counters that are not zero. Of each at most STACK_PRINT_MAX,
 * and then how many there are. At the level of what an operator has asked for; linked only where it is called. Does not
 * block. Of the host's sockets only how many there are. */
enum { STACK_PRINT_MAX = 64 };
void stack_print(const struct stack *stack);

/* Does so at each inquiry of the operator's (task_inquiry: SIGUSR1), until it is cancelled: to be spawned, with the
 * stack as its argument. -ECANCELED. */
int stack_print_when_asked(void *stack);

#endif
