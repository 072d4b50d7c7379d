/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "bulk");
	unikernel_stack(u, generic_stack(u, default_network()));
}
