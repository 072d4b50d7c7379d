/* SPDX-License-Identifier: ISC
 *
 * The scheduler: fairness, hooks, many tasks, whole trees, and what is left behind afterwards.
 */
#include "scenario.h"

#include <errno.h>
#include <fenv.h>

#include <skerry/log.h>

#include "../scheduler.h"
#include "platform/unix/watch.h"

static int run_nothing(void *arg)
{
	(void)arg;
	return 0;
}

struct turns {
	const char *name;
	char *log;
};

static int note_turns(void *arg)
{
	const struct turns *turns = arg;

	for (int i = 0; i < 3; i++) {
		strcat(turns->log, turns->name);
		must(task_yield() == 0);
	}
	return 0;
}

static int take_turns(void *arg)
{
	struct turns turns[3] = { { "a", arg }, { "b", arg }, { "c", arg } };
	struct task *tasks[3];

	for (int i = 0; i < 3; i++)
		must(task_spawn(NULL, note_turns, &turns[i], &tasks[i]) == 0);
	for (int i = 0; i < 3; i++)
		must(task_await(tasks[i], NULL, FOREVER) == 0);
	return 0;
}

static void tasks_that_yield_take_turns(void **state)
{
	char log[16] = "";

	(void)state;
	assert_int_equal(result_of(take_turns, log), 0);
	assert_string_equal(log, "abcabcabc");
}

static int yield_until(void *arg)
{
	const bool *done = arg;

	while (!*done)
		must(task_yield() == 0);
	return 0;
}

static int sleep_beside_a_yielding_task(void *arg)
{
	bool done = false;
	struct task *task;
	uint64_t deadline;

	(void)arg;
	must(task_spawn(NULL, yield_until, &done, &task) == 0);
	deadline = clock_deadline(MSEC(10));
	must(task_sleep(deadline) == 0);
	assert_true(clock_monotonic() < deadline + MSEC(500));
	done = true;
	return task_await(task, NULL, FOREVER);
}

static void task_that_always_yields_starves_no_timer(void **state)
{
	(void)state;
	assert_int_equal(result_of(sleep_beside_a_yielding_task, NULL), 0);
}

static int pipe_ends[2];
static bool byte_came;

static void take_byte(struct platform_source *source)
{
	char byte;

	(void)source;
	byte_came = read(pipe_ends[0], &byte, 1) == 1;
}

static struct platform_source pipe_source = { .ready = take_byte };

static void device_open(void)
{
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(watch_add(pipe_ends[0], &pipe_source), 0);
}

