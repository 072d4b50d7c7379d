/* SPDX-License-Identifier: ISC
 *
 * Fast Open (RFC 7413) in the machine: cookies, and text with the SYN, from both ends.
 */
#include <errno.h>

#include "tcp_wire.h"

static const struct tcp_fast_cookie cookie = { .present = true, .len = 8, .bytes = "\1\2\3\4\5\6\7\10" }, none;

static void write_early(struct wire *w, uint32_t seq, size_t len)
{
	uint8_t bytes[WIRE_PAYLOAD];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = pattern(seq + i);
	assert_int_equal(tcp_core_write(&w->c, bytes, len), len);
}

static struct wire *connecting(const struct tcp_fast_cookie *known, size_t len)
{
	struct wire *w = wire_new();

	tcp_core_connect(&w->c, &w->config, w->now);
	tcp_core_connect_fast(&w->c, known, MSS);
	if (len > 0)
		write_early(w, 1, len);
	tcp_core_output(&w->c, w->now);
	return w;
}

static void first_connection_asks_for_a_cookie_and_learns_it(void **state)
{
	struct wire *w = connecting(&none, 0);
	const struct tcp_segment *syn = expect(w, .seq = 0, .flags = S);

	(void)state;
	assert_true(syn->options.fast_open.present && syn->options.fast_open.len == 0);
	assert_int_equal(tcp_core_write(&w->c, "x", 1), -EPIPE); /* nothing goes with this SYN */
	send(w, .seq = 0, .ack = 1, .flags = S | A, .options = { .mss = MSS, .fast_open = cookie });
	assert_state(w, TCP_ESTABLISHED);
	assert_int_equal(w->c.fast_open.len, 8);
	assert_memory_equal(w->c.fast_open.bytes, cookie.bytes, 8);
	wire_free(w);
}

static void text_with_the_syn_is_acknowledged_with_it(void **state)
{
	struct wire *w = connecting(&cookie, 100);
	const struct tcp_segment *syn = expect(w, .seq = 0, .flags = S, .data = NULL, .len = 100);

	(void)state;
	assert_true(syn->options.fast_open.len == 8 && memcmp(syn->options.fast_open.bytes, cookie.bytes, 8) == 0);
	send(w, .seq = 0, .ack = 101, .flags = S | A, .options = { .mss = MSS });
	assert_state(w, TCP_ESTABLISHED);
	expect(w, .seq = 101, .ack = 1, .flags = A);
	assert_int_equal(w->c.tx.len, 0);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	write_bytes(w, 101, 10);
	expect(w, .seq = 101, .ack = 1, .flags = A | P, .len = 10);
	wire_free(w);
}

static void text_that_was_not_taken_goes_again_at_once_and_is_no_congestion(void **state)
{
	struct wire *w = connecting(&cookie, 100);
	uint32_t cwnd;

	(void)state;
	expect(w, .seq = 0, .flags = S, .len = 100);
	send(w, .seq = 0, .ack = 1, .flags = S | A, .options = { .mss = MSS, .sack_permitted = true });
	cwnd = w->c.cwnd;
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 100);
	assert_int_equal(cwnd, 10 * MSS);
	assert_int_equal(w->c.loss, TCP_LOSS_NONE);
	send(w, .seq = 1, .ack = 101, .flags = A);
	assert_int_equal(w->c.tx.len, 0);
	assert_int_equal(tcp_core_deadline(&w->c), FOREVER);
	wire_free(w);
}

static void text_of_which_a_part_was_taken_goes_on_from_there(void **state)
{
	struct wire *w = connecting(&cookie, 100);

	(void)state;
	expect(w, .seq = 0, .flags = S, .len = 100);
	send(w, .seq = 0, .ack = 61, .flags = S | A, .options = { .mss = MSS });
	expect(w, .seq = 61, .ack = 1, .flags = A | P, .len = 40);
	wire_free(w);
}

