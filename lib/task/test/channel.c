/* SPDX-License-Identifier: ISC
 *
 * Channels: order, bounds, closing, cancellation, and selecting between several.
 */
#include "scenario.h"

#include <errno.h>

#include <skerry/channel.h>
#include <skerry/log.h>

#define SOON clock_deadline(SECOND(20))

enum { SENDERS = 4, EACH = 1000 };

static int room[3], other_room[1];
static struct channel channel, other;

static int set_up(void **state)
{
	(void)state;
	channel = (struct channel)CHANNEL_INIT(room);
	other = (struct channel)CHANNEL_INIT(other_room);
	return 0;
}

static struct task *spawn(int (*run)(void *arg), int number)
{
	struct task *task;

	must(task_spawn(NULL, run, (void *)(intptr_t)number, &task) == 0);
	return task;
}

static int await_result(struct task *task)
{
	int result = 1;

	must(task_await(task, &result, SOON) == 0);
	return result;
}

static int send_number(void *arg)
{
	int number = (int)(intptr_t)arg;

	return channel_send(&channel, &number, FOREVER);
}

static int receive_number(void *arg)
{
	int item, err = channel_receive(&channel, &item, FOREVER);

	(void)arg;
	return err < 0 ? err : item;
}

TASK_TEST(items_arrive_in_order_and_a_full_channel_holds_the_sender)
{
	struct task *blocked;
	int item;

	for (int i = 1; i <= 3; i++)
		assert_int_equal(channel_send(&channel, &i, 0), 0);
	item = 4;
	assert_int_equal(channel_send(&channel, &item, clock_deadline(MSEC(1))), -ETIMEDOUT);
	blocked = spawn(send_number, 5);
	must(task_yield() == 0);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(channel_receive(&channel, &item, 0), 0);
		assert_int_equal(item, i);
	}
	assert_int_equal(await_result(blocked), 0);
	assert_int_equal(channel_receive(&channel, &item, 0), 0);
	assert_int_equal(item, 5);
	assert_int_equal(channel_receive(&channel, &item, clock_deadline(MSEC(1))), -ETIMEDOUT);
}

TASK_TEST(closing_wakes_everybody_and_what_was_sent_is_still_received)
{
	struct task *receivers[2], *senders[2];
	int item = 7;

	for (int i = 0; i < 2; i++)
		receivers[i] = spawn(receive_number, 0);
	must(task_yield() == 0);
	channel_close(&channel);
	for (int i = 0; i < 2; i++)
		assert_int_equal(await_result(receivers[i]), -EPIPE);

	set_up(NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(channel_send(&channel, &item, 0), 0);
	for (int i = 0; i < 2; i++)
		senders[i] = spawn(send_number, 9);
	must(task_yield() == 0);
	channel_close(&channel);
	channel_close(&channel);
	for (int i = 0; i < 2; i++)
		assert_int_equal(await_result(senders[i]), -EPIPE);
	assert_int_equal(channel_send(&channel, &item, FOREVER), -EPIPE);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(channel_receive(&channel, &item, 0), 0);
		assert_int_equal(item, 7);
	}
	assert_int_equal(channel_receive(&channel, &item, FOREVER), -EPIPE);
}

TASK_TEST(cancelled_receiver_that_was_woken_leaves_the_item_to_the_next)
{
	struct task *first = spawn(receive_number, 0), *second = spawn(receive_number, 0);
	int item = 6;

	must(task_yield() == 0);
	assert_int_equal(channel_send(&channel, &item, 0), 0); /* wakes the first */
	task_cancel(first);
	assert_int_equal(await_result(second), 6);
}

