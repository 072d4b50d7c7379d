/* SPDX-License-Identifier: ISC
 *
 * A bounded queue of bytes: a list of chunks in memory with two ends, each of which can end it.
 *
 * Chunks are made as bytes come, and one that was read is kept for the next bytes: so a queue has what it once needed,
 * and one through which bytes flow allocates nothing.
 *
 * Invariants: len <= size; the bytes begin at `begin` in the first chunk and end at `end` in the last; there is no
 * chunk without bytes but the spare ones. Every change that somebody may wait for (bytes, room, a closed end) wakes all
 * who wait for it; they look again. `inside` counts the calls that wait, so that the last of them, and not the one who
 * closes, frees a queue that both have closed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/queue.h>

struct chunk {
	struct chunk *next;
	uint8_t bytes[];
};

struct queue {
	struct chunk *first, *last, *spare;
	size_t chunk_size, begin, end;
	size_t len, size, inside;
	int write_error, read_error;
	bool write_closed, read_closed;
	struct wait_queue bytes, room;
};

static size_t smaller(size_t one, size_t other)
{
	return one < other ? one : other;
}

struct queue *queue_new(size_t size)
{
	struct queue *queue = size > 0 ? malloc(sizeof *queue) : NULL;

	if (queue)
		*queue = (struct queue){ .size = size, .chunk_size = smaller(size, STREAM_BUFFER_BYTES) };
	return queue;
}

/* Where the first chunk's bytes end. */
static size_t first_end(const struct queue *queue)
{
	return queue->first == queue->last ? queue->end : queue->chunk_size;
}

static bool append_chunk(struct queue *queue)
{
	struct chunk *chunk = queue->spare;

	if (chunk)
		queue->spare = chunk->next;
	else
		chunk = malloc(sizeof *chunk + queue->chunk_size);
	if (!chunk)
		return false;
	chunk->next = NULL;
	if (queue->first)
		queue->last->next = chunk;
	else
		queue->first = chunk;
	queue->last = chunk;
	queue->end = 0;
	return true;
}

static void remove_first_chunk(struct queue *queue)
{
	struct chunk *chunk = queue->first;

	queue->first = chunk->next;
	queue->begin = 0;
	chunk->next = queue->spare;
	queue->spare = chunk;
}

static void free_chunks(struct queue *queue)
{
	while (queue->first)
		remove_first_chunk(queue);
	while (queue->spare) {
		struct chunk *chunk = queue->spare;

		queue->spare = chunk->next;
		free(chunk);
	}
}

static void free_if_left(struct queue *queue)
{
	if (!queue->write_closed || !queue->read_closed || queue->inside > 0)
		return;
	free_chunks(queue);
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

/* As much as there is room for, and memory. */
static size_t copy_in(struct queue *queue, const uint8_t *data, size_t len)
{
	size_t wanted = smaller(len, queue->size - queue->len), taken = 0, piece;

	for (; taken < wanted; taken += piece) {
		if ((!queue->first || queue->end == queue->chunk_size) && !append_chunk(queue))
			break;
		piece = smaller(wanted - taken, queue->chunk_size - queue->end);
		memcpy(queue->last->bytes + queue->end, data + taken, piece);
		queue->end += piece;
	}
	queue->len += taken;
	if (taken > 0)
		wake_all(&queue->bytes);
	return taken;
}

ssize_t queue_put(struct queue *queue, const void *data, size_t len, uint64_t deadline)
{
	size_t put = 0;
	int err = 0;

	if (len == 0)
		return 0;
	while (err == 0 && !queue->read_closed && !queue->write_closed && (put = copy_in(queue, data, len)) == 0)
		err = queue->len == 0 ? -ENOMEM : wait_inside(queue, &queue->room, deadline);
	if (put > 0)
		return (ssize_t)put;
	if (queue->read_closed || queue->write_closed)
		err = queue->read_error < 0 ? queue->read_error : -EPIPE;
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
		*data = queue->first->bytes + queue->begin;
		return (ssize_t)(first_end(queue) - queue->begin);
	}
	if (err == 0)
		err = queue->write_closed ? queue->write_error : -EPIPE;
	free_if_left(queue);
	return err;
}

void queue_drop(struct queue *queue, size_t len)
{
	queue->len -= len;
	while (len > 0) {
		size_t piece = smaller(len, first_end(queue) - queue->begin);

		queue->begin += piece;
		len -= piece;
		if (queue->begin == first_end(queue))
			remove_first_chunk(queue);
	}
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
	queue->len = 0;
	free_chunks(queue);
	wake_all(&queue->room);
	wake_all(&queue->bytes);
	free_if_left(queue);
}
