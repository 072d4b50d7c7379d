/* SPDX-License-Identifier: ISC
 *
 * skerry-spt: the tender whose guest is a process under seccomp.
 */
#include "tender/common/process.h"

int main(int argc, char **argv)
{
	static const struct tender_front front = { "skerry-spt", ABI_TARGET_SPT, ABI_SPT_VERSION, tender_spt_run };

	return tender_main(&front, argc, argv);
}
