/* SPDX-License-Identifier: ISC
 *
 * The DHCP client's machine in a stack: its messages, its timer, the probe of what it is given, and its log.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>
#include <skerry/text.h>

#include "dhcp_client.h"
#include "dhcp_lease.h"
#include "own_stack.h"
#include "wire.h"

LOG_SOURCE(dhcp);

#define PROBE_NS   MSEC(100) /* unless the program says otherwise */
#define RELEASE_NS MSEC(100) /* how long closing waits to find the server */

struct dhcp_service {
	struct own_stack *stack;
	struct dhcp_link link;
	struct timer timer;
	struct udp *socket;
	uint64_t probe_ns;
	struct dhcp_client client;
};

static struct dhcp_service *service_of(struct dhcp_link *link)
{
	return (struct dhcp_service *)((char *)link - offsetof(struct dhcp_service, link));
}

/* Whatever happened to the machine, its deadline may have changed. */
static void set_timer(struct dhcp_service *service)
{
	stack_timer_set(service->stack, &service->timer, service->client.deadline);
}

static void expire(struct timer *timer)
{
	struct dhcp_service *service = (struct dhcp_service *)((char *)timer - offsetof(struct dhcp_service, timer));

	dhcp_client_expire(&service->client, stack_now(service->stack));
	set_timer(service);
}

/* The stack has the sender's address exactly when the machine has it. */
static void send_message(struct dhcp_link *link, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
	struct dhcp_service *service = service_of(link);
	const struct ip_endpoint server = { dhcp_address(to), DHCP_SERVER_PORT };

	(void)from;
	if (service->client.message.type == DHCP_DISCOVER && service->client.tries > 0)
		log_info("no DHCP server has answered yet; asking again");
	log_debug("sending %s", dhcp_type_name(service->client.message.type));
	udp_send_now(service->socket, &server, bytes, len);
}

static void probe(struct dhcp_link *link, uint32_t address)
{
	struct dhcp_service *service = service_of(link);

	neighbour_probe(&service->stack->first, address, service->probe_ns);
}

static void probed(struct own_stack *stack)
{
	struct dhcp_service *service = stack->dhcp_service;
	char text[IP_TEXT_MAX];

	if (stack->in_use)
		log_warn("%s is another host's already: declined", ip_format(&service->client.candidate.address, text));
	dhcp_client_probed(&service->client, stack->in_use, stack_now(stack));
	set_timer(service);
}

/* " NAME A, B", or nothing. */
static void append_addresses(
	char *line, size_t size, const char *name, const struct ip_address *addresses, size_t count)
{
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(line);

		text_format(line + len, size - len, "%s%s", i == 0 ? name : ", ", ip_format(&addresses[i], text));
	}
}

static void log_lease(const struct dhcp_lease *lease)
{
	char address[IP_TEXT_MAX], server[IP_TEXT_MAX], rest[256] = "";
	uint32_t seconds = 0;

	append_addresses(rest, sizeof rest, ", gateway ", lease->routers, lease->router_count ? 1 : 0);
	append_addresses(rest, sizeof rest, ", DNS ", lease->dns, lease->dns_count);
	(void)dhcp_options_get32(&lease->options, DHCP_LEASE_TIME, &seconds);
	ip_format(&lease->address, address);
	ip_format(&lease->server, server);
	if (seconds == DHCP_LEASE_FOR_EVER)
		log_info("%s/%u from %s for ever%s", address, lease->prefix_len, server, rest);
	else
		log_info("%s/%u from %s for %u s%s", address, lease->prefix_len, server, seconds, rest);
}

/* A gateway that can be one: the stack checks none of a lease. */
static uint32_t gateway_of(const struct dhcp_lease *lease)
{
	uint32_t mask = dhcp_mask(lease->prefix_len), address = dhcp_number(&lease->address);
	uint32_t gateway = lease->router_count ? dhcp_number(&lease->routers[0]) : 0;
	bool neighbour = (gateway & mask) == (address & mask);

	if (gateway == address || (neighbour && lease->prefix_len < 31 && (gateway | mask) == UINT32_MAX))
		return 0;
	return gateway;
}

static void bound(struct dhcp_link *link, const struct dhcp_lease *lease)
{
	struct own_stack *stack = service_of(link)->stack;
	const struct ipv4_local *own = &stack->first.ipv4.all[0];
	uint32_t address = dhcp_number(&lease->address), mask = dhcp_mask(lease->prefix_len);
	uint32_t gateway = gateway_of(lease);
	char text[IP_TEXT_MAX];

	if (own->address == address && own->mask == mask && stack->gateway == gateway) {
		log_debug("the lease of %s is extended", ip_format(&lease->address, text));
		return;
	}
	log_lease(lease);
	stack_set_ipv4(stack, address, lease->prefix_len, gateway);
}

