/* SPDX-License-Identifier: ISC
 *
 * Path MTU: what ICMP says (RFC 1191), black holes of which nobody says anything (RFC 4821), and time.
 */
#include <errno.h>

#include "tcp_wire.h"

static void smaller_path_mtu_sends_again_in_smaller_segments(void **state)
{
	struct wire *w = established();
	uint32_t cwnd = w->c.cwnd;

	(void)state;
	write_bytes(w, 1, 2 * MSS);
	wire_drop(w);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EMSGSIZE, 600, w->now);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = 600);
	expect(w, .seq = 601, .ack = 1, .flags = A, .len = 600);
	expect(w, .seq = 1201, .ack = 1, .flags = A, .len = 600);
	expect(w, .seq = 1801, .ack = 1, .flags = A | P, .len = 200);
	assert_int_equal(w->c.cwnd, cwnd); /* no congestion: RFC 1191, 6.5 */
	wire_free(w);
}

static void path_below_552_bytes_may_cut_packets(void **state)
{
	struct wire *w = established();
	const struct tcp_segment *sent;

	(void)state;
	write_bytes(w, 1, 2 * MSS);
	assert_false(expect(w, .seq = 1, .ack = 1, .flags = A, .len = MSS)->fragmentable);
	wire_drop(w);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EMSGSIZE, 28, w->now);
	sent = expect(w, .seq = 1, .ack = 1, .flags = A, .len = 512);
	assert_true(sent->fragmentable);
	wire_free(w);
}

static void only_what_is_in_flight_is_believed(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, 2 * MSS);
	wire_drop(w);
	tcp_core_undelivered(&w->c, OUR_ISS + 90000, -EMSGSIZE, 600, w->now);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EMSGSIZE, MSS + 1, w->now);
	assert_int_equal(w->c.mss, MSS);
	expect_nothing(w);
	wire_free(w);
}

static void path_is_tried_anew_after_ten_minutes(void **state)
{
	struct wire *w = established();

	(void)state;
	write_bytes(w, 1, MSS);
	wire_drop(w);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EMSGSIZE, 600, w->now);
	wire_drop(w);
	send(w, .seq = 1, .ack = 1 + MSS, .flags = A);
	advance(w, SECOND(599));
	write_bytes(w, 1 + MSS, 1200);
	expect(w, .seq = 1 + MSS, .ack = 1, .flags = A, .len = 600);
	wire_drop(w);
	send(w, .seq = 1, .ack = 1201 + MSS, .flags = A);
	advance(w, SECOND(1));
	write_bytes(w, 1201 + MSS, MSS);
	expect(w, .seq = 1201 + MSS, .ack = 1, .flags = A | P, .len = MSS);
	wire_free(w);
}

/* A path that carries segments of 1460 bytes, by the SYNs. */
static struct wire *ethernet(void)
{
	struct wire *w = wire_new();

	w->config.mss = 1460;
	open_passive(w, .options = { .mss = 1460 });
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	send(w, .seq = 1, .ack = 1, .flags = A);
	return w;
}

/* Time-outs, until something is sent that is smaller than len. How many. */
static int time_outs_until_smaller(struct wire *w, uint32_t len)
{
	for (int count = 1; count < 10; count++) {
		const struct tcp_segment *sent;
		wire_drop(w);
		while (w->count == 0)
			advance(w, MSEC(1));
		sent = &w->queue[w->first].segment;
		if (sent->len < len)
			return count;
	}
	return 10;
}

static void black_hole_is_left_in_two_steps(void **state)
{
	struct wire *w = ethernet();

	(void)state;
	write_bytes(w, 1, 3000);
	assert_int_equal(time_outs_until_smaller(w, 1460), 3);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = 1024);
	assert_int_equal(time_outs_until_smaller(w, 1024), 3);
	expect(w, .seq = 1, .ack = 1, .flags = A, .len = 536);
	assert_true(time_outs_until_smaller(w, 536) > 3);
	assert_int_equal(w->c.mss, 536);
	wire_free(w);
}

static void small_segments_that_are_lost_say_nothing_of_the_path(void **state)
{
	struct wire *w = ethernet();

	(void)state;
	write_bytes(w, 1, 500);
	assert_int_equal(time_outs_until_smaller(w, 500), 10);
	assert_int_equal(w->c.mss, 1460);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smaller_path_mtu_sends_again_in_smaller_segments),
		cmocka_unit_test(path_below_552_bytes_may_cut_packets),
		cmocka_unit_test(only_what_is_in_flight_is_believed),
		cmocka_unit_test(path_is_tried_anew_after_ten_minutes),
		cmocka_unit_test(black_hole_is_left_in_two_steps),
		cmocka_unit_test(small_segments_that_are_lost_say_nothing_of_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
