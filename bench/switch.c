/* SPDX-License-Identifier: ISC
 *
 * What tasks cost: a switch beside libc's swapcontext and beside the bare swap of registers, a spawn beside malloc and
 * free of a stack, a timer beside sorting. Each pair is measured in turns in one run, and the best of five turns
 * counts: together 10,000,000 switches, and 1,000,000 timers in each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <platform.h>
#include <skerry/log.h>

#include "lib/task/scheduler.h"

enum { TURNS = 5, SWITCHES = 2000000, SPAWNS = 200000, TIMERS = 1000000 };

static double best(double a, double b)
{
	return a == 0 || b < a ? b : a;
}

static double elapsed_ns(uint64_t start, double count)
{
	return (double)(clock_monotonic() - start) / count;
}

static void report(const char *what, double ours, const char *other, double theirs)
{
	printf("  %-34s%9.1f ns   %s %.1f ns, ratio %.2f\n", what, ours, other, theirs, ours / theirs);
}

/* Switches --------------------------------------------------------------------------------------------------------- */

static int yield(void *arg)
{
	for (int i = 0; i < *(const int *)arg; i++)
		must(task_yield() == 0);
	return 0;
}

/* Two tasks in turns, with the scheduler's own turns and the polls of devices that belong to it. */
static double task_switch_ns(void)
{
	int each = SWITCHES / 2;
	struct task *one, *other;
	uint64_t start = clock_monotonic();

	must(task_spawn(NULL, yield, &each, &one) == 0);
	must(task_spawn(NULL, yield, &each, &other) == 0);
	must(task_await(one, NULL, FOREVER) == 0);
	must(task_await(other, NULL, FOREVER) == 0);
	return elapsed_ns(start, SWITCHES);
}

static ucontext_t here, there;
static char there_stack[64 * 1024];

static void swap_back(void)
{
	for (;;)
		swapcontext(&there, &here);
}

static double swapcontext_ns(void)
{
	uint64_t start;

	must(getcontext(&there) == 0);
	there.uc_stack.ss_sp = there_stack;
	there.uc_stack.ss_size = sizeof there_stack;
	makecontext(&there, swap_back, 0);
	start = clock_monotonic();
	for (int i = 0; i < SWITCHES / 2; i++)
		swapcontext(&here, &there);
	return elapsed_ns(start, SWITCHES);
}

static void *bare_here, *bare_there;

static void swap_back_bare(void)
{
	for (;;)
		fiber_swap(&bare_there, bare_here);
}

static double bare_swap_ns(void)
{
	struct fiber_frame *frame = (struct fiber_frame *)(void *)(there_stack + sizeof there_stack) - 1;
	uint64_t start;

	*frame = FIBER_FRAME(swap_back_bare);
	bare_there = frame;
	start = clock_monotonic();
	for (int i = 0; i < SWITCHES / 2; i++)
		fiber_swap(&bare_here, bare_there);
	return elapsed_ns(start, SWITCHES);
}

/* What a switch costs more for each look at the ticks: every eighth of quick tasks, every one of slow ones. */
static double ticks_ns(void)
{
	uint64_t start = clock_monotonic();
	volatile uint64_t sum = 0;

	for (int i = 0; i < SWITCHES; i++)
		sum += platform_ticks();
	return elapsed_ns(start, SWITCHES);
}

static double clock_ns(void)
{
	uint64_t start = clock_monotonic();
	volatile uint64_t sum = 0;

	for (int i = 0; i < SWITCHES; i++)
		sum += clock_monotonic();
	return elapsed_ns(start, SWITCHES);
}

/* Spawns ----------------------------------------------------------------------------------------------------------- */

static int end_at_once(void *arg)
{
	(void)arg;
	return 0;
}

static double spawn_ns(void)
{
	uint64_t start = clock_monotonic();

	for (int i = 0; i < SPAWNS; i++) {
		struct task *task;

		must(task_spawn(NULL, end_at_once, NULL, &task) == 0);
		must(task_await(task, NULL, FOREVER) == 0);
	}
	return elapsed_ns(start, SPAWNS);
}

static double malloc_ns(void)
{
	uint64_t start = clock_monotonic();

	for (int i = 0; i < SPAWNS; i++) {
		char *volatile stack = malloc(32 * 1024);

		*stack = 1;
		free(stack);
	}
	return elapsed_ns(start, SPAWNS);
}

/* Timers ----------------------------------------------------------------------------------------------------------- */

static struct timer *timers;
static uint64_t *deadlines;
static size_t fired;

static void count(struct timer *timer)
{
	(void)timer;
	fired++;
}

static void choose_deadlines(void)
{
	uint64_t seed = 88172645463325252;

	for (int i = 0; i < TIMERS; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		deadlines[i] = seed >> 8;
	}
}

static double timers_ns(void)
{
	uint64_t start = clock_monotonic();

	fired = 0;
	for (int i = 0; i < TIMERS; i++) {
		timers[i] = (struct timer)TIMER_INIT(count);
		timer_set(&timers[i], deadlines[i]);
	}
	timers_fire(FOREVER - 1);
	must(fired == TIMERS);
	return elapsed_ns(start, TIMERS);
}

static int compare_deadlines(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;

	return (*first > *second) - (*first < *second);
}

static double sort_ns(void)
{
	uint64_t start = clock_monotonic();

	qsort(deadlines, TIMERS, sizeof *deadlines, compare_deadlines);
	return elapsed_ns(start, TIMERS);
}

static int measure(void *arg)
{
	double ours = 0, context = 0, bare = 0, ticks = 0, clock = 0, spawn = 0, allocate = 0, timer = 0, sort = 0;

	(void)arg;
	timers = calloc(TIMERS, sizeof *timers);
	deadlines = calloc(TIMERS, sizeof *deadlines);
	must(timers && deadlines);
	for (int i = 0; i < TURNS; i++) {
		ours = best(ours, task_switch_ns());
		context = best(context, swapcontext_ns());
		bare = best(bare, bare_swap_ns());
		ticks = best(ticks, ticks_ns());
		clock = best(clock, clock_ns());
		spawn = best(spawn, spawn_ns());
		allocate = best(allocate, malloc_ns());
		choose_deadlines();
		timer = best(timer, timers_ns());
		sort = best(sort, sort_ns());
	}
	report("task switch, of 10,000,000", ours, "swapcontext", context);
	report("", ours, "bare register swap", bare);
	report("of it, every 8th: ticks read", ticks, "clock read", clock);
	report("task spawned, run, awaited", spawn, "malloc and free of 32 KiB", allocate);
	report("timer of 1,000,000, armed, fired", timer, "qsort of as many", sort);
	free(timers);
	free(deadlines);
	return 0;
}

int main(void)
{
	int result = 1;

	printf("Tasks\n");
	return task_run(measure, NULL, &result) < 0 ? 1 : result;
}
