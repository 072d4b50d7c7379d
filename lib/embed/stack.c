/* SPDX-License-Identifier: ISC
 *
 * The calls of embed.h. Within the stack every packet on its way down has room for an Ethernet header in front; for a
 * link of bare packets it is taken away here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/layers.h>

#include "embedded.h"

LOG_SOURCE(embed);

static struct embedded *of_stack(struct stack *stack)
{
	return (struct embedded *)(void *)stack;
}

static const struct embedded *of_const_stack(const struct stack *stack)
{
	return (const struct embedded *)(const void *)stack;
}

static struct embedded *embedded_on(struct net *net)
{
	return (struct embedded *)(void *)((char *)net - offsetof(struct embedded, net));
}

/* The link ---------------------------------------------------------------------------------------------------- */

static int send_frame(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	const struct stack_environment *environment = &embedded_on(net)->environment;

	return environment->send(environment->context, pieces, count, meta);
}

/* The first piece holds the whole header, and may hold nothing else. */
static int send_packet(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct platform_piece rest[PLATFORM_PIECES];
	struct platform_net_meta moved = *meta;
	size_t skip = pieces[0].len == NET_ETHERNET_HEADER;
	int err;

	memcpy(rest, pieces, count * sizeof *pieces);
	rest[0].data = (const uint8_t *)pieces[0].data + NET_ETHERNET_HEADER;
	rest[0].len -= NET_ETHERNET_HEADER;
	if (meta->checksum_partial)
		moved.checksum_start = (uint16_t)(meta->checksum_start - NET_ETHERNET_HEADER);
	if (meta->header_bytes)
		moved.header_bytes = (uint16_t)(meta->header_bytes - NET_ETHERNET_HEADER);
	err = send_frame(net, rest + skip, count - skip, &moved);
	if (err == 0)
		embedded_on(net)->own.counters.IfOutOctets -= NET_ETHERNET_HEADER; /* which is counted as sent */
	return err;
}

static const struct net_ops ethernet_ops = { .send = send_frame };
static const struct net_ops packet_ops = { .send = send_packet };

static void receive_packet(
	struct own_stack *own, const uint8_t *packet, size_t len, const struct platform_net_meta *meta)
{
	unsigned version = packet[0] >> 4;

	own->counters.IfInPkts++;
	own->counters.IfInOctets += len;
	if (version == 4)
		ipv4_receive(&own->first, packet, len, false, meta);
	else if (version == 6 && own->ipv6)
		own->ipv6_ops->receive(own, packet, len, false, meta);
	else
		stack_drop(own, DROP_LINK_TYPE);
}

void stack_receive(struct stack *stack, const void *frame, size_t len, const struct platform_net_meta *meta)
{
	static const struct platform_net_meta plain;
	struct embedded *embedded = of_stack(stack);

	embedded->received = true;
	if (len == 0 || len > NET_FRAME_MAX)
		stack_drop(&embedded->own, DROP_LINK_LENGTH);
	else if (embedded->own.first.bare_ip)
		receive_packet(&embedded->own, frame, len, meta ? meta : &plain);
	else
		stack_receive_frame(&embedded->own.first, frame, len, meta ? meta : &plain);
}

/* Time -------------------------------------------------------------------------------------------------------- */

uint64_t stack_deadline(const struct stack *stack)
{
	const struct embedded *embedded = of_const_stack(stack);

	return embedded->received ? AT_ONCE : timer_queue_next(&embedded->timers);
}

uint64_t stack_advance(struct stack *stack)
{
	struct embedded *embedded = of_stack(stack);

	timer_queue_fire(&embedded->timers, stack_now(&embedded->own));
	embedded->received = false;
	transport_flush(&embedded->own);
	return stack_deadline(stack);
}

/* State ------------------------------------------------------------------------------------------------------- */

int stack_configured(const struct stack *stack)
{
	return stack_is_configured(&of_const_stack(stack)->own);
}

bool stack_delivers(const struct stack *stack)
{
	const struct own_stack *own = &of_const_stack(stack)->own;

	return own->tcp_ops->delivers(own->tcp);
}

/* Opening ----------------------------------------------------------------------------------------------------- */

/* 0, or -EINVAL after saying what is wrong. */
static int check(const struct stack_environment *environment, const struct stack_config *config)
{
	if (environment->mtu < NET_MTU_MIN) {
		log_error("MTU %u is below %d", environment->mtu, NET_MTU_MIN);
		return -EINVAL;
	}
	if (environment->kind == STACK_LINK_IP && config->dhcp && !config->ipv4.set && !config->ipv6_only) {
		log_error("DHCP needs Ethernet: a link of bare packets has a fixed address");
		return -EINVAL;
	}
	if (environment->kind == STACK_LINK_ETHERNET && environment->mac[0] & 1) {
		log_error("%02x:%02x:%02x:%02x:%02x:%02x is a group's MAC address", environment->mac[0],
			environment->mac[1], environment->mac[2], environment->mac[3], environment->mac[4],
			environment->mac[5]);
		return -EINVAL;
	}
	return 0;
}

int stack_embed(const struct stack_environment *environment, const struct stack_config *config, struct stack **stack)
{
	static const struct stack_layers layers = { .tcp = &stack_tcp, .udp = &stack_udp };
	struct embedded *embedded;
	int err = check(environment, config);

	if (err < 0)
		return err;
	embedded = calloc(1, sizeof *embedded);
	if (!embedded)
		return -ENOMEM;
	embedded->environment = *environment;
	if (!environment->now)
		embedded->environment.now = embedded_clock;
	if (!environment->random)
		embedded->environment.random = embedded_random;
	embedded->net.info.mtu = environment->mtu;
	embedded->net.info.features = environment->features;
	memcpy(embedded->net.info.mac, environment->mac, sizeof embedded->net.info.mac);
	embedded->net.ops = environment->kind == STACK_LINK_IP ? &packet_ops : &ethernet_ops;
	embedded->own.net = &embedded->net;
	embedded->own.first.bare_ip = environment->kind == STACK_LINK_IP;
	err = own_stack_open(&embedded->own, config, &layers);
	if (err == 0)
		*stack = &embedded->own.base;
	return err;
}
