/* SPDX-License-Identifier: ISC
 *
 * skerry-virtio: the tender whose guest is a virtual machine of QEMU.
 */
#include "tender/common/process.h"

int main(int argc, char **argv)
{
	static const struct tender_front front = { "skerry-virtio", ABI_TARGET_VIRTIO, ABI_VIRTIO_VERSION,
		tender_virtio_run };

	return tender_main(&front, argc, argv);
}
