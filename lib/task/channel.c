/* SPDX-License-Identifier: ISC
 *
 * Channels, and selecting between several: sending and receiving are selecting from one case.
 *
 * Each item that is sent wakes one receiver, each that is received one sender. Who is woken looks for itself, and if
 * the item is gone by then somebody else had it, so that wake-up was not lost. A select looks first at the case for
 * which it was woken: only if that cannot be done any more does it do another.
 */
#include <errno.h>
#include <string.h>

#include <skerry/channel.h>
#include <skerry/log.h>

#include "scheduler.h"

static void *channel_item(const struct channel *channel, size_t index)
{
	return (char *)channel->items + (channel->first + index) % channel->capacity * channel->item_size;
}

static int send_now(struct channel *channel, const void *item)
{
	if (channel->closed)
		return -EPIPE;
	if (channel->count == channel->capacity)
		return -EAGAIN;
	memcpy(channel_item(channel, channel->count++), item, channel->item_size);
	wake_one(&channel->receivers);
	return 0;
}

static int receive_now(struct channel *channel, void *item)
{
	if (channel->count == 0)
		return channel->closed ? -EPIPE : -EAGAIN;
	memcpy(item, channel_item(channel, 0), channel->item_size);
	channel->first = (channel->first + 1) % channel->capacity;
	channel->count--;
	wake_one(&channel->senders);
	return 0;
}

static int case_do(const struct channel_case *one)
{
	return one->send ? send_now(one->channel, one->send) : receive_now(one->channel, one->receive);
}

static struct wait_queue *case_queue(const struct channel_case *one)
{
	return one->send ? &one->channel->senders : &one->channel->receivers;
}

/* Does the first case that can be done, from this one on: its index, or -EAGAIN. */
static int do_one(struct channel_case cases[], size_t count, size_t from)
{
	for (size_t i = 0; i < count; i++) {
		size_t index = (from + i) % count;
		int result = case_do(&cases[index]);

		if (result != -EAGAIN) {
			cases[index].result = result;
			return (int)index;
		}
	}
	return -EAGAIN;
}

/* Where a select begins to look: not always at its first case, or a busy one would starve the others; and not in a
 * fixed rhythm, which could be that of several tasks (the generator is that of Numerical Recipes). */
static size_t next_turn(void)
{
	scheduler.turn = scheduler.turn * 1664525 + 1013904223;
	return scheduler.turn >> 16;
}

int channel_select(struct channel_case cases[], size_t count, uint64_t deadline)
{
	struct waiter waiters[CHANNEL_CASES_MAX];
	size_t woken;
	int done, err;

	must(count > 0 && count <= CHANNEL_CASES_MAX);
	if (!task_may_block())
		return -ECANCELED;
	done = do_one(cases, count, next_turn() % count);
	while (done == -EAGAIN) {
		for (size_t i = 0; i < count; i++)
			waiters[i] = (struct waiter){ .queue = case_queue(&cases[i]) };
		err = wait_on_any(__func__, waiters, count, &woken, deadline);
		if (err < 0)
			return err;
		done = do_one(cases, count, woken);
	}
	return done;
}

static int select_one(struct channel_case one, uint64_t deadline)
{
	int err = channel_select(&one, 1, deadline);

	return err < 0 ? err : one.result;
}

int channel_send(struct channel *channel, const void *item, uint64_t deadline)
{
	return select_one((struct channel_case){ .channel = channel, .send = item }, deadline);
}

int channel_receive(struct channel *channel, void *item, uint64_t deadline)
{
	return select_one((struct channel_case){ .channel = channel, .receive = item }, deadline);
}

void channel_close(struct channel *channel)
{
	channel->closed = true;
	wake_all(&channel->senders);
	wake_all(&channel->receivers);
}
