/* SPDX-License-Identifier: ISC
 *
 * Our own stack as one object: the device, its addresses, the layers' state; and what the layers below the transports
 * call of each other. IPv4 addresses are numbers in these layers: 10.0.0.1 is 0x0a000001.
 */
#ifndef NET_OWN_STACK_H
#define NET_OWN_STACK_H

#include <skerry/hash.h>
#include <skerry/task.h>

#include "arp.h"
#include "fragment.h"
#include "ip.h"
#include "pool.h"
#include "ipv4_local.h"

enum {
	STACK_BATCH = 64, /* frames that are read in one turn of the scheduler */
	IPV4_HEADER = 20, /* without options */
	IPV6_HEADER_BYTES = 40,
	IPV4_TTL_DEFAULT = 64,       /* RFC 1700 */
	IPV4_LOOPBACK = 127,         /* 127.0.0.0/8 */
	LOOPBACK_BYTES = 256 * 1024, /* that the stack has sent to itself; a sender waits for less */
	ICMP_QUOTE_MAX = 548,        /* bytes of the packet that an ICMP error is about: RFC 1812, 4.3.2.3 */
	ICMP_ERRORS_BURST = 50,      /* of ICMP errors that we send */
	ICMP_ERRORS_PER_SECOND = 100,
};
#define STACK_DHCP_NS SECOND(60) /* how long opening a stack waits for a lease */
#define LINK_RETRY_NS USEC(500)  /* when a link that had no room is tried again */

/* A bucket of tokens that fills with time. */
struct icmp_bucket {
	uint32_t tokens;
	uint64_t filled_at;
};

/* Packets that the stack sends to itself. */
struct loopback {
	struct looped *first, *last;
	size_t bytes;
	struct timer timer;
	void (*receive)(struct own_stack *stack, const uint8_t *packet, size_t len); /* of either family */
};

/* A link, and IPv4 on it. */
struct interface {
	struct own_stack *stack;
	struct interface *next; /* NULL: it is the last */
	struct net *net;
	bool bare_ip;            /* packets have no Ethernet header there, and nobody is asked who is where */
	struct ipv4_locals ipv4; /* the first place: of a configured or leased address */
	struct arp *arp;         /* NULL: there is no IPv4 */
	struct arp_link arp_link;
	struct timer arp_timer;
	void (*probed)(struct own_stack *stack, bool in_use); /* what neighbour_probe has found out */
	const struct interface_groups *groups;                /* NULL: no group was ever joined there */
	struct multicast *multicast;
};

/* Groups of an interface: multicast.c, through a table, so that programs that join none do not link it. */
struct interface_groups {
	bool (*is_member)(const struct interface *interface, uint32_t group);
	void (*hear)(struct interface *interface, const struct ip_received *packet); /* a message of IGMP's */
	void (*close)(struct interface *interface);
};

/* Routes of the program's, and of redirects: ipv4_way.c, through a table, so that programs without do not link it. */
struct ipv4_hop;
struct ipv4_routing {
	/* Changes hop if a route is better: its prefix longer than that of our nearest address (NULL: none is near), or
	 * it is as good as that by the gateway. source: where the packet's source address is, NULL while that is not
	 * chosen. */
	void (*choose)(struct own_stack *stack, uint32_t address, const struct ipv4_local *near,
		const struct interface *source, struct ipv4_hop *hop);
	void (*failed)(struct interface *interface, uint32_t neighbour); /* it does not answer */
};

