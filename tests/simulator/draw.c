/* SPDX-License-Identifier: ISC
 *
 * What a seed means: how many hosts in which subnets, how bad the links between them are, and what the users do.
 */
#include <stdio.h>

#include "memory.h"
#include "scenario.h"

enum { LEAST_IPV4 = 300, LEAST_SILENT = 576, LEAST_IPV6 = 1280, LAST_MTU_CHANGE_S = 30 };

/* How bad it is, for the links of a run to draw from. Probabilities are in 10,000. */
struct weather {
	struct link_terms most; /* a link is no worse than this */
	bool outages, ipv6, limited;
	uint32_t busy;
};

static bool chance(struct scenario *scenario, unsigned percent)
{
	return prng_happens(&scenario->network.prng, percent * 100);
}

static uint64_t between(struct scenario *scenario, uint64_t first, uint64_t last)
{
	return prng_between(&scenario->network.prng, first, last);
}

/* Between first and last (at least 1), with as many in each power of two as in the next. */
static uint64_t scale(struct scenario *scenario, uint64_t first, uint64_t last)
{
	unsigned doublings = 0;
	uint64_t value;

	while (first << (doublings + 1) <= last)
		doublings++;
	value = first << between(scenario, 0, doublings);
	value += between(scenario, 0, value - 1);
	return value < last ? value : last;
}

static uint32_t up_to(struct scenario *scenario, uint64_t most)
{
	return (uint32_t)between(scenario, 0, most);
}

/* --- The network -------------------------------------------------------------------------------------------------- */

/* A path between two subnets has four links, one within a subnet two: together they lose up to 30 % when it is harsh.
 */
static struct weather draw_weather(struct scenario *scenario)
{
	bool harsh = scenario->harsh;
	unsigned links = scenario->network.subnet_count > 1 ? 4 : 2;
	struct weather weather = { 0 };

	if (chance(scenario, 80))
		weather.most.loss = up_to(scenario, (harsh ? 3300 : 600) / links);
	if (chance(scenario, 50))
		weather.most.duplication = up_to(scenario, harsh ? 1000 : 100);
	if (chance(scenario, 50))
		weather.most.corruption = up_to(scenario, harsh ? 500 : 50);
	if (chance(scenario, 60))
		weather.most.reordering = up_to(scenario, harsh ? 2000 : 200);
	if (chance(scenario, 20))
		weather.most.marks = up_to(scenario, 1000);
	weather.most.delay_ns = scale(scenario, 10000, 100 * NS_PER_MS);
	weather.limited = chance(scenario, 40);
	weather.outages = chance(scenario, 30);
	weather.ipv6 = chance(scenario, 60);
	if (chance(scenario, 50))
		weather.busy = up_to(scenario, harsh ? 2000 : 200);
	return weather;
}

static void draw_link(struct scenario *scenario, const struct weather *weather, struct link_terms *terms)
{
	const struct link_terms *most = &weather->most;

	*terms = (struct link_terms){
		.delay_ns = between(scenario, 1000, most->delay_ns),
		.loss = up_to(scenario, most->loss),
		.duplication = up_to(scenario, most->duplication),
		.corruption = up_to(scenario, most->corruption),
		.reordering = up_to(scenario, most->reordering),
		.marks = up_to(scenario, most->marks),
	};
	terms->jitter_ns = chance(scenario, 50) ? between(scenario, 0, terms->delay_ns) : 0;
	terms->late_ns = between(scenario, NS_PER_MS / 10, 3 * terms->delay_ns + NS_PER_MS);
	if (weather->limited && chance(scenario, 60)) {
		terms->bits_per_second = scale(scenario, 300000, 1000000000);
		terms->queue_bytes = 20000 + (uint32_t)(terms->bits_per_second / 8 * between(scenario, 0, 200) / 1000);
	}
}

/* The directions of a node that are cut off for a while: a host from its subnet, or a subnet from the others. */
static void draw_outage(struct scenario *scenario, struct node *node)
{
	struct outage outage = { .from = scenario->network.events.now + between(scenario, 0, 20 * NS_PER_SECOND) };
	size_t place = between(scenario, 0, OUTAGES_MAX - 1), directions = between(scenario, 1, 3);

	outage.until = outage.from + scale(scenario, NS_PER_MS, 15 * NS_PER_SECOND);
	if (scenario->harsh && chance(scenario, 50))
		outage.until = outage.from + scale(scenario, NS_PER_SECOND, 1000 * NS_PER_SECOND);
	if (scenario->harsh && chance(scenario, 10))
		outage.until = NEVER;
	if (directions & 1)
		node->up.terms.outages[place] = outage;
	if (directions & 2)
		node->down.terms.outages[place] = outage;
}

