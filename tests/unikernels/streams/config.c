/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "streams");
	unikernel_block(u, block("storage"));
	unikernel_stack(u, generic_stack(u, default_network()));
}