struct own_stack {
	struct stack base;
	struct interface *interfaces; /* all, the first first */
	struct net *net;              /* its link */
	struct ip_address address;    /* its first IPv4 address; unspecified: none yet */
	uint32_t gateway;             /* of the first interface, configured or leased; 0: none */
	struct ipv4_routes *routes;   /* NULL: that is all */
	const struct ipv4_routing *routing;
	/* A redirect came, whose length and checksum are right. NULL: they are ignored. */
	void (*redirected)(struct own_stack *stack, const struct ip_received *packet);
	enum stack_ecn ecn;
	struct pool pool;
	const struct stack_ipv6 *ipv6_ops; /* NULL: the stack has no IPv6 */
	struct ipv6_stack *ipv6;
	const struct stack_tcp *tcp_ops; /* NULL: the stack has no TCP, and so on */
	struct tcp_stack *tcp;
	const struct stack_udp *udp_ops;
	struct udp_stack *udp;
	struct stack_listener *listener; /* NULL: none */
	const struct stack_dhcp *dhcp;   /* NULL: the address is fixed */
	struct dhcp_service *dhcp_service;
	struct wait_queue resolved; /* woken when a neighbour has answered or is given up */
	struct timer room_timer;
	struct wait_queue room; /* woken when the link may have room again */
	struct loopback loopback;
	struct fragments fragments;
	struct timer fragment_timer;
	struct icmp_bucket icmp_errors;
	uint16_t identification; /* how many IPv4 packets had one */
	struct hash_key identification_key;
	struct wait_queue configured; /* woken when the stack has got an address, or will not */
	struct key_ipv4 fixed, fixed_gateway;
	bool in_use;            /* the address that was probed is another host's */
	struct interface first; /* IPv6 and DHCP know this one only */
	struct stack_counters counters;
	uint8_t *frame; /* a task's receive buffer, NET_FRAME_MAX bytes; or NULL */
};

static inline void stack_drop(struct own_stack *stack, enum stack_drop reason)
{
	stack->counters.drops[reason]++;
}

/* Where a type of ICMP is counted. */
static inline size_t stack_icmp_index(uint8_t type)
{
	return type < STACK_ICMP_TYPES ? type : STACK_ICMP_TYPES - 1;
}

static inline size_t stack_icmp6_index(uint8_t type)
{
	size_t first = type < 128 ? 0 : STACK_ICMP6_ERRORS, most = type < 128 ? STACK_ICMP6_ERRORS : STACK_ICMP6_TYPES;
	size_t index = first + (type & 127);

	return index < most ? index : most - 1;
}

/* environment.c, in whose place a library for the host's processes has another (lib/embed): whatever a stack takes from
 * the world around it but frames. Nothing else in lib/net reads a clock, sets a timer or asks for chance. What waits
 * does so by wait_on(), and goes on by wake_one() and wake_all() (<skerry/task.h>). */

/* The time, as task_now(): monotonic, in nanoseconds. */
uint64_t stack_now(const struct own_stack *stack);
/* As timer_set() and timer_cancel(). */
void stack_timer_set(struct own_stack *stack, struct timer *timer, uint64_t deadline);
void stack_timer_cancel(struct own_stack *stack, struct timer *timer);
/* As random_bytes(), random_u32() and random_below(). */
void stack_random(const struct own_stack *stack, void *buf, size_t len);
uint32_t stack_random_u32(const struct own_stack *stack);
uint32_t stack_random_below(const struct own_stack *stack, uint32_t bound);
/* How many bytes the stack may hold for others, if its configuration does not say. */
size_t stack_memory(const struct own_stack *stack);

/* assemble.c */

/* The turn of an interface whose device has frames. */
void interface_receive(void *interface);

/* stack.c */

extern const struct stack_ops own_stack_ops;
/* Begins all that a stack does, and waits for nothing: configured is woken when stack_is_configured has another answer.
 * The caller has allocated the stack and set net; what was allocated is freed on failure. As stack_open. */
int own_stack_open(struct own_stack *stack, const struct stack_config *config, const struct stack_layers *layers);
/* 0: it has the IPv4 address that it is to have, or is to have none; -EAGAIN: not yet; -EADDRINUSE. */
int stack_is_configured(const struct own_stack *stack);
/* Takes a frame from the link. After the last of a batch comes transport_flush. */
void stack_receive_frame(
	struct interface *interface, const uint8_t *frame, size_t len, const struct platform_net_meta *meta);
/* Takes an address, or none (0): connections that used another end. */
void stack_set_ipv4(struct own_stack *stack, uint32_t address, uint8_t prefix_len, uint32_t gateway);

/* stack_counters.c, linked only where stack_counters() is called */
void own_stack_counters(const struct stack *stack, struct stack_counters *counters);

/* stack_addresses.c */

size_t own_addresses(const struct stack *stack, struct ip_address *addresses, size_t max);
size_t own_advertised_resolvers(const struct stack *stack, struct ip_address *addresses, size_t max);
int own_set_neighbour(struct stack *stack, const struct ip_address *address, const uint8_t mac[6]);

