/* SPDX-License-Identifier: ISC
 *
 * No wake-up is lost: senders and receivers that wait without a deadline, some by select, while most of them are
 * cancelled at random. Every item arrives once; a lost wake-up stops the simulator.
 */
#include "lib/task/test/scenario.h"

#include <errno.h>

#include <sanitizer/common_interface_defs.h>
#include <skerry/channel.h>
#include <skerry/log.h>
#include <skerry/sync.h>

#include "platform/sim/inside.h"
#include "platform/sim/sim.h"

enum { SEEDS = 10000, WORKERS = 4, ITEMS = 12 };

static struct channel channel, other;
static int room[2], other_room[1], next_item;
static unsigned arrived[ITEMS];
static struct semaphore done; /* a unit for each item that arrived */

static int pause_by_chance(void)
{
	switch (sim_random(4)) {
	case 0:
		return task_yield();
	case 1:
		return task_sleep(task_now() + sim_random(5000));
	default:
		return 0;
	}
}

/* Sends the next number that nobody has sent; a number with which it is cancelled counts as arrived. */
static int send_items(void *arg)
{
	(void)arg;
	while (next_item < ITEMS) {
		int item = next_item++, err;
		struct channel_case cases[] = { { .channel = &channel, .send = &item },
			{ .channel = &other, .send = &item } };

		if (sim_random(2))
			err = channel_select(cases, 2, FOREVER);
		else
			err = channel_send(sim_random(2) ? &channel : &other, &item, FOREVER);
		if (err < 0) {
			arrived[item]++;
			semaphore_release(&done);
			return err;
		}
		err = pause_by_chance();
		if (err < 0)
			return err;
	}
	return task_sleep(FOREVER);
}

static int receive_items(void *arg)
{
	(void)arg;
	for (;;) {
		int first, second, err;
		struct channel_case cases[] = { { .channel = &channel, .receive = &first },
			{ .channel = &other, .receive = &second } };

		err = channel_select(cases, 2, FOREVER);
		if (err < 0)
			return err;
		arrived[err == 0 ? first : second]++;
		semaphore_release(&done);
		err = pause_by_chance();
		if (err < 0)
			return err;
	}
}

static int run_workers(void *arg)
{
	struct task *senders[WORKERS], *receivers[WORKERS];

	(void)arg;
	for (int i = 0; i < WORKERS; i++) {
		must(task_spawn(NULL, send_items, NULL, &senders[i]) == 0);
		must(task_spawn(NULL, receive_items, NULL, &receivers[i]) == 0);
	}
	/* One of each kind is left, which has to do the rest: nobody else's wake-up would make up for a lost one. */
	for (int i = 1; i < WORKERS; i++) {
		must(task_sleep(task_now() + sim_random(4000)) == 0);
		task_cancel(senders[i]);
		must(task_sleep(task_now() + sim_random(4000)) == 0);
		task_cancel(receivers[i]);
	}
	for (int i = 0; i < ITEMS; i++)
		must(semaphore_acquire(&done, FOREVER) == 0);
	task_cancel(senders[0]);
	task_cancel(receivers[0]);
	return 0;
}

static void run_seed(uint64_t seed)
{
	int result;

	channel = (struct channel)CHANNEL_INIT(room);
	other = (struct channel)CHANNEL_INIT(other_room);
	done = (struct semaphore)SEMAPHORE_INIT(0);
	memset(arrived, 0, sizeof arrived);
	next_item = 0;
	must(sim_run(seed, run_workers, NULL, &result) == 0 && result == 0);
	for (int i = 0; i < ITEMS; i++)
		must(arrived[i] == 1);
	must(done.count == 0 && channel.count == 0 && other.count == 0);
}

static void no_wake_up_is_lost_while_tasks_are_cancelled(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		run_seed(seed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_wake_up_is_lost_while_tasks_are_cancelled) };

	sim_set_command(argv[0]);
	__sanitizer_set_death_callback(sim_write_seed);
	if (argc == 2) {
		run_seed(strtoull(argv[1], NULL, 10));
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
