/* SPDX-License-Identifier: ISC
 *
 * The rules of structured concurrency: each one kept, and each one broken, with the exact report.
 */
#include "scenario.h"

#include <errno.h>

#include <platform.h>
#include <skerry/log.h>
#include <skerry/unikernel.h>

#include "../scheduler.h"

static int (*program)(void *arg);

static int run_program(void)
{
	return program(NULL);
}

const struct unikernel unikernel = { .name = "rules", .run = run_program };

static int boot(void *arg)
{
	char name[] = "rules";
	char *argv[] = { name, arg, NULL };

	return platform_main(arg ? 2 : 1, argv);
}

/* Boots a unikernel whose start() this is. */
static struct outcome boot_of(int (*start)(void *arg))
{
	program = start;
	return outcome_of(boot, NULL);
}

static void assert_reported(const struct outcome *outcome, const char *line)
{
	if (!strstr(outcome->output, line))
		fail_msg("not reported: %s\nwritten: %s", line, outcome->output);
	assert_int_equal(outcome->status, 255);
}

static void assert_silent(const struct outcome *outcome, int status)
{
	assert_string_equal(outcome->output, "");
	assert_int_equal(outcome->status, status);
}

/* What tasks do here ----------------------------------------------------------------------------------------------- */

static int nap(void *arg)
{
	(void)arg;
	return task_sleep(clock_deadline(MSEC(1)));
}

static int sleep_long(void *arg)
{
	(void)arg;
	return task_sleep(clock_deadline(SECOND(1000)));
}

static int break_down(void *arg)
{
	(void)arg;
	return -EIO;
}

/* The place of a spawn on the line where this stands, so that tests know the report. */
#define AT(task_name, number)                                                                                          \
	(&(const struct task_place){ .file = "here.c", .line = (number), .function = (task_name) })

static struct task *spawn(const char *name, int line, struct task_group *group, int (*run)(void *), void *arg)
{
	struct task *task;

	must(task_spawn_at(AT(name, line), group, run, arg, &task) == 0);
	return task;
}

/* Boots one whose start() has this done by a child, so that tests know its name and place. */
static int (*done_by_child)(void *arg);

static int have_it_done(void *arg)
{
	return task_await(spawn("doer", 77, NULL, done_by_child, arg), NULL, FOREVER);
}

static struct outcome boot_of_doer(int (*run)(void *arg))
{
	done_by_child = run;
	return boot_of(have_it_done);
}
#define DOER "ERR [task] task \"doer\" (spawned at here.c:77) "

/* Rule 1: children ------------------------------------------------------------------------------------------------- */

static int await_child(void *arg)
{
	int result = -1;
	int err = task_await(spawn("child", 1, NULL, nap, arg), &result, FOREVER);

	return err == 0 ? result : err;
}

static void awaited_child_breaks_no_rule(void **state)
{
	struct outcome outcome = boot_of(await_child);

	(void)state;
	assert_silent(&outcome, 0);
}

static int leave_grandchild(void *arg)
{
	spawn("grandchild", 30, NULL, sleep_long, arg);
	return 0;
}

static int have_child_that_leaves_one(void *arg)
{
	return task_await(spawn("child", 12, NULL, leave_grandchild, arg), NULL, FOREVER);
}

