/* SPDX-License-Identifier: ISC
 *
 * 10 GiB through five stages, one of them a queue between two tasks, in memory that does not grow.
 */
#include "probe.h"

#include <sys/resource.h>

#include <skerry/queue.h>

enum { QUEUE_BYTES = 256 << 10, GROWTH_MAX_KIB = 4096 };
#define COPY_BYTES (UINT64_C(10) << 30)

static int same(void *context, const void **data, size_t *len)
{
	(void)data;
	*(uint64_t *)context += *len;
	return 0;
}

static bool not_empty(void *context, const void *data, size_t len)
{
	(void)context;
	(void)data;
	return len > 0;
}

static int produce(void *context, struct sink *into)
{
	return stream_run(probe_source(context, COPY_BYTES, ENDLESS_PIECE), into, FOREVER);
}

static long peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

TASK_TEST(ten_gibibytes_through_five_stages_take_constant_memory)
{
	struct probe_source zeros = { 0 };
	uint64_t mapped = 0;
	struct source_task from;
	struct flow_map map;
	struct flow_filter filter;
	struct flow_tee tee;
	struct flow_take take;
	struct sink_null side, null;
	long before = peak_kib();

	assert_int_equal(stream_run(source_task(&from, QUEUE_BYTES, produce, &zeros),
				 flow_map(&map, same, &mapped,
					 flow_filter(&filter, not_empty, NULL,
						 flow_tee(&tee, sink_null(&side),
							 flow_take(&take, COPY_BYTES + 1, sink_null(&null))))),
				 FOREVER),
		STREAM_COMPLETE);
	assert_true(null.bytes == COPY_BYTES && side.bytes == COPY_BYTES && mapped == COPY_BYTES);
	assert_true(peak_kib() - before <= GROWTH_MAX_KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_gibibytes_through_five_stages_take_constant_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
