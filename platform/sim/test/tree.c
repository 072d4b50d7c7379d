/* SPDX-License-Identifier: ISC
 *
 * Random trees of tasks that spawn, await, cancel, own, lock, send, break rules and fail, in 10,000 random orders:
 * whatever they do, all of it has ended and is finalised once the main task has ended, nothing waits for ever, and
 * exactly those rules were reported that were broken. A failing seed is written; give it as the program's argument to
 * run it alone.
 */
#include "lib/task/test/scenario.h"

#include <errno.h>

#include <sanitizer/common_interface_defs.h>
#include <skerry/channel.h>
#include <skerry/log.h>
#include <skerry/sync.h>

#include "lib/task/scheduler.h"
#include "platform/sim/inside.h"
#include "platform/sim/sim.h"

enum { SEEDS = 10000, DEPTH_MAX = 6, CHILDREN_MAX = 4, TASKS_MAX = 60, STEPS = 10, UNITS = 2, MUTEXES = 2 };

/* What one run has in common, and its counts. */
static struct {
	unsigned spawned, broken, open; /* tasks; rules; resources that are not finalised */
	unsigned sent, received;
	uint64_t trace; /* of who did what, when */
	struct mutex mutexes[MUTEXES];
	struct condition condition;
	struct semaphore semaphore;
	struct wait_queue queue;
	int room[2], other_room[1];
	struct channel channel, other;
} world;

struct node {
	int depth;
	bool breaker; /* may break rules */
	struct task *children[CHILDREN_MAX];
};

static int grow(void *arg);

static void note(unsigned what)
{
	world.trace = (world.trace ^ what ^ task_now()) * 1099511628211u;
}

static uint64_t soon(void)
{
	return task_now() + USEC(1) * sim_random(200);
}

/* A time-out is as good as an answer here. */
static int fine(int err)
{
	return err == -ETIMEDOUT || err == -ENOENT || err == -EPIPE ? 0 : err;
}

/* Resources -------------------------------------------------------------------------------------------------------- */

static void close_one(void *resource)
{
	unsigned *open = resource;

	must(*open > 0);
	--*open;
}

static int own_one(void)
{
	world.open++;
	return task_own(close_one, &world.open);
}

static int own_and_transfer(void *arg)
{
	int err = own_one();

	(void)arg;
	if (err == 0)
		err = task_yield();
	return err < 0 ? err : task_transfer(close_one, &world.open);
}

/* A child owns it until it has handed it up: whoever is cancelled in between finalises it. */
static int receive_from_child(void)
{
	struct task *child;
	int result, err = task_spawn(NULL, own_and_transfer, NULL, &child);

	if (err == 0)
		err = task_await(child, &result, FOREVER);
	return err < 0 ? err : task_release(close_one, &world.open);
}

/* A child that is cancelled finalises it, even if it never ran; one that has ended does not get it. */
static int give_to_child(struct node *node)
{
	struct task **child = &node->children[sim_random(CHILDREN_MAX)];

	must(own_one() == 0);
	if (!*child || task_give(*child, close_one, &world.open) == -ESRCH)
		return task_release(close_one, &world.open);
	task_cancel(*child);
	*child = NULL;
	return 0;
}

static int have_resource(struct node *node)
{
	switch (sim_random(5)) {
	case 0:
		world.open++;
		return task_defer(close_one, &world.open);
	case 1:
		must(own_one() == 0);
		return task_release(close_one, &world.open);
	case 2:
		must(own_one() == 0 && task_disown(close_one, &world.open) == 0);
		close_one(&world.open);
		return 0;
	case 3:
		return receive_from_child();
	default:
		return give_to_child(node);
	}
}

/* Children --------------------------------------------------------------------------------------------------------- */

static int spawn_somewhere(struct node *node)
{
	void *depth = (void *)(intptr_t)(node->depth + 1);
	size_t place = sim_random(CHILDREN_MAX);

	if (node->depth == DEPTH_MAX || world.spawned == TASKS_MAX)
		return 0;
	if (sim_random(3) == 0) {
		must(task_spawn(task_orphans(), grow, depth, NULL) == 0);
	} else {
		if (node->children[place])
			return 0;
		must(task_spawn(NULL, grow, depth, &node->children[place]) == 0);
	}
	world.spawned++;
	return 0;
}

