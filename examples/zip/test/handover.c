/* SPDX-License-Identifier: ISC
 *
 * The pipe and the meeting of uploads and downloads, in tasks. The address sanitizer's leak check shows that whatever
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
#include "../pipe.c"

#define TICKET "ticket=0123456789abcdef0123456789abcdef"

static int run(int (*body)(void *))
{
	int result = 0;
	assert_int_equal(task_run(body, NULL, &result), 0);
	return result;
}

/* Reads a pipe to its end: what came, as text, and how it ended. */
struct reading {
	struct pipe *pipe;
	char text[64];
	int end, pieces_max;
};

static int read_all(void *arg)
{
	struct reading *reading = arg;
	struct piece *piece;
	int more = 0;
	while (reading->pieces_max-- > 0 && (more = pipe_take(reading->pipe, &piece)) > 0) {
		strncat(reading->text, (char *)piece->bytes, piece->len);
		free(piece);
	}
	reading->end = more;
	pipe_leave(reading->pipe);
	return 0;
}

/* The pipe ----------------------------------------------------------------------------------------------------- */

static int write_three(void *arg)
{
	struct reading reading = { .pipe = pipe_new(100), .pieces_max = 100 };
	struct task *reader;
	int error = *(int *)arg;
	assert_int_equal(task_spawn(NULL, read_all, &reading, &reader), 0);
	assert_int_equal(pipe_put(reading.pipe, "one ", 4, FOREVER), 0);
	assert_int_equal(pipe_put(reading.pipe, "two ", 4, FOREVER), 0);
	assert_int_equal(task_yield(), 0);
	assert_int_equal(pipe_put(reading.pipe, "three", 5, FOREVER), 0);
	pipe_end(reading.pipe, error);
	assert_int_equal(task_await(reader, NULL, FOREVER), 0);
	assert_string_equal(reading.text, "one two three");
	assert_int_equal(reading.end, error);
	return 0;
}

static void pipe_gives_all_that_was_put_and_then_how_it_ended(void **state)
{
	static const int ends[] = { 0, -ECONNRESET };
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int error = ends[i], result = 0;
		assert_int_equal(task_run(write_three, &error, &result), 0);
	}
}

static int fill(void *arg)
{
	struct pipe *pipe = pipe_new(8);
	(void)arg;
	assert_int_equal(pipe_put(pipe, "12345678", 8, 0), 0);
	assert_int_equal(pipe_put(pipe, "9", 1, clock_deadline(MSEC(1))), -ETIMEDOUT);
	struct reading reading = { .pipe = pipe, .pieces_max = 100 };
	struct task *reader;
	assert_int_equal(task_spawn(NULL, read_all, &reading, &reader), 0);
	assert_int_equal(pipe_put(pipe, "9", 1, FOREVER), 0);
	pipe_end(pipe, 0);
	assert_int_equal(task_await(reader, NULL, FOREVER), 0);
	assert_string_equal(reading.text, "123456789");
	return 0;
}

static void full_pipe_makes_its_writer_wait(void **state)
{
	(void)state;
	run(fill);
}

static int write_one_too_large(void *arg)
{
	struct pipe *pipe = pipe_new(1);
	(void)arg;
	assert_int_equal(pipe_put(pipe, "larger", 6, 0), 0);
	pipe_leave(pipe);
	assert_int_equal(pipe_put(pipe, "x", 1, FOREVER), -EPIPE);
	pipe_end(pipe, 0);
	return 0;
}

static void empty_pipe_takes_a_piece_of_any_size(void **state)
{
	(void)state;
	run(write_one_too_large);
}

static int write_to_leaver(void *arg)
{
	struct reading reading = { .pipe = pipe_new(4), .pieces_max = 1 };
	struct task *reader;
	int err = 0;
	(void)arg;
	assert_int_equal(task_spawn(NULL, read_all, &reading, &reader), 0);
	for (int i = 0; i < 3 && err == 0; i++)
		err = pipe_put(reading.pipe, "1234", 4, FOREVER);
	assert_int_equal(err, -EPIPE);
	pipe_end(reading.pipe, err);
	return task_await(reader, NULL, FOREVER);
}

static void waiting_writer_learns_that_the_reader_has_left(void **state)
{
	(void)state;
	assert_int_equal(run(write_to_leaver), 0);
	assert_int_equal(held_by_all, 0);
}

/* The meeting -------------------------------------------------------------------------------------------------- */

struct visitor {
	const char *query;
	enum handover_side side;
	struct pipe *pipe;
	int err;
};

static int come(void *arg)
{
	struct visitor *visitor = arg;
	visitor->err = handover_meet(visitor->query, visitor->side, &visitor->pipe);
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
		assert_ptr_equal(one.pipe, two.pipe);
		pipe_end(one.pipe, 0);
		pipe_leave(two.pipe);
		assert_non_null(find(""));
	}
	return 0;
}

static void both_sides_get_the_same_pipe_whoever_comes_first(void **state)
{
	(void)state;
	run(meet_both_ways);
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

/* The second comes, and the first is cancelled before it has run again: the second is told by the pipe. */
static int meet_a_cancelled_one(void *arg)
{
	(void)arg;
	for (int first = 0; first < 2; first++) {
		struct visitor one = { .query = TICKET, .side = first ? HANDOVER_UPLOAD : HANDOVER_DOWNLOAD };
		struct visitor two = { .query = TICKET, .side = first ? HANDOVER_DOWNLOAD : HANDOVER_UPLOAD };
		struct task *task;
		struct piece *piece;
		assert_int_equal(task_spawn(NULL, come, &one, &task), 0);
		assert_int_equal(task_yield(), 0);
		assert_int_equal(come(&two), 0);
		assert_int_equal(two.err, 0);
		task_cancel(task);
		if (one.err == 0) { /* it had what it came for before it was cancelled */
			first ? pipe_end(one.pipe, -ECANCELED) : pipe_leave(one.pipe);
		}
		if (two.side == HANDOVER_UPLOAD) {
			assert_int_equal(pipe_put(two.pipe, "x", 1, FOREVER), -EPIPE);
			pipe_end(two.pipe, 0);
		} else {
			assert_int_equal(pipe_take(two.pipe, &piece), -ECANCELED);
			pipe_leave(two.pipe);
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
	struct pipe *pipe;
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(handover_meet(bad[i], HANDOVER_UPLOAD, &pipe), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipe_gives_all_that_was_put_and_then_how_it_ended),
		cmocka_unit_test(full_pipe_makes_its_writer_wait),
		cmocka_unit_test(empty_pipe_takes_a_piece_of_any_size),
		cmocka_unit_test(waiting_writer_learns_that_the_reader_has_left),
		cmocka_unit_test(both_sides_get_the_same_pipe_whoever_comes_first),
		cmocka_unit_test(same_side_twice_is_refused_and_cancelling_frees_the_place),
		cmocka_unit_test(one_that_is_cancelled_as_they_meet_leaves_word),
		cmocka_unit_test(places_are_bounded),
		cmocka_unit_test(bad_tickets_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
