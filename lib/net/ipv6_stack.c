/* SPDX-License-Identifier: ISC
 *
 * IPv6 within our own stack, opened and closed: its configuration, its timer, its log, and the table by which the stack
 * reaches it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bearssl.h>

#include <skerry/log.h>

#include "ipv6_stack.h"

LOG_SOURCE(ipv6);

static struct ipv6_stack *stack_of(struct ipv6_link *link)
{
	return (struct ipv6_stack *)((char *)link - offsetof(struct ipv6_stack, link));
}

/* Time -------------------------------------------------------------------------------------------------------- */

void ipv6_settle(struct ipv6_stack *six)
{
	uint64_t deadline;

	if (!six->machine->changed)
		return;
	six->machine->changed = false;
	deadline = ipv6_deadline(six->machine);
	ipv6_sooner(&deadline, fragments_deadline(&six->fragments));
	stack_timer_set(six->stack, &six->timer, deadline);
}

static void expire(struct timer *timer)
{
	struct ipv6_stack *six = (struct ipv6_stack *)((char *)timer - offsetof(struct ipv6_stack, timer));

	ipv6_expire(six->machine, stack_now(six->stack));
	ipv6_expire_fragments(six, stack_now(six->stack));
	ipv6_settle(six);
}

/* Events ------------------------------------------------------------------------------------------------------ */

/* Whether another line may go to the log. */
static bool may_tell(struct ipv6_stack *six)
{
	uint64_t now = stack_now(six->stack);

	if (now - six->told_since >= IPV6_TOLD_NS) {
		six->told_since = now;
		six->told_count = 0;
	}
	return six->told_count++ < IPV6_TOLD_MAX;
}

/* Who gave an address can give another; in place of others we try another ourselves. */
static void tell_duplicate(const struct ipv6_stack *six, const struct ip_address *address, const char *text)
{
	const struct ipv6_own_address *own = ipv6_find_address(six->machine, address);

	if (own && own->origin == IPV6_STATIC)
		log_error("%s is another host's already: it is not used; give another with --ipv6", text);
	else
		log_warn("%s is another host's already: it is not used", text);
}

static void tell(struct ipv6_stack *six, enum ipv6_event event, const struct ip_address *address)
{
	char text[IP_TEXT_MAX];

	ip_format(address, text);
	switch (event) {
	case IPV6_ADDRESS_ASSIGNED:
		log_info("address %s", text);
		break;
	case IPV6_ADDRESS_DUPLICATE:
		tell_duplicate(six, address, text);
		break;
	case IPV6_ADDRESS_CLAIMED:
		log_warn("%s is also used by another host on the link; we keep it", text);
		break;
	case IPV6_ADDRESS_GONE:
		log_info("address %s is no longer valid", text);
		break;
	case IPV6_ROUTER_FOUND:
		log_info("router %s", text);
		break;
	case IPV6_ROUTER_GONE:
		log_info("router %s is gone", text);
		break;
	default:
		break;
	}
}

static void hear_event(struct ipv6_link *link, enum ipv6_event event, const struct ip_address *address)
{
	struct ipv6_stack *six = stack_of(link);
	bool is_news = event != IPV6_NEIGHBOUR_FOUND && event != IPV6_NEIGHBOUR_SILENT && event != IPV6_ROUTER_NONE;

	if (is_news && may_tell(six))
		tell(six, event, address);
	if (event == IPV6_ADDRESS_GONE)
		transport_lose_address(six->stack, address);
	wake_all(&six->stack->resolved);
}

static uint32_t choose_number(struct ipv6_link *link, uint32_t bound)
{
	return stack_random_below(stack_of(link)->stack, bound);
}

/* Configuration ----------------------------------------------------------------------------------------------- */

static bool is_host(const struct ip_address *address)
{
	return !ipv6_is_multicast(address) && !ipv6_is_unspecified(address) && !ipv6_is_loopback(address) &&
	       !ip_is_v4(address);
}

/* 0, or -EINVAL after saying what is wrong. */
static int check(const struct stack_config *config)
{
	struct ip_address address = ipv6_get(config->ipv6_address.address),
			  gateway = ipv6_get(config->ipv6_gateway.address);
	char text[IP_TEXT_MAX];

	if (config->ipv6_address.set && !is_host(&address)) {
		log_error("%s/%u is not an address that a host can have", ip_format(&address, text),
			config->ipv6_address.prefix_len);
		return -EINVAL;
	}
	if (config->ipv6_gateway.set &&
		(!is_host(&gateway) || (config->ipv6_address.set && ip_equal(&gateway, &address)))) {
		log_error("%s cannot be the gateway", ip_format(&gateway, text));
		return -EINVAL;
	}
	return 0;
}