static int await_some(struct node *node, uint64_t deadline)
{
	int results[CHILDREN_MAX], result;
	size_t chosen, place = sim_random(CHILDREN_MAX);

	switch (sim_random(6)) {
	case 0:
		return fine(task_await_all(node->children, CHILDREN_MAX, results, deadline));
	case 1:
		return fine(task_join(node->children, CHILDREN_MAX, &result, deadline));
	case 2:
		return fine(task_await_one(node->children, CHILDREN_MAX, &chosen, &result, deadline));
	case 3:
		return fine(task_await_first(node->children, CHILDREN_MAX, &chosen, &result, deadline));
	case 4:
		return fine(task_choose(node->children, CHILDREN_MAX, &chosen, deadline));
	default:
		task_cancel(node->children[place]);
		node->children[place] = NULL;
		return 0;
	}
}

/* Synchronisation: with no deadline wherever somebody else is bound to give way. -------------------------------------
 */

static int use_mutex(void)
{
	struct mutex *mutex = &world.mutexes[sim_random(MUTEXES)];
	int err = mutex_lock(mutex, sim_random(2) ? FOREVER : soon());

	if (err < 0)
		return fine(err);
	if (sim_random(3) == 0)
		err = fine(condition_wait(&world.condition, mutex, soon()));
	else
		err = task_sleep(soon());
	if (err < 0 && sim_random(2))
		return err; /* a task that fails need not unlock */
	must(mutex_unlock(mutex) == 0 || task_cancelled());
	return err;
}

static int use_semaphore(void)
{
	int err = semaphore_acquire(&world.semaphore, sim_random(2) ? FOREVER : soon());

	if (err < 0)
		return fine(err);
	err = task_sleep(soon());
	semaphore_release(&world.semaphore);
	return err;
}

static int use_channels(void)
{
	int in, out = (int)world.sent, other_in, index;
	struct channel_case cases[] = { { .channel = &world.channel, .send = &out },
		{ .channel = &world.channel, .receive = &in }, { .channel = &world.other, .receive = &other_in },
		{ .channel = &world.other, .send = &out } };
	size_t from = sim_random(4);

	index = channel_select(cases + from, 4 - from, soon());
	if (index < 0)
		return fine(index);
	if (cases[from + (size_t)index].send)
		world.sent++;
	else
		world.received++;
	return 0;
}

static int wake_or_wait(void)
{
	switch (sim_random(4)) {
	case 0:
		wake_one(&world.queue);
		return 0;
	case 1:
		condition_signal(&world.condition);
		return 0;
	case 2:
		condition_broadcast(&world.condition);
		return 0;
	default:
		return fine(wait_on(&world.queue, soon()));
	}
}

/* Rules broken on purpose -------------------------------------------------------------------------------------------
 */

static void break_rule(struct node *node)
{
	if (!node->breaker)
		return;
	world.broken++;
	if (sim_random(2))
		must(task_release(close_one, node) == -EPERM);
	else
		must(task_disown(close_one, node) == -EPERM);
}

/* Ends well with something left: one report for what is owned, and one for each list of tasks. */
static int leave_something(struct node *node)
{
	unsigned running = 0, ended = 0, background = task_group_count(task_orphans()) > 0;

	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (node->children[i] && node->children[i]->ended)
			ended++;
		else if (node->children[i])
			running++;
	}
	world.broken += (running > 0 ? 1u : 0u) + (ended > 0 ? 1u : 0u) + background;
	if (sim_random(2)) {
		world.open++;
		must(task_own(close_one, &world.open) == 0);
		world.broken++;
	}
	return 0;
}

/* A task ----------------------------------------------------------------------------------------------------------- */

static int step(struct node *node)
{
	switch (sim_random(12)) {
	case 0:
	case 1:
	case 2:
		return spawn_somewhere(node);
	case 3:
		return await_some(node, soon());
	case 4:
		return task_yield();
	case 5:
		return task_sleep(soon());
	case 6:
		return use_mutex();
	case 7:
		return use_semaphore();
	case 8:
		return use_channels();
	case 9:
		return wake_or_wait();
	case 10:
		break_rule(node);
		return 0;
	default:
		return have_resource(node);
	}
}

