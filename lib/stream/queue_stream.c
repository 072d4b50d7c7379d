/* SPDX-License-Identifier: ISC
 *
 * The ends of a queue as source and sink, and a task that writes into one as a source.
 */
#include <errno.h>

#include <skerry/queue.h>

static ssize_t source_queue_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_queue *from = (struct source_queue *)source;
	ssize_t len;

	queue_drop(from->queue, from->shown);
	from->shown = 0;
	len = queue_peek(from->queue, data, deadline);
	if (len > 0)
		from->shown = (size_t)len;
	return len;
}

static void source_queue_stop(struct source *source, int error)
{
	queue_leave(((struct source_queue *)source)->queue, error);
}

static const struct source_ops source_queue_ops = { .pull = source_queue_pull, .stop = source_queue_stop };

struct source *source_queue(struct source_queue *source, struct queue *queue)
{
	*source = (struct source_queue){ .source.ops = &source_queue_ops, .queue = queue };
	return &source->source;
}

static int put_all(struct queue *queue, const uint8_t *data, size_t len, uint64_t deadline)
{
	while (len > 0) {
		ssize_t put = queue_put(queue, data, len, deadline);

		if (put < 0)
			return (int)put;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

static ssize_t sink_queue_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	int err = put_all(((struct sink_queue *)sink)->queue, data, len, deadline);

	return err < 0 ? err : (ssize_t)len;
}

static int sink_queue_stop(struct sink *sink, int error, uint64_t deadline)
{
	(void)deadline;
	queue_end(((struct sink_queue *)sink)->queue, error);
	return error;
}

static const struct sink_ops sink_queue_ops = { .push = sink_queue_push, .stop = sink_queue_stop };

struct sink *sink_queue(struct sink_queue *sink, struct queue *queue)
{
	*sink = (struct sink_queue){ .sink.ops = &sink_queue_ops, .queue = queue };
	return &sink->sink;
}

/* A source of a task -------------------------------------------------------------------------------------------- */

static ssize_t into_push(struct sink *sink, const void *data, size_t len, uint64_t deadline)
{
	struct source_task *task = (struct source_task *)((char *)sink - offsetof(struct source_task, into));
	int err = put_all(task->queue, data, len, deadline);

	return err < 0 ? err : (ssize_t)len;
}

/* One of the producer's streams has ended: the next may use the sink. */
static int into_stop(struct sink *sink, int error, uint64_t deadline)
{
	(void)deadline;
	sink->stopped = false;
	return error;
}

static const struct sink_ops into_ops = { .push = into_push, .stop = into_stop };

static int produce(void *arg)
{
	struct source_task *task = arg;
	int result = task->produce(task->context, &task->into);

	task->ended = true;
	queue_end(task->queue, result);
	return 0;
}

static int task_init(struct source *source)
{
	struct source_task *task = (struct source_task *)source;
	int err;

	task->queue = queue_new(task->size);
	if (!task->queue)
		return -ENOMEM;
	source_queue(&task->from, task->queue);
	err = task_spawn(NULL, produce, task, &task->task);
	if (err < 0) {
		queue_end(task->queue, err);
		source_stop(&task->from.source, err);
		task->queue = NULL;
	}
	return err;
}

static ssize_t task_pull(struct source *source, const void **data, uint64_t deadline)
{
	return source_pull(&((struct source_task *)source)->from.source, data, deadline);
}

static void task_stop(struct source *source, int error)
{
	struct source_task *task = (struct source_task *)source;

	if (!task->queue)
		return;
	source_stop(&task->from.source, error); /* first, so that a producer who waits learns why */
	task_cancel(task->task);
	if (!task->ended) /* it was cancelled before it ran */
		queue_end(task->queue, -ECANCELED);
}

static const struct source_ops task_ops = { task_init, task_pull, task_stop };

struct source *source_task(
	struct source_task *task, size_t size, int (*function)(void *context, struct sink *into), void *context)
{
	*task = (struct source_task){
		.source.ops = &task_ops, .into.ops = &into_ops, .size = size, .produce = function, .context = context
	};
	return &task->source;
}