static void device_close(void)
{
	watch_remove(pipe_ends[0], &pipe_source);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

/* How often the calling task yields, and then runs for so long, before a byte that is there is seen. */
static int switches_to_byte(uint64_t run_ns)
{
	int switches = 0;

	assert_int_equal(write(pipe_ends[1], "x", 1), 1);
	for (byte_came = false; !byte_came; switches++) {
		uint64_t end = clock_monotonic() + run_ns;

		while (run_ns > 0 && clock_monotonic() < end)
			;
		must(task_yield() == 0);
	}
	return switches;
}

static int yield_beside_a_device(void *arg)
{
	int switches;

	(void)arg;
	device_open();
	switches = switches_to_byte(0);
	device_close();
	return switches;
}

static void task_that_always_yields_starves_no_device(void **state)
{
	(void)state;
	assert_in_range(result_of(yield_beside_a_device, NULL), 1, TASK_SWITCHES_PER_POLL + 1);
}

static int compute_beside_a_device(void *arg)
{
	bool done = false;
	struct task *task;
	int first;

	(void)arg;
	must(task_spawn(NULL, yield_until, &done, &task) == 0); /* somebody else is always ready, too */
	device_open();
	for (int i = 0; i < 10 * TASK_SWITCHES_PER_POLL; i++)
		must(task_yield() == 0);
	first = switches_to_byte(MSEC(1));
	for (int i = 0; i < 10; i++)
		assert_in_range(switches_to_byte(MSEC(1)), 1, 2);
	device_close();
	done = true;
	must(task_await(task, NULL, FOREVER) == 0);
	return first;
}

static void task_that_computes_long_between_its_yields_is_left_for_the_device_at_the_next(void **state)
{
	(void)state;
	assert_in_range(result_of(compute_beside_a_device, NULL), 1, TASK_SWITCHES_PER_LOOK);
}

static char hook_log[64];
static size_t hook_count;

static void log_a(struct task_hook *hook)
{
	(void)hook;
	hook_log[hook_count++ % sizeof hook_log] = 'a';
}

static void log_b(struct task_hook *hook)
{
	(void)hook;
	hook_log[hook_count++ % sizeof hook_log] = 'b';
}

static void log_c_and_leave(struct task_hook *hook)
{
	hook_log[hook_count++ % sizeof hook_log] = 'c';
	task_hook_remove(hook);
}

static int run_with_hooks(void *arg)
{
	struct task_hook a = { .run = log_a }, c = { .run = log_c_and_leave }, b = { .run = log_b };
	bool done = false;
	struct task *task;
	size_t before;

	(void)arg;
	hook_count = 0;
	task_hook_add(&a);
	task_hook_add(&c);
	task_hook_add(&b);
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	assert_true(hook_count >= 3);
	assert_memory_equal(hook_log, "acb", 3);
	before = hook_count;
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	assert_memory_equal(hook_log + before, "ab", 2);

	/* Tasks that never let the scheduler wait do not keep hooks from running. */
	before = hook_count;
	must(task_spawn(NULL, yield_until, &done, &task) == 0);
	for (int i = 0; i < 10 * TASK_SWITCHES_PER_POLL; i++)
		must(task_yield() == 0);
	assert_true(hook_count >= before + 10);
	done = true;
	must(task_await(task, NULL, FOREVER) == 0);
	task_hook_remove(&a);
	task_hook_remove(&b);
	before = hook_count;
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	assert_true(hook_count == before);
	return 0;
}

static void hooks_run_in_order_before_the_scheduler_waits(void **state)
{
	(void)state;
	assert_int_equal(result_of(run_with_hooks, NULL), 0);
}

static int task_time(void *arg)
{
	uint64_t first = task_now(), later;

	(void)arg;
	while (clock_monotonic() < first + MSEC(2))
		assert_true(task_now() == first); /* one batch of work, one time */
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	later = task_now();
	assert_true(later >= first + MSEC(3));
	return 0;
}

static void time_stands_still_within_a_batch(void **state)
{
	(void)state;
	assert_int_equal(result_of(task_time, NULL), 0);
}

static int nap_and_count(void *arg)
{
	must(task_sleep(task_now() + MSEC(1)) == 0);
	++*(uint64_t *)arg;
	return 0;
}

enum { MANY = 10000 };

static int spawn_many(void *arg)
{
	static struct task *tasks[MANY];
	uint64_t sum = 0;

	(void)arg;
	for (int i = 0; i < MANY; i++)
		must(task_spawn(NULL, nap_and_count, &sum, &tasks[i]) == 0);
	for (int i = MANY - 1; i >= 0; i--)
		must(task_await(tasks[i], NULL, FOREVER) == 0);
	return (int)sum;
}

static void ten_thousand_tasks_live_at_once(void **state)
{
	(void)state;
	assert_int_equal(result_of(spawn_many, NULL), MANY);
}

static int sleep_for_ever(void *arg)
{
	(void)arg;
	return task_sleep(FOREVER);
}

static int cancel_many(void *arg)
{
	for (int i = 0; i < MANY / 10; i++)
		must(task_spawn(task_orphans(), sleep_for_ever, arg, NULL) == 0);
	must(task_yield() == 0);
	task_group_cancel(task_orphans());
	return (int)task_group_count(task_orphans());
}

/* A chain of tasks, each of which has one child: cancelled at the top, it ends from the bottom. */
static int descend(void *arg)
{
	int *depth = arg;
	struct task *child;

	if (--*depth > 0)
		must(task_spawn(NULL, descend, depth, &child) == 0);
	must(task_sleep(FOREVER) == -ECANCELED);
	++*depth;
	return -ECANCELED;
}

static int cancel_a_deep_chain(void *arg)
{
	int depth = 5000;
	struct task *top;

	(void)arg;
	must(task_spawn(NULL, descend, &depth, &top) == 0);
	while (depth > 0)
		must(task_yield() == 0);
	task_cancel(top);
	return depth;
}

static void cancelling_a_deep_tree_ends_all_of_it(void **state)
{
	(void)state;
	assert_int_equal(result_of(cancel_a_deep_chain, NULL), 5000);
}

static void cancelling_a_wide_group_ends_all_of_it(void **state)
{
	(void)state;
	assert_int_equal(result_of(cancel_many, NULL), 0);
}

static int respawn(void *arg)
{
	struct task *task;
	void *first;

	(void)arg;
	must(task_spawn(NULL, run_nothing, NULL, &task) == 0);
	first = task;
	must(task_await(task, NULL, FOREVER) == 0);
	for (int i = 0; i < 1000; i++) {
		must(task_spawn(NULL, run_nothing, NULL, &task) == 0);
		assert_ptr_equal(task, first);
		must(task_await(task, NULL, FOREVER) == 0);
	}
	return 0;
}

static void stack_of_an_ended_task_is_used_again(void **state)
{
	(void)state;
	assert_int_equal(result_of(respawn, NULL), 0);
}

static int use_stack(void *arg)
{
	volatile char bytes[20000];

	memset((char *)(uintptr_t)bytes, 1, sizeof bytes);
	must(task_yield() == 0);
	*(size_t *)arg = stack_high_water(scheduler.current) + (size_t)bytes[5] - 1;
	return 0;
}

static int measure_stack(void *arg)
{
	struct task *task;
	size_t used = 0;

	(void)arg;
	must(task_spawn(NULL, use_stack, &used, &task) == 0);
	must(task_await(task, NULL, FOREVER) == 0);
	return (int)used;
}

static void high_water_mark_of_a_stack_is_measured(void **state)
{
	int used = result_of(measure_stack, NULL);

	(void)state;
	assert_true(used >= 20000 && used < TASK_STACK_BYTES);
}

static int use_floating_point(void *arg)
{
	double x = *(double *)arg;

	for (int i = 0; i < 100; i++) {
		double before = x;

		must(task_yield() == 0);
		must(x >= before && x <= before);
		x *= 1.5;
	}
	*(double *)arg = x;
	return 0;
}

static int calculate(void *arg)
{
	double values[4] = { 1, 2, 3, 4 };
	struct task *tasks[4];

	(void)arg;
	for (int i = 0; i < 4; i++)
		must(task_spawn(NULL, use_floating_point, &values[i], &tasks[i]) == 0);
	for (int i = 0; i < 4; i++)
		must(task_await(tasks[i], NULL, FOREVER) == 0);
	for (int i = 1; i < 4; i++)
		if (values[i] / values[0] < i + 0.999 || values[i] / values[0] > i + 1.001)
			return -EINVAL;
	return 0;
}

static void floating_point_survives_switches(void **state)
{
	(void)state;
	assert_int_equal(result_of(calculate, NULL), 0);
}

static int round_upward(void *arg)
{
	must(fesetround(FE_UPWARD) == 0);
	for (int i = 0; i < 10; i++) {
		must(task_yield() == 0);
		must(fegetround() == FE_UPWARD);
	}
	*(bool *)arg = true;
	return 0;
}

static int round_beside_another(void *arg)
{
	struct task *task;
	bool done = false;

	(void)arg;
	must(task_spawn(NULL, round_upward, &done, &task) == 0);
	while (!done) {
		must(task_yield() == 0);
		must(fegetround() == FE_TONEAREST);
	}
	return task_await(task, NULL, FOREVER);
}

static void rounding_mode_is_a_tasks_own(void **state)
{
	(void)state;
	assert_int_equal(result_of(round_beside_another, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(high_water_mark_of_a_stack_is_measured), /* first, on a fresh stack */
		cmocka_unit_test(tasks_that_yield_take_turns),
		cmocka_unit_test(task_that_always_yields_starves_no_timer),
		cmocka_unit_test(task_that_always_yields_starves_no_device),
		cmocka_unit_test(task_that_computes_long_between_its_yields_is_left_for_the_device_at_the_next),
		cmocka_unit_test(hooks_run_in_order_before_the_scheduler_waits),
		cmocka_unit_test(time_stands_still_within_a_batch),
		cmocka_unit_test(ten_thousand_tasks_live_at_once),
		cmocka_unit_test(cancelling_a_deep_tree_ends_all_of_it),
		cmocka_unit_test(cancelling_a_wide_group_ends_all_of_it),
		cmocka_unit_test(stack_of_an_ended_task_is_used_again),
		cmocka_unit_test(floating_point_survives_switches),
		cmocka_unit_test(rounding_mode_is_a_tasks_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
