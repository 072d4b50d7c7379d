/* SPDX-License-Identifier: ISC
 *
 * Our own stack, put together by the program: stack_open takes all that a stack usually has, stack_assemble the layers
 * that the program names, and only these are linked; and the program sees what comes in before they do.
 *
 * Ethernet is in every stack, and ARP, IPv4 and ICMP are unless stack_config says ipv6_only. DHCP and IPv6 are named
 * there.
 */
#ifndef SKERRY_LAYERS_H
#define SKERRY_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <skerry/address.h>
#include <skerry/stack.h>

/* TCP and UDP, each linked only into programs that name it. */
struct stack_tcp;
extern const struct stack_tcp stack_tcp;
struct stack_udp;
extern const struct stack_udp stack_udp;

/* What the program is shown, in the turn of the device, so none of these may block; each may be NULL. What pointers
 * lead to is borrowed for the call. Lengths and checksums are right, fragments put together. */
struct stack_listener {
	/* A frame of a type that no layer of the stack takes (an EtherType); payload: behind the Ethernet header. */
	void (*frame)(struct stack_listener *listener, uint16_t type, const uint8_t *payload, size_t len);
	/* A packet of a protocol that no layer takes. true: the program has taken it; else its sender is told by ICMP.
	 */
	bool (*packet)(struct stack_listener *listener, uint8_t protocol, const struct ip_address *source,
		const struct ip_address *destination, const uint8_t *payload, size_t len);
	/* A datagram of UDP's. true: the program has taken it; else the sockets get it. */
	bool (*datagram)(struct stack_listener *listener, const struct ip_endpoint *source,
		const struct ip_endpoint *destination, const uint8_t *data, size_t len);
};

struct stack_layers {
	const struct stack_tcp *tcp;     /* &stack_tcp; NULL: tcp_listen and tcp_connect return -EPROTONOSUPPORT */
	const struct stack_udp *udp;     /* &stack_udp, the same for udp_bind. DHCP needs it */
	struct stack_listener *listener; /* borrowed until stack_close; NULL: none */
};

/* As stack_open, with these layers. -EINVAL, too, when DHCP lacks UDP (logged). */
int stack_assemble(
	struct net *net, const struct stack_config *config, const struct stack_layers *layers, struct stack **stack);

#endif
