/* SPDX-License-Identifier: ISC
 *
 * The users of TCP connections. Whatever the network does: a user reads the other's bytes, each once and in order; sees
 * the end if and only if that was all; or gets an error.
 */
#include "transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "pattern.h"

enum { CALLS_PER_TURN = 64 };
/* Who only reads is not told that the peer has gone: he has a deadline. */
#define PATIENCE_NS  (1000 * NS_PER_SECOND)
#define RETRY_NS     (NS_PER_SECOND)
#define RETRY_FOR_NS (120 * NS_PER_SECOND) /* longer than an outage that heals soon */

static struct side *side_of(struct user *user)
{
	return (struct side *)user;
}

static uint64_t stream_of(const struct side *side)
{
	return side->transfer->number * 2u + (unsigned)side->index;
}

static struct side *other(const struct side *side)
{
	return &side->transfer->sides[!side->index];
}

static struct host *host_of(const struct side *side)
{
	return side->index == CLIENT ? side->transfer->plan.client : side->transfer->plan.server;
}

static void say(const struct side *side, const char *what, int error)
{
	const struct host *host = host_of(side);

	if (host->network->verbose)
		printf("%12.6f  %-4s transfer %u: %s%s%s, written %llu, read %llu\n", network_seconds(host->network),
			host->node.name, side->transfer->number, what, error ? ": " : "", error ? strerror(-error) : "",
			(unsigned long long)side->written, (unsigned long long)side->read);
}

static void let_go(struct side *side, int error)
{
	say(side, error ? "gives up" : "closes", error);
	tcp_close(side->tcp);
	side->tcp = NULL;
	side->error = error;
	side->done = true;
	side->user.wakes_at = NEVER;
	side->transfer->finished_at = host_of(side)->network->events.now;
}

static void leave(struct side *side)
{
	if (side->transfer->plan.leaving == ABORTS) {
		say(side, "aborts", 0);
		tcp_abort(side->tcp);
		side->tcp = NULL;
	}
	side->left = true;
	let_go(side, 0);
}

/* --- Reading and writing ------------------------------------------------------------------------------------------ */

/* Each returns whether something was done. */

static bool reads(struct side *side, uint64_t now)
{
	static uint8_t bytes[PATTERN_BYTES_MAX];
	const struct transfer_plan *plan = &side->transfer->plan;
	const struct side *from = other(side);
	ssize_t len;

	if (side->ended)
		return false;
	len = tcp_read(side->tcp, bytes, prng_between(&host_of(side)->network->prng, 1, plan->chunk), AT_ONCE);
	if (len == -EAGAIN)
		return false;
	side->progress_at = now;
	if (len < 0) {
		let_go(side, (int)len);
	} else if (len == 0) {
		check(side->read == from->written && (from->shut || from->left),
			"transfer %u: an end after %llu bytes of %llu", side->transfer->number,
			(unsigned long long)side->read, (unsigned long long)from->written);
		say(side, "has read the end", 0);
		side->ended = true;
	} else {
		check(memcmp(bytes, pattern(stream_of(from), side->read), (size_t)len) == 0 &&
				side->read + (size_t)len <= from->written,
			"transfer %u: wrong bytes at %llu, or of the %zd behind it", side->transfer->number,
			(unsigned long long)side->read, len);
		side->read += (size_t)len;
	}
	return true;
}

static bool may_write(const struct side *side)
{
	return !side->shut && (side->index == CLIENT || side->ended || !side->transfer->plan.answer_last);
}

static bool writes(struct side *side, uint64_t now)
{
	const struct transfer_plan *plan = &side->transfer->plan;
	uint64_t left = plan->bytes[side->index] - side->written;
	size_t len = prng_between(&host_of(side)->network->prng, 1, plan->chunk);
	ssize_t taken;

	if (side->done || !may_write(side))
		return false;
	if (left == 0) {
		int err = tcp_shutdown(side->tcp);
		check(err == 0 || err == -ENOTCONN, "tcp_shutdown: %s", strerror(-err));
		side->shut = true;
		return true;
	}
	len = len < left ? len : left;
	taken = tcp_write(side->tcp, pattern(stream_of(side), side->written), len, AT_ONCE);
	if (taken == -EAGAIN)
		return false;
	side->progress_at = now;
	check(taken != 0 && taken <= (ssize_t)len, "tcp_write takes %zd bytes of %zu", taken, len);
	if (taken < 0)
		let_go(side, (int)taken);
	else
		side->written += (size_t)taken;
	return true;
}

static bool leaves_now(const struct side *side)
{
	const struct transfer_plan *plan = &side->transfer->plan;

	return plan->leaving != STAYS && plan->leaver == side->index &&
	       side->written + side->read >= plan->leaves_after;
}

static void exchange(struct side *side, uint64_t now)
{
	struct prng *prng = &host_of(side)->network->prng;
	const struct transfer_plan *plan = &side->transfer->plan;

	side->user.eager = true;
	side->user.wakes_at = now; /* there may be more to do than in one turn */
	for (int i = 0; i < CALLS_PER_TURN; i++) {
		bool done = reads(side, now);

		done |= !side->done && writes(side, now);
		if (side->done)
			return;
		if (leaves_now(side)) {
			leave(side);
			return;
		}
		if (side->ended && side->shut) {
			let_go(side, 0);
			return;
		}
		if (prng_happens(prng, plan->pauses)) {
			side->user.eager = false;
			side->user.wakes_at = now + prng_below(prng, plan->pause_ns);
			return;
		}
		if (!done) {
			side->user.wakes_at = side->progress_at + PATIENCE_NS;
			if (now >= side->user.wakes_at)
				let_go(side, -ETIMEDOUT);
			return;
		}
	}
}

/* --- Beginning ---------------------------------------------------------------------------------------------------- */

