/* SPDX-License-Identifier: ISC
 *
 * Mutex, condition, semaphore and wakener: who gets what, in which order, and that no time-out or cancellation loses
 * it.
 */
#include "scenario.h"

#include <errno.h>

#include <skerry/log.h>
#include <skerry/sync.h>

enum { TASKS = 4 };

static struct mutex mutex;
static struct condition condition;
static struct semaphore semaphore;
static struct wakener wakener;
static char order[64];
static int answers[TASKS];
static bool ready;

static int set_up(void **state)
{
	(void)state;
	mutex = (struct mutex)MUTEX_INIT;
	condition = (struct condition)CONDITION_INIT;
	semaphore = (struct semaphore)SEMAPHORE_INIT(0);
	wakener = (struct wakener)WAKENER_INIT;
	memset(order, 0, sizeof order);
	for (int i = 0; i < TASKS; i++)
		answers[i] = 1;
	ready = false;
	return 0;
}

static void note(int number)
{
	order[strlen(order)] = (char)('0' + number);
}

static void spawn_all(int (*run)(void *arg), struct task *tasks[TASKS])
{
	for (int i = 0; i < TASKS; i++)
		must(task_spawn(NULL, run, (void *)(intptr_t)i, &tasks[i]) == 0);
	must(task_yield() == 0);
}

static void await_all(struct task *tasks[TASKS])
{
	int result = 1;

	must(task_join(tasks, TASKS, &result, clock_deadline(SECOND(20))) == 0);
	assert_int_equal(result, 0);
}

/* What a program that breaks a rule writes, and how it ends. */
static int run_alone(void *arg)
{
	int (*run)(void *) = *(int (**)(void *))arg, result = 1;

	return task_run(run, NULL, &result) == -EPROTO ? 255 : result;
}

static struct outcome outcome_of_main(int (*run)(void *arg))
{
	return outcome_of(run_alone, &run);
}

/* Mutex ------------------------------------------------------------------------------------------------------------ */

static int hold_and_note(void *arg)
{
	int number = (int)(intptr_t)arg;

	answers[number] = mutex_lock(&mutex, FOREVER);
	if (answers[number] < 0)
		return 0;
	note(number);
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	note(number);
	return mutex_unlock(&mutex);
}

TASK_TEST(mutex_is_held_by_one_at_a_time_in_the_order_of_asking)
{
	struct task *tasks[TASKS];

	spawn_all(hold_and_note, tasks);
	assert_int_equal(mutex_try_lock(&mutex), -EBUSY);
	await_all(tasks);
	assert_string_equal(order, "00112233");
	assert_int_equal(mutex_try_lock(&mutex), 0);
	assert_int_equal(mutex_try_lock(&mutex), -EBUSY);
	assert_int_equal(mutex_unlock(&mutex), 0);
}

TASK_TEST(mutex_lock_that_times_out_or_is_cancelled_leaves_the_others_their_turn)
{
	struct task *tasks[TASKS];

	assert_int_equal(mutex_lock(&mutex, FOREVER), 0);
	spawn_all(hold_and_note, tasks);
	task_cancel(tasks[0]);
	tasks[0] = NULL;
	assert_int_equal(answers[0], -ECANCELED);
	assert_int_equal(mutex_unlock(&mutex), 0); /* handed to 1, which has not run yet */
	assert_int_equal(mutex_lock(&mutex, clock_deadline(0)), -ETIMEDOUT);
	await_all(tasks);
	assert_string_equal(order, "112233");
}

static int hold_until_cancelled(void *arg)
{
	(void)arg;
	must(mutex_lock(&mutex, FOREVER) == 0);
	note(8);
	return task_sleep(FOREVER);
}

TASK_TEST(mutex_of_a_task_that_fails_or_is_cancelled_is_unlocked)
{
	struct task *tasks[TASKS], *holder;

	must(task_spawn(NULL, hold_until_cancelled, NULL, &holder) == 0);
	must(task_yield() == 0);
	spawn_all(hold_and_note, tasks);
	task_cancel(holder);
	await_all(tasks);
	assert_string_equal(order, "800112233");
}

