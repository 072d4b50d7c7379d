/* SPDX-License-Identifier: ISC
 *
 * Fast Open (RFC 7413) of our own stack: cookies, granted and remembered, and the limit of what is pending. What it is
 * on the wire is in tcp_early.c.
 *
 * A cookie is a keyed hash of both addresses and the hour, so that nothing is kept for it, and its key is as good as a
 * new one each hour (4.1.2). Connections that are read before their handshake is over are counted; one that is reset
 * meanwhile counts on for a minute, or an attacker could have his victims' resets make room for ever more (5.1).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_stack.h"

static struct tcp_fast *fast_of(struct tcp_stack *tcp)
{
	if (!tcp->fast)
		tcp->fast = calloc(1, sizeof *tcp->fast);
	return tcp->fast;
}

/* Granting ------------------------------------------------------------------------------------------------------ */

static struct tcp_fast_cookie cookie_of(const struct tcp_flow *flow, uint64_t hour)
{
	struct ip_endpoint local = { .address = flow->local.address }, peer = { .address = flow->peer.address };
	uint64_t number = tcp_number(flow->tcp, TCP_FOR_FAST_OPEN, &local, &peer, hour);
	struct tcp_fast_cookie cookie = { .present = true, .len = TCP_FAST_COOKIE };

	memcpy(cookie.bytes, &number, TCP_FAST_COOKIE);
	return cookie;
}

/* In a time that does not depend on where they differ. */
static bool is_same(const struct tcp_fast_cookie *a, const struct tcp_fast_cookie *b)
{
	uint64_t first, second;

	memcpy(&first, a->bytes, sizeof first);
	memcpy(&second, b->bytes, sizeof second);
	return a->len == b->len && first == second;
}

static bool has_place(struct tcp_fast *fast, unsigned most, uint64_t now)
{
	if (fast->reset > 0 && now >= fast->reset_until) {
		fast->pending -= fast->reset;
		fast->reset = 0;
	}
	return fast->pending < most;
}

void tcp_fast_begin(const struct own_listener *listener, struct tcp_flow *flow, const struct tcp_segment *syn)
{
	const struct tcp_fast_cookie *asked = &syn->options.fast_open;
	struct tcp_fast *fast = flow->tcp->fast;
	uint64_t now = tcp_now(flow->tcp), hour = now / TCP_FAST_KEY_NS;
	struct tcp_fast_cookie current = cookie_of(flow, hour), last = cookie_of(flow, hour - 1);
	bool fresh = is_same(asked, &current), good = fresh || is_same(asked, &last);

	if (!asked->present)
		return;
	good = good && has_place(fast, listener->fast_pending, now);
	flow->fast_pending = tcp_core_accept_fast(&flow->core, syn, fresh ? NULL : &current, good);
	fast->pending += flow->fast_pending;
}

void tcp_fast_end(struct tcp_flow *flow)
{
	struct tcp_fast *fast = flow->tcp->fast;

	flow->fast_pending = false;
	if (flow->core.error != -ECONNRESET) {
		fast->pending--;
		return;
	}
	fast->reset++;
	fast->reset_until = tcp_now(flow->tcp) + TCP_FAST_RESET_NS;
}

int own_tcp_fast_open(struct tcp_listener *base, unsigned pending)
{
	struct own_listener *listener = (struct own_listener *)(void *)base;

	if (!listener->tcp)
		return -ECONNRESET;
	if (!fast_of(listener->tcp))
		return -ENOMEM;
	listener->fast_pending = pending;
	return 0;
}

/* Remembering --------------------------------------------------------------------------------------------------- */

static struct tcp_fast_peer *find_peer(struct tcp_fast *fast, const struct ip_address *address)
{
	for (size_t i = 0; i < TCP_FAST_PEERS; i++) {
		if (fast->peers[i].cookie.present && ip_equal(&fast->peers[i].address, address))
			return &fast->peers[i];
	}
	return NULL;
}

void tcp_fast_remember(
	struct tcp_fast *fast, const struct ip_address *peer, const struct tcp_fast_cookie *cookie, uint16_t mss)
{
	struct tcp_fast_peer *place = find_peer(fast, peer);

	if (place && !cookie)
		place->cookie.present = false;
	if (!cookie)
		return;
	if (!place) {
		place = &fast->peers[fast->next];
		fast->next = (fast->next + 1) % TCP_FAST_PEERS;
	}
	*place = (struct tcp_fast_peer){ .address = *peer, .cookie = *cookie, .mss = mss };
}

/* What the handshake has taught. Where a SYN with a cookie got no answer, the next has none (4.1.3.1). */
static void learn(struct tcp_fast *fast, const struct tcp_flow *flow)
{
	const struct tcp_connection *c = &flow->core;

	if (c->early && c->syn_resent)
		tcp_fast_remember(fast, &flow->peer.address, NULL, 0);
	else if (c->fast_open.len > 0)
		tcp_fast_remember(fast, &flow->peer.address, &c->fast_open, c->peer_mss);
}

int own_tcp_connect_fast(struct stack *stack, const struct ip_endpoint *peer, const void *buf, size_t len,
	size_t *taken, struct tcp **result, uint64_t deadline)
{
	struct tcp_fast *fast = fast_of(((struct own_stack *)(void *)stack)->tcp);
	const struct tcp_fast_peer stranger = { .mss = 0 }, *known;
	struct tcp_config config;
	struct tcp_flow *flow;
	ssize_t written = 0;
	int err;

	if (!fast)
		return -ENOMEM;
	err = tcp_connect_prepare(stack, peer, NULL, &flow, &config, deadline);
	if (err < 0)
		return err;
	known = find_peer(fast, &peer->address);
	tcp_core_connect(&flow->core, &config, tcp_now(flow->tcp));
	tcp_core_connect_fast(&flow->core, &(known ? known : &stranger)->cookie, (known ? known : &stranger)->mss);
	if (known)
		written = tcp_core_write(&flow->core, buf, len);
	tcp_flow_push(flow);
	err = own_tcp_connected(&flow->base, deadline);
	if (err < 0) {
		tcp_close(&flow->base);
		return err;
	}
	learn(fast, flow);
	*taken = written > 0 ? (size_t)written : 0;
	*result = &flow->base;
	return 0;
}

/* The public calls ---------------------------------------------------------------------------------------------- */

int tcp_fast_open(struct tcp_listener *listener, unsigned pending)
{
	return listener->ops->fast_open ? listener->ops->fast_open(listener, pending) : -ENOTSUP;
}

int tcp_connect_fast(struct stack *stack, const struct ip_endpoint *peer, const void *buf, size_t len,
	struct tcp **result, uint64_t deadline)
{
	struct tcp *flow;
	size_t taken = 0;
	ssize_t written;
	int err;

	if (stack->tcp && stack->tcp->connect_fast)
		err = stack->tcp->connect_fast(stack, peer, buf, len, &taken, &flow, deadline);
	else
		err = tcp_connect(stack, peer, &flow, deadline);
	if (err < 0)
		return err;
	written = taken < len ? tcp_write(flow, (const char *)buf + taken, len - taken, deadline) : 0;
	if (written < 0) {
		tcp_abort(flow);
		return (int)written;
	}
	*result = flow;
	return 0;
}