static void child_left_running_is_reported_with_both_places(void **state)
{
	struct outcome outcome = boot_of(have_child_that_leaves_one);

	(void)state;
	assert_reported(&outcome, "ERR [task] task \"child\" (spawned at here.c:12) ended with 1 child still running: "
				  "\"grandchild\" (spawned at here.c:30)\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static int leave_ended_child(void *arg)
{
	spawn("child", 7, NULL, nap, arg);
	return task_sleep(clock_deadline(MSEC(20)));
}

static void ended_child_that_nobody_awaited_is_reported(void **state)
{
	struct outcome outcome = boot_of_doer(leave_ended_child);

	(void)state;
	assert_reported(&outcome, DOER "ended without awaiting 1 child: \"child\" (spawned at here.c:7)\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static int leave_six(void *arg)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	for (int i = 0; i < 6; i++)
		spawn(names[i], i, NULL, sleep_long, arg);
	return 0;
}

static void many_children_are_named_up_to_a_limit(void **state)
{
	struct outcome outcome = boot_of_doer(leave_six);

	(void)state;
	assert_reported(&outcome,
		DOER "ended with 6 children still running: \"a\" (spawned at here.c:0), \"b\" (spawned at here.c:1), "
		     "\"c\" (spawned at here.c:2), \"d\" (spawned at here.c:3) and 2 more\n");
}

/* Rule 2: only the parent ------------------------------------------------------------------------------------------ */

static int await_anothers(void *arg)
{
	return task_await(arg, NULL, FOREVER) == -EPERM ? 0 : 1;
}

static int cancel_anothers(void *arg)
{
	task_cancel(arg);
	return 0;
}

static int meddle(int (*with)(void *arg))
{
	struct task *victim = spawn("victim", 3, NULL, nap, NULL);
	int result = -1, victims_result = -1;
	int err = task_await(spawn("meddler", 4, NULL, with, victim), &result, FOREVER);

	if (err == 0)
		err = task_await(victim, &victims_result, FOREVER);
	return err == 0 && result == 0 ? victims_result : 1;
}

static int have_another_awaited(void *arg)
{
	(void)arg;
	return meddle(await_anothers);
}

static int have_another_cancelled(void *arg)
{
	(void)arg;
	return meddle(cancel_anothers);
}

static void awaiting_anothers_child_is_refused_and_reported(void **state)
{
	struct outcome outcome = boot_of(have_another_awaited);

	(void)state;
	assert_reported(&outcome, "task \"meddler\" (spawned at here.c:4) awaited \"victim\" (spawned at here.c:3), "
				  "which is not its own\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static void cancelling_anothers_child_is_refused_and_reported(void **state)
{
	struct outcome outcome = boot_of(have_another_cancelled);

	(void)state;
	assert_reported(&outcome, "task \"meddler\" (spawned at here.c:4) cancelled \"victim\" (spawned at here.c:3), "
				  "which is not its own\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

/* Rule 3: failure cancels the children first ------------------------------------------------------------------------
 */

static int child_result;

static int sleep_and_tell(void *arg)
{
	child_result = sleep_long(arg);
	return child_result;
}

static int fail_with_child(void *arg)
{
	spawn("child", 1, NULL, sleep_and_tell, arg);
	spawn("background", 2, task_orphans(), sleep_long, arg);
	task_sleep(clock_deadline(MSEC(1)));
	return -ENOSPC;
}

static int await_failure(void *arg)
{
	int result = 0;
	int err = task_await(spawn("parent", 1, NULL, fail_with_child, arg), &result, FOREVER);

	return err == 0 && result == -ENOSPC && child_result == -ECANCELED ? 5 : 1;
}

static void failing_task_cancels_its_children_without_a_report(void **state)
{
	struct outcome outcome = boot_of(await_failure);

	(void)state;
	assert_silent(&outcome, 5);
}

static int live_with_child(void *arg)
{
	spawn("child", 1, NULL, sleep_and_tell, arg);
	sleep_long(arg);
	return 0; /* looks like a good end, but a cancelled task could not have awaited anybody */
}

static int cancel_parent(void *arg)
{
	struct task *parent = spawn("parent", 1, NULL, live_with_child, arg);

	task_sleep(clock_deadline(MSEC(1)));
	task_cancel(parent);
	return child_result == -ECANCELED ? 6 : 1;
}

static void cancelled_task_cancels_its_children_without_a_report(void **state)
{
	struct outcome outcome = boot_of(cancel_parent);

	(void)state;
	assert_silent(&outcome, 6);
}

/* Rule 4: background tasks ------------------------------------------------------------------------------------------
 */

static int collect_by_care(void *arg)
{
	struct task_group *group = task_orphans();
	struct task *member, *cared = NULL;
	int result = -1;

	if (task_group_care(group, &cared) != -ENOENT)
		return 1;
	member = spawn("member", 1, group, nap, arg);
	if (task_group_count(group) != 1 || task_group_care(group, &cared) != -EAGAIN || cared)
		return 2;
	task_sleep(clock_deadline(MSEC(20)));
	if (task_group_care(group, &cared) != 0 || cared != member)
		return 3;
	if (task_group_care(group, &member) != -ENOENT)
		return 4;
	return task_await(cared, &result, 0) == 0 && result == 0 ? 0 : 5;
}

static void ended_member_is_taken_by_care_and_awaited(void **state)
{
	struct outcome outcome = boot_of(collect_by_care);

	(void)state;
	assert_silent(&outcome, 0);
}

static int care_and_forget(void *arg)
{
	struct task *member = spawn("member", 9, task_orphans(), nap, arg);

	task_sleep(clock_deadline(MSEC(20)));
	return task_group_care(task_orphans(), &member);
}

static void member_taken_by_care_and_not_awaited_is_reported(void **state)
{
	struct outcome outcome = boot_of_doer(care_and_forget);

	(void)state;
	assert_reported(&outcome, DOER "ended without awaiting 1 child: \"member\" (spawned at here.c:9)\n");
}

static int leave_background(void *arg)
{
	must(task_spawn_at(AT("background", 8), task_orphans(), sleep_long, arg, NULL) == 0);
	return 0;
}

static void background_task_left_running_is_reported(void **state)
{
	struct outcome outcome = boot_of_doer(leave_background);

	(void)state;
	assert_reported(
		&outcome, DOER "ended with 1 background task still running: \"background\" (spawned at here.c:8)\n");
}

static int fail_in_background(void *arg)
{
	must(task_spawn_at(AT("background", 8), task_orphans(), break_down, arg, NULL) == 0);
	task_sleep(clock_deadline(MSEC(1)));
	return task_group_count(task_orphans()) == 0 ? 0 : 1;
}

static void member_without_handle_collects_itself_and_its_failure_is_logged(void **state)
{
	struct outcome outcome = boot_of(fail_in_background);

	(void)state;
	assert_int_equal(outcome.status, 0);
	assert_int_equal(times_written(&outcome, "task \"background\" (spawned at here.c:8) failed: EIO\n"), 1);
}

static int cancel_background(void *arg)
{
	for (int i = 0; i < 3; i++)
		must(task_spawn(task_orphans(), sleep_long, arg, NULL) == 0);
	spawn("with handle", 1, task_orphans(), sleep_long, arg);
	task_sleep(clock_deadline(MSEC(1)));
	task_group_cancel(task_orphans());
	return task_group_count(task_orphans()) == 0 ? 0 : 1;
}

static void cancelled_group_is_empty_and_silent(void **state)
{
	struct outcome outcome = boot_of(cancel_background);

	(void)state;
	assert_silent(&outcome, 0);
}

static int tell_of_itself(void *arg)
{
	*(struct task **)arg = task_self();
	return sleep_long(arg);
}

static int cancel_one_of_the_background(void *arg)
{
	struct task *member = NULL;

	must(task_spawn_at(AT("member", 1), task_orphans(), tell_of_itself, &member, NULL) == 0);
	must(task_spawn_at(AT("other", 2), task_orphans(), sleep_long, arg, NULL) == 0);
	must(task_yield() == 0);
	task_cancel(member);
	must(task_group_count(task_orphans()) == 1);
	task_group_cancel(task_orphans());
	return 0;
}

static void member_without_handle_that_told_of_itself_is_cancelled_alone(void **state)
{
	struct outcome outcome = boot_of(cancel_one_of_the_background);

	(void)state;
	assert_silent(&outcome, 0);
}

static int have_told_member_cancelled_by_another(void *arg)
{
	struct task *member = NULL;

	(void)arg;
	must(task_spawn_at(AT("member", 3), task_orphans(), tell_of_itself, &member, NULL) == 0);
	must(task_yield() == 0);
	must(task_await(spawn("meddler", 4, NULL, cancel_anothers, member), NULL, FOREVER) == 0);
	task_group_cancel(task_orphans());
	return 0;
}

static void member_that_told_of_itself_is_refused_to_others_and_reported(void **state)
{
	struct outcome outcome = boot_of(have_told_member_cancelled_by_another);

	(void)state;
	assert_reported(&outcome, "task \"meddler\" (spawned at here.c:4) cancelled \"member\" (spawned at here.c:3), "
				  "which is not its own\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static int care_for_anothers(void *arg)
{
	struct task *task;

	task_group_cancel(arg);
	return task_group_care(arg, &task) == -EPERM ? 0 : 1;
}

static int have_group_meddled_with(void *arg)
{
	int result = 1;

	(void)arg;
	return task_await(spawn("meddler", 4, NULL, care_for_anothers, task_orphans()), &result, FOREVER);
}

static void group_of_another_task_is_refused_and_reported(void **state)
{
	struct outcome outcome = boot_of_doer(have_group_meddled_with);

	(void)state;
	assert_reported(&outcome, "ERR [task] task \"meddler\" (spawned at here.c:4) cancelled the group of \"doer\" "
				  "(spawned at here.c:77)\n");
	assert_reported(&outcome, "ERR [task] task \"meddler\" (spawned at here.c:4) cared for the group of \"doer\" "
				  "(spawned at here.c:77)\n");
	assert_int_equal(times_written(&outcome, "ERR"), 2);
}

/* Rule 5: what is owned -------------------------------------------------------------------------------------------- */

static char closed[16]; /* the names of the doors that were closed, in order */

static void close_door(void *name)
{
	strcat(closed, name);
}

static void own(char *name, int line)
{
	must(task_own_at(AT("close_door", line), close_door, name) == 0);
}

static char door_a[] = "a", door_b[] = "b", door_c[] = "c";

static int take_from_child(void *arg)
{
	own(arg, 20);
	return task_transfer(close_door, arg);
}

static int release_given(void *arg)
{
	return task_release(close_door, arg);
}

static int give_up_all(void *arg)
{
	struct task *child;
	int result = -1;

	(void)arg;
	closed[0] = '\0';
	own(door_a, 1);
	must(task_disown(close_door, door_a) == 0);
	own(door_a, 2);
	must(task_release(close_door, door_a) == 0);
	must(task_await(spawn("child", 3, NULL, take_from_child, door_b), NULL, FOREVER) == 0);
	must(strcmp(closed, "a") == 0);
	child = spawn("heir", 4, NULL, release_given, door_b);
	must(task_give(child, close_door, door_b) == 0);
	must(task_await(child, &result, FOREVER) == 0 && result == 0);
	return strcmp(closed, "ab") == 0 ? 0 : 1;
}

static void resource_released_disowned_transferred_or_given_breaks_no_rule(void **state)
{
	struct outcome outcome = boot_of(give_up_all);

	(void)state;
	assert_silent(&outcome, 0);
}

static int keep_two(void *arg)
{
	(void)arg;
	own(door_a, 7);
	must(task_defer(close_door, door_b) == 0);
	own(door_c, 8);
	return 0;
}

static int have_child_keep_two(void *arg)
{
	int err;

	closed[0] = '\0';
	err = task_await(spawn("keeper", 6, NULL, keep_two, arg), NULL, FOREVER);
	return err == 0 && strcmp(closed, "cba") == 0 ? 0 : 1;
}

static void owned_at_a_good_end_is_finalised_and_reported_as_a_leak(void **state)
{
	struct outcome outcome = boot_of(have_child_keep_two);

	(void)state;
	assert_reported(&outcome,
		"ERR [task] task \"keeper\" (spawned at here.c:6) ended without releasing 2 resources: "
		"\"close_door\" (owned since here.c:8), \"close_door\" (owned since here.c:7)\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static int transfer_and_end(void *arg)
{
	(void)arg;
	return task_await(spawn("child", 3, NULL, take_from_child, door_a), NULL, FOREVER);
}

static void transferred_resource_leaks_where_it_went(void **state)
{
	struct outcome outcome = boot_of_doer(transfer_and_end);

	(void)state;
	assert_reported(&outcome, DOER "ended without releasing 1 resource: \"close_door\" (owned since here.c:20)\n");
}

static int misuse(void *arg)
{
	(void)arg;
	must(task_release(close_door, door_a) == -EPERM);
	must(task_disown(close_door, door_a) == -EPERM);
	must(task_transfer(close_door, door_a) == -EPERM);
	must(task_defer(close_door, door_a) == 0);
	must(task_release(close_door, door_a) == -EPERM); /* deferred is not owned */
	return 0;
}

static int let_child_misuse_mine(void *arg)
{
	int err;

	own(door_a, 2);
	must(task_transfer(close_door, door_a) == -EPERM); /* to whom? */
	err = task_await(spawn("thief", 3, NULL, misuse, arg), NULL, FOREVER);
	must(task_release(close_door, door_a) == 0);
	return err;
}

static void resource_of_another_task_is_refused_and_reported(void **state)
{
	struct outcome outcome = boot_of(let_child_misuse_mine);

	(void)state;
	assert_reported(&outcome, "task \"thief\" (spawned at here.c:3) released a resource that it does not own\n");
	assert_reported(&outcome, "task \"thief\" (spawned at here.c:3) disowned a resource that it does not own\n");
	assert_reported(&outcome, "task \"thief\" (spawned at here.c:3) transferred a resource that it does not own\n");
	assert_reported(&outcome, "transferred a resource, but has no parent\n");
	assert_int_equal(times_written(&outcome, "ERR"), 5);
}

static int give_wrongly(void *arg)
{
	struct task *ended = spawn("ended", 4, NULL, nap, NULL);

	must(task_give(ended, close_door, door_a) == -EPERM); /* not owned */
	own(door_a, 2);
	must(task_give(arg, close_door, door_a) == -EPERM); /* not a child */
	must(task_sleep(clock_deadline(MSEC(20))) == 0);
	must(task_give(ended, close_door, door_a) == -ESRCH);
	must(task_await(ended, NULL, FOREVER) == 0);
	return task_release(close_door, door_a);
}

static int have_gift_refused(void *arg)
{
	struct task *victim = spawn("victim", 8, NULL, sleep_long, arg);
	int result = -1;

	must(task_await(spawn("giver", 9, NULL, give_wrongly, victim), &result, FOREVER) == 0);
	task_cancel(victim);
	return result;
}

static void gift_to_anothers_child_is_refused_and_reported(void **state)
{
	struct outcome outcome = boot_of(have_gift_refused);

	(void)state;
	assert_reported(&outcome, "task \"giver\" (spawned at here.c:9) gave away a resource that it does not own\n");
	assert_reported(&outcome, "task \"giver\" (spawned at here.c:9) gave a resource to \"victim\" (spawned at "
				  "here.c:8), which is not its own\n");
	assert_int_equal(times_written(&outcome, "ERR"), 2);
}

/* Rule 6: finalisers ------------------------------------------------------------------------------------------------
 */

static int own_and_fail(void *arg)
{
	own(door_a, 1);
	own(door_b, 2);
	must(task_defer(close_door, door_c) == 0);
	return arg ? sleep_long(arg) : -EIO;
}

static int have_owner_fail_and_cancelled(void *arg)
{
	struct task *owner = spawn("owner", 1, NULL, own_and_fail, arg);

	closed[0] = '\0';
	must(task_await(owner, NULL, FOREVER) == 0 && strcmp(closed, "cba") == 0);
	owner = spawn("owner", 2, NULL, own_and_fail, closed);
	must(task_yield() == 0);
	task_cancel(owner);
	must(strcmp(closed, "cbacba") == 0);
	owner = spawn("never run", 3, NULL, own_and_fail, arg);
	own(door_a, 4);
	must(task_give(owner, close_door, door_a) == 0);
	task_cancel(owner);
	return strcmp(closed, "cbacbaa") == 0 ? 0 : 1;
}

static void failure_and_cancellation_finalise_last_first_without_a_report(void **state)
{
	struct outcome outcome = boot_of(have_owner_fail_and_cancelled);

	(void)state;
	assert_silent(&outcome, 0);
}

static void say(void *text)
{
	platform_console_write(text, strlen(text));
}

static int end_and_say(void *arg)
{
	sleep_long(arg);
	say("child ");
	return 0;
}

static int defer_some(void *arg)
{
	static char first[] = "first ", second[] = "second ", third[] = "third ", never[] = "never ";

	must(task_defer(say, first) == 0 && task_defer(say, never) == 0 && task_defer(say, second) == 0);
	must(task_undefer(say, never) && !task_undefer(say, never));
	must(task_defer(say, third) == 0);
	spawn("child", 1, NULL, end_and_say, arg);
	task_sleep(clock_deadline(MSEC(1)));
	say("failing ");
	return -EIO;
}

static void deferred_runs_last_first_after_children_have_ended(void **state)
{
	struct outcome outcome = boot_of(defer_some);

	(void)state;
	assert_int_equal(times_written(&outcome, "failing child third second first "), 1);
	assert_int_equal(outcome.status, 1);
}

static int own_another(void *arg)
{
	must(strcmp(arg, door_a) == 0 && task_defer(close_door, door_b) == 0);
	return 0;
}

static int give_it_up(void *arg)
{
	must(task_undefer(close_door, arg) && !task_undefer(close_door, arg));
	return 0;
}

static int hand_over(void *arg)
{
	struct task *task;

	(void)arg;
	closed[0] = '\0';
	must(task_spawn_with_at(AT("runs", 1), NULL, own_another, door_a, close_door, &task) == 0);
	must(task_await(task, NULL, FOREVER) == 0 && strcmp(closed, "ba") == 0);
	must(task_spawn_with_at(AT("gives up", 2), NULL, give_it_up, door_c, close_door, &task) == 0);
	must(task_await(task, NULL, FOREVER) == 0 && strcmp(closed, "ba") == 0);
	must(task_spawn_with_at(AT("never runs", 3), NULL, own_another, door_a, close_door, &task) == 0);
	task_cancel(task);
	must(strcmp(closed, "baa") == 0);
	must(task_spawn_with_at(AT("background", 4), task_orphans(), own_another, door_c, close_door, NULL) == 0);
	task_group_cancel(task_orphans());
	return strcmp(closed, "baac") == 0 ? 0 : 1;
}

static void what_a_task_was_spawned_with_is_finalised_even_if_it_never_ran(void **state)
{
	struct outcome outcome = boot_of(hand_over);

	(void)state;
	assert_silent(&outcome, 0);
}

static void sleep_in_cleanup(void *resource)
{
	(void)resource;
	must(task_sleep(clock_deadline(MSEC(1))) == -ECANCELED);
}

static void spawn_in_cleanup(void *resource)
{
	must(task_spawn_at(AT("late", 2), task_orphans(), nap, resource, NULL) == -ECANCELED);
}

static int defer_bad_cleanups(void *arg)
{
	must(task_defer(sleep_in_cleanup, arg) == 0 && task_defer(spawn_in_cleanup, arg) == 0);
	return 0;
}

static int hand_over_badly(void *arg)
{
	must(task_spawn_with_at(AT("never runs", 3), task_orphans(), nap, arg, sleep_in_cleanup, NULL) == 0);
	task_group_cancel(task_orphans());
	return 0;
}

static void cleanup_that_blocks_in_a_task_that_never_ran_is_reported(void **state)
{
	struct outcome outcome = boot_of(hand_over_badly);

	(void)state;
	assert_reported(&outcome, "task \"never runs\" (spawned at here.c:3) blocked in a deferred clean-up\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static int release_badly(void *arg)
{
	must(task_own(sleep_in_cleanup, arg) == 0);
	must(task_release(sleep_in_cleanup, arg) == 0);
	return task_yield();
}

static void finaliser_that_blocks_when_released_is_reported(void **state)
{
	struct outcome outcome = boot_of_doer(release_badly);

	(void)state;
	assert_reported(&outcome, DOER "blocked in a deferred clean-up\n");
	assert_int_equal(times_written(&outcome, "ERR"), 1);
}

static void cleanup_that_blocks_or_spawns_is_reported(void **state)
{
	struct outcome outcome = boot_of_doer(defer_bad_cleanups);

	(void)state;
	assert_reported(&outcome, DOER "blocked in a deferred clean-up\n");
	assert_reported(&outcome, DOER "spawned \"late\" in a deferred clean-up\n");
}

/* Rule 7: cancellation ----------------------------------------------------------------------------------------------
 */

struct cancelled {
	struct task *child;
	int answers[3];
};

static int tell_how_calls_end(void *arg)
{
	struct cancelled *cancelled = arg;
	struct task *never = spawn("child", 2, NULL, sleep_and_tell, NULL);

	cancelled->answers[0] = task_await(never, NULL, FOREVER);
	cancelled->answers[1] = task_yield();
	cancelled->answers[2] = sleep_long(arg);
	return 0;
}

static int cancel_and_look(void *arg)
{
	struct cancelled cancelled = { .answers = { 1, 1, 1 } };
	uint64_t start;

	(void)arg;
	child_result = 0;
	cancelled.child = spawn("blocked", 1, NULL, tell_how_calls_end, &cancelled);
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	start = clock_monotonic();
	task_cancel(cancelled.child);
	for (int i = 0; i < 3; i++)
		must(cancelled.answers[i] == -ECANCELED);
	return child_result == -ECANCELED && clock_monotonic() - start < SECOND(5) ? 0 : 1;
}

static void cancelling_wakes_a_blocked_task_at_once_and_cancels_its_children(void **state)
{
	struct outcome outcome = boot_of(cancel_and_look);

	(void)state;
	assert_silent(&outcome, 0);
}

/* The stack, and the exit status ------------------------------------------------------------------------------------
 */

static int smash_canary(void *arg)
{
	(void)arg;
	*(char *)scheduler.current->fiber.lowest = 1;
	task_yield();
	return 0;
}

static int have_child_overflow(void *arg)
{
	return task_await(spawn("deep", 4, NULL, smash_canary, arg), NULL, FOREVER);
}

static void overflowed_stack_ends_the_unikernel_with_the_tasks_name(void **state)
{
	struct outcome outcome = boot_of(have_child_overflow);

	(void)state;
	assert_int_equal(
		times_written(&outcome, "task \"deep\" (spawned at here.c:4) has overflowed its stack of "), 1);
	assert_int_not_equal(outcome.status, 0);
}

static int ignore_cancellation(void *arg)
{
	while (sleep_long(arg) < 0)
		;
	return 0;
}

static int cancel_the_stubborn(void *arg)
{
	struct task *task = spawn("stubborn", 5, NULL, ignore_cancellation, arg);

	must(task_yield() == 0);
	task_cancel(task);
	return 0;
}

static void task_that_ignores_its_cancellation_ends_the_unikernel_with_its_name(void **state)
{
	struct outcome outcome = boot_of(cancel_the_stubborn);

	(void)state;
	assert_int_equal(
		times_written(&outcome, "task \"stubborn\" (spawned at here.c:5) is cancelled and does not end\n"), 1);
	assert_int_not_equal(outcome.status, 0);
}

static int return_seven(void *arg)
{
	(void)arg;
	return 7;
}

static int return_300(void *arg)
{
	(void)arg;
	return 300;
}

static void small_result_is_the_exit_status(void **state)
{
	struct outcome outcome = boot_of(return_seven);

	(void)state;
	assert_silent(&outcome, 7);
}

static void failure_is_named_and_gives_status_1(void **state)
{
	struct outcome outcome = boot_of(break_down);

	(void)state;
	assert_int_equal(times_written(&outcome, "ERR [boot] rules failed: EIO\n"), 1);
	assert_int_equal(outcome.status, 1);
	outcome = boot_of(return_300);
	assert_int_equal(times_written(&outcome, "start() returned 300: an exit status is 0 to 255\n"), 1);
	assert_int_equal(outcome.status, 1);
}

static void bad_argument_ends_boot_with_status_64_and_help_with_63(void **state)
{
	struct outcome outcome;

	(void)state;
	program = return_seven;
	outcome = outcome_of(boot, "--unheard-of=1");
	assert_int_equal(times_written(&outcome, "unheard-of"), 1);
	assert_int_equal(outcome.status, 64);
	assert_int_equal(outcome_of(boot, "--help").status, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(awaited_child_breaks_no_rule),
		cmocka_unit_test(child_left_running_is_reported_with_both_places),
		cmocka_unit_test(ended_child_that_nobody_awaited_is_reported),
		cmocka_unit_test(many_children_are_named_up_to_a_limit),
		cmocka_unit_test(awaiting_anothers_child_is_refused_and_reported),
		cmocka_unit_test(cancelling_anothers_child_is_refused_and_reported),
		cmocka_unit_test(failing_task_cancels_its_children_without_a_report),
		cmocka_unit_test(cancelled_task_cancels_its_children_without_a_report),
		cmocka_unit_test(ended_member_is_taken_by_care_and_awaited),
		cmocka_unit_test(member_taken_by_care_and_not_awaited_is_reported),
		cmocka_unit_test(background_task_left_running_is_reported),
		cmocka_unit_test(member_without_handle_collects_itself_and_its_failure_is_logged),
		cmocka_unit_test(cancelled_group_is_empty_and_silent),
		cmocka_unit_test(member_without_handle_that_told_of_itself_is_cancelled_alone),
		cmocka_unit_test(member_that_told_of_itself_is_refused_to_others_and_reported),
		cmocka_unit_test(group_of_another_task_is_refused_and_reported),
		cmocka_unit_test(resource_released_disowned_transferred_or_given_breaks_no_rule),
		cmocka_unit_test(owned_at_a_good_end_is_finalised_and_reported_as_a_leak),
		cmocka_unit_test(transferred_resource_leaks_where_it_went),
		cmocka_unit_test(resource_of_another_task_is_refused_and_reported),
		cmocka_unit_test(gift_to_anothers_child_is_refused_and_reported),
		cmocka_unit_test(failure_and_cancellation_finalise_last_first_without_a_report),
		cmocka_unit_test(deferred_runs_last_first_after_children_have_ended),
		cmocka_unit_test(what_a_task_was_spawned_with_is_finalised_even_if_it_never_ran),
		cmocka_unit_test(cleanup_that_blocks_in_a_task_that_never_ran_is_reported),
		cmocka_unit_test(finaliser_that_blocks_when_released_is_reported),
		cmocka_unit_test(cleanup_that_blocks_or_spawns_is_reported),
		cmocka_unit_test(cancelling_wakes_a_blocked_task_at_once_and_cancels_its_children),
		cmocka_unit_test(overflowed_stack_ends_the_unikernel_with_the_tasks_name),
		cmocka_unit_test(task_that_ignores_its_cancellation_ends_the_unikernel_with_its_name),
		cmocka_unit_test(small_result_is_the_exit_status),
		cmocka_unit_test(failure_is_named_and_gives_status_1),
		cmocka_unit_test(bad_argument_ends_boot_with_status_64_and_help_with_63),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
