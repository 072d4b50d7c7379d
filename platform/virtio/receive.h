/* SPDX-License-Identifier: ISC
 *
 * Frames out of a network's receive queue.
 */
#ifndef VIRTIO_RECEIVE_H
#define VIRTIO_RECEIVE_H

#include <sys/types.h>

#include "platform/vnet.h"
#include "virtqueue.h"

enum { VIRTIO_NET_HEADER = VNET_HEADER + 2 }; /* before each frame */

/* Buffer i belongs to descriptor i, for ever. */
struct virtio_receive_buffers {
	uint8_t *bytes;
	uint32_t size;  /* of each */
	bool mergeable; /* a frame may take several */
};

/* Lends all of the buffers to the device. */
void virtio_receive_fill(struct virtqueue *queue, const struct virtio_receive_buffers *buffers);

/* The next frame and its header: the frame's length, cut to size; -EAGAIN when there is none; -EIO when the device has
 * broken the rules. Its buffers are the device's again, when the caller publishes the queue. */
ssize_t virtio_receive_frame(struct virtqueue *queue, const struct virtio_receive_buffers *buffers,
	uint8_t header[VNET_HEADER], void *frame, size_t size);

#endif