static void draw_node(struct scenario *scenario, const struct weather *weather, struct node *node)
{
	draw_link(scenario, weather, &node->up.terms);
	draw_link(scenario, weather, &node->down.terms);
	if (weather->outages && chance(scenario, 30))
		draw_outage(scenario, node);
}

static uint16_t draw_mtu(struct scenario *scenario)
{
	if (chance(scenario, 60))
		return 1500;
	if (chance(scenario, 20))
		return 9000;
	return (uint16_t)between(scenario, 576, 1500);
}

/* Of the paths into a subnet. */
static void draw_mtu_steps(struct scenario *scenario, const struct weather *weather, struct subnet *subnet)
{
	uint64_t at = scenario->network.events.now;

	if (!chance(scenario, 30))
		return;
	subnet->step_count = between(scenario, 1, MTU_STEPS_MAX);
	for (size_t i = 0; i < subnet->step_count; i++) {
		bool silent = chance(scenario, 30);
		uint16_t least = weather->ipv6 ? LEAST_IPV6 : silent ? LEAST_SILENT : LEAST_IPV4;
		at += between(scenario, 0, LAST_MTU_CHANGE_S * NS_PER_SECOND / MTU_STEPS_MAX);
		subnet->steps[i] = (struct mtu_step){ at, (uint16_t)between(scenario, least, 1600), silent };
	}
}

static uint32_t draw_features(struct scenario *scenario)
{
	uint32_t cutting[] = { 0, PLATFORM_NET_TSO4, PLATFORM_NET_TSO6, PLATFORM_NET_TSO4 | PLATFORM_NET_TSO6 };

	return chance(scenario, 50) ? 0 : PLATFORM_NET_CHECKSUM | cutting[between(scenario, 0, 3)];
}

static void draw_host(struct scenario *scenario, const struct weather *weather, struct host *host)
{
	struct network *network = &scenario->network;
	struct subnet *subnet = &network->subnets[between(scenario, 0, network->subnet_count - 1)];
	struct host_terms terms = {
		.reaction_ns = chance(scenario, 90) ? NS_PER_MS : scale(scenario, 1, 50 * NS_PER_MS),
		.busy = up_to(scenario, weather->busy),
		.ipv6 = weather->ipv6 && subnet->mtu >= LEAST_IPV6,
		.features = draw_features(scenario),
		.ecn = (enum stack_ecn)between(scenario, 0, 2),
	};

	if (scenario->harsh && chance(scenario, 20))
		terms.memory_bytes = scale(scenario, 65536, 1 << 20);
	snprintf(host->node.name, sizeof host->node.name, "h%u", (unsigned)(host - scenario->hosts) + 1);
	host_open(host, subnet, &terms);
	draw_node(scenario, weather, &host->node);
}

static void draw_network(struct scenario *scenario)
{
	struct network *network = &scenario->network;
	struct weather weather;
	size_t subnets = between(scenario, 1, chance(scenario, 50) ? 1 : SUBNETS_MAX);

	scenario->host_count = between(scenario, 2, chance(scenario, 60) ? 4 : chance(scenario, 80) ? 12 : HOSTS_MAX);
	for (size_t i = 0; i < subnets; i++)
		network_add_subnet(network, chance(scenario, 80), draw_mtu(scenario));
	weather = draw_weather(scenario);
	for (size_t i = 0; i < subnets; i++) {
		draw_node(scenario, &weather, &network->subnets[i].router);
		draw_mtu_steps(scenario, &weather, &network->subnets[i]);
	}
	for (size_t i = 0; i < scenario->host_count; i++)
		draw_host(scenario, &weather, &scenario->hosts[i]);
}

/* --- The users ---------------------------------------------------------------------------------------------------- */

static uint64_t draw_size(struct scenario *scenario)
{
	if (chance(scenario, 10))
		return 0;
	if (scenario->host_count <= 12 && chance(scenario, 4))
		return scale(scenario, 100000, 3000000);
	return scale(scenario, 1, chance(scenario, 80) ? 20000 : 400000);
}

