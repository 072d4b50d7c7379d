/* SPDX-License-Identifier: ISC
 *
 * Bounded queues: what goes in comes out, nobody waits for one who is gone, and the end is complete or failed.
 */
#include "probe.h"

#include <skerry/codec.h>
#include <skerry/queue.h>

struct writer {
	struct queue *queue;
	const char *text;
	int end, result;
};

/* Puts the text in pieces of 3 bytes, then ends. */
static int write_text(void *arg)
{
	struct writer *writer = arg;
	const char *at = writer->text;

	while (*at && writer->result >= 0) {
		size_t len = strlen(at);
		ssize_t put = queue_put(writer->queue, at, len < 3 ? len : 3, FOREVER);

		if (put < 0)
			writer->result = (int)put;
		else
			at += put;
	}
	queue_end(writer->queue, writer->result < 0 ? writer->result : writer->end);
	return 0;
}

TASK_TEST(bytes_come_out_as_they_went_in_for_every_size_of_queue)
{
	for (size_t size = 1; size < 20; size++) {
		struct writer writer = { .queue = queue_new(size), .text = "the quick brown fox jumps" };
		struct source_queue source;
		struct sink_buffer buffer;
		struct task *task;
		char text[64] = { 0 };

		assert_non_null(writer.queue);
		assert_int_equal(task_spawn(NULL, write_text, &writer, &task), 0);
		assert_int_equal(stream_run(source_queue(&source, writer.queue),
					 sink_buffer(&buffer, text, sizeof text), FOREVER),
			STREAM_COMPLETE);
		assert_int_equal(task_await(task, NULL, FOREVER), 0);
		assert_string_equal(text, writer.text);
	}
}

TASK_TEST(random_puts_and_reads_keep_the_order_of_bytes)
{
	struct queue *queue = queue_new(97);
	uint8_t in = 0, out = 0, buf[128];
	unsigned random = 1;
	size_t held = 0;

	for (int i = 0; i < 20000; i++) {
		random = random * 1103515245u + 12345u;
		size_t len = random >> 16 & 127;
		if ((random >> 24 & 1) && held < 97 && len > 0) {
			for (size_t j = 0; j < len; j++)
				buf[j] = (uint8_t)(in + j);
			ssize_t put = queue_put(queue, buf, len, FOREVER);
			assert_int_equal(put, len < 97 - held ? len : 97 - held);
			in = (uint8_t)(in + put);
			held += (size_t)put;
		} else if (held > 0 && len > 0) {
			ssize_t got = queue_read(queue, buf, len, FOREVER);
			assert_true(got > 0 && (size_t)got <= len);
			for (ssize_t j = 0; j < got; j++)
				assert_int_equal(buf[j], out++);
			held -= (size_t)got;
		}
	}
	queue_end(queue, 0);
	queue_leave(queue, 0);
}

TASK_TEST(writer_that_failed_is_told_to_the_reader_after_what_it_wrote)
{
	struct writer writer = { .queue = queue_new(64), .text = "half", .end = -ECONNRESET };
	struct task *task;
	char text[64];

	assert_int_equal(task_spawn(NULL, write_text, &writer, &task), 0);
	assert_int_equal(task_await(task, NULL, FOREVER), 0);
	assert_int_equal(queue_read(writer.queue, text, sizeof text, FOREVER), 4);
	assert_int_equal(queue_read(writer.queue, text, sizeof text, FOREVER), -ECONNRESET);
	assert_int_equal(queue_read(writer.queue, text, sizeof text, FOREVER), -ECONNRESET);
	queue_leave(writer.queue, 0);
}

TASK_TEST(reader_that_left_is_told_to_a_writer_who_waits)
{
	for (int error = 0; error >= -EIO; error -= EIO) {
		struct writer writer = { .queue = queue_new(4), .text = "more than fits" };
		struct task *task;

		assert_int_equal(task_spawn(NULL, write_text, &writer, &task), 0);
		assert_int_equal(task_yield(), 0);
		queue_leave(writer.queue, error);
		assert_int_equal(task_await(task, NULL, FOREVER), 0);
		assert_int_equal(writer.result, error < 0 ? error : -EPIPE);
	}
}

static int read_once(void *arg)
{
	char byte;

	return (int)queue_read(arg, &byte, 1, FOREVER);
}

