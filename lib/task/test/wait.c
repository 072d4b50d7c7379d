/* SPDX-License-Identifier: ISC
 *
 * Waiting: wake-ups, deadlines and cancellation, alone and together.
 */
#include "scenario.h"

#include <errno.h>

#include <skerry/log.h>

enum { WAITERS = 5 };

static struct wait_queue queue = WAIT_QUEUE_INIT;
static int order[WAITERS + 1], order_len;
static int answers[WAITERS];

static int wait_and_note(void *arg)
{
	int number = (int)(intptr_t)arg;

	answers[number] = wait_on(&queue, FOREVER);
	order[order_len++] = number;
	return 0;
}

static void spawn_waiters(struct task *tasks[WAITERS])
{
	order_len = 0;
	for (int i = 0; i < WAITERS; i++) {
		answers[i] = 1;
		must(task_spawn(NULL, wait_and_note, (void *)(intptr_t)i, &tasks[i]) == 0);
	}
	must(task_yield() == 0);
}

static void await_all(struct task *tasks[WAITERS])
{
	for (int i = 0; i < WAITERS; i++)
		must(task_await(tasks[i], NULL, FOREVER) == 0);
	must(!queue.first && !queue.last);
}

static int wake_one_by_one(void *arg)
{
	struct task *tasks[WAITERS];

	(void)arg;
	spawn_waiters(tasks);
	for (int i = 0; i < WAITERS; i++) {
		assert_true(wake_one(&queue));
		assert_int_equal(task_yield(), 0);
		assert_int_equal(order_len, i + 1);
		assert_int_equal(order[i], i);
		assert_int_equal(answers[i], 0);
	}
	assert_false(wake_one(&queue));
	await_all(tasks);
	return 0;
}

static void wake_one_wakes_who_waits_longest(void **state)
{
	(void)state;
	assert_int_equal(result_of(wake_one_by_one, NULL), 0);
}

static int wake_them_all(void *arg)
{
	struct task *tasks[WAITERS];

	(void)arg;
	spawn_waiters(tasks);
	wake_all(&queue);
	assert_int_equal(order_len, 0); /* woken, not run */
	await_all(tasks);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(answers[i], 0);
	return 0;
}

static void wake_all_wakes_everybody_once(void **state)
{
	(void)state;
	assert_int_equal(result_of(wake_them_all, NULL), 0);
}

static int wait_until_deadline(void *arg)
{
	uint64_t deadline = clock_deadline(MSEC(30)), woken;

	(void)arg;
	assert_int_equal(wait_on(&queue, deadline), -ETIMEDOUT);
	woken = clock_monotonic();
	assert_true(woken >= deadline);
	assert_true(woken < deadline + MSEC(500)); /* the machine may be busy */
	assert_null(queue.first);
	return 0;
}

static void wait_ends_at_its_deadline(void **state)
{
	(void)state;
	assert_int_equal(result_of(wait_until_deadline, NULL), 0);
}

static int sleep_in_order(void *arg)
{
	uint64_t start = clock_monotonic();

	(void)arg;
	for (unsigned i = 1; i <= 5; i++) {
		uint64_t deadline = start + MSEC(5) * i;

		assert_int_equal(task_sleep(deadline), 0);
		assert_true(clock_monotonic() >= deadline);
	}
	assert_int_equal(task_sleep(start), 0); /* long past */
	return 0;
}

static void sleep_is_never_too_short(void **state)
{
	(void)state;
	assert_int_equal(result_of(sleep_in_order, NULL), 0);
}

static int run_meanwhile(void *arg)
{
	*(int *)arg = 1;
	return 0;
}

static int wait_for_the_past(void *arg)
{
	struct task *task;
	int ran = 0;

	(void)arg;
	must(task_spawn(NULL, run_meanwhile, &ran, &task) == 0);
	assert_int_equal(wait_on(&queue, AT_ONCE), -EAGAIN);
	assert_int_equal(ran, 1); /* so a loop that only polls starves nobody */
	assert_int_equal(wait_on(&queue, AT_ONCE + 1), -ETIMEDOUT);
	assert_int_equal(task_sleep(AT_ONCE), 0);
	return task_await(task, NULL, FOREVER);
}

static void wait_with_a_past_deadline_lets_others_run(void **state)
{
	(void)state;
	assert_int_equal(result_of(wait_for_the_past, NULL), 0);
}

static int cancel_a_waiter(void *arg)
{
	struct task *tasks[WAITERS];
	uint64_t start = clock_monotonic();

	(void)arg;
	spawn_waiters(tasks);
	task_cancel(tasks[2]);
	assert_true(clock_monotonic() - start < SECOND(1));
	assert_int_equal(order_len, 1);
	assert_int_equal(answers[2], -ECANCELED);
	/* The others still wait, in their order. */
	wake_all(&queue);
	for (int i = 0; i < WAITERS; i++)
		if (i != 2)
			must(task_await(tasks[i], NULL, FOREVER) == 0);
	assert_int_equal(order_len, WAITERS);
	return 0;
}

static void cancel_wakes_a_waiter_at_once_and_no_other(void **state)
{
	(void)state;
	assert_int_equal(result_of(cancel_a_waiter, NULL), 0);
}

