/* SPDX-License-Identifier: ISC
 *
 * Our own stack, opened and closed. Opening waits for nothing, and neither does closing but for tasks: assemble.c and
 * lib/embed serve the link meanwhile, and tell when there is an address.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/log.h>
#include <skerry/text.h>

#include "own_stack.h"
#include "wire.h"

LOG_SOURCE(stack);

void stack_receive_frame(
	struct interface *interface, const uint8_t *frame, size_t len, const struct platform_net_meta *meta)
{
	struct stack_counters *counters = &interface->stack->counters;

	counters->IfInPkts++;
	counters->IfInOctets += (uint64_t)len;
	ethernet_receive(interface, frame, len, meta);
}

/* The link had no room a little while ago. */
static void try_again(struct timer *timer)
{
	struct own_stack *stack = (struct own_stack *)((char *)timer - offsetof(struct own_stack, room_timer));

	transport_flush(stack);
	wake_all(&stack->room);
}

static void own_address(const struct stack *stack, struct ip_address *address)
{
	*address = ((const struct own_stack *)stack)->address;
}

static const struct dhcp_lease *own_lease(const struct stack *stack)
{
	const struct own_stack *own = (const struct own_stack *)stack;

	return own->dhcp ? own->dhcp->lease(own) : NULL;
}

/* No frame comes from now on, and none is asked for. */
static void close_interfaces(struct own_stack *stack)
{
	struct interface *next;

	for (struct interface *interface = stack->interfaces; interface; interface = next) {
		next = interface->next;
		interface->net->ready = NULL;
		neighbour_close(interface);
		if (interface->groups)
			interface->groups->close(interface);
		if (interface != &stack->first)
			free(interface);
	}
	stack->first.next = NULL;
	free(stack->routes);
	stack->routes = NULL;
}

static void own_close(struct stack *base)
{
	struct own_stack *stack = (struct own_stack *)base;

	if (stack->dhcp)
		stack->dhcp->prepare_close(stack);
	transport_close_tcp(stack); /* may wait for its peers: the device must still be served */
	if (stack->dhcp)
		stack->dhcp->close(stack);
	close_interfaces(stack);
	transport_close_udp(stack);
	loopback_close(stack);
	stack_timer_cancel(stack, &stack->room_timer);
	stack_timer_cancel(stack, &stack->fragment_timer);
	fragments_fini(&stack->fragments);
	wake_all(&stack->room);
	wake_all(&stack->resolved);
	if (stack->ipv6)
		stack->ipv6_ops->close(stack);
	free(stack->frame);
	free(stack);
}

/* Weak: only programs that ask take these files out of the library. */
__attribute__((weak)) void own_stack_counters(const struct stack *stack, struct stack_counters *counters);
__attribute__((weak)) void own_stack_print(const struct stack *stack);

/* Weak: only programs that ask for addresses, or tell them, take stack_addresses.c out of the library. */
__attribute__((weak)) size_t own_addresses(const struct stack *stack, struct ip_address *addresses, size_t max);
__attribute__((weak)) size_t own_advertised_resolvers(
	const struct stack *stack, struct ip_address *addresses, size_t max);
__attribute__((weak)) int own_set_neighbour(
	struct stack *stack, const struct ip_address *address, const uint8_t mac[6]);

const struct stack_ops own_stack_ops = {
	.close = own_close,
	.address = own_address,
	.lease = own_lease,
	.addresses = own_addresses,
	.advertised_resolvers = own_advertised_resolvers,
	.set_neighbour = own_set_neighbour,
	.counters = own_stack_counters,
	.print = own_stack_print,
};

static const char *key_text(const struct key_ipv4 *key, char text[16])
{
	text_format(text, 16, "%u.%u.%u.%u", key->address[0], key->address[1], key->address[2], key->address[3]);
	return text;
}

void stack_set_ipv4(struct own_stack *stack, uint32_t address, uint8_t prefix_len, uint32_t gateway)
{
	struct ip_address old = stack->address;

	stack->address = ipv4_address(address);
	stack->first.ipv4.all[0] = (struct ipv4_local){ address, ipv4_mask(prefix_len) };
	stack->gateway = gateway;
	if (!ip_equal(&old, &stack->address) && !ip_equal(&old, &ip_unspecified))
		transport_lose_address(stack, &old);
	neighbour_set_address(&stack->first, 0);
	wake_all(&stack->configured);
}

static void take_fixed_address(struct own_stack *stack)
{
	stack_set_ipv4(stack, wire_get32(stack->fixed.address), stack->fixed.prefix_len,
		stack->fixed_gateway.set ? wire_get32(stack->fixed_gateway.address) : 0);
}

static bool uses_ipv4(const struct stack_config *config)
{
	return !config->ipv6_only && (config->ipv4.set || config->dhcp);
}

static bool uses_ipv6(const struct stack_config *config)
{
	return !config->ipv4_only && config->ipv6;
}