static int grow(void *arg)
{
	struct node node = { .depth = (int)(intptr_t)arg, .breaker = sim_random(50) == 0 };
	int err = 0;

	for (int i = 0; i < STEPS && err == 0; i++) {
		err = step(&node);
		note((unsigned)i);
	}
	if (err < 0)
		return err; /* cancelled: children and resources are left as they are */
	if (sim_random(8) == 0)
		return -ECANCELED; /* like any failure, but not logged */
	if (node.breaker && !task_cancelled())
		return leave_something(&node);
	err = task_await_all(node.children, CHILDREN_MAX, NULL, FOREVER);
	if (err == 0)
		task_group_cancel(task_orphans());
	return err;
}

static int plant(void *arg)
{
	for (int i = 0; i < 2; i++) {
		struct task *root;

		world.spawned++;
		must(task_spawn(NULL, grow, arg, &root) == 0);
		must(task_await(root, NULL, FOREVER) == 0);
	}
	return 0;
}

static bool nobody_waits(const struct wait_queue *queue)
{
	return !queue->first && !queue->last;
}

static void grow_tree(uint64_t seed)
{
	int result, err;

	memset(&world, 0, sizeof world);
	world.semaphore.count = UNITS;
	world.channel = (struct channel)CHANNEL_INIT(world.room);
	world.other = (struct channel)CHANNEL_INIT(world.other_room);
	err = sim_run(seed, plant, NULL, &result);
	must(result == 0);
	must(err == (world.broken > 0 ? -EPROTO : 0));
	must(scheduler.rules_broken == world.broken);
	must(world.open == 0);
	must(world.semaphore.count == UNITS && nobody_waits(&world.semaphore.waiters));
	must(world.sent - world.received == world.channel.count + world.other.count);
	for (int i = 0; i < MUTEXES; i++)
		must(!world.mutexes[i].owner && nobody_waits(&world.mutexes[i].waiters));
	must(nobody_waits(&world.queue) && nobody_waits(&world.condition.waiters));
	must(timers_next() == FOREVER);
}

static int be_quiet(void **state)
{
	char error[128];

	(void)state;
	return log_configure("task:quiet", error, sizeof error);
}

static void ten_thousand_random_trees_leave_nothing_behind_and_hide_no_broken_rule(void **state)
{
	unsigned tasks = 0, trees_broken = 0, messages = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		grow_tree(seed);
		tasks += world.spawned;
		trees_broken += world.broken > 0;
		messages += world.received;
	}
	/* Or this shows little. */
	assert_true(tasks > 20 * SEEDS);
	assert_true(messages > SEEDS);
	assert_true(trees_broken > SEEDS / 20 && trees_broken < SEEDS);
}

static void seed_gives_the_same_run_each_time(void **state)
{
	uint64_t first;

	(void)state;
	grow_tree(12345);
	first = world.trace;
	grow_tree(54321);
	assert_true(world.trace != first);
	grow_tree(12345);
	assert_true(world.trace == first);
}

/* Nobody will ever wake it: the simulator must find that. */
static int wait_in_vain(void *arg)
{
	struct wakener never = WAKENER_INIT;

	(void)arg;
	return wakener_wait(&never, NULL, FOREVER);
}

static int run_stuck(void *arg)
{
	int result;

	(void)arg;
	return sim_run(77, wait_in_vain, NULL, &result);
}

static void program_that_is_stuck_ends_with_its_tasks_and_its_seed(void **state)
{
	struct outcome outcome = outcome_of(run_stuck, NULL);

	(void)state;
	assert_int_equal(times_written(&outcome, "task \"run\" (spawned at "), 1);
	assert_int_equal(times_written(&outcome, " waits in wakener_wait; "), 1);
	assert_int_equal(times_written(&outcome, "no task can ever run again\n"), 1);
	assert_int_equal(times_written(&outcome, "seed 77 failed; run it again: "), 1);
	assert_int_not_equal(outcome.status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			ten_thousand_random_trees_leave_nothing_behind_and_hide_no_broken_rule, be_quiet),
		cmocka_unit_test(seed_gives_the_same_run_each_time),
		cmocka_unit_test(program_that_is_stuck_ends_with_its_tasks_and_its_seed),
	};

	sim_set_command(argv[0]);
	__sanitizer_set_death_callback(sim_write_seed);
	if (argc == 2) {
		grow_tree(strtoull(argv[1], NULL, 10));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
