/* SPDX-License-Identifier: ISC
 *
 * What streams cost: 10 GiB through a queue between two tasks and four flows, beside memcpy of as many bytes in pieces
 * of the same size; the best of three turns each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>
#include <skerry/queue.h>

enum { TURNS = 3, PIECE = 64 << 10, QUEUE_BYTES = 256 << 10 };
#define COPY_BYTES (UINT64_C(10) << 30)

static uint8_t piece[PIECE];

struct zeros {
	struct source source;
	uint64_t left;
};

static ssize_t zeros_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct zeros *zeros = (struct zeros *)source;
	size_t len = zeros->left < PIECE ? (size_t)zeros->left : PIECE;

	(void)deadline;
	zeros->left -= len;
	*data = piece;
	return (ssize_t)len;
}

static int produce(void *context, struct sink *into)
{
	static const struct source_ops ops = { .pull = zeros_pull };
	struct zeros zeros = { .source.ops = &ops, .left = COPY_BYTES };

	(void)context;
	return stream_run(&zeros.source, into, FOREVER);
}

static int same(void *context, const void **data, size_t *len)
{
	(void)context;
	(void)data;
	(void)len;
	return 0;
}

static bool not_empty(void *context, const void *data, size_t len)
{
	(void)context;
	(void)data;
	return len > 0;
}

static int run_stream(void *arg)
{
	struct source_task from;
	struct flow_map map;
	struct flow_filter filter;
	struct flow_tee tee;
	struct flow_take take;
	struct sink_null side, null;

	(void)arg;
	must(stream_run(source_task(&from, QUEUE_BYTES, produce, NULL),
		     flow_map(&map, same, NULL,
			     flow_filter(&filter, not_empty, NULL,
				     flow_tee(&tee, sink_null(&side),
					     flow_take(&take, COPY_BYTES + 1, sink_null(&null))))),
		     FOREVER) == STREAM_COMPLETE);
	must(null.bytes == COPY_BYTES);
	return 0;
}

static double gib_per_second(uint64_t start)
{
	return (double)(COPY_BYTES >> 30) * 1e9 / (double)(clock_monotonic() - start);
}

static double copy_plainly(void)
{
	static uint8_t ring[QUEUE_BYTES];
	uint64_t start = clock_monotonic();

	for (uint64_t at = 0; at < COPY_BYTES; at += PIECE) {
		memcpy(ring + at % QUEUE_BYTES, piece, PIECE);
		__asm__ volatile("" : : "r"(ring) : "memory"); /* or the copies are left out */
	}
	return gib_per_second(start);
}

int main(void)
{
	double ours = 0, plain = 0;
	int result;

	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t start = clock_monotonic();
		double speed;

		must(task_run(run_stream, NULL, &result) == 0 && result == 0);
		speed = gib_per_second(start);
		ours = speed > ours ? speed : ours;
		speed = copy_plainly();
		plain = speed > plain ? speed : plain;
	}
	printf("Streams\n");
	printf("  %-34s%9.1f GiB/s   memcpy %.1f GiB/s, ratio %.2f\n", "10 GiB through queue and 4 flows", ours, plain,
		ours / plain);
	return 0;
}
