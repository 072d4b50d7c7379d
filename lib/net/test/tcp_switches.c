/* SPDX-License-Identifier: ISC
 *
 * Every choice in which Linux and the RFCs differ can be the RFC's: struct tcp_tuning, on one connection.
 */
#include <errno.h>

#include "tcp_wire.h"

/* Established, passively, with this tuning, to a peer that offers everything. */
static struct wire *tuned(struct tcp_tuning tuning, uint16_t mss)
{
	struct wire *w = wire_new();

	w->config.tuning = tuning;
	w->config.mss = mss;
	w->config.ring_max = 262144;
	open_passive(w, .options = { .mss = mss,
				.sack_permitted = true,
				.has_window_shift = true,
				.window_shift = 7,
				.has_timestamp = true,
				.timestamp = 100 });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .ack = 1, .flags = A, .options = { .has_timestamp = true, .timestamp = 100 });
	assert_state(w, TCP_ESTABLISHED);
	return w;
}

static void minimum_retransmission_time_is_a_second(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	struct wire *w;

	(void)state;
	tuning.minimum_rto_ns = SECOND(1); /* RFC 6298, 2.4 */
	w = tuned(tuning, MSS);
	assert_int_equal(w->c.rto_ns, SECOND(1));
	wire_free(w);
	w = tuned(tcp_defaults, MSS);
	assert_int_equal(w->c.rto_ns, MSEC(200));
	wire_free(w);
}

static void acknowledgements_wait_as_long_as_they_are_told(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	struct wire *w;

	(void)state;
	tuning.delayed_ack_ns = MSEC(499); /* RFC 9293, 3.8.6.3: less than 0.5 seconds */
	w = tuned(tuning, MSS);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	advance(w, MSEC(499) - 1);
	expect_nothing(w);
	advance(w, 1);
	expect(w, .seq = 1, .ack = 11, .flags = A);
	wire_free(w);
}

static void acknowledgements_do_not_wait_at_all(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	struct wire *w;

	(void)state;
	tuning.prompt_ack = true;
	w = tuned(tuning, MSS);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 11, .flags = A);
	send(w, .seq = 11, .ack = 1, .flags = A, .len = 10);
	expect(w, .seq = 1, .ack = 21, .flags = A);
	wire_free(w);
}