static void lost(struct dhcp_link *link, enum dhcp_loss loss)
{
	static const char *const reasons[] = { [DHCP_EXPIRED] = "its lease has ended",
		[DHCP_REFUSED] = "the server refuses it",
		[DHCP_CHANGED] = "the server gives another" };
	struct own_stack *stack = service_of(link)->stack;
	char text[IP_TEXT_MAX];

	log_warn("%s is ours no more, and connections end: %s", ip_format(&stack->address, text), reasons[loss]);
	stack_set_ipv4(stack, 0, 32, 0);
}

static uint32_t chance(struct dhcp_link *link)
{
	return stack_random_u32(service_of(link)->stack);
}

static void receive(void *context, const struct ip_received *packet, const uint8_t *data, size_t len)
{
	struct dhcp_service *service = context;
	char text[IP_TEXT_MAX];
	int err = dhcp_client_receive(&service->client, data, len, stack_now(service->stack));

	log_debug("%s from %s", err == 0 ? "an answer" : "something else", ip_format(&packet->source, text));
	if (err < 0)
		stack_drop(service->stack, err == -EBADMSG ? DROP_DHCP_MESSAGE : DROP_DHCP_UNEXPECTED);
	set_timer(service);
}

static int begin(struct own_stack *stack, const struct stack_config *stack_config)
{
	struct dhcp_service *service = calloc(1, sizeof *service);
	struct dhcp_client_config config = { .mtu = stack->net->info.mtu, .hostname = stack_config->hostname };
	const uint8_t *wanted = stack_config->dhcp_options;

	if (!service)
		return -ENOMEM;
	service->socket = udp_open_handler(stack->udp, DHCP_CLIENT_PORT, receive, service);
	if (!service->socket) {
		free(service);
		return -ENOMEM;
	}
	stack->dhcp_service = service;
	service->stack = stack;
	service->link = (struct dhcp_link){ send_message, probe, bound, lost, chance };
	service->timer = (struct timer)TIMER_INIT(expire);
	service->probe_ns = stack_config->probe_ns ? stack_config->probe_ns : PROBE_NS;
	config.link = &service->link;
	memcpy(config.mac, stack->net->info.mac, sizeof config.mac);
	for (; wanted && *wanted && config.wanted_count < DHCP_WANTED_MAX; wanted++)
		config.wanted[config.wanted_count++] = *wanted;
	if (stack_config->dhcp_remembered.set)
		config.remembered = wire_get32(stack_config->dhcp_remembered.address);
	log_info("asking for an address");
	dhcp_client_init(&service->client, &config, stack_now(stack));
	set_timer(service);
	return 0;
}

static int open_client(struct own_stack *stack, const struct stack_config *config)
{
	if (!stack->udp) {
		log_error("DHCP needs UDP, which this stack lacks");
		return -EINVAL;
	}
	return begin(stack, config);
}

static int wait_for_lease(struct own_stack *stack)
{
	uint64_t deadline = stack_now(stack) + STACK_DHCP_NS;
	int err = 0;

	while (err == 0 && stack->first.ipv4.all[0].address == 0)
		err = wait_on(&stack->configured, deadline);
	if (err == -ETIMEDOUT)
		log_error("no DHCP server has given an address within a minute: start one, or set a fixed address, "
			  "such as --ipv4=10.0.0.2/24");
	return err;
}

/* The lease is given back to a server whose place on the link may have been forgotten since. */
static void prepare_close(struct own_stack *stack)
{
	const struct dhcp_service *service = stack->dhcp_service;
	uint64_t deadline = stack_now(stack) + RELEASE_NS;

	while (service && service->client.has_lease && ip_ready(stack, &service->client.lease.server) == -EAGAIN &&
		wait_on(&stack->resolved, deadline) == 0)
		;
}

static void close_client(struct own_stack *stack)
{
	struct dhcp_service *service = stack->dhcp_service;

	if (!service)
		return;
	dhcp_client_release(&service->client);
	stack_timer_cancel(service->stack, &service->timer);
	udp_close(service->socket);
	free(service);
}

static const struct dhcp_lease *lease_of(const struct own_stack *stack)
{
	const struct dhcp_client *client = &stack->dhcp_service->client;

	return client->has_lease ? &client->lease : NULL;
}

const struct stack_dhcp stack_dhcp = {
	.open = open_client,
	.wait = wait_for_lease,
	.prepare_close = prepare_close,
	.close = close_client,
	.probed = probed,
	.lease = lease_of,
};
