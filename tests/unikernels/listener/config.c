/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config group = IPV4_KEY("group", "239.1.2.3", "The group to join.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "listener");
	unikernel_key(u, &group);
	unikernel_stack(u, direct_stack(u, default_network()));
}
