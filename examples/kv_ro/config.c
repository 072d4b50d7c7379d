/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "kv_ro");
	unikernel_kv_ro(u, generic_kv_ro(u, "t"));
}