/* Whether the addresses are some that a host and its gateway can have. 0, or -EINVAL after saying what is wrong. */
static int check_ipv4(const struct stack_config *config)
{
	uint32_t gateway = wire_get32(config->gateway.address);
	uint8_t prefix_len = config->ipv4.prefix_len;
	struct ipv4_local own = { wire_get32(config->ipv4.address), ipv4_mask(prefix_len) };
	char text[16], other[16];

	if (!ipv4_local_is_possible(&own)) {
		log_error("%s/%u is not an address that a host can have", key_text(&config->ipv4, text), prefix_len);
		return -EINVAL;
	}
	if (config->gateway.set &&
		(!ipv4_is_host(gateway) || gateway == own.address || ipv4_local_is_broadcast(&own, gateway))) {
		log_error("%s cannot be the gateway of %s/%u", key_text(&config->gateway, other),
			key_text(&config->ipv4, text), prefix_len);
		return -EINVAL;
	}
	return 0;
}

/* 0, or -EINVAL after saying what is wrong. */
static int check_config(const struct stack_config *config)
{
	if (config->ipv4_only && config->ipv6_only) {
		log_error("--ipv4-only and --ipv6-only leave nothing: give one of them");
		return -EINVAL;
	}
	if (!uses_ipv4(config) && !uses_ipv6(config)) {
		log_error("--ipv4 is missing: a stack of our own needs an address, such as --ipv4=10.0.0.2/24");
		return -EINVAL;
	}
	return uses_ipv4(config) && config->ipv4.set ? check_ipv4(config) : 0;
}

static int open_layers(struct own_stack *stack, const struct stack_config *config, const struct stack_layers *layers)
{
	int err;

	err = transport_open(stack, layers);
	if (err == 0 && uses_ipv4(config))
		err = neighbour_open(&stack->first);
	stack->ipv6_ops = config->ipv6;
	stack->ecn = config->ecn;
	if (err == 0 && uses_ipv6(config))
		err = stack->ipv6_ops->open(stack, config);
	return err;
}

/* Takes the fixed address, or begins to ask for one. */
static int begin_ipv4(struct own_stack *stack, const struct stack_config *config)
{
	stack->fixed = config->ipv4;
	stack->fixed_gateway = config->gateway;
	if (!config->ipv4.set) {
		stack->dhcp = config->dhcp;
		return stack->dhcp->open(stack, config);
	}
	if (config->probe_ns)
		neighbour_probe(&stack->first, wire_get32(config->ipv4.address), config->probe_ns);
	else
		take_fixed_address(stack);
	return 0;
}

static void probed(struct own_stack *stack, bool in_use)
{
	char text[16];

	stack->in_use = in_use;
	if (stack->dhcp)
		stack->dhcp->probed(stack);
	else if (in_use)
		log_error("%s is another host's already", key_text(&stack->fixed, text));
	else
		take_fixed_address(stack);
	wake_all(&stack->configured);
}

int stack_is_configured(const struct own_stack *stack)
{
	if (stack->first.ipv4.all[0].address != 0 || (!stack->fixed.set && !stack->dhcp))
		return 0;
	return stack->in_use && !stack->dhcp ? -EADDRINUSE : -EAGAIN;
}

/* One of our own. */
static void receive_looped(struct own_stack *stack, const uint8_t *packet, size_t len)
{
	if (packet[0] >> 4 == 4)
		ipv4_receive_looped(stack, packet, len);
	else if (stack->ipv6)
		stack->ipv6_ops->receive_looped(stack, packet, len);
}

int own_stack_open(struct own_stack *stack, const struct stack_config *config, const struct stack_layers *layers)
{
	int err;

	stack->base.ops = &own_stack_ops;
	stack->interfaces = &stack->first;
	stack->first.stack = stack;
	stack->first.net = stack->net;
	stack->room_timer.fire = try_again;
	stack->loopback.timer.fire = loopback_deliver;
	stack->loopback.receive = receive_looped;
	stack->first.probed = probed;
	stack->fragment_timer.fire = ipv4_forget_fragment;
	stack->icmp_errors = (struct icmp_bucket){ ICMP_ERRORS_BURST, stack_now(stack) };
	stack_random(stack, &stack->identification_key, sizeof stack->identification_key);
	stack->fragments.pool = &stack->pool;
	stack->fragments.drops = stack->counters.drops + DROP_IP_FRAGMENT;
	stack->pool.limit_bytes = config->memory_bytes ? config->memory_bytes : stack_memory(stack);
	if (stack->pool.limit_bytes < STACK_MEMORY_MIN)
		stack->pool.limit_bytes = STACK_MEMORY_MIN;
	err = check_config(config);
	if (err == 0)
		err = open_layers(stack, config, layers);
	if (err == 0 && uses_ipv4(config))
		err = begin_ipv4(stack, config);
	if (err < 0)
		own_close(&stack->base);
	return err;
}