/* stack_print.c and stack_print_sockets.c, linked only where stack_print() is called */
void own_stack_print(const struct stack *stack);
void stack_print_sockets(const struct own_stack *stack);

/* dhcp.c, which is linked only where its table is named. */
struct stack_dhcp {
	int (*open)(struct own_stack *stack, const struct stack_config *config); /* begins */
	int (*wait)(struct own_stack *stack);           /* for a lease, while the device is served: as stack_open */
	void (*prepare_close)(struct own_stack *stack); /* while the device is served still: may wait */
	void (*close)(struct own_stack *stack);         /* gives the lease back */
	void (*probed)(struct own_stack *stack);        /* in_use says what was found */
	const struct dhcp_lease *(*lease)(const struct own_stack *stack); /* NULL: there is none */
};

/* ethernet.c */

enum { ETHERNET_DESTINATION = 0, ETHERNET_SOURCE = 6, ETHERNET_TYPE = 12 }; /* where they lie */
enum { ETHERNET_IPV4 = 0x0800, ETHERNET_ARP = 0x0806, ETHERNET_IPV6 = 0x86dd };
extern const uint8_t ethernet_broadcast[6];
void ethernet_put_header(
	const struct interface *interface, uint8_t header[NET_ETHERNET_HEADER], const uint8_t to[6], uint16_t type);
/* Sends a whole frame. 0; -EAGAIN: no room, and room is woken later; -EMSGSIZE; -ENETUNREACH: the device is gone. */
int ethernet_send(struct interface *interface, const struct platform_piece *pieces, size_t count,
	const struct platform_net_meta *meta);

/* The same of what nobody waits for: without room it is dropped. */
void ethernet_send_or_drop(struct interface *interface, const struct platform_piece *pieces, size_t count,
	const struct platform_net_meta *meta);

/* ethernet_input.c */

void ethernet_receive(
	struct interface *interface, const uint8_t *frame, size_t len, const struct platform_net_meta *meta);

/* neighbour.c */

int neighbour_open(struct interface *interface);                       /* without an address */
void neighbour_set_address(struct interface *interface, size_t index); /* this place has another now, or none */
/* Finds out whether another host uses this address, and calls probed. */
void neighbour_probe(struct interface *interface, uint32_t address, uint64_t interval_ns);
void neighbour_close(struct interface *interface);
void neighbour_receive(struct interface *interface, const uint8_t *packet, size_t len);
/* Whether a packet to this neighbour would leave now: as arp_find. */
int neighbour_find(struct interface *interface, uint32_t next_hop, uint8_t mac[6]);
/* Sends a frame whose first piece begins with an Ethernet header, to be filled in here, or keeps it until the
 * neighbour has answered. As ip_send. */
int neighbour_send(struct interface *interface, uint32_t next_hop, uint8_t *header, const struct platform_piece *pieces,
	size_t count, const struct platform_net_meta *meta);

/* ipv4_input.c. link_broadcast: the frame was not for us alone. */

void ipv4_receive(struct interface *interface, const uint8_t *packet, size_t len, bool link_broadcast,
	const struct platform_net_meta *meta);
/* One of our own, which needs no check. */
void ipv4_receive_looped(struct own_stack *stack, const uint8_t *packet, size_t len);
void ipv4_forget_fragment(struct timer *timer); /* what fragment_timer does */

/* ipv4.c */

/* Where the fields of a header lie (RFC 791, 3.1), and what is in them. */
enum {
	IPV4_VERSION_IHL = 0,
	IPV4_TRAFFIC_CLASS = 1,
	IPV4_TOTAL_LENGTH = 2,
	IPV4_ID = 4,
	IPV4_FRAGMENT = 6,
	IPV4_TTL = 8,
	IPV4_PROTOCOL = 9,
	IPV4_CHECKSUM = 10,
	IPV4_SOURCE = 12,
	IPV4_DESTINATION = 16,
};
enum { IPV4_VERSION = 0x40, IPV4_IHL_MASK = 0x0f };
enum { IPV4_DONT_FRAGMENT = 0x4000, IPV4_MORE_FRAGMENTS = 0x2000, IPV4_OFFSET_MASK = 0x1fff };

