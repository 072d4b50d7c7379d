/* SPDX-License-Identifier: ISC
 *
 * A bounded queue of bytes from one task to another, which ends as complete or as failed, never otherwise.
 */
#ifndef PIPE_H
#define PIPE_H

#include <stddef.h>
#include <stdint.h>

struct pipe;

struct piece {
	struct piece *next;
	size_t len;
	unsigned char bytes[];
};

/* A pipe that holds at most this many bytes, or one piece. Freed when both ends are closed. NULL: no memory. */
struct pipe *pipe_new(size_t limit);

/* The writer's end. Copies the bytes in; waits while the pipe is full. 0; -EPIPE: the reader has left; -ENOMEM,
 * -ETIMEDOUT, -ECANCELED. */
int pipe_put(struct pipe *pipe, const void *data, size_t len, uint64_t deadline);
/* Closes it: with 0 all was written, with an error (negative) the reader gets that after what it has not read. */
void pipe_end(struct pipe *pipe, int error);

/* The reader's end. Takes the next piece, which the caller frees. Waits for it. 1; 0: all was read; or the writer's
 * error, or -ECANCELED. */
int pipe_take(struct pipe *pipe, struct piece **piece);
/* Closes it. */
void pipe_leave(struct pipe *pipe);

#endif
