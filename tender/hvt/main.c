/* SPDX-License-Identifier: ISC
 *
 * skerry-hvt: the tender whose guest is a virtual machine of KVM.
 */
#include "tender/common/process.h"

int main(int argc, char **argv)
{
	static const struct tender_front front = { "skerry-hvt", ABI_TARGET_HVT, ABI_HVT_VERSION, tender_hvt_run };

	return tender_main(&front, argc, argv);
}
