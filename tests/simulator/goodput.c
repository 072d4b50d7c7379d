/* SPDX-License-Identifier: ISC
 *
 * How much of a stream arrives a second, by loss and delay: the table of docs/goodput.md, whose every figure follows
 * from the code alone, so that a change in congestion control or loss recovery is a visible difference.
 *
 *	goodput             the table
 *	goodput -v LOSS MS  one of its connections, with a trace: loss in percent, delay of one way in milliseconds
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"
#include "transfer.h"

enum { MTU = 1500, RUNS = 10, STREAM_BYTES = 4000000, BOTTLENECK_BITS = 10000000, BOTTLENECK_MS = 40 };
#define RUN_NS        (120 * NS_PER_SECOND)
#define BOTTLENECK_NS (30 * NS_PER_SECOND)
#define BEGINNING_NS  (1000 * NS_PER_SECOND)

/* A sender and a receiver, and what lies between them. */
struct course {
	struct link_terms terms; /* of both ways; only the stream's has a rate */
	uint64_t bytes, limit_ns;
	bool newreno;
};

struct pair {
	struct network network;
	struct host hosts[2];
	struct acceptor acceptor;
	struct transfer transfer;
};

static void open_pair(struct pair *pair, const struct course *course, uint64_t seed)
{
	static const struct host_terms terms = { .reaction_ns = 50000 };
	struct network *network = &pair->network;

	network->prng.state = seed;
	network->events.now = network->began_at = BEGINNING_NS;
	network_add_subnet(network, false, MTU);
	for (int i = 0; i < 2; i++) {
		snprintf(pair->hosts[i].node.name, sizeof pair->hosts[i].node.name, "h%d", i + 1);
		host_open(&pair->hosts[i], &network->subnets[0], &terms);
		pair->hosts[i].node.up.terms = course->terms;
	}
	pair->hosts[SERVER].node.up.terms.bits_per_second = 0;
	acceptor_open(&pair->acceptor, &pair->hosts[SERVER]);
	pair->transfer.plan = (struct transfer_plan){
		.client = &pair->hosts[CLIENT],
		.server = &pair->hosts[SERVER],
		.port = SERVER_PORT,
		.starts_at = BEGINNING_NS,
		.bytes = { course->bytes, 0 },
		.chunk = 65536,
		.newreno = course->newreno,
	};
	transfer_begin(&pair->transfer, &pair->acceptor);
}

static void close_pair(struct pair *pair)
{
	for (int i = 0; i < 2; i++)
		tcp_abort(pair->transfer.sides[i].tcp);
	acceptor_close(&pair->acceptor);
	for (int i = 0; i < 2; i++)
		host_close(&pair->hosts[i]);
	while (events_step(&pair->network.events))
		;
	network_fini(&pair->network);
}

/* Bytes that the receiver reads in a second, on average. */
static double measure(const struct course *course, uint64_t seed, bool verbose)
{
	struct pair *pair = memory_own(sizeof *pair);
	const struct side *receiver = &pair->transfer.sides[SERVER];
	struct events *events = &pair->network.events;
	double rate;

	pair->network.verbose = verbose;
	open_pair(pair, course, seed);
	while (receiver->read < course->bytes && events->now < BEGINNING_NS + course->limit_ns)
		check(events_step(events), "nothing will ever happen again");
	rate = (double)receiver->read / network_seconds(&pair->network);
	close_pair(pair);
	memory_free_own(pair);
	return rate;
}

static struct course lossy_course(uint32_t loss_in_10000, uint64_t delay_ms)
{
	return (struct course){
		.terms = { .delay_ns = delay_ms * NS_PER_MS, .loss = loss_in_10000 },
		.bytes = STREAM_BYTES,
		.limit_ns = RUN_NS,
	};
}

static void print_rate(double bytes_per_second)
{
	printf(bytes_per_second < 99500 ? " %.1f |" : " %.0f |", bytes_per_second / 1000);
}

static void print_by_loss_and_delay(void)
{
	static const uint32_t losses[] = { 0, 10, 100, 300, 1000, 3000 };
	static const uint64_t delays[] = { 1, 10, 50, 150 };

	printf("| loss | 1 ms | 10 ms | 50 ms | 150 ms |\n|---:|---:|---:|---:|---:|\n");
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		printf("| %g %% |", losses[i] / 100.0);
		for (size_t j = 0; j < sizeof delays / sizeof *delays; j++) {
			struct course course = lossy_course(losses[i], delays[j]);
			double sum = 0;
			for (uint64_t run = 1; run <= RUNS; run++)
				sum += measure(&course, run, false);
			print_rate(sum / RUNS);
		}
		printf("\n");
	}
}

static void print_bottleneck(void)
{
	static const uint32_t buffers[] = { 10000, 25000, 50000, 100000, 200000 };

	printf("| buffer | NewReno | CUBIC |\n|---:|---:|---:|\n");
	for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) {
		printf("| %u KB |", buffers[i] / 1000);
		for (int newreno = 1; newreno >= 0; newreno--) {
			struct course course = {
				.terms = { .delay_ns = BOTTLENECK_MS * NS_PER_MS,
					.bits_per_second = BOTTLENECK_BITS,
					.queue_bytes = buffers[i] },
				.bytes = UINT64_C(1) << 40,
				.limit_ns = BOTTLENECK_NS,
				.newreno = newreno,
			};
			print_rate(measure(&course, 1, false));
		}
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "-v") == 0) {
		struct course course =
			lossy_course((uint32_t)(strtod(argv[2], NULL) * 100 + 0.5), strtoull(argv[3], NULL, 10));
		printf("%.0f bytes/s\n", measure(&course, 1, true));
		return 0;
	}
	if (argc != 1) {
		fprintf(stderr, "usage: %s [-v LOSS-PERCENT DELAY-MS]\n", argv[0]);
		return 64;
	}
	printf("# Goodput by loss and delay\n\n"
	       "Made by `make goodput`, which writes this file; `make test` fails when the code gives other figures. "
	       "They "
	       "come from the\nsimulator (`tests/simulator`) in virtual time, so they are the same on every machine: "
	       "what "
	       "changes them is a change in TCP.\n\n"
	       "A stream of %d MB between two stacks, over a path that loses this share of the packets, each way, and "
	       "delays them by so\nmuch, each way; CUBIC; in KB/s, from the first SYN to the last byte, or to the end "
	       "of "
	       "%llu s; the average of %d seeds.\n\n",
		STREAM_BYTES / 1000000, (unsigned long long)(RUN_NS / NS_PER_SECOND), RUNS);
	print_by_loss_and_delay();
	printf("\nA bottleneck of %d Mbit/s (%d KB/s) with this buffer in front of it, %d ms each way (%d KB fill the "
	       "path), no other\nloss; in KB/s, in the first %llu s.\n\n",
		BOTTLENECK_BITS / 1000000, BOTTLENECK_BITS / 8000, BOTTLENECK_MS,
		BOTTLENECK_BITS / 8000 * BOTTLENECK_MS * 2 / 1000, (unsigned long long)(BOTTLENECK_NS / NS_PER_SECOND));
	print_bottleneck();
	return 0;
}
