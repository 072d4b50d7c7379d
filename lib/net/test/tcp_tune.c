/* SPDX-License-Identifier: ISC
 *
 * Tuning through the public calls: of a stack, of a listener, of a connection before it is opened and after.
 */
#include "pair.h"

static int run_task(int (*body)(void *), void *arg)
{
	int result = -1;

	assert_int_equal(task_run(body, arg, &result), 0);
	return result;
}

static const struct tcp_connection *core_of(const struct tcp *flow)
{
	return &((const struct tcp_flow *)(const void *)flow)->core;
}

/* A connection from the client to this port, tuned or not, and what the server makes of it. */
static void join(struct tcp_listener *listener, uint16_t port, const struct tcp_tuning *tuning, struct tcp *flows[2])
{
	struct ip_endpoint server = server_at(port);

	if (tuning)
		must(tcp_connect_tuned(ends[CLIENT].stack, &server, tuning, &flows[CLIENT], soon()) == 0);
	else
		must(tcp_connect(ends[CLIENT].stack, &server, &flows[CLIENT], soon()) == 0);
	flows[SERVER] = accepted(listener);
}

static void part(struct tcp *flows[2])
{
	tcp_close(flows[CLIENT]);
	tcp_close(flows[SERVER]);
}

static int each_level_body(void *arg)
{
	const struct tcp_tuning slow = { .minimum_rto_ns = SECOND(1), .initial_window = 4 };
	const struct tcp_tuning plain = { .no_sack = true, .congestion = &tcp_newreno };
	const struct tcp_tuning bare = { .no_timestamps = true, .no_window_scaling = true };
	struct tcp_listener *listener, *before, *other;
	struct tcp *flows[2];

	(void)arg;
	plug_in(0);
	must(tcp_listen(ends[SERVER].stack, 8, &before) == 0);
	must(tcp_tune_stack(ends[SERVER].stack, &slow) == 0);
	listener = listening();
	must(tcp_listen(ends[SERVER].stack, 9, &other) == 0);
	must(tcp_tune_listener(other, &plain) == 0);
	join(listener, PORT, NULL, flows); /* the stack's defaults */
	must(core_of(flows[SERVER])->rto_ns == SECOND(1) && core_of(flows[SERVER])->cwnd == 3 * 1448);
	must(core_of(flows[CLIENT])->cwnd == 10 * 1448);
	part(flows);
	join(before, 8, NULL, flows); /* those of when it began to listen */
	must(core_of(flows[SERVER])->rto_ns == MSEC(200));
	part(flows);
	join(other, 9, NULL, flows); /* its own */
	must(core_of(flows[SERVER])->rto_ns == MSEC(200) && !core_of(flows[SERVER])->sack &&
		!core_of(flows[CLIENT])->sack);
	must(core_of(flows[SERVER])->config.tuning.congestion == &tcp_newreno);
	part(flows);
	join(before, 8, &bare, flows); /* the connection's */
	must(!core_of(flows[SERVER])->timestamps && !core_of(flows[SERVER])->window_scaling &&
		core_of(flows[SERVER])->sack);
	must(tcp_tune(flows[SERVER], &slow) == 0);
	must(core_of(flows[SERVER])->config.tuning.minimum_rto_ns == SECOND(1));
	part(flows);
	tcp_unlisten(listener);
	tcp_unlisten(before);
	tcp_unlisten(other);
	unplug();
	return 0;
}

static void each_level_has_its_own_tuning(void **state)
{
	(void)state;
	assert_int_equal(run_task(each_level_body, NULL), 0);
}

static int limits_body(void *arg)
{
	const struct tcp_tuning beyond[] = { { .keepalive_probes = 256 }, { .minimum_rto_ns = SECOND(60) + 1 },
		{ .delayed_ack_ns = MSEC(500) + 1 }, { .initial_window = 11 } };
	struct ip_endpoint server = server_at(PORT);
	struct tcp_listener *listener;
	struct tcp *flow, *served;

	(void)arg;
	plug_in(0);
	listener = listening();
	flow = connected();
	served = accepted(listener);
	for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
		struct tcp *none;
		must(tcp_tune(flow, &beyond[i]) == -EINVAL);
		must(tcp_tune_stack(ends[CLIENT].stack, &beyond[i]) == -EINVAL);
		must(tcp_tune_listener(listener, &beyond[i]) == -EINVAL);
		must(tcp_connect_tuned(ends[CLIENT].stack, &server, &beyond[i], &none, soon()) == -EINVAL);
	}
	tcp_close(flow);
	tcp_close(served);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void figures_beyond_their_limits_are_refused(void **state)
{
	(void)state;
	assert_int_equal(run_task(limits_body, NULL), 0);
}

/* A cookie remembers what the SYN,ACK has agreed to, so it agrees to nothing that is off. */
static int cookies_body(void *arg)
{
	const struct tcp_tuning plain = { .no_sack = true };
	struct tcp_listener *listener;
	struct tcp *flow, *served;

	(void)arg;
	plug_in(0);
	listener = listening();
	must(tcp_tune_listener(listener, &plain) == 0);
	/* No place for half-open connections: every SYN is answered by a cookie. */
	((struct own_listener *)(void *)listener)->half_open.count += TCP_SYN_BACKLOG;
	flow = connected();
	served = accepted(listener);
	((struct own_listener *)(void *)listener)->half_open.count -= TCP_SYN_BACKLOG;
	must(!core_of(flow)->sack && !core_of(served)->sack && core_of(flow)->timestamps &&
		core_of(served)->timestamps);
	tcp_close(flow);
	tcp_close(served);
	tcp_unlisten(listener);
	unplug();
	return 0;
}

static void cookies_agree_to_nothing_that_is_off(void **state)
{
	(void)state;
	assert_int_equal(run_task(cookies_body, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_level_has_its_own_tuning),
		cmocka_unit_test(figures_beyond_their_limits_are_refused),
		cmocka_unit_test(cookies_agree_to_nothing_that_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
