/* SPDX-License-Identifier: ISC
 *
 * A split virtqueue (virtio 1.2, 2.7), the driver's end. It needs memory that the device can read and write, linear
 * addresses that are the device's, and nothing else: so any target with such devices can have it.
 *
 * The device is not trusted. What the driver must remember it keeps outside of the memory that it shares; each index
 * and length that the device writes is read once, and checked. A device that breaks the rules once is not listened to
 * again.
 */
#ifndef VIRTIO_VIRTQUEUE_H
#define VIRTIO_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIRTQUEUE_SIZE_MAX = 128 };

struct virtqueue_piece {
	const void *data;
	uint32_t len;
};

struct virtqueue_descriptor;

struct virtqueue {
	uint16_t size; /* a power of two */
	bool event_idx, broken;
	uint16_t next_avail, last_published, last_used;
	uint16_t free, free_count; /* descriptors that nobody uses, as a list */
	struct virtqueue_descriptor *descriptors;
	uint16_t *avail, *used; /* flags, index, ring, event; used: elements of 8 bytes */
	struct {
		uint16_t next;
		uint16_t count;    /* of the chain that begins here and the device has; 0: none */
		uint32_t writable; /* bytes of it that the device may write */
	} chains[VIRTQUEUE_SIZE_MAX];
};

/* How much memory a queue of this size shares with the device: aligned to 16 bytes, zeroed. */
size_t virtqueue_memory_bytes(uint16_t size);
void virtqueue_init(struct virtqueue *queue, void *memory, uint16_t size, bool event_idx);

/* Gives the device a chain: the first readable pieces to read, the others to write, none empty. They stay lent until
 * virtqueue_take() returns the chain. Returns its number, below the queue's size; -EAGAIN when there is no room. */
int virtqueue_add(struct virtqueue *queue, const struct virtqueue_piece *pieces, size_t count, size_t readable);

/* Shows what was added to the device. Returns whether it wants to be notified. */
bool virtqueue_publish(struct virtqueue *queue);

/* A chain that the device is done with, and how many bytes it says to have written, at most what it was given to.
 * -EAGAIN when there is none, -EIO when the device has broken the rules. */
int virtqueue_take(struct virtqueue *queue, uint32_t *len);

/* Whether virtqueue_take() has something to say. */
bool virtqueue_is_ready(const struct virtqueue *queue);

/* Asks for an interrupt at the next chain. True when one is there already: then there may be none. */
bool virtqueue_arm(struct virtqueue *queue);

#endif