TASK_TEST(mutex_handed_to_a_task_that_is_cancelled_goes_on_to_the_next)
{
	struct task *tasks[TASKS], *first;

	assert_int_equal(mutex_lock(&mutex, FOREVER), 0);
	must(task_spawn(NULL, hold_until_cancelled, NULL, &first) == 0);
	must(task_yield() == 0);
	spawn_all(hold_and_note, tasks);
	assert_int_equal(mutex_unlock(&mutex), 0);
	assert_ptr_equal(mutex.owner, first);
	task_cancel(first); /* it holds the mutex, and learns that it is cancelled when it sleeps */
	await_all(tasks);
	assert_string_equal(order, "800112233");
}

static int forget_to_unlock(void *arg)
{
	(void)arg;
	must(mutex_lock_at(&(const struct task_place){ "here.c", 5, "&mutex" }, &mutex, FOREVER) == 0);
	return 0;
}

static int have_child_forget(void *arg)
{
	struct task *child;

	must(task_spawn_at(
		     &(const struct task_place){ "here.c", 4, "forgetful" }, NULL, forget_to_unlock, arg, &child) == 0);
	must(task_await(child, NULL, FOREVER) == 0);
	return mutex_try_lock(&mutex) == 0 ? mutex_unlock(&mutex) : 1;
}

static void mutex_held_at_a_good_end_is_reported_and_unlocked(void **state)
{
	struct outcome outcome = outcome_of_main(have_child_forget);

	(void)state;
	assert_int_equal(times_written(&outcome, "task \"forgetful\" (spawned at here.c:4) ended without releasing 1 "
						 "resource: \"&mutex\" (owned since here.c:5)\n"),
		1);
	assert_int_equal(times_written(&outcome, "ERR"), 1);
	assert_int_equal(outcome.status, 255);
}

static int misuse_mutex(void *arg)
{
	static const struct task_place first = { "here.c", 6, "&door" }, second = { "here.c", 7, "&door" };

	(void)arg;
	must(mutex_unlock(&mutex) == -EPERM);
	must(condition_wait(&condition, &mutex, FOREVER) == -EPERM);
	must(mutex_lock_at(&first, &mutex, FOREVER) == 0);
	must(mutex_lock_at(&second, &mutex, FOREVER) == -EDEADLK);
	return mutex_unlock(&mutex);
}

static int have_child_misuse(void *arg)
{
	struct task *child;

	must(task_spawn_at(&(const struct task_place){ "here.c", 3, "thief" }, NULL, misuse_mutex, arg, &child) == 0);
	return task_await(child, NULL, FOREVER);
}

static void mutex_of_another_and_one_locked_twice_are_refused_and_reported(void **state)
{
	struct outcome outcome = outcome_of_main(have_child_misuse);
	const char *thief = "task \"thief\" (spawned at here.c:3) ";

	(void)state;
	assert_int_equal(times_written(&outcome, thief), 3);
	assert_int_equal(times_written(&outcome, "unlocked a mutex that it does not hold\n"), 1);
	assert_int_equal(times_written(&outcome, "waited with a mutex that it does not hold\n"), 1);
	assert_int_equal(
		times_written(&outcome, "locked \"&door\" again at here.c:7, which it holds since here.c:6\n"), 1);
	assert_int_equal(outcome.status, 255);
}

/* Condition -------------------------------------------------------------------------------------------------------- */

static int wait_until_ready(void *arg)
{
	int number = (int)(intptr_t)arg, err = mutex_lock(&mutex, FOREVER);

	while (err == 0 && !ready)
		err = condition_wait(&condition, &mutex, FOREVER);
	answers[number] = err;
	note(number);
	if (err == 0)
		ready = false;
	must(mutex_unlock(&mutex) == (err == -ECANCELED ? -EPERM : 0));
	return 0;
}

