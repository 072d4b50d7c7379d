/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

/* 100000 sectors of zeros, which take no room on the host's disk until they are written. */
static const struct build_step disk = {
	.output = "disk.img",
	.command = "truncate -s 51200000 $out",
};

void configure(struct unikernel *u)
{
	unikernel_name(u, "block");
	unikernel_step(u, &disk);
	unikernel_block(u, block_of_file("storage", "disk.img"));
}
