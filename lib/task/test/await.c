/* SPDX-License-Identifier: ISC
 *
 * Awaiting several tasks: all of them, one, the first, joined, chosen, or taken from a group.
 */
#include "scenario.h"

#include <errno.h>

#include <skerry/log.h>

enum { TASKS = 4 };

/* What a task here is to do, and what became of it. */
struct errand {
	uint64_t delay_ns;
	int result;
	bool finished, cancelled;
};

static int run_errand(void *arg)
{
	struct errand *errand = arg;

	errand->cancelled = task_sleep(clock_deadline(errand->delay_ns)) == -ECANCELED;
	errand->finished = true;
	return errand->cancelled ? -ECANCELED : errand->result;
}

static void spawn_errands(struct errand errands[TASKS], struct task *tasks[TASKS])
{
	for (int i = 0; i < TASKS; i++)
		must(task_spawn(i == 1 ? task_orphans() : NULL, run_errand, &errands[i], &tasks[i]) == 0);
}

static size_t count_left(struct task *tasks[TASKS])
{
	size_t left = 0;

	for (int i = 0; i < TASKS; i++)
		left += tasks[i] != NULL;
	return left;
}

TASK_TEST(await_all_gives_each_result_in_its_place)
{
	struct errand errands[TASKS] = { { MSEC(3), 1, 0, 0 }, { MSEC(1), 2, 0, 0 }, { 0, -EIO, 0, 0 },
		{ 0, 4, 0, 0 } };
	struct task *tasks[TASKS];
	int results[TASKS];

	spawn_errands(errands, tasks);
	assert_int_equal(task_await_all(tasks, TASKS, results, FOREVER), 0);
	assert_int_equal(count_left(tasks), 0);
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(results[i], errands[i].result);
	assert_int_equal(task_await_all(tasks, TASKS, NULL, FOREVER), 0); /* of none */
}

TASK_TEST(await_all_that_times_out_leaves_all_to_be_awaited)
{
	struct errand errands[TASKS] = { { .result = 1 }, { 0 }, { .delay_ns = SECOND(100) }, { 0 } };
	struct task *tasks[TASKS];
	int results[TASKS] = { 9, 9, 9, 9 };

	spawn_errands(errands, tasks);
	assert_int_equal(task_await_all(tasks, TASKS, results, clock_deadline(MSEC(5))), -ETIMEDOUT);
	assert_int_equal(count_left(tasks), TASKS);
	assert_int_equal(results[0], 9);
	task_cancel(tasks[2]);
	tasks[2] = NULL;
	assert_int_equal(task_await_all(tasks, TASKS, results, FOREVER), 0);
	assert_int_equal(results[0], 1);
}

TASK_TEST(join_waits_for_all_and_gives_the_first_failure)
{
	struct errand errands[TASKS] = { { .result = 7 }, { MSEC(3), -ENOSPC, 0, 0 }, { .result = -EIO },
		{ .result = 0 } };
	struct task *tasks[TASKS];
	int result = 1;

	spawn_errands(errands, tasks);
	assert_int_equal(task_join(tasks, TASKS, &result, FOREVER), 0);
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(count_left(tasks), 0);
	errands[1].result = errands[2].result = 0;
	spawn_errands(errands, tasks);
	assert_int_equal(task_join(tasks, TASKS, &result, FOREVER), 0);
	assert_int_equal(result, 0);
}

TASK_TEST(choose_tells_who_ended_and_awaits_nobody)
{
	struct errand errands[TASKS] = { { .delay_ns = SECOND(100) }, { MSEC(1), 5, 0, 0 }, { .delay_ns = SECOND(100) },
		{ .delay_ns = SECOND(100) } };
	struct task *tasks[TASKS], *none[1] = { NULL };
	size_t chosen = 9;
	int result = 0;

	assert_int_equal(task_choose(none, 1, &chosen, FOREVER), -ENOENT);
	spawn_errands(errands, tasks);
	assert_int_equal(task_choose(tasks, TASKS, &chosen, AT_ONCE), -EAGAIN);
	assert_int_equal(task_choose(tasks, TASKS, &chosen, FOREVER), 0);
	assert_int_equal(chosen, 1);
	assert_int_equal(task_choose(tasks, TASKS, &chosen, 0), 0); /* ended is ended */
	assert_int_equal(task_await(tasks[chosen], &result, 0), 0);
	assert_int_equal(result, 5);
	for (int i = 0; i < TASKS; i++)
		if (i != 1)
			task_cancel(tasks[i]);
}

TASK_TEST(await_one_lets_the_others_go_on_until_none_is_left)
{
	struct errand errands[TASKS] = { { MSEC(12), 1, 0, 0 }, { MSEC(2), -EIO, 0, 0 }, { MSEC(7), 3, 0, 0 },
		{ MSEC(17), 4, 0, 0 } };
	static const size_t order[TASKS] = { 1, 2, 0, 3 };
	struct task *tasks[TASKS];
	size_t chosen;
	int result;

	spawn_errands(errands, tasks);
	for (size_t i = 0; i < TASKS; i++) {
		assert_int_equal(task_await_one(tasks, TASKS, &chosen, &result, FOREVER), 0);
		assert_int_equal(chosen, order[i]);
		assert_int_equal(result, errands[chosen].result);
		assert_null(tasks[chosen]);
	}
	assert_int_equal(task_await_one(tasks, TASKS, &chosen, &result, FOREVER), -ENOENT);
}

