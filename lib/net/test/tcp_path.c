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

/* RFC 6864, 4.3: each needs an identification of its own, and a link that cuts would repeat one */
static void what_the_path_may_cut_is_not_left_to_the_link_to_cut(void **state)
{
	struct wire *w = established();

	(void)state;
	w->c.config.burst_bytes = 4500;
	write_bytes(w, 1, 1024);
	wire_drop(w);
	tcp_core_undelivered(&w->c, OUR_ISS + 1, -EMSGSIZE, 28, w->now);
	wire_drop(w);
	send(w, .seq = 1, .ack = 1025, .flags = A);
	write_bytes(w, 1025, 1024);
	expect(w, .seq = 1025, .ack = 1, .flags = A, .len = 512);
	expect(w, .seq = 1537, .ack = 1, .flags = A | P, .len = 512);
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

/* A path that drops what is larger than it carries, and says nothing, to a peer that has SACK and answers after 10 ms.
 * Each segment carries the pattern, so all is checked on the way. */
enum { STREAM = 1 << 20 };
struct path {
	struct wire *w;
	uint32_t carries;       /* payload, the options taken off */
	uint32_t next, written; /* relative sequence numbers: what the peer has in order; what we wrote */
	bool arrived[STREAM];
	unsigned swallowed, biggest; /* segments that were too large; the largest payload that arrived */
};

static void path_take(struct path *path)
{
	struct wire *w = path->w;

	for (; w->count > 0; w->count--, w->first = (w->first + 1) % WIRE_QUEUE) {
		const struct wire_segment *sent = &w->queue[w->first];
		uint32_t seq = sent->segment.seq - OUR_ISS, len = sent->segment.len;
		if (len > path->carries)
			path->swallowed++;
		for (uint32_t i = 0; len <= path->carries && i < len; i++) {
			assert_int_equal(sent->payload[i], pattern(seq + i));
			path->arrived[seq + i] = true;
		}
		if (len <= path->carries && len > path->biggest)
			path->biggest = len;
		free(sent->payload);
	}
	while (path->arrived[path->next])
		path->next++;
}

/* The peer's acknowledgement, with the first block that it has beyond a gap. */
static void path_answer(struct path *path)
{
	struct tcp_options options = { 0 };
	uint32_t begin = path->next, end;

	while (begin < path->written && !path->arrived[begin])
		begin++;
	for (end = begin; end < path->written && path->arrived[end];)
		end++;
	if (end > begin && path->w->c.sack)
		options = (struct tcp_options){ .sack_count = 1, .sack = { { OUR_ISS + begin, OUR_ISS + end } } };
	send(path->w, .seq = 1, .ack = path->next, .flags = A, .options = options);
}

static void path_round_trip(struct path *path)
{
	struct wire *w = path->w;
	uint8_t bytes[8192];
	ssize_t taken;

	for (uint32_t i = 0; i < sizeof bytes; i++)
		bytes[i] = pattern(path->written + i);
	taken = path->written + sizeof bytes < STREAM ? tcp_core_write(&w->c, bytes, sizeof bytes) : 0;
	assert_true(taken >= 0);
	path->written += (uint32_t)taken;
	tcp_core_output(&w->c, w->now);
	path_take(path);
	advance(w, MSEC(10));
	if (w->count > 0)
		path_take(path);
	path_answer(path);
}

static struct path *path_with(uint32_t carries, bool sack)
{
	struct path *path = calloc(1, sizeof *path);

	path->w = wire_new();
	path->w->config.mss = 1460;
	open_passive(path->w, .options = { .mss = 1460, .sack_permitted = sack });
	advance(path->w, MSEC(10));
	send(path->w, .seq = 1, .ack = 1, .flags = A);
	wire_drop(path->w);
	path->carries = carries;
	path->next = path->written = 1;
	return path;
}

static struct path *path_of(uint32_t carries)
{
	return path_with(carries, true);
}

static void path_free(struct path *path)
{
	wire_free(path->w);
	free(path);
}

static void stream_bytes(struct path *path, uint32_t bytes)
{
	uint32_t end = path->next + bytes;

	for (int i = 0; path->next < end; i++) {
		assert_true(i < 10000);
		path_round_trip(path);
	}
}

/* Until all that was written has arrived; then nothing is said for that long. */
static void path_rest(struct path *path, uint64_t ns)
{
	for (int i = 0; path->w->c.snd_una - OUR_ISS < path->written; i++) {
		assert_true(i < 10000);
		path_take(path);
		advance(path->w, MSEC(10));
		path_take(path);
		path_answer(path);
	}
	advance(path->w, ns);
}

static void search_after_a_black_hole_ends_within_bytes_of_the_path(void **state)
{
	static const uint32_t carries[] = { 1260, 1024, 1025, 1031, 1032, 1459, 1452, 1400, 1023, 900, 537, 536 };

	(void)state;
	for (size_t i = 0; i < sizeof carries / sizeof carries[0]; i++) {
		struct path *path = path_of(carries[i]);
		uint32_t cwnd, ssthresh;
		stream_bytes(path, 30000); /* three or six time-outs */
		cwnd = path->w->c.cwnd;
		ssthresh = path->w->c.ssthresh;
		path->swallowed = 0;
		stream_bytes(path, 300000);
		assert_in_range(path->w->c.mss, carries[i] - 8, carries[i]);
		assert_true(path->biggest <= carries[i]);
		assert_in_range(path->swallowed, 0, 9); /* log2(1459 - 1024) */
		/* RFC 4821, 7.6.2: the loss of a probe is no congestion. */
		assert_int_equal(path->w->c.ssthresh, ssthresh);
		assert_true(path->w->c.cwnd >= cwnd);
		path_free(path);
	}
}

static void path_that_carries_more_is_found_after_ten_minutes(void **state)
{
	struct path *path = path_of(1260);

	(void)state;
	stream_bytes(path, 300000);
	assert_in_range(path->w->c.mss, 1252, 1260);
	path->carries = 1460;
	stream_bytes(path, 100000);
	assert_in_range(path->w->c.mss, 1252, 1260);
	path_rest(path, SECOND(600));
	stream_bytes(path, 50000);
	assert_int_equal(path->w->c.mss, 1460); /* the largest is tried first */
	path_free(path);
}

static void path_that_carries_less_is_found_and_searched_again(void **state)
{
	struct path *path = path_of(1260);

	(void)state;
	stream_bytes(path, 200000);
	path->carries = 700;
	stream_bytes(path, 200000);
	assert_in_range(path->w->c.mss, 692, 700);
	path_free(path);
}

static void path_that_is_still_small_is_probed_again_at_little_cost(void **state)
{
	struct path *path = path_of(1260);
	uint32_t mss;

	(void)state;
	stream_bytes(path, 200000);
	mss = path->w->c.mss;
	path->swallowed = 0;
	path_rest(path, SECOND(600));
	stream_bytes(path, 200000);
	assert_in_range(path->w->c.mss, mss, 1260);
	assert_in_range(path->swallowed, 1, 9);
	path_free(path);
}

/* Up to where the search waits: 1024 arrive, more may. */
static struct path *searching(void)
{
	struct path *path = path_of(1024);

	stream_bytes(path, 15000);
	assert_int_equal(path->w->c.path_mss, 1024);
	while (path->w->c.path_probe.begin == path->w->c.path_probe.end)
		path_round_trip(path);
	path->carries = 0;
	return path;
}

static void probe_among_other_losses_says_nothing(void **state)
{
	struct path *path = searching();
	struct tcp_connection *c = &path->w->c;
	uint32_t high = c->path_high, probe = c->path_probe.begin - OUR_ISS, end = c->path_probe.end - OUR_ISS;

	(void)state;
	wire_drop(path->w);
	/* All that was in flight is lost with it, but for its end. */
	send(path->w, .seq = 1, .ack = path->next, .flags = A,
		.options = { .sack_count = 1, .sack = { { c->snd_nxt - 1, c->snd_nxt } } });
	advance(path->w, MSEC(10));
	assert_int_equal(c->loss, TCP_LOSS_RECOVERY); /* RFC 4821, 7.6.4 */
	assert_int_equal(c->path_high, high);
	assert_true(c->path_probe.begin == c->path_probe.end);
	assert_true(end - probe > 1024);
	path_free(path);
}

static void one_probe_at_a_time_and_only_with_enough_behind_it(void **state)
{
	struct path *path = path_of(1024);
	struct wire *w = path->w;

	(void)state;
	stream_bytes(path, 5000);
	for (int i = 0; i < 1000; i++) {
		unsigned large = 0;
		tcp_core_output(&w->c, w->now);
		for (size_t k = 0; k < w->count; k++)
			large += w->queue[(w->first + k) % WIRE_QUEUE].segment.len > 1024;
		assert_true(large <= 1);
		path_round_trip(path);
	}
	path_free(path);

	path = path_of(1024);
	stream_bytes(path, 5000);
	path_rest(path, 0);
	for (int i = 0; i < 20; i++) { /* a little now and then: nothing would follow a probe */
		write_bytes(path->w, path->written, 2000);
		path->written += 2000;
		path_take(path);
		assert_true(path->w->c.path_probe.begin == path->w->c.path_probe.end);
		path_answer(path);
	}
	path_free(path);
}

static void router_that_finds_the_probe_too_big_says_how_large_it_may_be(void **state)
{
	struct path *path = searching();
	struct tcp_connection *c = &path->w->c;

	(void)state;
	path->carries = 1100;
	tcp_core_undelivered(c, c->path_probe.begin, -EMSGSIZE, 1100, path->w->now);
	stream_bytes(path, 100000);
	assert_int_equal(c->mss, 1100); /* exactly */
	path_free(path);
}

static void without_sack_nothing_is_searched(void **state)
{
	struct path *path = path_with(1260, false);

	(void)state;
	stream_bytes(path, 100000);
	assert_int_equal(path->w->c.mss, 1024);
	path->carries = 1460;
	path_rest(path, SECOND(600));
	path_round_trip(path);
	assert_int_equal(path->w->c.mss, 1460); /* it is believed when the time is over */
	path_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smaller_path_mtu_sends_again_in_smaller_segments),
		cmocka_unit_test(path_below_552_bytes_may_cut_packets),
		cmocka_unit_test(what_the_path_may_cut_is_not_left_to_the_link_to_cut),
		cmocka_unit_test(only_what_is_in_flight_is_believed),
		cmocka_unit_test(path_is_tried_anew_after_ten_minutes),
		cmocka_unit_test(black_hole_is_left_in_two_steps),
		cmocka_unit_test(small_segments_that_are_lost_say_nothing_of_the_path),
		cmocka_unit_test(search_after_a_black_hole_ends_within_bytes_of_the_path),
		cmocka_unit_test(path_that_carries_more_is_found_after_ten_minutes),
		cmocka_unit_test(path_that_carries_less_is_found_and_searched_again),
		cmocka_unit_test(path_that_is_still_small_is_probed_again_at_little_cost),
		cmocka_unit_test(probe_among_other_losses_says_nothing),
		cmocka_unit_test(one_probe_at_a_time_and_only_with_enough_behind_it),
		cmocka_unit_test(router_that_finds_the_probe_too_big_says_how_large_it_may_be),
		cmocka_unit_test(without_sack_nothing_is_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
