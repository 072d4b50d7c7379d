/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config ipv4 = PREFIX_KEY("ipv4", "10.0.0.2/24", "The address, unless --dhcp asks for one.");
static const struct key_config gateway = IPV4_KEY("ipv4-gateway", "10.0.0.1", "The default gateway.");
static const struct key_config dhcp = FLAG_KEY("dhcp", "Ask a DHCP server for the address.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "custom-stack");
	unikernel_key(u, &ipv4);
	unikernel_key(u, &gateway);
	unikernel_key(u, &dhcp);
	unikernel_network(u, default_network()); /* the device alone: the program puts the stack on it */
}