TASK_TEST(cancelled_sender_that_was_woken_leaves_the_room_to_the_next)
{
	struct task *first, *second;
	int item = 1;

	for (int i = 0; i < 3; i++)
		assert_int_equal(channel_send(&channel, &item, 0), 0);
	first = spawn(send_number, 8);
	second = spawn(send_number, 9);
	must(task_yield() == 0);
	assert_int_equal(channel_receive(&channel, &item, 0), 0);
	task_cancel(first);
	assert_int_equal(await_result(second), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(channel_receive(&channel, &item, 0), 0);
	assert_int_equal(item, 9);
}

static int send_many(void *arg)
{
	for (int i = 0; i < EACH; i++) {
		int item = (int)(intptr_t)arg * EACH + i, err = channel_send(&channel, &item, SOON);

		if (err < 0)
			return err;
		if (i % 7 == 0)
			must(task_yield() == 0);
	}
	return 0;
}

static int count_many(void *arg)
{
	int *count = arg, item, err;

	while ((err = channel_receive(&channel, &item, SOON)) == 0)
		count[item]++;
	return err == -EPIPE ? 0 : err;
}

TASK_TEST(every_item_of_many_senders_reaches_exactly_one_of_many_receivers)
{
	static int counts[SENDERS * EACH];
	struct task *senders[SENDERS], *receivers[2];
	int result = 1;

	for (int i = 0; i < SENDERS; i++)
		senders[i] = spawn(send_many, i);
	for (int i = 0; i < 2; i++)
		must(task_spawn(NULL, count_many, counts, &receivers[i]) == 0);
	assert_int_equal(task_join(senders, SENDERS, &result, SOON), 0);
	assert_int_equal(result, 0);
	channel_close(&channel);
	assert_int_equal(task_join(receivers, 2, &result, SOON), 0);
	assert_int_equal(result, 0);
	for (int i = 0; i < SENDERS * EACH; i++)
		assert_int_equal(counts[i], 1);
}

/* Select ----------------------------------------------------------------------------------------------------------- */

TASK_TEST(select_does_the_case_that_can_be_done_and_no_other)
{
	int item = 3, got = 0;
	struct channel_case cases[] = { { .channel = &channel, .receive = &got },
		{ .channel = &other, .send = &item } };

	assert_int_equal(channel_select(cases, 2, 0), 1);
	assert_int_equal(cases[1].result, 0);
	assert_int_equal(other.count, 1);
	assert_int_equal(channel_select(cases, 2, clock_deadline(MSEC(1))), -ETIMEDOUT);
	assert_int_equal(channel_send(&channel, &item, 0), 0);
	assert_int_equal(channel_select(cases, 2, 0), 0);
	assert_int_equal(got, 3);
	assert_int_equal(channel.count + 10 * other.count, 10);
	channel_close(&other);
	assert_int_equal(channel_select(cases, 2, FOREVER), 1);
	assert_int_equal(cases[1].result, -EPIPE);
	assert_int_equal(channel_receive(&other, &got, 0), 0);
}

static int select_both(void *arg)
{
	int first, second, done;
	struct channel_case cases[] = { { .channel = &channel, .receive = &first },
		{ .channel = &other, .receive = &second } };

	(void)arg;
	done = channel_select(cases, 2, FOREVER);
	return done < 0 ? done : done == 0 ? first : 100 + second;
}

TASK_TEST(select_that_waits_is_woken_by_any_of_its_channels)
{
	struct task *task = spawn(select_both, 0);
	int item = 5;

	must(task_yield() == 0);
	assert_int_equal(channel_send(&other, &item, 0), 0);
	assert_int_equal(await_result(task), 105);
	task = spawn(select_both, 0);
	must(task_yield() == 0);
	assert_int_equal(channel_send(&channel, &item, 0), 0);
	assert_int_equal(await_result(task), 5);
	assert_null(channel.receivers.first);
	assert_null(other.receivers.first);
}

TASK_TEST(select_woken_by_two_channels_takes_from_one_and_leaves_the_other)
{
	struct task *first = spawn(select_both, 0), *second = spawn(select_both, 0);
	int item = 5, results[2];

	must(task_yield() == 0);
	assert_int_equal(channel_send(&other, &item, 0), 0);
	assert_int_equal(channel_send(&channel, &item, 0), 0);
	results[0] = await_result(first);
	results[1] = await_result(second);
	assert_int_equal(results[0] + results[1], 110);
	assert_int_equal(channel.count + other.count, 0);
}

TASK_TEST(cancelled_select_that_was_woken_leaves_the_item_to_the_next)
{
	struct task *selecting = spawn(select_both, 0), *receiver;
	int item = 4;

	must(task_yield() == 0);
	receiver = spawn(receive_number, 0);
	must(task_yield() == 0);
	assert_int_equal(channel_send(&channel, &item, 0), 0); /* wakes the select */
	task_cancel(selecting);
	assert_int_equal(await_result(receiver), 4);
	assert_null(other.receivers.first);
}

TASK_TEST(select_takes_from_channels_that_are_always_ready_alike)
{
	int item = 1, first, second, turns[2] = { 0 };
	struct channel_case cases[] = { { .channel = &channel, .receive = &first },
		{ .channel = &other, .receive = &second } };

	for (int i = 0; i < 100; i++) {
		while (channel_send(&channel, &item, 0) == 0)
			;
		while (channel_send(&other, &item, 0) == 0)
			;
		turns[channel_select(cases, 2, FOREVER)]++;
	}
	assert_true(turns[0] > 30 && turns[1] > 30);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(items_arrive_in_order_and_a_full_channel_holds_the_sender),
		TEST(closing_wakes_everybody_and_what_was_sent_is_still_received),
		TEST(cancelled_receiver_that_was_woken_leaves_the_item_to_the_next),
		TEST(cancelled_sender_that_was_woken_leaves_the_room_to_the_next),
		TEST(every_item_of_many_senders_reaches_exactly_one_of_many_receivers),
		TEST(select_does_the_case_that_can_be_done_and_no_other),
		TEST(select_that_waits_is_woken_by_any_of_its_channels),
		TEST(select_woken_by_two_channels_takes_from_one_and_leaves_the_other),
		TEST(cancelled_select_that_was_woken_leaves_the_item_to_the_next),
		TEST(select_takes_from_channels_that_are_always_ready_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
