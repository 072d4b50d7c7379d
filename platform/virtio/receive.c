/* SPDX-License-Identifier: ISC
 *
 * Frames out of a network's receive queue (virtio 1.2, 5.1.6.4). Each comes behind a header, in one buffer or, if they
 * are mergeable, in as many as the header says.
 */
#include "receive.h"

#include <errno.h>
#include <string.h>

enum { BUFFER_COUNT = VNET_HEADER }; /* behind it: 16 bits, little-endian */

/* Lends a buffer. The queue's list of free descriptors is a stack, so that what is given back at once gets its own
 * descriptor again. */
static void lend(struct virtqueue *queue, const struct virtio_receive_buffers *buffers, uint16_t i)
{
	struct virtqueue_piece piece = { buffers->bytes + (size_t)i * buffers->size, buffers->size };

	virtqueue_add(queue, &piece, 1, 0);
}

void virtio_receive_fill(struct virtqueue *queue, const struct virtio_receive_buffers *buffers)
{
	for (uint16_t i = 0; i < queue->size; i++)
		lend(queue, buffers, i);
}

static int break_off(struct virtqueue *queue)
{
	queue->broken = true;
	return -EIO;
}

ssize_t virtio_receive_frame(struct virtqueue *queue, const struct virtio_receive_buffers *buffers,
	uint8_t header[VNET_HEADER], void *frame, size_t size)
{
	size_t skip = VIRTIO_NET_HEADER, total = 0;
	unsigned count = 1;

	for (unsigned i = 0; i < count; i++) {
		uint32_t len;
		int id = virtqueue_take(queue, &len);
		const uint8_t *bytes;
		size_t part;

		if (id < 0)
			return i == 0 ? id : break_off(queue);
		if (len < skip)
			return break_off(queue);
		bytes = buffers->bytes + (size_t)id * buffers->size;
		if (i == 0)
			memcpy(header, bytes, VNET_HEADER);
		if (i == 0 && buffers->mergeable)
			count = bytes[BUFFER_COUNT] | (unsigned)bytes[BUFFER_COUNT + 1] << 8;
		if (count == 0 || count > queue->size)
			return break_off(queue);
		part = len - skip < size - total ? len - skip : size - total;
		memcpy((char *)frame + total, bytes + skip, part);
		total += part;
		skip = 0;
		lend(queue, buffers, (uint16_t)id);
	}
	return (ssize_t)total;
}
