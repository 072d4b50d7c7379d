/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config lan_ipv4 = PREFIX_KEY("lan-ipv4", "10.0.8.2/24", "The address on the network \"lan\".");
static const struct key_config lan_gateway = IPV4_KEY("lan-gateway", NULL, "Another default gateway, there.");
static const struct key_config alias = PREFIX_KEY("alias", NULL, "A second address on the network \"service\".");
static const struct key_config far = PREFIX_KEY("far", NULL, "A network behind --far-gateway.");
static const struct key_config far_gateway = IPV4_KEY("far-gateway", NULL, "Its gateway.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "multihomed");
	unikernel_key(u, &lan_ipv4);
	unikernel_key(u, &lan_gateway);
	unikernel_key(u, &alias);
	unikernel_key(u, &far);
	unikernel_key(u, &far_gateway);
	unikernel_stack(u, direct_stack(u, default_network()));
	unikernel_network(u, network("lan"));
	unikernel_group(u, "management");
	unikernel_stack(u, direct_stack(u, network("management")));
}
