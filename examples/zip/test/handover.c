/* SPDX-License-Identifier: ISC
 *
 * The meeting of uploads and downloads, in tasks. The address sanitizer's leak check shows that whatever
 * way both sides go, everything is freed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <skerry/task.h>

#include "../handover.c"

#define TICKET "ticket=0123456789abcdef0123456789abcdef"

static int run(int (*body)(void *))
{
	int result = 0;
	assert_int_equal(task_run(body, NULL, &result), 0);
	return result;
}

struct visitor {
	const char *query;
	enum handover_side side;
	struct queue *queue;
	int err;
};

static int come(void *arg)
{
	struct visitor *visitor = arg;
	visitor->err = handover_meet(visitor->query, visitor->side, &visitor->queue);
	return 0;
}

static int meet_both_ways(void *arg)
{
	(void)arg;
	for (int first = 0; first < 2; first++) {
		struct visitor one = { .query = TICKET, .side = first ? HANDOVER_UPLOAD : HANDOVER_DOWNLOAD };
		struct visitor two = { .query = TICKET, .side = first ? HANDOVER_DOWNLOAD : HANDOVER_UPLOAD };
		struct task *task;
		assert_int_equal(task_spawn(NULL, come, &one, &task), 0);
		assert_int_equal(task_yield(), 0);
		assert_int_equal(come(&two), 0);
		assert_int_equal(task_await(task, NULL, FOREVER), 0);
		assert_int_equal(one.err, 0);
		assert_int_equal(two.err, 0);
		assert_ptr_equal(one.queue, two.queue);
		queue_end(one.queue, 0);
		queue_leave(two.queue, 0);
		assert_non_null(find(""));
	}
	return 0;
}

static void both_sides_get_the_same_queue_whoever_comes_first(void **state)
{
	(void)state;
	run(meet_both_ways);
}

static int look_at_each_stage(void *arg)
{
	struct visitor upload = { .query = TICKET, .side = HANDOVER_UPLOAD };
	struct visitor download = { .query = TICKET, .side = HANDOVER_DOWNLOAD };
	struct task *task;
	(void)arg;
	assert_int_equal(handover_look(TICKET), -ETIMEDOUT);
	assert_int_equal(task_spawn(NULL, come, &upload, &task), 0);
	assert_int_equal(task_yield(), 0);
	assert_int_equal(handover_look(TICKET), 0);
	assert_int_equal(come(&download), 0);
	assert_int_equal(handover_look(TICKET), -EEXIST);
	assert_int_equal(task_await(task, NULL, FOREVER), 0);
	queue_end(upload.queue, 0);
	queue_leave(download.queue, 0);
	assert_int_equal(task_spawn(NULL, come, &download, &task), 0);
	assert_int_equal(task_yield(), 0);
	assert_int_equal(handover_look(TICKET), -EEXIST);
	task_cancel(task);
	return 0;
}

static void looking_tells_what_a_download_would_meet_and_takes_no_part(void **state)
{
	(void)state;
	run(look_at_each_stage);
}

static int come_twice(void *arg)
{
	struct visitor one = { .query = TICKET, .side = HANDOVER_DOWNLOAD }, two = one;
	struct task *task;
	(void)arg;
	assert_int_equal(task_spawn(NULL, come, &one, &task), 0);
	assert_int_equal(task_yield(), 0);
	come(&two);
	assert_int_equal(two.err, -EEXIST);
	task_cancel(task);
	assert_int_equal(one.err, -ECANCELED);
	assert_null(find(TICKET + strlen("ticket=")));
	return 0;
}

static void same_side_twice_is_refused_and_cancelling_frees_the_place(void **state)
{
	(void)state;
	run(come_twice);
}

/* The second comes, and the first is cancelled before it has run again: the second is told by the queue. */
static int meet_a_cancelled_one(void *arg)
{
	(void)arg;
	for (int first = 0; first < 2; first++) {
		struct visitor one = { .query = TICKET, .side = first ? HANDOVER_UPLOAD : HANDOVER_DOWNLOAD };
		struct visitor two = { .query = TICKET, .side = first ? HANDOVER_DOWNLOAD : HANDOVER_UPLOAD };
		struct task *task;
		char byte;
		assert_int_equal(task_spawn(NULL, come, &one, &task), 0);
		assert_int_equal(task_yield(), 0);
		assert_int_equal(come(&two), 0);
		assert_int_equal(two.err, 0);
		task_cancel(task);
		if (one.err == 0) { /* it had what it came for before it was cancelled */
			first ? queue_end(one.queue, -ECANCELED) : queue_leave(one.queue, 0);
		}
		if (two.side == HANDOVER_UPLOAD) {
			assert_int_equal(queue_put(two.queue, "x", 1, FOREVER), -EPIPE);
			queue_end(two.queue, 0);
		} else {
			assert_int_equal(queue_read(two.queue, &byte, 1, FOREVER), -ECANCELED);
			queue_leave(two.queue, 0);
		}
	}
	return 0;
}

static void one_that_is_cancelled_as_they_meet_leaves_word(void **state)
{
	(void)state;
	run(meet_a_cancelled_one);
}

static int come_in_crowds(void *arg)
{
	static struct visitor visitors[PLACES + 1];
	static char queries[PLACES + 1][64];
	struct task *tasks[PLACES + 1];
	(void)arg;
	for (size_t i = 0; i < PLACES + 1; i++) {
		snprintf(queries[i], sizeof queries[i], "ticket=%032zx", i);
		visitors[i] = (struct visitor){ .query = queries[i], .side = HANDOVER_DOWNLOAD, .err = 1 };
		assert_int_equal(task_spawn(NULL, come, &visitors[i], &tasks[i]), 0);
	}
	assert_int_equal(task_sleep(clock_deadline(MSEC(1))), 0);
	for (size_t i = 0; i < PLACES + 1; i++) {
		assert_int_equal(visitors[i].err, i < PLACES ? 1 : -EBUSY);
		task_cancel(tasks[i]);
	}
	return 0;
}

static void places_are_bounded(void **state)
{
	(void)state;
	run(come_in_crowds);
}

static void bad_tickets_are_refused(void **state)
{
	static const char *const bad[] = { "", "ticket=", "ticket=0123456789abcdef0123456789abcde",
		"ticket=0123456789abcdef0123456789abcdef0", "ticket=0123456789ABCDEF0123456789ABCDEF",
		"tocket=0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0123456" };
	struct queue *queue;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(handover_meet(bad[i], HANDOVER_UPLOAD, &queue), -EINVAL);
	assert_int_equal(handover_look(bad[0]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_get_the_same_queue_whoever_comes_first),
		cmocka_unit_test(looking_tells_what_a_download_would_meet_and_takes_no_part),
		cmocka_unit_test(same_side_twice_is_refused_and_cancelling_frees_the_place),
		cmocka_unit_test(one_that_is_cancelled_as_they_meet_leaves_word),
		cmocka_unit_test(places_are_bounded),
		cmocka_unit_test(bad_tickets_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
