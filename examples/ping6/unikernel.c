/* SPDX-License-Identifier: ISC
 *
 * A network device, Ethernet and IPv6, and nothing else: it answers pings. What belongs to layers that are not there,
 * it says: an error for ARP and IPv4, and who sends TCP or UDP to whom.
 */
#include <skerry/layers.h>
#include <skerry/log.h>
#include <skerry/task.h>

#include "keys.h"

LOG_SOURCE(application);

enum { ARP = 0x0806, IPV4 = 0x0800 }; /* EtherTypes */
enum { TCP = 6, UDP = 17 };           /* protocols */

static void see_frame(struct stack_listener *listener, uint16_t type, const uint8_t *payload, size_t len)
{
	(void)listener;
	(void)payload;
	if (type == ARP || type == IPV4)
		log_error("%s packet of %zu bytes: there is only IPv6 here", type == ARP ? "ARP" : "IPv4", len);
}

static bool see_packet(struct stack_listener *listener, uint8_t protocol, const struct ip_address *source,
	const struct ip_address *destination, const uint8_t *payload, size_t len)
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];

	(void)listener;
	(void)payload;
	(void)len;
	if (protocol != TCP && protocol != UDP)
		return false; /* its sender is told */
	log_info("%s > %s %s", ip_format(source, from), ip_format(destination, to), protocol == TCP ? "TCP" : "UDP");
	return true;
}

int start(struct net *net)
{
	struct stack_listener listener = { .frame = see_frame, .packet = see_packet };
	const struct stack_layers layers = { .listener = &listener };
	const struct stack_config config = {
		.ipv6 = &stack_ipv6,
		.ipv6_address = keys.ipv6,
		.ipv6_gateway = keys.ipv6_gateway,
		.accept_router_advertisements = true,
		.ipv6_only = true,
	};
	struct stack *stack;
	int err = stack_assemble(net, &config, &layers, &stack);

	if (err < 0)
		return err;
	err = task_sleep(FOREVER);
	stack_close(stack);
	return err;
}