static int cancel_who_was_woken(void *arg)
{
	struct task *tasks[WAITERS];

	(void)arg;
	spawn_waiters(tasks);
	assert_true(wake_one(&queue)); /* task 0 is to run */
	task_cancel(tasks[0]);
	assert_int_equal(answers[0], -ECANCELED);
	assert_int_equal(task_yield(), 0);
	assert_int_equal(order_len, 2); /* the wake-up went on to task 1, and to nobody else */
	assert_int_equal(answers[1], 0);
	wake_all(&queue);
	for (int i = 1; i < WAITERS; i++)
		must(task_await(tasks[i], NULL, FOREVER) == 0);
	return 0;
}

static void wake_up_of_a_cancelled_task_goes_to_the_next(void **state)
{
	(void)state;
	assert_int_equal(result_of(cancel_who_was_woken, NULL), 0);
}

static struct timer late_waker;

static void wake_late(struct timer *timer)
{
	(void)timer;
	must(wake_one(&queue));
}

static int wait_short(void *arg)
{
	return wait_on(&queue, *(uint64_t *)arg);
}

/* At one deadline: a waiter times out, and a timer wakes one. Either the first was woken, or the second. */
static int race_with_timeout(void *arg)
{
	uint64_t deadline = clock_deadline(MSEC(5)), never = FOREVER;
	struct task *first, *second;
	int first_result = 1, second_result = 1;

	(void)arg;
	must(task_spawn(NULL, wait_short, &deadline, &first) == 0);
	must(task_spawn(NULL, wait_short, &never, &second) == 0);
	must(task_yield() == 0);
	late_waker = (struct timer)TIMER_INIT(wake_late);
	timer_set(&late_waker, deadline);
	must(task_await(first, &first_result, FOREVER) == 0);
	if (first_result == 0)
		must(wake_one(&queue));
	assert_true(first_result == 0 || first_result == -ETIMEDOUT);
	must(task_await(second, &second_result, clock_deadline(SECOND(1))) == 0);
	assert_int_equal(second_result, 0);
	return 0;
}

static void wake_up_that_meets_a_time_out_is_not_lost(void **state)
{
	(void)state;
	assert_int_equal(result_of(race_with_timeout, NULL), 0);
}

static int block_when_cancelled(void *arg)
{
	int *blocked = arg;
	struct task *child;

	must(task_sleep(FOREVER) == -ECANCELED);
	must(task_cancelled());
	*blocked += task_sleep(FOREVER) != -ECANCELED;
	*blocked += task_yield() != -ECANCELED;
	*blocked += wait_on(&queue, FOREVER) != -ECANCELED;
	must(task_spawn(NULL, wait_and_note, NULL, &child) == 0);
	*blocked += task_await(child, NULL, FOREVER) != -ECANCELED;
	task_cancel(child); /* this one waits all the same: nothing may be left */
	return 0;
}

static int cancel_one_that_goes_on(void *arg)
{
	int blocked = 0;
	struct task *task;

	(void)arg;
	assert_false(task_cancelled());
	must(task_spawn(NULL, block_when_cancelled, &blocked, &task) == 0);
	must(task_yield() == 0);
	task_cancel(task);
	return blocked;
}

static void cancelled_task_cannot_block_again(void **state)
{
	(void)state;
	assert_int_equal(result_of(cancel_one_that_goes_on, NULL), 0);
}

static int cancel_before_it_runs(void *arg)
{
	struct task *task;
	int ran = 0;

	(void)arg;
	must(task_spawn(NULL, run_meanwhile, &ran, &task) == 0);
	task_cancel(task);
	assert_int_equal(ran, 0);
	must(task_spawn(task_orphans(), run_meanwhile, &ran, &task) == 0);
	task_group_cancel(task_orphans());
	assert_int_equal(ran, 0);
	task_cancel(NULL);
	return 0;
}

static void task_cancelled_before_it_ran_never_runs(void **state)
{
	(void)state;
	assert_int_equal(result_of(cancel_before_it_runs, NULL), 0);
}

static int await_with_deadline(void *arg)
{
	struct task *tasks[WAITERS];
	int result = 9;

	(void)arg;
	spawn_waiters(tasks);
	assert_int_equal(task_await(tasks[0], &result, clock_deadline(MSEC(5))), -ETIMEDOUT);
	assert_int_equal(result, 9);
	wake_all(&queue);
	await_all(tasks);
	return 0;
}

static void await_that_times_out_leaves_the_task_to_be_awaited(void **state)
{
	(void)state;
	assert_int_equal(result_of(await_with_deadline, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wake_one_wakes_who_waits_longest),
		cmocka_unit_test(wake_all_wakes_everybody_once),
		cmocka_unit_test(wait_ends_at_its_deadline),
		cmocka_unit_test(sleep_is_never_too_short),
		cmocka_unit_test(wait_with_a_past_deadline_lets_others_run),
		cmocka_unit_test(cancel_wakes_a_waiter_at_once_and_no_other),
		cmocka_unit_test(wake_up_of_a_cancelled_task_goes_to_the_next),
		cmocka_unit_test(wake_up_that_meets_a_time_out_is_not_lost),
		cmocka_unit_test(cancelled_task_cannot_block_again),
		cmocka_unit_test(task_cancelled_before_it_ran_never_runs),
		cmocka_unit_test(await_that_times_out_leaves_the_task_to_be_awaited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
