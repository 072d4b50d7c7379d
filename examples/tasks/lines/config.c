/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config delay =
	INT_KEY("delay", "2500", 1, 60000, "The longest delay between two lines, in milliseconds.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "lines");
	unikernel_key(u, &delay);
}
