/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "ledger");
	unikernel_kv_rw(u, log_kv(block("storage")));
}
