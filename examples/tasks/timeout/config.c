/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config work =
	INT_KEY("work", "0", 0, 60000, "How long the work takes, in milliseconds; 0: up to 3 seconds, at random.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "timeout");
	unikernel_key(u, &work);
}
