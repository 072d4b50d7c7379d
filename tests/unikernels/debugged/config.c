/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "debugged");
}