TASK_TEST(condition_signal_wakes_one_and_broadcast_all)
{
	struct task *tasks[TASKS];

	spawn_all(wait_until_ready, tasks);
	assert_string_equal(order, "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mutex_lock(&mutex, FOREVER), 0);
		ready = true;
		condition_signal(&condition);
		assert_int_equal(mutex_unlock(&mutex), 0);
		assert_int_equal(task_sleep(clock_deadline(MSEC(1))), 0);
		assert_int_equal(strlen(order), i + 1);
		assert_false(ready);
	}
	condition_broadcast(&condition); /* too early for both that are left */
	assert_int_equal(task_sleep(clock_deadline(MSEC(1))), 0);
	assert_int_equal(strlen(order), 2);
	for (int i = 0; i < 2; i++) {
		ready = true;
		condition_broadcast(&condition);
		assert_int_equal(task_sleep(clock_deadline(MSEC(1))), 0);
	}
	await_all(tasks);
	assert_int_equal(strlen(order), 4);
}

TASK_TEST(condition_signal_to_a_cancelled_task_goes_to_the_next)
{
	struct task *tasks[TASKS];

	spawn_all(wait_until_ready, tasks);
	ready = true;
	condition_signal(&condition); /* for 0 */
	task_cancel(tasks[0]);
	tasks[0] = NULL;
	assert_int_equal(answers[0], -ECANCELED);
	assert_int_equal(task_sleep(clock_deadline(MSEC(1))), 0);
	assert_int_equal(answers[1], 0);
	assert_int_equal(strlen(order), 2);
	task_cancel(tasks[2]);
	task_cancel(tasks[3]);
	tasks[2] = tasks[3] = NULL;
	await_all(tasks);
}

TASK_TEST(condition_wait_holds_the_mutex_after_a_time_out_and_not_after_cancellation)
{
	struct task *tasks[TASKS];

	assert_int_equal(mutex_lock(&mutex, FOREVER), 0);
	assert_int_equal(condition_wait(&condition, &mutex, clock_deadline(MSEC(2))), -ETIMEDOUT);
	assert_non_null(mutex.owner);
	assert_int_equal(mutex_unlock(&mutex), 0);
	spawn_all(wait_until_ready, tasks);
	assert_int_equal(mutex_lock(&mutex, FOREVER), 0);
	condition_signal(&condition); /* 0 wants the mutex again */
	must(task_yield() == 0);
	for (int i = 0; i < TASKS; i++)
		task_cancel(tasks[i]); /* although this task has the mutex */
	for (int i = 0; i < TASKS; i++)
		assert_int_equal(answers[i], -ECANCELED);
	assert_int_equal(mutex_unlock(&mutex), 0);
	assert_null(mutex.owner);
}

TASK_TEST(signal_to_a_task_cancelled_while_it_wants_the_mutex_goes_to_the_next)
{
	struct task *tasks[TASKS];

	spawn_all(wait_until_ready, tasks);
	assert_int_equal(mutex_lock(&mutex, FOREVER), 0);
	ready = true;
	condition_signal(&condition);
	must(task_yield() == 0); /* 0 has the signal and wants the mutex */
	task_cancel(tasks[0]);
	assert_int_equal(answers[0], -ECANCELED);
	assert_int_equal(mutex_unlock(&mutex), 0);
	assert_int_equal(task_sleep(clock_deadline(MSEC(1))), 0);
	assert_int_equal(answers[1], 0);
	for (int i = 1; i < TASKS; i++)
		task_cancel(tasks[i]);
}

/* Semaphore -------------------------------------------------------------------------------------------------------- */

static int acquire_and_note(void *arg)
{
	int number = (int)(intptr_t)arg;

	answers[number] = semaphore_acquire(&semaphore, FOREVER);
	if (answers[number] == 0)
		note(number);
	return 0;
}

TASK_TEST(semaphore_gives_each_unit_to_who_waits_longest)
{
	struct task *tasks[TASKS];

	semaphore_release(&semaphore);
	semaphore_release(&semaphore);
	spawn_all(acquire_and_note, tasks);
	assert_string_equal(order, "01");
	assert_false(semaphore_try_acquire(&semaphore));
	semaphore_release(&semaphore);
	assert_false(semaphore_try_acquire(&semaphore)); /* it is handed over already */
	assert_int_equal(task_yield(), 0);
	assert_string_equal(order, "012");
	assert_int_equal(semaphore_acquire(&semaphore, clock_deadline(MSEC(1))), -ETIMEDOUT);
	semaphore_release(&semaphore);
	await_all(tasks);
	assert_string_equal(order, "0123");
}

