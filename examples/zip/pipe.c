/* SPDX-License-Identifier: ISC
 *
 * A bounded queue of bytes from one task to another. All pipes together keep to a share of the memory: beyond it, each
 * holds one piece and its writer waits.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <platform.h>
#include <skerry/task.h>

#include "pipe.h"

enum {
	SHARE = 4,                       /* a quarter of the heap */
	BUDGET_WITHOUT_LIMIT = 16 << 20, /* where the platform does not limit memory */
};

struct pipe {
	struct piece *first, *last;
	size_t held, limit;
	int error; /* the writer's last word */
	bool writer_closed, reader_closed;
	struct wait_queue filled; /* the reader waits here */
};

static size_t held_by_all;
static struct wait_queue room = WAIT_QUEUE_INIT; /* writers of all pipes wait here */

struct pipe *pipe_new(size_t limit)
{
	struct pipe *pipe = calloc(1, sizeof *pipe);
	if (pipe != NULL)
		pipe->limit = limit;
	return pipe;
}

static size_t budget(void)
{
	struct platform_memory memory;
	platform_memory(&memory);
	return memory.total_bytes > 0 ? memory.total_bytes / SHARE : BUDGET_WITHOUT_LIMIT;
}

static bool has_room(const struct pipe *pipe, size_t len)
{
	return pipe->held == 0 || (pipe->held + len <= pipe->limit && held_by_all + len <= budget());
}

/* A piece of this size if the pipe has room for it and there is memory; NULL otherwise. */
static struct piece *new_piece(const struct pipe *pipe, size_t len)
{
	return has_room(pipe, len) ? malloc(sizeof(struct piece) + len) : NULL;
}

int pipe_put(struct pipe *pipe, const void *data, size_t len, uint64_t deadline)
{
	struct piece *piece = NULL;
	while (!pipe->reader_closed && (piece = new_piece(pipe, len)) == NULL) {
		int err = pipe->held == 0 ? -ENOMEM : wait_on(&room, deadline);
		if (err < 0)
			return err;
	}
	if (pipe->reader_closed)
		return -EPIPE;
	piece->next = NULL;
	piece->len = len;
	memcpy(piece->bytes, data, len);
	*(pipe->last == NULL ? &pipe->first : &pipe->last->next) = piece;
	pipe->last = piece;
	pipe->held += len;
	held_by_all += len;
	wake_all(&pipe->filled);
	return 0;
}

static struct piece *next_piece(struct pipe *pipe)
{
	struct piece *piece = pipe->first;
	if (piece == NULL)
		return NULL;
	pipe->first = piece->next;
	if (pipe->first == NULL)
		pipe->last = NULL;
	pipe->held -= piece->len;
	held_by_all -= piece->len;
	wake_all(&room);
	return piece;
}

int pipe_take(struct pipe *pipe, struct piece **piece)
{
	while (pipe->first == NULL && !pipe->writer_closed) {
		int err = wait_on(&pipe->filled, FOREVER);
		if (err < 0)
			return err;
	}
	struct piece *next = next_piece(pipe);
	if (next == NULL)
		return pipe->error;
	*piece = next;
	return 1;
}

void pipe_end(struct pipe *pipe, int error)
{
	pipe->error = error;
	pipe->writer_closed = true;
	wake_all(&pipe->filled);
	if (pipe->reader_closed)
		free(pipe);
}

void pipe_leave(struct pipe *pipe)
{
	for (struct piece *piece; (piece = next_piece(pipe)) != NULL;)
		free(piece);
	pipe->reader_closed = true;
	wake_all(&room);
	if (pipe->writer_closed)
		free(pipe);
}