/* RFC 5681, 3.1: the larger the segments, the fewer. */
static void initial_window_is_two_to_four_segments(void **state)
{
	static const struct {
		uint16_t mss;
		unsigned wanted, segments;
	} cases[] = { { 512, 4, 4 }, { 1095 + 12, 4, 4 }, { 1096 + 12, 4, 3 }, { 2190 + 12, 4, 3 }, { 2191 + 12, 4, 2 },
		{ 1460, 2, 2 }, { 1460, 1, 1 }, { 1460, 10, 10 }, { 512, 10, 10 }, { 512, 6, 6 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tcp_tuning tuning = tcp_defaults;
		struct wire *w;
		tuning.initial_window = cases[i].wanted;
		w = tuned(tuning, cases[i].mss);
		write_bytes(w, 1, 30000);
		assert_int_equal(w->count, cases[i].segments);
		wire_free(w);
	}
}

static void time_wait_lasts_four_minutes(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	struct wire *w;

	(void)state;
	tuning.time_wait_ns = SECOND(240); /* RFC 9293, 3.4.1: 2 MSL of 2 minutes each */
	w = tuned(tuning, MSS);
	finish(w);
	send(w, .seq = 1, .ack = 2, .flags = A | F);
	assert_state(w, TCP_TIME_WAIT);
	advance(w, SECOND(200));
	send(w, .seq = 1, .ack = 2, .flags = A | F); /* which starts it anew */
	advance(w, SECOND(240) - 1);
	assert_state(w, TCP_TIME_WAIT);
	advance(w, 1);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

static void options_that_are_off_are_not_offered(void **state)
{
	const struct tcp_segment *syn;

	(void)state;
	for (unsigned off = 0; off < 8; off++) {
		struct wire *w = wire_new();
		w->config.tuning.no_sack = off & 1;
		w->config.tuning.no_timestamps = off & 2;
		w->config.tuning.no_window_scaling = off & 4;
		w->config.ring_max = 262144;
		open_active(w);
		syn = expect(w, .seq = 0, .flags = S, .window = 65535);
		assert_int_equal(syn->options.sack_permitted, !(off & 1));
		assert_int_equal(syn->options.has_timestamp, !(off & 2));
		assert_int_equal(syn->options.has_window_shift, !(off & 4));
		assert_int_equal(syn->options.mss, MSS);
		send(w, .seq = 0, .ack = 1, .flags = S | A, /* the peer has them all the same */
			.options = {
				.mss = MSS, .sack_permitted = true, .has_timestamp = true, .has_window_shift = true });
		assert_state(w, TCP_ESTABLISHED);
		assert_int_equal(w->c.sack, !(off & 1));
		assert_int_equal(w->c.timestamps, !(off & 2));
		assert_int_equal(w->c.window_scaling, !(off & 4));
		assert_int_equal(w->c.rcv_shift, off & 4 ? 0 : 3);
		wire_free(w);
	}
}

static void options_that_are_off_are_not_taken(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	const struct tcp_segment *sent;
	struct wire *w;

	(void)state;
	tuning.no_sack = tuning.no_timestamps = tuning.no_window_scaling = true;
	w = tuned(tuning, MSS);
	assert_int_equal(w->c.snd_wnd, 65535);
	send(w, .seq = 1001, .ack = 1, .flags = A, .len = 10); /* a gap */
	sent = expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_int_equal(sent->options.sack_count, 0);
	assert_false(sent->options.has_timestamp);
	wire_free(w);
}

static void congestion_control_is_the_one_that_was_chosen(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	struct wire *w;

	(void)state;
	tuning.congestion = &tcp_newreno;
	tuning.no_sack = true;
	w = tuned(tuning, MSS);
	write_bytes(w, 1, 10 * (MSS - TCP_TIMESTAMP_BYTES));
	for (int i = 0; i < 3; i++)
		send(w, .seq = 1, .ack = 1, .flags = A, .options = { .has_timestamp = true, .timestamp = 100 });
	assert_int_equal(w->c.ssthresh, 5 * (MSS - TCP_TIMESTAMP_BYTES)); /* RFC 5681, 4; CUBIC takes 0.7 */
	wire_free(w);
}

/* Who tunes has it in the program. */
static void (*const keep_alive)(struct tcp_connection *c, uint64_t idle_ns, uint64_t interval_ns, unsigned probes)
	__attribute__((used)) = tcp_core_keep_alive;

static void keep_alive_of_a_connection_that_begins_counts_from_there(void **state)
{
	struct tcp_tuning tuning = tcp_defaults;
	struct wire *w;

	(void)state;
	tuning.keepalive_ns = SECOND(100);
	tuning.keepalive_interval_ns = SECOND(1);
	tuning.keepalive_probes = 2;
	w = tuned(tuning, MSS);
	advance(w, SECOND(100) - 1);
	expect_nothing(w);
	advance(w, SECOND(2));
	assert_int_equal(w->count, 2);
	advance(w, 1);
	assert_state(w, TCP_CLOSED);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(minimum_retransmission_time_is_a_second),
		cmocka_unit_test(acknowledgements_wait_as_long_as_they_are_told),
		cmocka_unit_test(acknowledgements_do_not_wait_at_all),
		cmocka_unit_test(initial_window_is_two_to_four_segments),
		cmocka_unit_test(time_wait_lasts_four_minutes),
		cmocka_unit_test(options_that_are_off_are_not_offered),
		cmocka_unit_test(options_that_are_off_are_not_taken),
		cmocka_unit_test(congestion_control_is_the_one_that_was_chosen),
		cmocka_unit_test(keep_alive_of_a_connection_that_begins_counts_from_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