static void more_than_a_syn_holds_follows_the_handshake(void **state)
{
	struct wire *w = connecting(&cookie, 3000);

	(void)state;
	/* RFC 7413, 4.1.3: no more than the peer's MSS, options taken off. */
	expect(w, .seq = 0, .flags = S, .len = MSS - 40);
	send(w, .seq = 0, .ack = 1 + MSS - 40, .flags = S | A, .options = { .mss = MSS });
	expect(w, .seq = 1 + MSS - 40, .ack = 1, .flags = A, .len = MSS);
	expect(w, .seq = 1 + 2 * MSS - 40, .ack = 1, .flags = A, .len = MSS);
	wire_free(w);
}

static void lost_syn_goes_again_without_cookie_and_text(void **state)
{
	struct wire *w = connecting(&cookie, 100);

	(void)state;
	expect(w, .seq = 0, .flags = S, .len = 100);
	advance(w, SECOND(1));
	assert_false(expect(w, .seq = 0, .flags = S)->options.fast_open.present);
	send(w, .seq = 0, .ack = 1, .flags = S | A, .options = { .mss = MSS });
	expect(w, .seq = 1, .ack = 1, .flags = A | P, .len = 100);
	assert_true(w->c.syn_resent);
	send(w, .seq = 1, .ack = 101, .flags = A);
	assert_int_equal(w->c.tx.len, 0);
	wire_free(w);
}

static void refused_connection_gives_its_text_up(void **state)
{
	struct wire *w = connecting(&cookie, 100);

	(void)state;
	send(w, .seq = 0, .ack = 101, .flags = R | A);
	assert_state(w, TCP_CLOSED);
	assert_int_equal(w->c.error, -ECONNREFUSED);
	wire_free(w);
}

/* A SYN of this much text comes, and its cookie is good or not. */
static struct wire *accepting(uint32_t len, const struct tcp_fast_cookie *granted, bool good)
{
	struct wire *w = wire_new();
	struct shape shape = { .flags = S, .len = len, .options = { .mss = MSS, .fast_open = cookie } };
	uint8_t payload[WIRE_PAYLOAD];
	struct tcp_segment syn = wire_shape(w, &shape, payload);

	tcp_core_accept(&w->c, &w->config, &syn, w->now);
	assert_int_equal(tcp_core_accept_fast(&w->c, &syn, granted, good), good && len > 0);
	tcp_core_output(&w->c, w->now);
	return w;
}

static void cookie_is_granted_with_the_syn_ack(void **state)
{
	struct wire *w = accepting(100, &cookie, false);
	const struct tcp_segment *sent = expect(w, .seq = 0, .ack = 1, .flags = S | A); /* the SYN alone */

	(void)state;
	assert_memory_equal(&sent->options.fast_open, &cookie, sizeof cookie);
	assert_false(tcp_core_readable(&w->c));
	assert_int_equal(tcp_core_write(&w->c, "x", 1), -EPIPE);
	send(w, .seq = 1, .ack = 1, .flags = A, .len = 100);
	assert_state(w, TCP_ESTABLISHED);
	read_bytes(w, 1, 100);
	wire_free(w);
}

static void request_with_the_syn_is_answered_before_the_handshake_is_over(void **state)
{
	struct wire *w = accepting(100, NULL, true);

	(void)state;
	assert_false(expect(w, .seq = 0, .ack = 101, .flags = S | A)->options.fast_open.present);
	assert_state(w, TCP_SYN_RECEIVED);
	read_bytes(w, 1, 100);
	write_bytes(w, 1, MSS + 10);
	expect(w, .seq = 1, .ack = 101, .flags = A, .len = MSS);
	finish(w);
	expect(w, .seq = 1 + MSS, .ack = 101, .flags = A | P | F, .len = 10);
	assert_state(w, TCP_SYN_RECEIVED);
	send(w, .seq = 101, .ack = 1 + MSS + 11, .flags = A); /* of the SYN,ACK and all else */
	assert_state(w, TCP_FIN_WAIT_2);
	send(w, .seq = 101, .ack = 1 + MSS + 11, .flags = A | F);
	assert_state(w, TCP_TIME_WAIT);
	wire_free(w);
}

