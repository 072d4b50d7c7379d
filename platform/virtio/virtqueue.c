/* SPDX-License-Identifier: ISC
 *
 * The rings: descriptors, those available to the device, those that it has used. Each of the two rings is written by
 * one side; an index counts all that was ever put in, and wraps at 2^16.
 */
#include <errno.h>
#include <string.h>

#include "virtqueue.h"

struct virtqueue_descriptor {
	uint64_t address;
	uint32_t len;
	uint16_t flags, next;
};

enum {
	DESCRIPTOR_NEXT = 1,
	DESCRIPTOR_WRITE = 2, /* by the device */
	NO_NOTIFY = 1,        /* in the used ring's flags */
	NO_INTERRUPT = 1,     /* in the available ring's flags */

	/* Places in the rings, as 16-bit words. */
	FLAGS = 0,
	INDEX = 1,
	RING = 2,
	ELEMENT = 4, /* words of an element of the used ring: chain and length, 32 bits each */
};

/* Parts of a queue's memory: the used ring is aligned to 4. */
static size_t avail_offset(uint16_t size)
{
	return size * sizeof(struct virtqueue_descriptor);
}

static size_t used_offset(uint16_t size)
{
	return (avail_offset(size) + (RING + size + 1u) * 2 + 3) & ~(size_t)3;
}

size_t virtqueue_memory_bytes(uint16_t size)
{
	return used_offset(size) + (RING + (size_t)size * ELEMENT + 1) * 2;
}

void virtqueue_init(struct virtqueue *queue, void *memory, uint16_t size, bool event_idx)
{
	char *base = memory;

	*queue = (struct virtqueue){
		.size = size,
		.event_idx = event_idx,
		.free_count = size,
		.descriptors = (struct virtqueue_descriptor *)memory,
		.avail = (uint16_t *)(void *)(base + avail_offset(size)),
		.used = (uint16_t *)(void *)(base + used_offset(size)),
	};
	for (uint16_t i = 0; i < size; i++)
		queue->chains[i].next = (uint16_t)(i + 1);
	queue->avail[FLAGS] = NO_INTERRUPT;
}

static uint16_t shared_read(const uint16_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void shared_write(uint16_t *word, uint16_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

int virtqueue_add(struct virtqueue *queue, const struct virtqueue_piece *pieces, size_t count, size_t readable)
{
	uint16_t head = queue->free, at = head;

	if (count == 0 || count > queue->free_count)
		return -EAGAIN;
	queue->chains[head].writable = 0;
	for (size_t i = 0; i < count; i++) {
		uint16_t next = queue->chains[at].next;
		bool is_last = i + 1 == count;

		queue->descriptors[at] = (struct virtqueue_descriptor){
			.address = (uintptr_t)pieces[i].data,
			.len = pieces[i].len,
			.flags = (uint16_t)((is_last ? 0 : DESCRIPTOR_NEXT) | (i < readable ? 0 : DESCRIPTOR_WRITE)),
			.next = is_last ? 0 : next,
		};
		if (i >= readable)
			queue->chains[head].writable += pieces[i].len;
		at = next;
	}
	queue->free = at;
	queue->free_count = (uint16_t)(queue->free_count - count);
	queue->chains[head].count = (uint16_t)count;
	queue->avail[RING + (queue->next_avail & (queue->size - 1))] = head;
	queue->next_avail++;
	return head;
}

bool virtqueue_publish(struct virtqueue *queue)
{
	uint16_t before = queue->last_published, event;

	shared_write(&queue->avail[INDEX], queue->next_avail);
	queue->last_published = queue->next_avail;
	/* The device must see the index before we look whether it sleeps. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->event_idx)
		return !(shared_read(&queue->used[FLAGS]) & NO_NOTIFY);
	event = shared_read(&queue->used[RING + queue->size * ELEMENT]);
	return (uint16_t)(queue->next_avail - event - 1) < (uint16_t)(queue->next_avail - before);
}

bool virtqueue_is_ready(const struct virtqueue *queue)
{
	return queue->broken || shared_read(&queue->used[INDEX]) != queue->last_used;
}

/* Gives the descriptors of a chain back. */
static void release(struct virtqueue *queue, uint16_t head)
{
	uint16_t last = head;

	for (uint16_t i = 1; i < queue->chains[head].count; i++)
		last = queue->chains[last].next;
	queue->chains[last].next = queue->free;
	queue->free = head;
	queue->free_count = (uint16_t)(queue->free_count + queue->chains[head].count);
	queue->chains[head].count = 0;
}

static int break_off(struct virtqueue *queue)
{
	queue->broken = true;
	return -EIO;
}

int virtqueue_take(struct virtqueue *queue, uint32_t *len)
{
	uint16_t index = shared_read(&queue->used[INDEX]);
	uint32_t element[2];

	if (queue->broken)
		return -EIO;
	if (index == queue->last_used)
		return -EAGAIN;
	if ((uint16_t)(index - queue->last_used) > queue->size)
		return break_off(queue);
	memcpy(element, &queue->used[RING + (queue->last_used & (queue->size - 1)) * ELEMENT], sizeof element);
	/* Only the copies are used from here on: the compiler is not to read them again. */
	__asm__ volatile("" : "+m"(element));
	if (element[0] >= queue->size || queue->chains[element[0]].count == 0 ||
		element[1] > queue->chains[element[0]].writable)
		return break_off(queue);
	queue->last_used++;
	release(queue, (uint16_t)element[0]);
	*len = element[1];
	return (int)element[0];
}

bool virtqueue_arm(struct virtqueue *queue)
{
	shared_write(&queue->avail[FLAGS], 0);
	shared_write(&queue->avail[RING + queue->size], queue->last_used);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return virtqueue_is_ready(queue);
}
