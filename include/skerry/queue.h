/* SPDX-License-Identifier: ISC
 *
 * Bounded queues of bytes between tasks, whose end is complete or failed and never in doubt; and the streams into and
 * out of them.
 *
 * The room is counted in bytes. Memory is taken as they come, and kept for those that follow: at most two pieces of
 * STREAM_BUFFER_BYTES more. Each end is closed once, with 0 or the error that its side failed with: the other side gets
 * that error (a reader after what was written before), so that neither can wait for one who is gone. Who waits is
 * woken. The queue is freed when both ends are closed and nobody is in a call.
 *
 * Several tasks may put at once, whose pieces may mix where one has to wait, and several may read; only one may peek.
 */
#ifndef SKERRY_QUEUE_H
#define SKERRY_QUEUE_H

#include <skerry/stream.h>

struct queue;

/* size: bytes, at least 1. NULL: no memory. */
struct queue *queue_new(size_t size);

/* The writer's end. Copies in as many bytes as there is room for, and blocks while there is none. The count, 1 to len
 * (0 only for len 0), -ETIMEDOUT, -ECANCELED; -ENOMEM: there is none for the first byte; the reader's error, -EPIPE
 * when it left without one. */
ssize_t queue_put(struct queue *queue, const void *data, size_t len, uint64_t deadline);
/* Closes it: 0: all was written. Does not block. NULL is ignored. */
void queue_end(struct queue *queue, int error);

/* The reader's end. Copies out what is there, 1 to size bytes; blocks while nothing is. 0: all was read; -ETIMEDOUT,
 * -ECANCELED; the writer's error. */
ssize_t queue_read(struct queue *queue, void *buf, size_t size, uint64_t deadline);
/* As queue_read, but shows the bytes where they are; they stay until they are dropped. */
ssize_t queue_peek(struct queue *queue, const void **data, uint64_t deadline);
void queue_drop(struct queue *queue, size_t len);
/* Closes it. What was not read is gone. Does not block. NULL is ignored. */
void queue_leave(struct queue *queue, int error);

/* The reader's end as a source, which closes it. Copies nothing. */
struct source_queue {
	struct source source;
	struct queue *queue;
	size_t shown;
};
struct source *source_queue(struct source_queue *source, struct queue *queue);

/* The writer's end as a sink, which closes it. */
struct sink_queue {
	struct sink sink;
	struct queue *queue;
};
struct sink *sink_queue(struct sink_queue *sink, struct queue *queue);

/* What a task of its own makes: starting the source spawns a child in which produce writes into a queue of size bytes,
 * through `into`, on which it may run any number of streams. What it returns (0 or an error) is the stream's end.
 * Stopping the source cancels it, and waits until it has ended: by the task that started it. */
struct source_task {
	struct source source;
	struct source_queue from;
	struct sink into;
	struct queue *queue;
	struct task *task;
	size_t size;
	bool ended;
	int (*produce)(void *context, struct sink *into);
	void *context;
};
struct source *source_task(
	struct source_task *task, size_t size, int (*produce)(void *context, struct sink *into), void *context);

#endif