TASK_TEST(end_wakes_every_reader_and_the_last_call_inside_frees_the_queue)
{
	struct queue *queue = queue_new(4);
	struct task *tasks[5];
	int result;

	for (int i = 0; i < 5; i++)
		assert_int_equal(task_spawn(NULL, read_once, queue, &tasks[i]), 0);
	assert_int_equal(task_yield(), 0);
	queue_end(queue, -EIO);
	queue_leave(queue, 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(task_await(tasks[i], &result, FOREVER), 0);
		assert_int_equal(result, -EIO);
	}
}

TASK_TEST(deadline_or_cancelling_takes_nothing_out_of_a_queue)
{
	struct queue *queue = queue_new(4);
	struct task *task;
	char text[4];

	assert_int_equal(queue_read(queue, text, 4, clock_deadline(MSEC(1))), -ETIMEDOUT);
	assert_int_equal(task_spawn(NULL, read_once, queue, &task), 0);
	assert_int_equal(task_yield(), 0);
	assert_int_equal(queue_put(queue, "abcdef", 6, FOREVER), 4);
	task_cancel(task);
	assert_int_equal(queue_put(queue, "e", 1, clock_deadline(MSEC(1))), -ETIMEDOUT);
	assert_int_equal(queue_read(queue, text, 4, FOREVER), 4);
	assert_memory_equal(text, "abcd", 4);
	queue_end(queue, 0);
	assert_int_equal(queue_read(queue, text, 4, FOREVER), 0);
	queue_leave(queue, 0);
}

/* Through tasks ------------------------------------------------------------------------------------------------- */

struct production {
	int parts, result, learned;
};

static int produce_parts(void *context, struct sink *into)
{
	struct production *production = context;

	for (int i = 0; i < production->parts; i++) {
		struct source_string string;
		int err = stream_run(source_string(&string, "0123456789"), into, FOREVER);

		if (err < 0) {
			production->learned = err;
			return err;
		}
	}
	return production->result;
}

TASK_TEST(task_source_joins_all_streams_of_its_producer)
{
	struct production production = { .parts = 3 };
	struct source_task from;
	struct sink_buffer buffer;
	char text[64] = { 0 };

	assert_int_equal(stream_run(source_task(&from, 7, produce_parts, &production),
				 sink_buffer(&buffer, text, sizeof text), FOREVER),
		STREAM_COMPLETE);
	assert_string_equal(text, "012345678901234567890123456789");
}

TASK_TEST(failed_producer_fails_the_stream)
{
	struct production production = { .parts = 3, .result = -EBADMSG };
	struct source_task from;
	struct probe_flow probe = { 0 };
	struct sink_null null;

	assert_int_equal(stream_run(source_task(&from, 7, produce_parts, &production),
				 probe_flow(&probe, sink_null(&null)), FOREVER),
		-EBADMSG);
	assert_int_equal(null.bytes, 30);
	assert_int_equal(probe.probe.error, -EBADMSG);
}

TASK_TEST(producer_learns_why_its_bytes_are_not_wanted)
{
	struct production production = { .parts = 1000 };
	struct source_task from;
	struct probe_flow probe = { .probe = { .fail_at = 4, .fail_with = -ECONNRESET } };
	struct sink_null null;

	assert_int_equal(stream_run(source_task(&from, 7, produce_parts, &production),
				 probe_flow(&probe, sink_null(&null)), FOREVER),
		-ECONNRESET);
	assert_int_equal(production.learned, -ECONNRESET);
}

static int run_once_cancelled(void *arg)
{
	struct source_task from;
	struct sink_null null;

	while (task_yield() == 0)
		;
	return stream_run(source_task(&from, 7, produce_parts, arg), sink_null(&null), FOREVER);
}

TASK_TEST(producer_that_never_ran_is_released_with_its_queue)
{
	struct production production = { .parts = 1 };
	struct source_task from;
	struct task *task;

	assert_int_equal(task_spawn(NULL, run_once_cancelled, &production, &task), 0);
	assert_int_equal(task_yield(), 0);
	task_cancel(task);
	assert_int_equal(production.learned, 0);
	source_stop(source_task(&from, 7, produce_parts, &production), 0);
}

