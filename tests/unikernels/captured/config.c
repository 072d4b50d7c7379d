/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config ipv4 = PREFIX_KEY("ipv4", "10.0.0.2/24", "The address.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "captured");
	unikernel_key(u, &ipv4);
	unikernel_network(u, default_network());
}