static int acquire_and_give_back(void *arg)
{
	int err = acquire_and_note(arg);

	if (answers[(intptr_t)arg] == 0)
		semaphore_release(&semaphore);
	return err;
}

TASK_TEST(unit_is_not_lost_by_cancellation_before_or_after_the_hand_over)
{
	struct task *tasks[TASKS];

	spawn_all(acquire_and_give_back, tasks);
	task_cancel(tasks[0]);
	assert_int_equal(answers[0], -ECANCELED);
	semaphore_release(&semaphore); /* handed to 1 */
	task_cancel(tasks[1]);
	assert_int_equal(answers[1], 0); /* it had it before it was cancelled */
	tasks[0] = tasks[1] = NULL;
	await_all(tasks);
	assert_string_equal(order, "123");
	assert_int_equal(semaphore.count, 1);
}

/* Wakener ---------------------------------------------------------------------------------------------------------- */

static int wait_for_event(void *arg)
{
	void *value = NULL;
	int number = (int)(intptr_t)arg;

	answers[number] = wakener_wait(&wakener, &value, FOREVER);
	must(answers[number] < 0 || value == &wakener);
	return 0;
}

TASK_TEST(wakener_gives_its_value_to_all_who_wait_before_and_after)
{
	struct task *tasks[TASKS];
	void *value = NULL;

	assert_int_equal(wakener_wait(&wakener, &value, clock_deadline(MSEC(1))), -ETIMEDOUT);
	spawn_all(wait_for_event, tasks);
	task_cancel(tasks[3]);
	tasks[3] = NULL;
	assert_int_equal(wakener_wakeup(&wakener, &wakener), 0);
	assert_int_equal(wakener_wakeup(&wakener, &value), -EALREADY);
	await_all(tasks);
	assert_int_equal(answers[0], 0);
	assert_int_equal(answers[3], -ECANCELED);
	assert_int_equal(wakener_wait(&wakener, &value, 0), 0);
	assert_ptr_equal(value, &wakener);
	assert_int_equal(wakener_wait(&wakener, NULL, 0), 0);
}

static struct timer timer;

static void wake_up(struct timer *fired)
{
	(void)fired;
	must(wakener_wakeup(&wakener, &wakener) == 0);
}

TASK_TEST(timer_wakes_up_a_wakener)
{
	timer = (struct timer)TIMER_INIT(wake_up);
	timer_set(&timer, clock_deadline(MSEC(2)));
	assert_int_equal(wakener_wait(&wakener, NULL, FOREVER), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mutex_is_held_by_one_at_a_time_in_the_order_of_asking),
		TEST(mutex_lock_that_times_out_or_is_cancelled_leaves_the_others_their_turn),
		TEST(mutex_handed_to_a_task_that_is_cancelled_goes_on_to_the_next),
		TEST(mutex_of_a_task_that_fails_or_is_cancelled_is_unlocked),
		TEST(mutex_held_at_a_good_end_is_reported_and_unlocked),
		TEST(mutex_of_another_and_one_locked_twice_are_refused_and_reported),
		TEST(condition_signal_wakes_one_and_broadcast_all),
		TEST(condition_signal_to_a_cancelled_task_goes_to_the_next),
		TEST(condition_wait_holds_the_mutex_after_a_time_out_and_not_after_cancellation),
		TEST(signal_to_a_task_cancelled_while_it_wants_the_mutex_goes_to_the_next),
		TEST(semaphore_gives_each_unit_to_who_waits_longest),
		TEST(unit_is_not_lost_by_cancellation_before_or_after_the_hand_over),
		TEST(wakener_gives_its_value_to_all_who_wait_before_and_after),
		TEST(timer_wakes_up_a_wakener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
