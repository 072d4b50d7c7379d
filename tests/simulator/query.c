/* SPDX-License-Identifier: ISC
 *
 * The users of UDP sockets. Datagrams may be lost, doubled and reordered; those that come are whole.
 *
 *	query (4 bytes), round (4), bytes of the answer (4), then the pattern
 */
#include "query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "pattern.h"

enum { HEADER = 12, TRIES_MAX = 60, SMALL = 200, TRIES_AT_ONE_SIZE = 5, ANSWER = 1u << 31 };
#define TRY_NS (2 * NS_PER_SECOND)

static void put_message(uint8_t *bytes, size_t len, uint32_t query, uint32_t round, uint32_t wanted)
{
	put32(bytes, query);
	put32(bytes + 4, round);
	put32(bytes + 8, wanted);
	memcpy(bytes + HEADER, pattern(query ^ round, len), len - HEADER);
}

static bool is_whole(const uint8_t *bytes, size_t len)
{
	return len >= HEADER &&
	       memcmp(bytes + HEADER, pattern(get32(bytes) ^ get32(bytes + 4), len), len - HEADER) == 0;
}

/* --- Who answers -------------------------------------------------------------------------------------------------- */

/* What ICMP said about an earlier answer is told once, in place of sending. */
static int answer(struct responder *responder)
{
	static uint8_t bytes[QUERY_BYTES_MAX];
	int err;

	put_message(bytes, responder->pending_bytes, responder->pending_query | ANSWER, responder->pending_round, 0);
	err = udp_send(responder->socket, &responder->pending_to, bytes, responder->pending_bytes, AT_ONCE);
	if (err != -EAGAIN)
		responder->pending_bytes = 0;
	return err;
}

static void responder_acts(struct user *user, uint64_t now)
{
	static uint8_t bytes[QUERY_BYTES_MAX];
	struct responder *responder = (struct responder *)user;
	ssize_t len;

	user->wakes_at = now + 1000 * NS_PER_SECOND;
	user->eager = true;
	for (;;) {
		if (responder->pending_bytes > 0 && answer(responder) == -EAGAIN) {
			user->eager = false;
			user->wakes_at = now + NS_PER_MS;
			return;
		}
		len = udp_receive(responder->socket, bytes, sizeof bytes, &responder->pending_to, AT_ONCE);
		if (len < 0)
			break;
		check((size_t)len <= sizeof bytes && is_whole(bytes, (size_t)len) && get32(bytes + 8) >= HEADER &&
				get32(bytes + 8) <= QUERY_BYTES_MAX,
			"%s: a question of %zd bytes that is damaged", responder->host->node.name, len);
		responder->pending_query = get32(bytes);
		responder->pending_round = get32(bytes + 4);
		responder->pending_bytes = get32(bytes + 8);
	}
	check(len == -EAGAIN, "udp_receive: %s", strerror((int)-len));
}

void responder_open(struct responder *responder, struct host *host)
{
	int err = udp_bind(host->stack, RESPONDER_PORT, &responder->socket);

	check(err == 0, "udp_bind: %s", strerror(-err));
	responder->host = host;
	responder->user.act = responder_acts;
	host_add_user(host, &responder->user);
}

void responder_close(struct responder *responder)
{
	responder->user.wakes_at = NEVER;
	udp_close(responder->socket);
}

/* --- Who asks ----------------------------------------------------------------------------------------------------- */

static void finish(struct query *query, bool unreachable, uint64_t now)
{
	if (query->plan.client->network->verbose)
		printf("%12.6f  %-4s query %u: %s after %u rounds\n", network_seconds(query->plan.client->network),
			query->plan.client->node.name, query->number, unreachable ? "gives up" : "is done",
			query->round);
	udp_close(query->socket);
	query->socket = NULL;
	query->done = true;
	query->unreachable = unreachable;
	query->finished_at = now;
	query->user.wakes_at = NEVER;
}

/* Takes all that has come. Answers to earlier rounds come late, or again. */
static void take_answers(struct query *query, uint64_t now)
{
	static uint8_t bytes[QUERY_BYTES_MAX];
	struct ip_endpoint from, expected = host_endpoint(query->plan.server, query->plan.ipv6, RESPONDER_PORT);
	ssize_t len;

	while ((len = udp_receive(query->socket, bytes, sizeof bytes, &from, AT_ONCE)) >= 0) {
		check((size_t)len <= sizeof bytes && is_whole(bytes, (size_t)len),
			"query %u: an answer of %zd bytes that is damaged", query->number, len);
		check(get32(bytes) == (query->number | ANSWER) && get32(bytes + 4) <= query->round,
			"query %u: an answer to another question", query->number);
		check(from.port == expected.port && ip_equal(&from.address, &expected.address),
			"query %u: an answer from another", query->number);
		if (get32(bytes + 4) == query->round) {
			query->round++;
			query->tries = 0;
			query->user.wakes_at = now;
		}
	}
	check(len == -EAGAIN, "udp_receive: %s", strerror((int)-len));
}

static size_t smaller(size_t bytes)
{
	return bytes / 2 > SMALL ? bytes / 2 : bytes > SMALL ? SMALL : bytes;
}

static void ask(struct query *query, uint64_t now)
{
	static uint8_t bytes[QUERY_BYTES_MAX];
	struct query_plan *plan = &query->plan;
	struct ip_endpoint to = host_endpoint(plan->server, plan->ipv6, RESPONDER_PORT);
	int err;

	put_message(bytes, plan->question_bytes, query->number, query->round, (uint32_t)plan->answer_bytes);
	err = udp_send(query->socket, &to, bytes, plan->question_bytes, AT_ONCE);
	if (err == -EAGAIN) {
		query->user.wakes_at = now + NS_PER_MS;
		return;
	}
	query->tries++;
	if (err == -EMSGSIZE || query->tries % TRIES_AT_ONE_SIZE == 0) {
		plan->question_bytes = smaller(plan->question_bytes);
		plan->answer_bytes = smaller(plan->answer_bytes);
	}
	query->user.wakes_at = now + TRY_NS;
}

static void query_acts(struct user *user, uint64_t now)
{
	struct query *query = (struct query *)user;
	int err;

	if (!query->socket) {
		err = udp_bind(query->plan.client->stack, 0, &query->socket);
		if (err < 0) { /* memory was short */
			check(err == -ENOMEM, "udp_bind: %s", strerror(-err));
			query->socket = NULL;
			user->wakes_at = now + TRY_NS;
			return;
		}
	}
	user->eager = true;
	take_answers(query, now);
	if (query->round == query->plan.rounds || query->tries == TRIES_MAX)
		finish(query, query->round < query->plan.rounds, now);
	else if (now >= user->wakes_at)
		ask(query, now);
}

void query_begin(struct query *query)
{
	query->user.act = query_acts;
	query->user.wakes_at = query->plan.starts_at;
	host_add_user(query->plan.client, &query->user);
}
