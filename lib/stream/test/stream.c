/* SPDX-License-Identifier: ISC
 *
 * Running streams: what comes out, what is left, and that both ends learn how it ended, whatever fails.
 */
#include "probe.h"

TASK_TEST(pieces_of_an_array_arrive_in_order_and_nothing_runs_before)
{
	static const struct stream_piece pieces[] = { { "one ", 4 }, { NULL, 0 }, { "two ", 4 }, { "three", 5 } };
	struct source_array array;
	struct sink_buffer buffer;
	char text[64];
	struct source *source = source_array(&array, pieces, 4);
	struct sink *sink = sink_buffer(&buffer, text, sizeof text);

	assert_int_equal(buffer.len, 0);
	assert_int_equal(stream_run(source, sink, FOREVER), STREAM_COMPLETE);
	assert_int_equal(buffer.len, 13);
	assert_memory_equal(text, "one two three", 13);
}

TASK_TEST(crunched_file_streams_its_content)
{
	static const struct crunched_file file = { .data = (const uint8_t *)"<p>", .len = 3 };
	struct source_string string;
	struct sink_buffer buffer;
	char text[3];

	assert_int_equal(
		stream_run(source_crunched(&string, &file), sink_buffer(&buffer, text, 4 - 1), FOREVER), STREAM_LEFT);
	assert_memory_equal(text, "<p>", 3);
	source_stop(&string.source, 0);
}

/* What one sink leaves, to the byte, is what the next one gets. */
TASK_TEST(full_sink_leaves_the_rest_in_the_source_for_another_run)
{
	struct source_string string;
	struct sink_buffer buffer;
	struct flow_take take;
	char text[64] = { 0 };
	struct source *source = source_string(&string, "header|body");

	assert_int_equal(
		stream_run(source, flow_take(&take, 7, sink_buffer(&buffer, text, sizeof text)), FOREVER), STREAM_LEFT);
	assert_string_equal(text, "header|");
	memset(text, 0, sizeof text);
	assert_int_equal(stream_run(source, sink_buffer(&buffer, text, sizeof text), FOREVER), STREAM_COMPLETE);
	assert_string_equal(text, "body");
	assert_true(source->stopped);
}

TASK_TEST(full_sink_is_never_pulled_for)
{
	struct probe_source from = { 0 };
	struct flow_take take;
	struct sink_null null;

	assert_int_equal(
		stream_run(probe_source(&from, 100, 10), flow_take(&take, 20, sink_null(&null)), FOREVER), STREAM_LEFT);
	assert_int_equal(from.probe.calls, 2);
	assert_int_equal(from.probe.stops, 0);
	assert_int_equal(null.bytes, 20);
	source_stop(&from.source, 0);
	source_stop(&from.source, 0);
	assert_int_equal(from.probe.stops, 1);
}

static int upper(void *context, const void **data, size_t *len)
{
	char *scratch = context;

	for (size_t i = 0; i < *len; i++) {
		char byte = ((const char *)*data)[i];

		scratch[i] = (char)(byte >= 'a' && byte <= 'z' ? byte - 'a' + 'A' : byte);
	}
	*data = scratch;
	return 0;
}

static bool not_a_comment(void *context, const void *data, size_t len)
{
	(void)context;
	return len > 0 && *(const char *)data != '#';
}

/* Lines, however the bytes come. */
TASK_TEST(lines_are_split_filtered_and_mapped_wherever_pieces_are_cut)
{
	static const char input[] = "alpha\n# no\n\nbeta\ngamma";

	for (size_t cut = 1; cut < sizeof input; cut++) {
		struct stream_piece pieces[sizeof input];
		struct source_array array;
		struct flow_split split;
		struct flow_filter filter;
		struct flow_map map;
		struct sink_buffer buffer;
		char scratch[8], text[64] = { 0 };
		size_t count = 0;

		for (size_t at = 0; at < sizeof input - 1; at += cut, count++) {
			size_t left = sizeof input - 1 - at;

			pieces[count] = (struct stream_piece){ input + at, left < cut ? left : cut };
		}
		assert_int_equal(
			stream_run(source_array(&array, pieces, count),
				flow_split(&split, '\n', 8,
					flow_filter(&filter, not_a_comment, NULL,
						flow_map(&map, upper, scratch, sink_buffer(&buffer, text, 64)))),
				FOREVER),
			STREAM_COMPLETE);
		assert_string_equal(text, "ALPHABETAGAMMA");
	}
}

TASK_TEST(too_long_line_fails_whether_in_one_piece_or_in_two)
{
	static const struct stream_piece pieces[] = { { "12345", 5 }, { "6789\n", 5 } };
	struct source_array array;
	struct source_string string;
	struct flow_split split;
	struct sink_null null;

	assert_int_equal(
		stream_run(source_array(&array, pieces, 2), flow_split(&split, '\n', 8, sink_null(&null)), FOREVER),
		-EMSGSIZE);
	assert_int_equal(stream_run(source_string(&string, "123456789\n"),
				 flow_split(&split, '\n', 8, sink_null(&null)), FOREVER),
		-EMSGSIZE);
	assert_int_equal(stream_run(source_string(&string, "12345678\n"), flow_split(&split, '\n', 8, sink_null(&null)),
				 FOREVER),
		STREAM_COMPLETE);
}

