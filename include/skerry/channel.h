/* SPDX-License-Identifier: ISC
 *
 * Channels: bounded queues of items of one size, which tasks send to and receive from; and selecting between several.
 *
 * A channel and the room for its items are the owner's memory. Items are copied. Nobody may wait for a channel that
 * goes away. Closing from either side wakes everybody; what was sent before is still received.
 */
#ifndef SKERRY_CHANNEL_H
#define SKERRY_CHANNEL_H

#include <skerry/task.h>

struct channel {
	void *items;
	size_t item_size, capacity; /* in bytes; in items, at least 1 */
	size_t first, count;
	bool closed;
	struct wait_queue senders, receivers;
};
/* Of the elements of an array. */
#define CHANNEL_INIT(array)                                                                                            \
	{                                                                                                              \
		.items = (array), .item_size = sizeof(array)[0], .capacity = sizeof(array) / sizeof(array)[0]          \
	}

/* Blocks while the channel is full. 0, -ETIMEDOUT, -ECANCELED; -EPIPE: it is closed. */
int channel_send(struct channel *channel, const void *item, uint64_t deadline);
/* Blocks while the channel is empty. 0, -ETIMEDOUT, -ECANCELED; -EPIPE: it is closed and empty. */
int channel_receive(struct channel *channel, void *item, uint64_t deadline);
/* No item is sent from now on. Does not block; once more does nothing. */
void channel_close(struct channel *channel);

/* One of send and receive is set: where the item is, or goes. */
struct channel_case {
	struct channel *channel;
	const void *send;
	void *receive;
	int result; /* of the case that was done: 0, or -EPIPE */
};
enum { CHANNEL_CASES_MAX = 8 };
/* Does exactly one of the cases, 1 to CHANNEL_CASES_MAX: one that can be done, any if several can. A closed
 * channel is one that can, with -EPIPE. Blocks while there is none. The case's index, -ETIMEDOUT, -ECANCELED. */
int channel_select(struct channel_case cases[], size_t count, uint64_t deadline);

#endif
