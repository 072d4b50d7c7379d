/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config keys[] = {
	INT_KEY("slot", "0", 0, 0, "The sector to read and write the game's state."),
	FLAG_KEY("reset", "Reset the state in the slot, and end."),
	FLAG_KEY("reset-all", "Reset the state in all slots, and end."),
};

/* Eight slots. */
static const struct build_step disk = {
	.output = "disk.img",
	.command = "truncate -s 4096 $out",
};

void configure(struct unikernel *u)
{
	unikernel_name(u, "disk-lottery");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		unikernel_key(u, &keys[i]);
	unikernel_step(u, &disk);
	unikernel_block(u, block_of_file("storage", "disk.img"));
}
