/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config pause =
	INT_KEY("pause", "2500", 1, 60000, "The longest pause before a line, in milliseconds.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "lines");
	unikernel_key(u, &pause);
}
