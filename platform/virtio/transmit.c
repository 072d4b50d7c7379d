/* SPDX-License-Identifier: ISC
 *
 * Frames into a network's transmit queue (virtio 1.2, 5.1.6.2). One copy, into the buffers of the descriptors that the
 * chain is going to have: the first of the list of free ones.
 */
#include "transmit.h"

#include <errno.h>
#include <string.h>

/* Where the next byte of a frame goes: a buffer, and how many bytes it has already. */
struct place {
	uint16_t descriptor;
	struct virtqueue_piece *piece;
};

static uint8_t *buffer_of(const struct virtio_transmit_buffers *buffers, uint16_t descriptor)
{
	return buffers->bytes + (size_t)descriptor * buffers->size;
}

static void put(const struct virtqueue *queue, const struct virtio_transmit_buffers *buffers, struct place *place,
	const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t room = buffers->size - place->piece->len, part = len < room ? len : room;

		if (room == 0) {
			place->descriptor = queue->chains[place->descriptor].next;
			*++place->piece = (struct virtqueue_piece){ buffer_of(buffers, place->descriptor), 0 };
			continue;
		}
		memcpy(buffer_of(buffers, place->descriptor) + place->piece->len, bytes, part);
		place->piece->len += (uint32_t)part;
		bytes += part;
		len -= part;
	}
}

int virtio_transmit_frame(struct virtqueue *queue, const struct virtio_transmit_buffers *buffers,
	const struct platform_piece *pieces, size_t count, size_t len)
{
	size_t needed = (len + buffers->size - 1) / buffers->size;
	struct virtqueue_piece chain[VIRTQUEUE_SIZE_MAX];
	struct place place = { .piece = chain };
	uint32_t written;
	int id;

	do
		id = virtqueue_take(queue, &written);
	while (id >= 0);
	if (id == -EIO)
		return -EIO;
	if (needed > queue->free_count)
		return -EAGAIN;
	place.descriptor = queue->free;
	chain[0] = (struct virtqueue_piece){ buffer_of(buffers, place.descriptor), 0 };
	for (size_t i = 0; i < count; i++)
		put(queue, buffers, &place, pieces[i].data, pieces[i].len);
	virtqueue_add(queue, chain, needed, needed);
	return 0;
}
