/* SPDX-License-Identifier: ISC
 *
 * Inside the virtio tender: the command line of QEMU.
 */
#ifndef TENDER_VIRTIO_VIRTIO_H
#define TENDER_VIRTIO_VIRTIO_H

#include "tender/common/tender.h"

#define VIRTIO_QEMU "qemu-system-x86_64"

enum {
	VIRTIO_MMIO_MAX = 8, /* devices of machine "microvm"; more are on PCI, on machine "q35" */
	VIRTIO_PCI_MAX = 24,
	VIRTIO_WORDS_MAX = 40 + 6 * VIRTIO_PCI_MAX,
	VIRTIO_STATUS_PORT = 0xe9, /* takes the guest's exit status: a decimal number and a newline */
};

struct virtio_words {
	char *words[VIRTIO_WORDS_MAX + 1]; /* allocated, ends with NULL */
	size_t count;
};

/* Makes the command line for the guest; status_fd is a descriptor that shall get what the guest writes to
 * VIRTIO_STATUS_PORT. Descriptors of devices are named by their numbers, so QEMU must inherit them. -ENOMEM, -E2BIG for
 * more devices than VIRTIO_PCI_MAX. */
int virtio_words(
	const struct tender_config *config, int status_fd, struct virtio_words *words, struct tender_error *error);

#endif
