/* SPDX-License-Identifier: ISC
 *
 * A run from its beginning to its end.
 */
#include "scenario.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "memory.h"

enum { EVENTS_AT_ONCE = 200 }; /* between two looks at whether the users have finished */
#define RUN_MAX_NS      (100 * 3600 * NS_PER_SECOND)
#define DELIVERY_MAX_NS (1200 * NS_PER_SECOND)
#define REST_NS         (400 * NS_PER_SECOND) /* longer than any connection that nobody holds lives */

static bool users_are_done(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->transfer_count; i++)
		if (!transfer_is_done(&scenario->transfers[i]))
			return false;
	for (size_t i = 0; i < scenario->query_count; i++)
		if (!scenario->queries[i].done)
			return false;
	return true;
}

static bool all_is_delivered(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->host_count; i++)
		if (stack_delivers(scenario->hosts[i].stack))
			return false;
	return users_are_done(scenario);
}

static void run_until(struct scenario *scenario, bool (*reached)(const struct scenario *), uint64_t limit_ns)
{
	struct events *events = &scenario->network.events;
	uint64_t limit = events->now + limit_ns;

	while (!reached(scenario)) {
		check(events->now < limit, "after %llu s not everybody has finished",
			(unsigned long long)(limit_ns / NS_PER_SECOND));
		for (int i = 0; i < EVENTS_AT_ONCE; i++)
			check(events_step(events), "nothing will ever happen again");
	}
}

static void run_for(struct scenario *scenario, uint64_t ns)
{
	struct events *events = &scenario->network.events;
	uint64_t until = events->now + ns;

	while (events->now < until)
		check(events_step(events), "nothing will ever happen again");
}

static void check_that_nothing_is_left(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->host_count; i++) {
		struct stack_counters counters;
		stack_counters(scenario->hosts[i].stack, &counters);
		check(counters.tcp_flows == 0 && counters.TcpCurrEstab == 0,
			"%s still has %u connections, and counts %llu as established", scenario->hosts[i].node.name,
			counters.tcp_flows, (unsigned long long)counters.TcpCurrEstab);
	}
}

/* --- What must be true -------------------------------------------------------------------------------------------- */

/* Errors that a bad network, or a peer that has let go, brings; and what users say who have waited too long. */
static bool is_known(int error)
{
	return error == 0 || error == -ECONNRESET || error == -ETIME || error == -ETIMEDOUT || error == -EHOSTUNREACH ||
	       error == -ENETUNREACH || error == -ENOMEM;
}

static void judge_refused(const struct scenario *scenario, const struct transfer *transfer)
{
	int error = transfer->sides[CLIENT].error;

	check(error == -ECONNREFUSED || (scenario->harsh && is_known(error) && error != 0),
		"transfer %u: nobody listens, and the client learns: %s", transfer->number, strerror(-error));
}

static void judge_transfer(const struct scenario *scenario, const struct transfer *transfer, struct totals *totals)
{
	const struct side *client = &transfer->sides[CLIENT], *server = &transfer->sides[SERVER];
	bool complete = transfer_is_complete(transfer), left = client->left || server->left;

	totals->complete += complete;
	totals->left += left;
	totals->failed += client->error != 0 || server->error != 0;
	totals->bytes += client->read + server->read;
	if (transfer->plan.port != SERVER_PORT) {
		judge_refused(scenario, transfer);
		return;
	}
	check(is_known(client->error) && is_known(server->error), "transfer %u ends in a strange way: %s; %s",
		transfer->number, strerror(-client->error), strerror(-server->error));
	for (int i = 0; i < 2; i++) {
		const struct side *side = &transfer->sides[i];
		check(side->ended || side->error || side->left || !side->connected,
			"transfer %u: %s got %llu of %llu bytes and no error", transfer->number,
			i == CLIENT ? "the client" : "the server", (unsigned long long)side->read,
			(unsigned long long)transfer->plan.bytes[!i]);
	}
	check(complete || left || scenario->harsh,
		"transfer %u: the network was good enough, and it failed: client %s; server %s", transfer->number,
		client->error ? strerror(-client->error) : "well", server->error ? strerror(-server->error) : "well");
}

static void judge(const struct scenario *scenario, struct totals *totals)
{
	const struct network_counters *counters = &scenario->network.counters;

	for (size_t i = 0; i < scenario->transfer_count; i++)
		judge_transfer(scenario, &scenario->transfers[i], totals);
	for (size_t i = 0; i < scenario->query_count; i++) {
		check(!scenario->queries[i].unreachable || scenario->harsh,
			"query %u: the network was good enough, and nobody answers", scenario->queries[i].number);
		totals->unanswered += scenario->queries[i].unreachable;
	}
	totals->runs++;
	totals->harsh += scenario->harsh;
	totals->hosts += scenario->host_count;
	totals->transfers += scenario->transfer_count;
	totals->queries += scenario->query_count;
	totals->frames += counters->sent;
	totals->lost += counters->lost + counters->dropped;
	totals->corrupted += counters->corrupted;
	totals->doubled += counters->doubled;
	totals->late += counters->late;
	totals->too_big += counters->too_big + counters->fragmented;
	totals->refused_allocations += memory_failures();
}

/* --- A run -------------------------------------------------------------------------------------------------------- */

static void close_all(struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->host_count; i++) {
		acceptor_close(&scenario->acceptors[i]);
		responder_close(&scenario->responders[i]);
		host_close(&scenario->hosts[i]);
	}
	while (events_step(&scenario->network.events))
		;
}

void scenario_run(uint64_t seed, bool verbose, struct totals *totals)
{
	struct scenario *scenario = memory_own(sizeof *scenario);
	uint64_t before = memory_count();

	scenario->network.verbose = verbose;
	scenario_draw(scenario, seed);
	run_until(scenario, users_are_done, RUN_MAX_NS);
	run_until(scenario, all_is_delivered, DELIVERY_MAX_NS);
	run_for(scenario, REST_NS);
	check_that_nothing_is_left(scenario);
	close_all(scenario);
	judge(scenario, totals);
	memory_fails(0, 0);
	check(memory_count() == before, "%llu allocations were not freed",
		(unsigned long long)(memory_count() - before));
	network_fini(&scenario->network);
	memory_free_own(scenario);
}