TASK_TEST(task_source_is_left_in_the_middle_and_goes_on)
{
	struct production production = { .parts = 3 };
	struct source_task from;
	struct flow_take take;
	struct sink_null null;

	source_task(&from, 7, produce_parts, &production);
	assert_int_equal(stream_run(&from.source, flow_take(&take, 9, sink_null(&null)), FOREVER), STREAM_LEFT);
	assert_int_equal(stream_run(&from.source, flow_take(&take, 9, sink_null(&null)), FOREVER), STREAM_LEFT);
	assert_int_equal(null.bytes, 9);
	source_stop(&from.source, 0);
	assert_int_equal(production.learned, -EPIPE);
}

/* Cancelling at any point ---------------------------------------------------------------------------------------- */

struct chain {
	struct probe_source from;
	struct probe_flow flow, last;
	struct production production;
	struct queue *queue;
	unsigned random;
};

static int pump(void *context, struct sink *into)
{
	struct chain *chain = context;
	struct flow_split split;

	return stream_run(probe_source(&chain->from, 100000, 777), flow_split(&split, 'x', 1 << 17, into), FOREVER);
}

static int fill_queue(void *arg)
{
	struct chain *chain = arg;
	struct source_task from;
	struct flow_zlib deflate;
	struct sink_queue sink;

	return stream_run(source_task(&from, 1 + chain->random % 5000, pump, chain),
		probe_flow(&chain->flow, flow_deflate(&deflate, CODEC_GZIP, 0, sink_queue(&sink, chain->queue))),
		FOREVER);
}

static int empty_queue(void *arg)
{
	struct chain *chain = arg;
	struct source_queue source;
	struct sink_null null;

	return stream_run(source_queue(&source, chain->queue), probe_flow(&chain->last, sink_null(&null)), FOREVER);
}

/* Either task is cancelled after a random number of turns: the other always ends, and everything is released (what is
 * not, the address sanitizer and the rules of tasks report). */
TASK_TEST(cancelling_either_side_at_any_of_1000_points_releases_everything)
{
	int cut_short = 0;

	for (unsigned seed = 0; seed < 1000; seed++) {
		struct chain chain = { .random = seed * 2654435761u >> 8 };
		struct task *filler, *emptier;
		int filled, emptied;

		chain.queue = queue_new(1 + chain.random / 7 % 3000);
		assert_int_equal(task_spawn(NULL, fill_queue, &chain, &filler), 0);
		assert_int_equal(task_spawn(NULL, empty_queue, &chain, &emptier), 0);
		for (unsigned turns = chain.random % 400; turns > 0; turns--)
			assert_int_equal(task_yield(), 0);
		if (chain.last.probe.inits == 0) { /* a task that never ran cannot close its end */
			assert_int_equal(task_yield(), 0);
		}
		if (seed & 1) {
			task_cancel(filler);
			assert_int_equal(task_await(emptier, &emptied, FOREVER), 0);
			assert_true(emptied == -ECANCELED || emptied == STREAM_COMPLETE);
			cut_short += emptied != STREAM_COMPLETE;
		} else {
			task_cancel(emptier);
			assert_int_equal(task_await(filler, &filled, FOREVER), 0);
			assert_true(filled == -ECANCELED || filled == STREAM_COMPLETE);
			cut_short += filled != STREAM_COMPLETE;
		}
		assert_int_equal(chain.from.probe.stops, chain.from.probe.inits);
		assert_int_equal(chain.flow.probe.stops, 1);
		assert_int_equal(chain.last.probe.stops, 1);
	}
	assert_true(cut_short > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_as_they_went_in_for_every_size_of_queue),
		cmocka_unit_test(random_puts_and_reads_keep_the_order_of_bytes),
		cmocka_unit_test(writer_that_failed_is_told_to_the_reader_after_what_it_wrote),
		cmocka_unit_test(reader_that_left_is_told_to_a_writer_who_waits),
		cmocka_unit_test(end_wakes_every_reader_and_the_last_call_inside_frees_the_queue),
		cmocka_unit_test(deadline_or_cancelling_takes_nothing_out_of_a_queue),
		cmocka_unit_test(task_source_joins_all_streams_of_its_producer),
		cmocka_unit_test(failed_producer_fails_the_stream),
		cmocka_unit_test(producer_learns_why_its_bytes_are_not_wanted),
		cmocka_unit_test(producer_that_never_ran_is_released_with_its_queue),
		cmocka_unit_test(task_source_is_left_in_the_middle_and_goes_on),
		cmocka_unit_test(cancelling_either_side_at_any_of_1000_points_releases_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