TASK_TEST(tee_gives_both_ways_the_same_bytes_until_its_side_is_full)
{
	struct source_string string;
	struct flow_tee tee;
	struct sink_buffer side, main_way;
	char small[4], large[64];

	assert_int_equal(stream_run(source_string(&string, "abcdefgh"),
				 flow_tee(&tee, sink_buffer(&side, small, sizeof small),
					 sink_buffer(&main_way, large, sizeof large)),
				 FOREVER),
		STREAM_COMPLETE);
	assert_int_equal(main_way.len, 8);
	assert_memory_equal(small, "abcd", 4);
}

/* Three stages and the place in which one of them fails. */
struct rig {
	struct probe_source from;
	struct probe_flow first, second, side;
	struct flow_tee tee;
	struct sink_null null, side_null;
};

static int run_rig(struct rig *rig)
{
	return stream_run(probe_source(&rig->from, 1000, 10),
		probe_flow(&rig->first, flow_tee(&rig->tee, probe_flow(&rig->side, sink_null(&rig->side_null)),
						probe_flow(&rig->second, sink_null(&rig->null)))),
		FOREVER);
}

static void assert_all_stopped_with(const struct rig *rig, int error)
{
	const struct probe *probes[] = { &rig->from.probe, &rig->first.probe, &rig->side.probe, &rig->second.probe };

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(probes[i]->stops, 1);
		assert_int_equal(probes[i]->error, error);
	}
}

TASK_TEST(complete_stream_stops_every_stage_once_as_complete)
{
	struct rig rig = { 0 };

	assert_int_equal(run_rig(&rig), STREAM_COMPLETE);
	assert_all_stopped_with(&rig, 0);
	assert_int_equal(rig.null.bytes, 1000);
	assert_int_equal(rig.side_null.bytes, 1000);
}

TASK_TEST(error_of_any_stage_in_any_call_reaches_all_stages_once)
{
	for (int stage = 0; stage < 4; stage++)
		for (int call = 0; call <= 100; call++) {
			struct rig rig = { 0 };
			struct probe *probes[] = { &rig.from.probe, &rig.first.probe, &rig.side.probe,
				&rig.second.probe };

			if (call == 0)
				probes[stage]->init_error = -ENOMEM;
			probes[stage]->fail_at = call;
			probes[stage]->fail_with = -EIO;
			assert_int_equal(run_rig(&rig), call == 0 ? -ENOMEM : -EIO);
			assert_all_stopped_with(&rig, call == 0 ? -ENOMEM : -EIO);
		}
}

TASK_TEST(sink_that_fails_to_complete_fails_the_stream_for_its_source_and_all_behind)
{
	struct rig rig = { .first.probe.stop_error = -ENOSPC };

	assert_int_equal(run_rig(&rig), -ENOSPC);
	assert_int_equal(rig.from.probe.error, -ENOSPC);
	assert_int_equal(rig.first.probe.error, 0);
	assert_int_equal(rig.second.probe.error, -ENOSPC);
	assert_int_equal(rig.second.probe.stops, 1);
}

TASK_TEST(deadline_ends_a_stream_whose_stages_never_block)
{
	struct probe_source from = { 0 };
	struct sink_null null;

	assert_int_equal(
		stream_run(probe_source(&from, UINT64_MAX, ENDLESS_PIECE), sink_null(&null), clock_deadline(MSEC(5))),
		-ETIMEDOUT);
	assert_int_equal(from.probe.stops, 1);
	assert_int_equal(from.probe.error, -ETIMEDOUT);
}

static int run_endless(void *arg)
{
	struct probe_source *from = arg;
	struct sink_null null;

	return stream_run(probe_source(from, UINT64_MAX, ENDLESS_PIECE), sink_null(&null), FOREVER);
}

TASK_TEST(endless_stream_lets_others_run_and_can_be_cancelled)
{
	struct probe_source from = { 0 };
	struct task *task;

	assert_int_equal(task_spawn(NULL, run_endless, &from, &task), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(task_yield(), 0);
	assert_true(from.probe.calls >= 10);
	task_cancel(task);
	assert_int_equal(from.probe.stops, 1);
	assert_int_equal(from.probe.error, -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_an_array_arrive_in_order_and_nothing_runs_before),
		cmocka_unit_test(crunched_file_streams_its_content),
		cmocka_unit_test(full_sink_leaves_the_rest_in_the_source_for_another_run),
		cmocka_unit_test(full_sink_is_never_pulled_for),
		cmocka_unit_test(lines_are_split_filtered_and_mapped_wherever_pieces_are_cut),
		cmocka_unit_test(too_long_line_fails_whether_in_one_piece_or_in_two),
		cmocka_unit_test(tee_gives_both_ways_the_same_bytes_until_its_side_is_full),
		cmocka_unit_test(complete_stream_stops_every_stage_once_as_complete),
		cmocka_unit_test(error_of_any_stage_in_any_call_reaches_all_stages_once),
		cmocka_unit_test(sink_that_fails_to_complete_fails_the_stream_for_its_source_and_all_behind),
		cmocka_unit_test(deadline_ends_a_stream_whose_stages_never_block),
		cmocka_unit_test(endless_stream_lets_others_run_and_can_be_cancelled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