static void answer_that_is_lost_is_sent_again_after_the_handshake(void **state)
{
	struct wire *w = accepting(10, NULL, true);

	(void)state;
	wire_drop(w);
	write_bytes(w, 1, 50);
	expect(w, .seq = 1, .ack = 11, .flags = A | P, .len = 50);
	send(w, .seq = 11, .ack = 1, .flags = A); /* of the SYN,ACK alone */
	assert_state(w, TCP_ESTABLISHED);
	expect_nothing(w);
	advance(w, w->c.rto_ns);
	expect(w, .seq = 1, .ack = 11, .flags = A | P, .len = 50);
	send(w, .seq = 11, .ack = 51, .flags = A);
	assert_int_equal(w->c.tx.len, 0);
	wire_free(w);
}

static void syn_ack_that_is_lost_goes_again_and_acknowledges_the_text(void **state)
{
	struct wire *w = accepting(10, NULL, true);

	(void)state;
	expect(w, .seq = 0, .ack = 11, .flags = S | A);
	write_bytes(w, 1, 50);
	wire_drop(w);
	send(w, .seq = 0, .flags = S, .options = { .mss = MSS }); /* the peer's SYN, again, without text */
	expect(w, .seq = 0, .ack = 11, .flags = S | A);
	send(w, .seq = 11, .ack = 51, .flags = A);
	assert_state(w, TCP_ESTABLISHED);
	assert_int_equal(w->c.tx.len, 0);
	wire_free(w);
}

static void closing_early_delivers_what_was_written(void **state)
{
	struct wire *w = accepting(10, NULL, true);

	(void)state;
	wire_drop(w);
	read_bytes(w, 1, 10);
	write_bytes(w, 1, 50);
	wire_drop(w);
	close_it(w);
	expect(w, .seq = 51, .ack = 11, .flags = A | F);
	send(w, .seq = 11, .ack = 52, .flags = A | F);
	assert_state(w, TCP_TIME_WAIT);
	wire_free(w);

	w = accepting(10, NULL, true); /* but with unread text it resets: SHLD-3 */
	wire_drop(w);
	close_it(w);
	expect(w, .seq = 1, .flags = R);
	wire_free(w);
}

static void text_without_memory_is_not_acknowledged(void **state)
{
	struct wire *w = wire_new();
	struct shape shape = { .flags = S, .len = 100, .options = { .mss = MSS, .fast_open = cookie } };
	uint8_t payload[WIRE_PAYLOAD];
	struct tcp_segment syn = wire_shape(w, &shape, payload);

	(void)state;
	w->pool.limit_bytes = 0;
	tcp_core_accept(&w->c, &w->config, &syn, w->now);
	assert_false(tcp_core_accept_fast(&w->c, &syn, NULL, true));
	tcp_core_output(&w->c, w->now);
	expect(w, .seq = 0, .ack = 1, .flags = S | A);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_connection_asks_for_a_cookie_and_learns_it),
		cmocka_unit_test(text_with_the_syn_is_acknowledged_with_it),
		cmocka_unit_test(text_that_was_not_taken_goes_again_at_once_and_is_no_congestion),
		cmocka_unit_test(text_of_which_a_part_was_taken_goes_on_from_there),
		cmocka_unit_test(more_than_a_syn_holds_follows_the_handshake),
		cmocka_unit_test(lost_syn_goes_again_without_cookie_and_text),
		cmocka_unit_test(refused_connection_gives_its_text_up),
		cmocka_unit_test(cookie_is_granted_with_the_syn_ack),
		cmocka_unit_test(request_with_the_syn_is_answered_before_the_handshake_is_over),
		cmocka_unit_test(answer_that_is_lost_is_sent_again_after_the_handshake),
		cmocka_unit_test(syn_ack_that_is_lost_goes_again_and_acknowledges_the_text),
		cmocka_unit_test(closing_early_delivers_what_was_written),
		cmocka_unit_test(text_without_memory_is_not_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