/* As ip_route, ip_ready and ip_send. */
int ipv4_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu);
int ipv4_ready(struct own_stack *stack, const struct ip_address *destination);
int ipv4_send(struct own_stack *stack, const struct ip_sending *packet);
/* The header of a packet that is not fragmented. */
void ipv4_put_whole_header(uint8_t header[IPV4_HEADER], const struct ip_sending *packet);
/* Where a packet goes next. */
struct ipv4_hop {
	struct interface *interface;
	uint32_t source;    /* what it is sent from, unless its sender has chosen */
	uint32_t neighbour; /* to be resolved; 0: all on the link, at mac */
	uint8_t mac[6];
};
/* The way of a packet that is not for ourselves. from: NULL while its source is not chosen. 0 or -ENETUNREACH. */
int ipv4_choose_hop(
	struct own_stack *stack, const struct ip_address *to, const struct ip_address *from, struct ipv4_hop *hop);
/* ipv4_interface.c */

/* Our address whose subnet this one is of, and where that is. NULL: it is of none. */
const struct ipv4_local *ipv4_find_near(const struct own_stack *stack, uint32_t address, struct interface **interface);
/* The interface that has this address of ours. NULL: it is none. */
struct interface *ipv4_interface_of(const struct own_stack *stack, uint32_t address);
bool ipv4_is_broadcast(const struct own_stack *stack, uint32_t address);

/* Where frames to a group go: RFC 1112, 6.4. */
void ipv4_multicast_mac(uint8_t mac[6], uint32_t group);

/* ip_source.c */

/* Whether this is an address of ours from which a packet may go there. */
bool ip_may_send_from(const struct own_stack *stack, const struct ip_address *from, const struct ip_address *to);

/* loopback.c */

bool loopback_leads_to(const struct own_stack *stack, const struct ip_address *destination);
int loopback_send(struct own_stack *stack, const struct ip_sending *packet); /* as ip_send */
void loopback_deliver(struct timer *timer);                                  /* what its timer does */
void loopback_close(struct own_stack *stack);

/* icmp.c */

enum icmp_error_kind { /* type and code */
	ICMP_PROTOCOL_UNREACHABLE = 3 << 8 | 2,
	ICMP_PORT_UNREACHABLE = 3 << 8 | 3,
	ICMP_REASSEMBLY_TIME_EXCEEDED = 11 << 8 | 1,
};
void icmp_receive(struct own_stack *stack, const struct ip_received *packet);
/* Whether the rate of errors, of both families together, allows another. */
bool icmp_may_send_error(struct own_stack *stack);
/* Says so to the packet's source, unless RFC 1122, 3.2.2 or the rate forbids it. */
void icmp_send_error(struct own_stack *stack, const struct ip_received *packet, enum icmp_error_kind kind);
/* The same of a header that is wrong at this offset. */
void icmp_send_parameter_problem(struct own_stack *stack, const struct ip_received *packet, uint8_t offset);

/* IPv6, for stacks that have it: ipv6_stack.c. Through a table, so that programs without it do not link it. */
struct stack_ipv6 {
	int (*open)(struct own_stack *stack, const struct stack_config *config);
	void (*close)(struct own_stack *stack);
	void (*receive)(struct own_stack *stack, const uint8_t *packet, size_t len, bool to_many,
		const struct platform_net_meta *meta);
	int (*route)(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source,
		uint16_t *mtu);
	/* For loopback.c: whether this is an address of the stack's, the header of a whole packet, and one of our own,
	 * which needs no check. */
	bool (*is_own)(const struct own_stack *stack, const struct ip_address *address);
	void (*put_header)(
		const struct own_stack *stack, uint8_t header[IPV6_HEADER_BYTES], const struct ip_sending *packet);
	void (*receive_looped)(struct own_stack *stack, const uint8_t *packet, size_t len);
	int (*ready)(struct own_stack *stack, const struct ip_address *destination);
	int (*send)(struct own_stack *stack, const struct ip_sending *packet);
	void (*confirm)(struct own_stack *stack, const struct ip_address *destination);
	size_t (*addresses)(const struct own_stack *stack, struct ip_address *addresses, size_t max);
	size_t (*resolvers)(const struct own_stack *stack, struct ip_address *addresses, size_t max);
};

#endif
