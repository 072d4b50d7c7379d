/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config ipv6 = IPV6_PREFIX_KEY("ipv6", NULL, "An address, beside those that it makes itself.");
static const struct key_config gateway = IPV6_KEY("ipv6-gateway", NULL, "The gateway, if none advertises itself.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "ping6");
	unikernel_key(u, &ipv6);
	unikernel_key(u, &gateway);
	unikernel_network(u, default_network()); /* the device alone: the program puts IPv6 on it */
}