static void established(struct side *side, uint64_t now)
{
	const struct transfer_plan *plan = &side->transfer->plan;
	struct tcp_tuning tuning = {
		.keepalive_ns = plan->keepalive_ns,
		.keepalive_interval_ns = 10 * NS_PER_SECOND,
		.congestion = plan->newreno ? &tcp_newreno : NULL,
	};
	int err;

	side->connected = true;
	side->progress_at = now;
	tcp_set_nodelay(side->tcp, plan->nodelay);
	err = tcp_tune(side->tcp, &tuning);
	check(err == 0, "tcp_tune: %s", strerror(-err));
	say(side, "is connected", 0);
}

static bool may_try_again(const struct side *side, uint64_t now, int error)
{
	return (error == -EHOSTUNREACH || error == -ENETUNREACH || error == -ENOMEM || error == -EADDRNOTAVAIL) &&
	       now < side->transfer->plan.starts_at + RETRY_FOR_NS;
}

static void connect_failed(struct side *side, uint64_t now, int error)
{
	if (!may_try_again(side, now, error)) {
		let_go(side, error);
		return;
	}
	say(side, "tries again", error);
	tcp_close(side->tcp);
	side->tcp = NULL;
	side->user.eager = false;
	side->user.wakes_at = now + RETRY_NS;
}

static void begin_to_connect(struct side *side, uint64_t now)
{
	struct transfer *transfer = side->transfer;
	const struct transfer_plan *plan = &transfer->plan;
	struct ip_endpoint peer = host_endpoint(plan->server, plan->ipv6, plan->port);
	int err = tcp_connect_begin(plan->client->stack, &peer, &side->tcp);

	if (err == -EAGAIN) {
		side->user.wakes_at = now + RETRY_NS / 10;
		return;
	}
	if (err < 0) {
		side->tcp = NULL;
		connect_failed(side, now, err);
		return;
	}
	tcp_local(side->tcp, &transfer->local);
	side->user.eager = true;
	side->user.wakes_at = now + PATIENCE_NS;
	say(side, "connects", 0);
}

static void client_acts(struct user *user, uint64_t now)
{
	struct side *side = side_of(user);
	int err;

	if (!side->tcp)
		begin_to_connect(side, now); /* which may fail at once */
	if (!side->tcp)
		return;
	if (!side->connected) {
		err = tcp_connected(side->tcp, AT_ONCE);
		if (err == -EAGAIN) {
			check(now < side->user.wakes_at, "transfer %u: connecting never ends", side->transfer->number);
			return;
		}
		if (err < 0) {
			connect_failed(side, now, err);
			return;
		}
		established(side, now);
	}
	exchange(side, now);
}

static void server_acts(struct user *user, uint64_t now)
{
	exchange(side_of(user), now);
}

/* The transfer that this connection belongs to; NULL: none, any more. */
static struct transfer *find_transfer(const struct acceptor *acceptor, const struct ip_endpoint *peer)
{
	struct transfer *transfer = acceptor->transfers;

	while (transfer &&
		(transfer->local.port != peer->port || !ip_equal(&transfer->local.address, &peer->address) ||
			transfer->sides[SERVER].tcp || transfer->sides[SERVER].done || transfer->sides[CLIENT].error))
		transfer = transfer->next;
	return transfer;
}

static void acceptor_acts(struct user *user, uint64_t now)
{
	struct acceptor *acceptor = (struct acceptor *)user;
	struct tcp *tcp;
	int err;

	while ((err = tcp_accept(acceptor->listener, &tcp, AT_ONCE)) == 0) {
		struct ip_endpoint peer;
		struct transfer *transfer;

		tcp_peer(tcp, &peer);
		transfer = find_transfer(acceptor, &peer);
		if (!transfer) {
			acceptor->strays++;
			tcp_abort(tcp);
			continue;
		}
		transfer->sides[SERVER].tcp = tcp;
		transfer->sides[SERVER].user.wakes_at = now;
		established(&transfer->sides[SERVER], now);
		host_add_user(acceptor->host, &transfer->sides[SERVER].user);
	}
	check(err == -EAGAIN, "tcp_accept: %s", strerror(-err));
	user->wakes_at = now + 1000 * NS_PER_SECOND;
}

void acceptor_open(struct acceptor *acceptor, struct host *host)
{
	int err = tcp_listen(host->stack, SERVER_PORT, &acceptor->listener);

	check(err == 0, "tcp_listen: %s", strerror(-err));
	acceptor->host = host;
	acceptor->user.act = acceptor_acts;
	acceptor->user.eager = true;
	host_add_user(host, &acceptor->user);
}

void acceptor_close(struct acceptor *acceptor)
{
	acceptor->user.wakes_at = NEVER;
	tcp_unlisten(acceptor->listener);
}

void transfer_begin(struct transfer *transfer, struct acceptor *acceptor)
{
	for (int i = 0; i < 2; i++)
		transfer->sides[i] = (struct side){ .transfer = transfer, .index = i };
	transfer->sides[CLIENT].user.act = client_acts;
	transfer->sides[CLIENT].user.wakes_at = transfer->plan.starts_at;
	transfer->sides[SERVER].user.act = server_acts;
	transfer->next = acceptor->transfers;
	acceptor->transfers = transfer;
	host_add_user(transfer->plan.client, &transfer->sides[CLIENT].user);
}

bool transfer_is_done(const struct transfer *transfer)
{
	const struct side *server = &transfer->sides[SERVER];

	return transfer->sides[CLIENT].done && (server->done || !server->tcp);
}

bool transfer_is_complete(const struct transfer *transfer)
{
	const struct side *client = &transfer->sides[CLIENT], *server = &transfer->sides[SERVER];

	return client->ended && client->shut && server->ended && server->shut;
}
