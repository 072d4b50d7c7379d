/* SPDX-License-Identifier: ISC
 *
 * The machine of ipv6.h as a whole: opened, told of messages and of time.
 */
#include <errno.h>
#include <stdlib.h>

#include "ipv6.h"
#include "ipv6_wire.h"

int ipv6_open(const struct ipv6_config *config, uint64_t now, struct ipv6 **result)
{
	static const struct ip_address all_nodes = { { 0xff, 0x02, [15] = 1 } };
	struct ipv6 *ipv6 = calloc(1, sizeof *ipv6);

	if (!ipv6)
		return -ENOMEM;
	ipv6->config = *config;
	ndp_cache_init(&ipv6->neighbours, config->pool);
	ndp_routing_init(ipv6);
	if (config->accept_advertisements)
		ipv6->routing.pending_until = now + NDP_PENDING_NS;
	mld_join(ipv6, &all_nodes, now);
	slaac_add_link_local(ipv6, now);
	*result = ipv6;
	return 0;
}

void ipv6_close(struct ipv6 *ipv6)
{
	if (!ipv6)
		return;
	ndp_cache_fini(&ipv6->neighbours);
	free(ipv6);
}

int ipv6_hear(struct ipv6 *ipv6, const struct ipv6_heard *message, uint64_t now)
{
	uint8_t type = message->bytes[ICMPV6_TYPE];

	return type <= MLD_DONE_1 || type == MLD_REPORT_2 ? mld_hear(ipv6, message, now) : ndp_hear(ipv6, message, now);
}

uint64_t ipv6_deadline(const struct ipv6 *ipv6)
{
	uint64_t deadline = ipv6_addresses_deadline(ipv6);

	ipv6_sooner(&deadline, ndp_cache_deadline(ipv6));
	ipv6_sooner(&deadline, ndp_routing_deadline(ipv6));
	ipv6_sooner(&deadline, mld_deadline(ipv6));
	return deadline;
}

void ipv6_expire(struct ipv6 *ipv6, uint64_t now)
{
	ipv6_addresses_expire(ipv6, now);
	ndp_cache_expire(ipv6, now);
	ndp_routing_expire(ipv6, now);
	mld_expire(ipv6, now);
	ipv6->changed = true;
}
