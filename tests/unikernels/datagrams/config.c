/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config port = PORT_KEY("port", "7", "UDP port to listen on.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "datagrams");
	unikernel_key(u, &port);
	unikernel_stack(u, direct_stack(u, default_network()));
}