/* Two hosts that are not the same. */
static void draw_pair(struct scenario *scenario, struct host **client, struct host **server)
{
	size_t first = between(scenario, 0, scenario->host_count - 1);
	size_t second = (first + between(scenario, 1, scenario->host_count - 1)) % scenario->host_count;

	*client = &scenario->hosts[first];
	*server = &scenario->hosts[second];
}

static void draw_transfer(struct scenario *scenario, struct transfer *transfer)
{
	struct transfer_plan *plan = &transfer->plan;
	uint64_t most;

	draw_pair(scenario, &plan->client, &plan->server);
	plan->ipv6 = plan->client->ipv6 && plan->server->ipv6 && chance(scenario, 50);
	plan->port = chance(scenario, 3) ? CLOSED_PORT : SERVER_PORT;
	plan->starts_at = scenario->network.events.now + between(scenario, 0, 10 * NS_PER_SECOND);
	plan->bytes[CLIENT] = draw_size(scenario);
	plan->bytes[SERVER] = draw_size(scenario);
	plan->answer_last = chance(scenario, 50);
	if (chance(scenario, 10)) {
		plan->leaving = chance(scenario, 50) ? CLOSES : ABORTS;
		plan->leaver = (int)between(scenario, CLIENT, SERVER);
		plan->leaves_after = between(scenario, 0, plan->bytes[CLIENT] + plan->bytes[SERVER]);
	}
	most = plan->bytes[CLIENT] + plan->bytes[SERVER];
	plan->chunk = (uint32_t)scale(scenario, most / 1000 + 1, 65536);
	plan->pauses = chance(scenario, 40) ? up_to(scenario, 500) : 0;
	plan->pause_ns = scale(scenario, NS_PER_MS, 5 * NS_PER_SECOND);
	plan->nodelay = chance(scenario, 30);
	plan->newreno = chance(scenario, 30);
	plan->keepalive_ns = chance(scenario, 20) ? scale(scenario, NS_PER_SECOND, 100 * NS_PER_SECOND) : 0;
	transfer->number = (unsigned)(transfer - scenario->transfers);
	transfer_begin(transfer, &scenario->acceptors[plan->server - scenario->hosts]);
}

static void draw_query(struct scenario *scenario, struct query *query)
{
	enum { LEAST = 12 };
	struct query_plan *plan = &query->plan;
	uint64_t most = chance(scenario, 80) ? 1200 : QUERY_BYTES_MAX;

	draw_pair(scenario, &plan->client, &plan->server);
	plan->ipv6 = plan->client->ipv6 && plan->server->ipv6 && chance(scenario, 50);
	plan->starts_at = scenario->network.events.now + between(scenario, 0, 10 * NS_PER_SECOND);
	plan->rounds = (unsigned)between(scenario, 1, 20);
	plan->question_bytes = between(scenario, LEAST, most);
	plan->answer_bytes = between(scenario, LEAST, most);
	query->number = (unsigned)(query - scenario->queries);
	query_begin(query);
}

void scenario_draw(struct scenario *scenario, uint64_t seed)
{
	struct network *network = &scenario->network;
	size_t users;

	network->prng.state = seed;
	scenario->harsh = chance(scenario, 30);
	network->events.now = between(scenario, NS_PER_SECOND, 3000000 * NS_PER_SECOND);
	network->began_at = network->events.now;
	draw_network(scenario);
	for (size_t i = 0; i < scenario->host_count; i++) {
		acceptor_open(&scenario->acceptors[i], &scenario->hosts[i]);
		responder_open(&scenario->responders[i], &scenario->hosts[i]);
	}
	users = scenario->host_count < 10 ? 12 : scenario->host_count;
	scenario->transfer_count = between(scenario, 1, users);
	for (size_t i = 0; i < scenario->transfer_count; i++)
		draw_transfer(scenario, &scenario->transfers[i]);
	scenario->query_count = between(scenario, 0, users / 2);
	for (size_t i = 0; i < scenario->query_count; i++)
		draw_query(scenario, &scenario->queries[i]);
	memory_fails(scenario->harsh && chance(scenario, 20) ? (uint32_t)scale(scenario, 1, 500) : 0, seed);
}
