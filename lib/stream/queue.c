/* SPDX-License-Identifier: ISC
 *
 * A bounded queue of bytes: a ring in memory with two ends, each of which can end it.
 *
 * Invariants: len <= size; the bytes lie from `first` on, around the ring's end. Every change that somebody may wait
 * for (bytes, room, a closed end) wakes all who wait for it; they look again. `inside` counts the calls that wait, so
 * that the last of them, and not the one who closes, frees a queue that both have closed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/queue.h>

struct queue {
	size_t first, len, size, inside;
	int write_error, read_error;
	bool write_closed, read_closed;
	struct wait_queue bytes, room;
	uint8_t ring[];
};

struct queue *queue_new(size_t size)
{
	struct queue *queue = size > 0 && size < SIZE_MAX - sizeof *queue ? malloc(sizeof *queue + size) : NULL;

	if (queue)
		*queue = (struct queue){ .size = size };
	return queue;
}

static void free_if_left(struct queue *queue)
{
	if (queue->write_closed && queue->read_closed && queue->inside == 0)
		free(queue);
}

static int wait_inside(struct queue *queue, struct wait_queue *waiting, uint64_t deadline)
{
	int err;

	queue->inside++;
	err = wait_on(waiting, deadline);
	queue->inside--;
	return err;
}

static size_t smaller(size_t one, size_t other)
{
	return one < other ? one : other;
}

static size_t copy_in(struct queue *queue, const uint8_t *data, size_t len)
{
	size_t taken = smaller(len, queue->size - queue->len);
	size_t at = queue->first < queue->size - queue->len ? queue->first + queue->len
							    : queue->first - (queue->size - queue->len);
	size_t straight = smaller(taken, queue->size - at);

	memcpy(queue->ring + at, data, straight);
	memcpy(queue->ring, data + straight, taken - straight);
	queue->len += taken;
	wake_all(&queue->bytes);
	return taken;
}

ssize_t queue_put(struct queue *queue, const void *data, size_t len, uint64_t deadline)
{
	int err = 0;

	if (len == 0)
		return 0;
	while (err == 0 && !queue->read_closed && !queue->write_closed && queue->len == queue->size)
		err = wait_inside(queue, &queue->room, deadline);
	if (queue->read_closed || queue->write_closed)
		err = queue->read_error < 0 ? queue->read_error : -EPIPE;
	if (err == 0)
		return (ssize_t)copy_in(queue, data, len);
	free_if_left(queue);
	return err;
}

void queue_end(struct queue *queue, int error)
{
	if (!queue)
		return;
	queue->write_closed = true;
	queue->write_error = error;
	wake_all(&queue->bytes);
	wake_all(&queue->room);
	free_if_left(queue);
}

ssize_t queue_peek(struct queue *queue, const void **data, uint64_t deadline)
{
	int err = 0;

	while (err == 0 && !queue->read_closed && !queue->write_closed && queue->len == 0)
		err = wait_inside(queue, &queue->bytes, deadline);
	if (err == 0 && queue->len > 0 && !queue->read_closed) {
		*data = queue->ring + queue->first;
		return (ssize_t)smaller(queue->len, queue->size - queue->first);
	}
	if (err == 0)
		err = queue->write_closed ? queue->write_error : -EPIPE;
	free_if_left(queue);
	return err;
}

void queue_drop(struct queue *queue, size_t len)
{
	queue->len -= len;
	queue->first = len < queue->size - queue->first ? queue->first + len : len - (queue->size - queue->first);
	if (queue->len == 0)
		queue->first = 0; /* the next piece is as long as can be */
	wake_all(&queue->room);
}

ssize_t queue_read(struct queue *queue, void *buf, size_t size, uint64_t deadline)
{
	const void *data = NULL;
	ssize_t len = queue_peek(queue, &data, deadline);

	if (len <= 0)
		return len;
	len = (ssize_t)smaller((size_t)len, size);
	memcpy(buf, data, (size_t)len);
	queue_drop(queue, (size_t)len);
	return len;
}

void queue_leave(struct queue *queue, int error)
{
	if (!queue)
		return;
	queue->read_closed = true;
	queue->read_error = error;
	wake_all(&queue->room);
	wake_all(&queue->bytes);
	free_if_left(queue);
}
