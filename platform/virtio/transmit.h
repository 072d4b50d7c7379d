/* SPDX-License-Identifier: ISC
 *
 * Frames into a network's transmit queue.
 */
#ifndef VIRTIO_TRANSMIT_H
#define VIRTIO_TRANSMIT_H

#include <platform.h>

#include "virtqueue.h"

/* Buffer i belongs to descriptor i, for ever. A frame takes as many as it needs: all of a queue's hold the longest. */
struct virtio_transmit_buffers {
	uint8_t *bytes;
	uint32_t size; /* of each */
};

/* Copies a frame, with its header in front of it as the first piece, and gives it to the device, for when the caller
 * publishes the queue. len is that of all pieces. 0; -EAGAIN when there is no room now; -EIO when the device has broken
 * the rules. */
int virtio_transmit_frame(struct virtqueue *queue, const struct virtio_transmit_buffers *buffers,
	const struct platform_piece *pieces, size_t count, size_t len);

#endif
