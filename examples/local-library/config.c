/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "local-library");
	unikernel_source(u, "unikernel.c");
	unikernel_source(u, "library/hello.c");
}
