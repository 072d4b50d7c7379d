/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config kind = ENUM_KEY("kv_rw", "log", "log|memory|direct",
	"The store: a log on a block device, memory, or the host's directory (unix).", .stage = KEY_AT_CONFIGURE);

/* Zeros, of which the store makes itself one at the first start. */
static const struct build_step disk = {
	.output = "disk.img",
	.command = "truncate -s 1M $out",
};

void configure(struct unikernel *u)
{
	unikernel_name(u, "kv_rw");
	unikernel_key(u, &kind);
	if (key_is(u, &kind, "log")) {
		unikernel_step(u, &disk);
		unikernel_kv_rw(u, log_kv(block_of_file("storage", "disk.img")));
	} else if (key_is(u, &kind, "memory")) {
		unikernel_kv_rw(u, memory_kv(65536));
	} else {
		unikernel_kv_rw(u, directory_kv_rw(u, "store"));
	}
}
