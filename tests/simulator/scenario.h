/* SPDX-License-Identifier: ISC
 *
 * One run of the simulator: a network, hosts and users, all drawn from a seed; and what must be true in the end.
 */
#ifndef SIMULATOR_SCENARIO_H
#define SIMULATOR_SCENARIO_H

#include "query.h"
#include "transfer.h"

enum { TRANSFERS_MAX = 160, QUERIES_MAX = 60 };

/* What happened in runs, for the summary. */
struct totals {
	uint64_t runs, harsh, hosts, transfers, complete, failed, left, queries, unanswered;
	uint64_t bytes, frames, lost, corrupted, doubled, late, too_big, refused_allocations;
};

struct scenario {
	struct network network;
	struct host hosts[HOSTS_MAX];
	struct acceptor acceptors[HOSTS_MAX];
	struct responder responders[HOSTS_MAX];
	size_t host_count;
	struct transfer transfers[TRANSFERS_MAX];
	size_t transfer_count;
	struct query queries[QUERIES_MAX];
	size_t query_count;
	bool harsh; /* so bad a network, or so little memory, that users may get errors */
};

/* draw.c: makes all of it, and opens the hosts. */
void scenario_draw(struct scenario *scenario, uint64_t seed);
/* Runs it to its end, and adds what happened to the totals. A rule that does not hold ends the process: fail(). */
void scenario_run(uint64_t seed, bool verbose, struct totals *totals);

#endif
