/* SPDX-License-Identifier: ISC
 *
 * Random trees of tasks that spawn, await, cancel, wait, wake, defer and fail: whatever they do, all of it has ended
 * and been cleaned up when the main task ends, and no rule is found broken. A failing seed is printed; give it as the
 * program's argument to run it alone.
 */
#include "scenario.h"

#include <errno.h>

#include <skerry/log.h>

enum { SEEDS = 300, DEPTH_MAX = 6, CHILDREN_MAX = 4, TASKS_MAX = 300, STEPS = 12 };

static uint64_t seed;
static int deferred, spawned;
static struct wait_queue queue = WAIT_QUEUE_INIT;

static uint32_t choose(uint32_t bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % bound;
}

struct node {
	int depth;
	struct task *children[CHILDREN_MAX];
	int count;
};

static int grow(void *arg);

static void forget(void *resource)
{
	must(resource == &deferred);
	deferred--;
}

static void spawn_somewhere(struct node *node)
{
	void *depth = (void *)(intptr_t)(node->depth + 1);

	if (node->depth == DEPTH_MAX || spawned == TASKS_MAX)
		return;
	if (choose(3) == 0)
		must(task_spawn(task_orphans(), grow, depth, NULL) == 0);
	else if (node->count < CHILDREN_MAX)
		must(task_spawn(NULL, grow, depth, &node->children[node->count++]) == 0);
	else
		return;
	spawned++;
}

static int await_or_cancel(struct node *node, uint64_t deadline)
{
	int err = 0;

	if (node->count == 0)
		return 0;
	if (choose(2) == 0)
		task_cancel(node->children[node->count - 1]);
	else
		err = task_await(node->children[node->count - 1], NULL, deadline);
	if (err == 0)
		node->count--;
	return err == -ETIMEDOUT ? 0 : err;
}

static int step(struct node *node)
{
	uint64_t soon = task_now() + USEC(1) * choose(200);
	int err;

	switch (choose(8)) {
	case 0:
	case 1:
		spawn_somewhere(node);
		return 0;
	case 2:
		return await_or_cancel(node, soon);
	case 3:
		return task_yield();
	case 4:
		return task_sleep(soon);
	case 5:
		err = wait_on(&queue, soon);
		return err == -ETIMEDOUT ? 0 : err;
	case 6:
		wake_one(&queue);
		return 0;
	default:
		deferred++;
		return task_defer(forget, &deferred);
	}
}

/* Ends well only with nothing left; by chance, or once it is cancelled, it fails and leaves its children as they are.
 */
static int grow(void *arg)
{
	struct node node = { .depth = (int)(intptr_t)arg };
	int err = 0;

	deferred++;
	must(task_defer(forget, &deferred) == 0);
	for (int i = 0; i < STEPS && err == 0; i++)
		err = step(&node);
	if (err == 0 && choose(8) == 0)
		err = -ECANCELED; /* like any failure, but not logged */
	while (err == 0 && node.count > 0)
		err = await_or_cancel(&node, FOREVER);
	if (err == 0)
		task_group_cancel(task_orphans());
	return err;
}

static int plant(void *arg)
{
	for (int i = 0; i < 3; i++) {
		struct task *root;

		must(task_spawn(NULL, grow, arg, &root) == 0);
		must(task_await(root, NULL, FOREVER) == 0);
	}
	return 0;
}

static void grow_tree(uint64_t with_seed)
{
	int result;

	seed = with_seed * 2654435761u + 88172645463325252u;
	deferred = spawned = 0;
	if (task_run(plant, NULL, &result) != 0 || result != 0 || deferred != 0 || queue.first || queue.last)
		fail_msg("seed %llu: %d deferred left", (unsigned long long)with_seed, deferred);
}

static void random_trees_leave_nothing_behind(void **state)
{
	int total = 0;

	(void)state;
	for (uint64_t i = 0; i < SEEDS; i++) {
		grow_tree(i);
		total += spawned;
	}
	assert_true(total > 20 * SEEDS); /* or this shows little */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_trees_leave_nothing_behind) };

	if (argc == 2) {
		grow_tree(strtoull(argv[1], NULL, 10));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