TASK_TEST(await_one_prefers_success_among_those_that_have_ended)
{
	struct errand errands[TASKS] = { { .result = -EIO }, { .result = -EPIPE }, { .result = 8 }, { .result = 9 } };
	static const size_t order[TASKS] = { 2, 3, 0, 1 };
	struct task *tasks[TASKS];
	size_t chosen;

	spawn_errands(errands, tasks);
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	for (size_t i = 0; i < TASKS; i++) {
		assert_int_equal(task_await_one(tasks, TASKS, &chosen, NULL, 0), 0);
		assert_int_equal(chosen, order[i]);
	}
}

TASK_TEST(await_first_cancels_the_rest)
{
	struct errand errands[TASKS] = { { .delay_ns = SECOND(100) }, { .delay_ns = SECOND(200) }, { MSEC(1), 3, 0, 0 },
		{ .delay_ns = SECOND(300) } };
	struct task *tasks[TASKS];
	uint64_t start = clock_monotonic();
	size_t chosen;
	int result;

	spawn_errands(errands, tasks);
	assert_int_equal(task_await_first(tasks, TASKS, &chosen, &result, FOREVER), 0);
	assert_int_equal(chosen, 2);
	assert_int_equal(result, 3);
	assert_int_equal(count_left(tasks), 0);
	for (int i = 0; i < TASKS; i++)
		assert_true(errands[i].finished && errands[i].cancelled == (i != 2));
	assert_true(clock_monotonic() - start < SECOND(50));
}

TASK_TEST(await_first_that_times_out_cancels_nobody)
{
	struct errand errands[TASKS] = { { .delay_ns = MSEC(20) }, { .delay_ns = MSEC(20) }, { .delay_ns = MSEC(20) },
		{ .delay_ns = MSEC(20) } };
	struct task *tasks[TASKS];
	size_t chosen;

	spawn_errands(errands, tasks);
	assert_int_equal(task_await_first(tasks, TASKS, &chosen, NULL, clock_deadline(MSEC(2))), -ETIMEDOUT);
	assert_int_equal(count_left(tasks), TASKS);
	assert_int_equal(task_await_all(tasks, TASKS, NULL, FOREVER), 0);
	for (int i = 0; i < TASKS; i++)
		assert_false(errands[i].cancelled);
}

static int answers[3];

static int await_in_vain(void *arg)
{
	/* Static: the tasks are cancelled after this function has returned. */
	static struct errand errands[TASKS] = { { .delay_ns = SECOND(100) }, { .delay_ns = SECOND(100) },
		{ .delay_ns = SECOND(100) }, { .delay_ns = SECOND(100) } };
	struct task *tasks[TASKS];
	size_t chosen;
	int result;

	(void)arg;
	spawn_errands(errands, tasks);
	answers[0] = task_await_first(tasks, TASKS, &chosen, NULL, FOREVER);
	answers[1] = task_join(tasks, TASKS, &result, FOREVER);
	answers[2] = task_group_take(task_orphans(), &tasks[1], FOREVER);
	return -ECANCELED;
}

TASK_TEST(cancelled_await_of_several_returns_at_once)
{
	struct task *task;

	answers[0] = answers[1] = answers[2] = 1;
	must(task_spawn(NULL, await_in_vain, NULL, &task) == 0);
	must(task_yield() == 0);
	task_cancel(task);
	for (int i = 0; i < 3; i++)
		assert_int_equal(answers[i], -ECANCELED);
}

TASK_TEST(take_waits_for_members_until_the_group_is_empty)
{
	struct errand errands[3] = { { MSEC(9), 1, 0, 0 }, { MSEC(3), 2, 0, 0 }, { MSEC(6), 4, 0, 0 } };
	struct task *task;
	int result, sum = 0, err;

	for (int i = 0; i < 3; i++)
		must(task_spawn(task_orphans(), run_errand, &errands[i], &task) == 0);
	must(task_spawn(task_orphans(), run_errand, &errands[0], NULL) == 0); /* collects itself */
	assert_int_equal(task_group_take(task_orphans(), &task, AT_ONCE), -EAGAIN);
	while ((err = task_group_take(task_orphans(), &task, FOREVER)) == 0) {
		assert_int_equal(task_await(task, &result, 0), 0);
		sum = sum * 10 + result;
	}
	assert_int_equal(err, -ENOENT);
	assert_int_equal(sum, 241);
	assert_int_equal(task_group_count(task_orphans()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(await_all_gives_each_result_in_its_place),
		cmocka_unit_test(await_all_that_times_out_leaves_all_to_be_awaited),
		cmocka_unit_test(join_waits_for_all_and_gives_the_first_failure),
		cmocka_unit_test(choose_tells_who_ended_and_awaits_nobody),
		cmocka_unit_test(await_one_lets_the_others_go_on_until_none_is_left),
		cmocka_unit_test(await_one_prefers_success_among_those_that_have_ended),
		cmocka_unit_test(await_first_cancels_the_rest),
		cmocka_unit_test(await_first_that_times_out_cancels_nobody),
		cmocka_unit_test(cancelled_await_of_several_returns_at_once),
		cmocka_unit_test(take_waits_for_members_until_the_group_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
