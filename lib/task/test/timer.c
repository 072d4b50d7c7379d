/* SPDX-License-Identifier: ISC
 *
 * The timer heap, beside a plain array that is searched.
 */
#include "scenario.h"

#include "../scheduler.h"

enum { TIMERS = 300, STEPS = 60000, RANGE = 1000 };

static struct model {
	struct timer timer;
	uint64_t deadline; /* FOREVER: not armed */
	unsigned fired, expected;
	struct timer *cancel_other; /* what its callback cancels */
	uint64_t arm_again;         /* what its callback sets; 0: nothing */
} models[TIMERS];

static uint64_t last_fired;

static void fire(struct timer *timer)
{
	struct model *model = (struct model *)timer;

	assert_false(timer->armed);
	assert_true(timer->deadline >= last_fired);
	last_fired = timer->deadline;
	model->fired++;
	if (model->cancel_other)
		timer_cancel(model->cancel_other);
	if (model->arm_again)
		timer_set(timer, model->arm_again);
}

static int set_up(void **state)
{
	(void)state;
	for (int i = 0; i < TIMERS; i++)
		models[i] = (struct model){ .timer = TIMER_INIT(fire), .deadline = FOREVER };
	last_fired = 0;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < TIMERS; i++)
		timer_cancel(&models[i].timer);
	assert_true(timers_next() == FOREVER);
	return 0;
}

static uint32_t pseudo_random(void)
{
	static uint64_t seed = 88172645463325252;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32);
}

static uint64_t earliest(void)
{
	uint64_t deadline = FOREVER;

	for (int i = 0; i < TIMERS; i++)
		if (models[i].deadline < deadline)
			deadline = models[i].deadline;
	return deadline;
}

static void expect_until(uint64_t now)
{
	for (int i = 0; i < TIMERS; i++)
		if (models[i].deadline <= now) {
			models[i].deadline = FOREVER;
			models[i].expected++;
		}
}

static void random_operations_agree_with_a_search(void **state)
{
	uint64_t now = 0;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		struct model *model = &models[pseudo_random() % TIMERS];
		unsigned choice = pseudo_random() % 10;

		if (choice < 7) {
			model->deadline = choice == 0 ? FOREVER : now + pseudo_random() % RANGE;
			timer_set(&model->timer, model->deadline);
		} else if (choice < 9) {
			model->deadline = FOREVER;
			timer_cancel(&model->timer);
		} else {
			now += pseudo_random() % (RANGE / 20);
			expect_until(now);
			last_fired = 0;
			timers_fire(now);
		}
		assert_true(timers_next() == earliest());
		assert_int_equal(model->timer.armed, model->deadline != FOREVER);
		assert_int_equal(model->fired, model->expected);
	}
	for (int i = 0; i < TIMERS; i++)
		assert_int_equal(models[i].fired, models[i].expected);
}

static void timer_fires_at_its_deadline_and_not_before(void **state)
{
	(void)state;
	timer_set(&models[0].timer, 100);
	timers_fire(99);
	assert_int_equal(models[0].fired, 0);
	timers_fire(100);
	assert_int_equal(models[0].fired, 1);
	timers_fire(200);
	assert_int_equal(models[0].fired, 1);
}

static void callback_may_cancel_the_next_timer(void **state)
{
	(void)state;
	models[0].cancel_other = &models[1].timer;
	timer_set(&models[0].timer, 1);
	timer_set(&models[1].timer, 2);
	timers_fire(10);
	assert_int_equal(models[0].fired, 1);
	assert_int_equal(models[1].fired, 0);
}

static void callback_that_arms_for_the_past_cannot_hold_the_scheduler(void **state)
{
	(void)state;
	models[0].arm_again = 1;
	timer_set(&models[0].timer, 1);
	timers_fire(10);
	assert_int_equal(models[0].fired, 1);
	assert_true(models[0].timer.armed);
}

static void long_row_of_timers_needs_no_deep_stack(void **state)
{
	enum { MANY = 200000 };
	struct timer *many = calloc(MANY, sizeof *many);

	(void)state;
	assert_non_null(many);
	for (int i = 0; i < MANY; i++) {
		many[i].fire = fire;
		timer_set(&many[i], (uint64_t)(MANY - i)); /* each becomes the root: a list as deep as it is long */
	}
	for (int i = 0; i < MANY; i++) {
		assert_true(timers_next() == (uint64_t)(i + 1));
		timer_cancel(&many[MANY - 1 - i]);
	}
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_operations_agree_with_a_search, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timer_fires_at_its_deadline_and_not_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(callback_may_cancel_the_next_timer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			callback_that_arms_for_the_past_cannot_hold_the_scheduler, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_row_of_timers_needs_no_deep_stack, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
