/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config port = PORT_KEY("port", "8080", "TCP port on which to listen for connections.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "network");
	unikernel_key(u, &port);
	unikernel_stack(u, generic_stack(u, default_network()));
}
