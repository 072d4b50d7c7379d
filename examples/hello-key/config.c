/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config hello = STRING_KEY("hello", "Hello World!", "How to say hello.");

void configure(struct unikernel *u)
{
	unikernel_name(u, "hello-key");
	unikernel_key(u, &hello);
}
