/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config peer = STRING_KEY("peer", NULL, "The address to connect to.", .required = true);
static const struct key_config port = PORT_KEY("port", "9", "Its TCP port.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "caller");
	unikernel_key(u, &peer);
	unikernel_key(u, &port);
	unikernel_stack(u, generic_stack(u, default_network()));
}
