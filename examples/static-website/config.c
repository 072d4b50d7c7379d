/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config port = PORT_KEY("port", "80", "TCP port to listen on.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "www");
	unikernel_key(u, &port);
	unikernel_stack(u, generic_stack(u, default_network()));
	unikernel_kv_ro(u, generic_kv_ro(u, "htdocs"));
}