/* What is given, as text of any length; or by chance, and then addresses are new each time. */
static void make_secret(struct own_stack *stack, const struct stack_config *config, uint8_t secret[16])
{
	uint8_t digest[br_sha256_SIZE];
	br_sha256_context context;

	stack_random(stack, secret, 16);
	if (!config->ipv6_secret)
		return;
	br_sha256_init(&context);
	br_sha256_update(&context, config->ipv6_secret, strlen(config->ipv6_secret));
	br_sha256_out(&context, digest);
	memcpy(secret, digest, 16);
}

static void add_configured(struct ipv6_stack *six, const struct stack_config *config)
{
	struct ipv6 *machine = six->machine;
	uint64_t now = stack_now(six->stack);
	struct ipv6_own_address own = {
		.address = ipv6_get(config->ipv6_address.address),
		.prefix_len = config->ipv6_address.prefix_len,
		.origin = IPV6_STATIC,
		.preferred_until = FOREVER,
		.valid_until = FOREVER,
	};
	struct ip_address gateway = ipv6_get(config->ipv6_gateway.address);

	if (config->ipv6_address.set) {
		/* Its probe waits as long as that of the link-local address: they go together. */
		(void)ipv6_add_address(machine, &own, machine->addresses[0].due_at - now, now);
		(void)ndp_add_prefix(machine, &own.address, own.prefix_len);
	}
	if (config->ipv6_gateway.set)
		(void)ndp_add_router(machine, &gateway);
}

static int open(struct own_stack *stack, const struct stack_config *config)
{
	struct ipv6_stack *six;
	struct ipv6_config machine = {
		.pool = &stack->pool,
		.drops = stack->counters.drops,
		.mtu = stack->net->info.mtu,
		.alone = stack->first.bare_ip,
		.accept_advertisements = config->accept_router_advertisements,
		.temporary_addresses = config->ipv6_temporary,
	};
	int err = check(config);

	if (err < 0)
		return err;
	if (stack->net->info.mtu < IPV6_MTU_MIN) {
		log_warn("no IPv6 on a link with an MTU of %u: it needs %d", stack->net->info.mtu, IPV6_MTU_MIN);
		return config->ipv6_only ? -EINVAL : 0;
	}
	six = calloc(1, sizeof *six);
	if (!six)
		return -ENOMEM;
	six->stack = stack;
	six->link = (struct ipv6_link){ ipv6_send_message, ipv6_forward, hear_event, choose_number };
	six->timer = (struct timer)TIMER_INIT(expire);
	six->fragments.lifetime_ns = IPV6_FRAGMENT_NS;
	six->fragments.pool = &stack->pool;
	six->fragments.drops = stack->counters.drops + DROP_IP6_FRAGMENT;
	machine.link = &six->link;
	memcpy(machine.mac, stack->net->info.mac, sizeof machine.mac);
	make_secret(stack, config, machine.secret);
	err = ipv6_open(&machine, stack_now(stack), &six->machine);
	if (err < 0) {
		free(six);
		return err;
	}
	stack->ipv6 = six;
	add_configured(six, config);
	ipv6_settle(six);
	return 0;
}

static void close(struct own_stack *stack)
{
	struct ipv6_stack *six = stack->ipv6;

	stack->ipv6 = NULL;
	stack_timer_cancel(stack, &six->timer);
	fragments_fini(&six->fragments);
	ipv6_close(six->machine);
	free(six);
}

/* The stack's questions --------------------------------------------------------------------------------------- */

static void confirm(struct own_stack *stack, const struct ip_address *destination)
{
	uint64_t now = stack_now(stack);
	struct ip_address next_hop;
	uint16_t mtu;

	if (ipv6_find_path(stack->ipv6->machine, destination, now, &next_hop, &mtu) == 0)
		ndp_confirm(stack->ipv6->machine, &next_hop, now);
}

static size_t list_addresses(const struct own_stack *stack, struct ip_address *addresses, size_t max)
{
	const struct ipv6 *machine = stack->ipv6->machine;
	size_t count = 0;

	for (size_t i = 0; i < IPV6_ADDRESSES && count < max; i++)
		if (machine->addresses[i].state == IPV6_ASSIGNED)
			addresses[count++] = machine->addresses[i].address;
	return count;
}

static size_t list_resolvers(const struct own_stack *stack, struct ip_address *addresses, size_t max)
{
	const struct ndp_routing *routing = &stack->ipv6->machine->routing;
	size_t count = 0;

	for (; count < routing->resolver_count && count < max; count++)
		addresses[count] = routing->resolvers[count].address;
	return count;
}

const struct stack_ipv6 stack_ipv6 = {
	.open = open,
	.close = close,
	.receive = ipv6_receive,
	.route = ipv6_route,
	.is_own = ipv6_is_own,
	.put_header = ipv6_put_whole_header,
	.receive_looped = ipv6_receive_looped,
	.ready = ipv6_ready,
	.send = ipv6_send,
	.confirm = confirm,
	.addresses = list_addresses,
	.resolvers = list_resolvers,
};
