/* SPDX-License-Identifier: ISC
 *
 * RFC 9293, 3.10.7, as a table: what each of the eleven states answers to a segment of each combination of SYN, RST,
 * ACK and FIN, and where it goes; for an acknowledgement of all that was sent, of nothing new, and of what was never
 * sent, at the next sequence number; and for segments outside of the window. PSH and URG change nothing.
 *
 * A cell is the answer and the next state. Answers: - none, A an ACK of what has come, S a SYN,ACK, R a reset at
 * SEG.ACK without ACK, r a reset at 0 that acknowledges the segment. States: CL CLOSED, LI LISTEN, SS SYN-SENT, SR
 * SYN-RECEIVED, ES ESTABLISHED, F1 and F2 FIN-WAIT, CW CLOSE-WAIT, CG CLOSING, LA LAST-ACK, TW TIME-WAIT. A passive
 * open that goes back to LISTEN is a connection that is CLOSED here: its listener is another object.
 *
 * Departures from the letter, each by a later RFC or for a reason: resets end no TIME-WAIT (RFC 1337); SYN,FIN opens
 * nothing.
 */
#include <errno.h>

#include "tcp_wire.h"

enum { COLUMNS = 16, CELL = 4 };

struct row {
	enum tcp_state state;
	bool active; /* SYN-RECEIVED by a simultaneous open: MUST-11 */
	/*        .   F   S  SF    R  RF  RS RSF    A  AF  AS ASF   AR ARF ARS ARSF */
	const char *cells;
};

static const struct row acknowledging_all[] = {
	{ TCP_CLOSED, false, "rCL rCL rCL rCL -CL -CL -CL -CL RCL RCL RCL RCL -CL -CL -CL -CL" },
	{ TCP_LISTEN, false, "-LI -LI SSR -LI -LI -LI -LI -LI RLI RLI RLI RLI -LI -LI -LI -LI" },
	{ TCP_SYN_SENT, false, "-SS -SS SSR SSR -SS -SS -SS -SS -SS -SS AES ACW -CL -CL -CL -CL" },
	{ TCP_SYN_RECEIVED, false, "-SR -SR -CL -CL -CL -CL -CL -CL -ES ACW -CL -CL -CL -CL -CL -CL" },
	{ TCP_SYN_RECEIVED, true, "-SR -SR ASR ASR -CL -CL -CL -CL -ES ACW ASR ASR -CL -CL -CL -CL" },
	{ TCP_ESTABLISHED, false, "-ES -ES AES AES -CL -CL -CL -CL -ES ACW AES AES -CL -CL -CL -CL" },
	{ TCP_FIN_WAIT_1, false, "-F1 -F1 AF1 AF1 -CL -CL -CL -CL -F2 ATW AF1 AF1 -CL -CL -CL -CL" },
	{ TCP_FIN_WAIT_2, false, "-F2 -F2 AF2 AF2 -CL -CL -CL -CL -F2 ATW AF2 AF2 -CL -CL -CL -CL" },
	{ TCP_CLOSE_WAIT, false, "-CW -CW ACW ACW -CL -CL -CL -CL -CW -CW ACW ACW -CL -CL -CL -CL" },
	{ TCP_CLOSING, false, "-CG -CG ACG ACG -CL -CL -CL -CL -TW -TW ACG ACG -CL -CL -CL -CL" },
	{ TCP_LAST_ACK, false, "-LA -LA ALA ALA -CL -CL -CL -CL -CL -CL ALA ALA -CL -CL -CL -CL" },
	{ TCP_TIME_WAIT, false, "-TW -TW ATW ATW -TW -TW -TW -TW -TW -TW ATW ATW -TW -TW -TW -TW" },
};
static const struct row acknowledging_nothing_new[] = {
	{ TCP_CLOSED, false, "rCL rCL rCL rCL -CL -CL -CL -CL RCL RCL RCL RCL -CL -CL -CL -CL" },
	{ TCP_LISTEN, false, "-LI -LI SSR -LI -LI -LI -LI -LI RLI RLI RLI RLI -LI -LI -LI -LI" },
	{ TCP_SYN_SENT, false, "-SS -SS SSR SSR -SS -SS -SS -SS RSS RSS RSS RSS -SS -SS -SS -SS" },
	{ TCP_SYN_RECEIVED, false, "-SR -SR -CL -CL -CL -CL -CL -CL RSR RSR -CL -CL -CL -CL -CL -CL" },
	{ TCP_SYN_RECEIVED, true, "-SR -SR ASR ASR -CL -CL -CL -CL RSR RSR ASR ASR -CL -CL -CL -CL" },
	{ TCP_ESTABLISHED, false, "-ES -ES AES AES -CL -CL -CL -CL -ES ACW AES AES -CL -CL -CL -CL" },
	{ TCP_FIN_WAIT_1, false, "-F1 -F1 AF1 AF1 -CL -CL -CL -CL -F1 ACG AF1 AF1 -CL -CL -CL -CL" },
	{ TCP_FIN_WAIT_2, false, "-F2 -F2 AF2 AF2 -CL -CL -CL -CL -F2 ATW AF2 AF2 -CL -CL -CL -CL" },
	{ TCP_CLOSE_WAIT, false, "-CW -CW ACW ACW -CL -CL -CL -CL -CW -CW ACW ACW -CL -CL -CL -CL" },
	{ TCP_CLOSING, false, "-CG -CG ACG ACG -CL -CL -CL -CL -CG -CG ACG ACG -CL -CL -CL -CL" },
	{ TCP_LAST_ACK, false, "-LA -LA ALA ALA -CL -CL -CL -CL -LA -LA ALA ALA -CL -CL -CL -CL" },
	{ TCP_TIME_WAIT, false, "-TW -TW ATW ATW -TW -TW -TW -TW -TW -TW ATW ATW -TW -TW -TW -TW" },
};
static const struct row acknowledging_the_future[] = {
	{ TCP_CLOSED, false, "rCL rCL rCL rCL -CL -CL -CL -CL RCL RCL RCL RCL -CL -CL -CL -CL" },
	{ TCP_LISTEN, false, "-LI -LI SSR -LI -LI -LI -LI -LI RLI RLI RLI RLI -LI -LI -LI -LI" },
	{ TCP_SYN_SENT, false, "-SS -SS SSR SSR -SS -SS -SS -SS RSS RSS RSS RSS -SS -SS -SS -SS" },
	{ TCP_SYN_RECEIVED, false, "-SR -SR -CL -CL -CL -CL -CL -CL RSR RSR -CL -CL -CL -CL -CL -CL" },
	{ TCP_SYN_RECEIVED, true, "-SR -SR ASR ASR -CL -CL -CL -CL RSR RSR ASR ASR -CL -CL -CL -CL" },
	{ TCP_ESTABLISHED, false, "-ES -ES AES AES -CL -CL -CL -CL AES AES AES AES -CL -CL -CL -CL" },
	{ TCP_FIN_WAIT_1, false, "-F1 -F1 AF1 AF1 -CL -CL -CL -CL AF1 AF1 AF1 AF1 -CL -CL -CL -CL" },
	{ TCP_FIN_WAIT_2, false, "-F2 -F2 AF2 AF2 -CL -CL -CL -CL AF2 AF2 AF2 AF2 -CL -CL -CL -CL" },
	{ TCP_CLOSE_WAIT, false, "-CW -CW ACW ACW -CL -CL -CL -CL ACW ACW ACW ACW -CL -CL -CL -CL" },
	{ TCP_CLOSING, false, "-CG -CG ACG ACG -CL -CL -CL -CL ACG ACG ACG ACG -CL -CL -CL -CL" },
	{ TCP_LAST_ACK, false, "-LA -LA ALA ALA -CL -CL -CL -CL ALA ALA ALA ALA -CL -CL -CL -CL" },
	{ TCP_TIME_WAIT, false, "-TW -TW ATW ATW -TW -TW -TW -TW ATW ATW ATW ATW -TW -TW -TW -TW" },
};
static const struct row out_of_window[] = {
	{ TCP_SYN_RECEIVED, false, "ASR ASR ASR ASR -SR -SR -SR -SR ASR ASR ASR ASR -SR -SR -SR -SR" },
	{ TCP_SYN_RECEIVED, true, "ASR ASR ASR ASR -SR -SR -SR -SR ASR ASR ASR ASR -SR -SR -SR -SR" },
	{ TCP_ESTABLISHED, false, "AES AES AES AES -ES -ES -ES -ES AES AES AES AES -ES -ES -ES -ES" },
	{ TCP_FIN_WAIT_1, false, "AF1 AF1 AF1 AF1 -F1 -F1 -F1 -F1 AF1 AF1 AF1 AF1 -F1 -F1 -F1 -F1" },
	{ TCP_FIN_WAIT_2, false, "AF2 AF2 AF2 AF2 -F2 -F2 -F2 -F2 AF2 AF2 AF2 AF2 -F2 -F2 -F2 -F2" },
	{ TCP_CLOSE_WAIT, false, "ACW ACW ACW ACW -CW -CW -CW -CW ACW ACW ACW ACW -CW -CW -CW -CW" },
	{ TCP_CLOSING, false, "ACG ACG ACG ACG -CG -CG -CG -CG ACG ACG ACG ACG -CG -CG -CG -CG" },
	{ TCP_LAST_ACK, false, "ALA ALA ALA ALA -LA -LA -LA -LA ALA ALA ALA ALA -LA -LA -LA -LA" },
	{ TCP_TIME_WAIT, false, "ATW ATW ATW ATW -TW -TW -TW -TW ATW ATW ATW ATW -TW -TW -TW -TW" },
};

static const char names[TCP_STATES][3] = { "CL", "LI", "SS", "SR", "ES", "F1", "F2", "CW", "CG", "LA", "TW" };

static unsigned flags_of(unsigned column)
{
	return (column & 1 ? F : 0) | (column & 2 ? S : 0) | (column & 4 ? R : 0) | (column & 8 ? A : 0);
}

/* Brings a connection into a state by the shortest way. */
static struct wire *in_state(const struct row *row)
{
	enum tcp_state wanted = row->state;
	struct wire *w = wanted <= TCP_SYN_RECEIVED ? wire_new() : established();

	if (wanted == TCP_SYN_SENT || row->active)
		open_active(w);
	else if (wanted == TCP_SYN_RECEIVED)
		open_passive(w, .options = { .mss = MSS });
	if (row->active)
		send(w, .seq = 0, .flags = S);
	if (wanted == TCP_CLOSE_WAIT || wanted == TCP_LAST_ACK)
		send(w, .seq = 1, .ack = 1, .flags = A | F);
	if (wanted == TCP_FIN_WAIT_1 || wanted == TCP_FIN_WAIT_2 || wanted == TCP_CLOSING || wanted == TCP_LAST_ACK ||
		wanted == TCP_TIME_WAIT)
		finish(w);
	if (wanted == TCP_CLOSING)
		send(w, .seq = 1, .ack = 1, .flags = A | F);
	if (wanted == TCP_FIN_WAIT_2 || wanted == TCP_TIME_WAIT)
		send(w, .seq = 1, .ack = 2, .flags = A);
	if (wanted == TCP_TIME_WAIT)
		send(w, .seq = 1, .ack = 2, .flags = A | F);
	if (wanted != TCP_LISTEN)
		assert_state(w, wanted);
	wire_drop(w);
	return w;
}

/* CLOSED and LISTEN have no connection: what answers for them, and for LISTEN the connection that begins. */
static enum tcp_state without_connection(struct wire *w, enum tcp_state from, const struct tcp_segment *segment)
{
	enum tcp_verdict verdict = from == TCP_LISTEN ? tcp_listen_verdict(segment) : TCP_REFUSE;
	struct tcp_segment reset;

	if (verdict == TCP_REFUSE && tcp_segment_refuse(segment, &reset))
		wire_take(&w->sink, &reset);
	if (verdict != TCP_ACCEPT)
		return from;
	tcp_core_accept(&w->c, &w->config, segment, w->now);
	tcp_core_output(&w->c, w->now);
	return w->c.state;
}

static char answer_of(const struct wire *w, const struct tcp_segment *segment)
{
	const struct tcp_segment *sent = &w->queue[w->first].segment;

	if (w->count == 0)
		return '-';
	if (w->count > 1)
		return '?';
	if (sent->flags == R && sent->seq == segment->ack)
		return 'R';
	if (sent->flags == (R | A) && sent->seq == 0 && sent->ack == segment->seq + tcp_segment_space(segment))
		return 'r';
	if (sent->flags == (S | A) && sent->seq == OUR_ISS && sent->ack == segment->seq + 1)
		return 'S';
	return sent->flags == A && sent->seq == w->c.snd_nxt && sent->ack == w->c.rcv_nxt ? 'A' : '?';
}

/* One cell, for a segment so far from RCV.NXT and with an acknowledgement so far from SND.UNA or SND.NXT. */
static void check_cell(const struct row *row, unsigned column, unsigned more, uint32_t ahead, bool all, uint32_t beyond)
{
	struct wire *w = in_state(row);
	uint32_t seq = (row->state <= TCP_SYN_SENT ? THEIR_ISS : w->c.rcv_nxt) + ahead;
	uint32_t ack = (row->state <= TCP_LISTEN ? OUR_ISS : all ? w->c.snd_nxt : w->c.snd_una) + beyond;
	unsigned flags = flags_of(column) | more;
	struct tcp_segment segment = {
		.seq = seq, .ack = flags & A ? ack : 0, .flags = (uint8_t)flags, .window = 65535
	};
	const char *cell = row->cells + column * CELL;
	enum tcp_state after = TCP_CLOSED;
	char answer;

	if (row->state <= TCP_LISTEN) {
		after = without_connection(w, row->state, &segment);
		answer = answer_of(w, &segment);
	} else {
		struct tcp_segment trimmed = segment;
		tcp_core_input(&w->c, &trimmed, w->now);
		tcp_core_output(&w->c, w->now);
		after = w->c.state;
		answer = answer_of(w, &segment);
	}
	if (answer != cell[0] || memcmp(names[after], cell + 1, 2) != 0) {
		char text[9];
		print_error("%s%s, %s, %u ahead, ack %u: %c%s, not %.3s\n", tcp_state_names[row->state],
			row->active ? " (active)" : "", flag_names(flags, text), ahead, segment.ack - OUR_ISS, answer,
			names[after], cell);
		fail();
	}
	wire_free(w);
}

static void check_table(
	const struct row *table, size_t rows, const uint32_t *ahead, size_t count, bool all, uint32_t beyond)
{
	static const unsigned more[] = { 0, P, U, P | U };

	for (size_t row = 0; row < rows; row++) {
		assert_int_equal(strlen(table[row].cells), COLUMNS * CELL - 1);
		for (unsigned column = 0; column < COLUMNS; column++) {
			for (size_t i = 0; i < count; i++) {
				for (size_t k = 0; k < 4; k++)
					check_cell(&table[row], column, more[k], ahead[i], all, beyond);
			}
		}
	}
}
#define ROWS(table) (table), sizeof(table) / sizeof(table)[0]

static const uint32_t next[] = { 0 };

static void every_state_takes_a_segment_that_acknowledges_all(void **state)
{
	(void)state;
	check_table(ROWS(acknowledging_all), next, 1, true, 0);
}

static void every_state_takes_a_segment_that_acknowledges_nothing_new(void **state)
{
	(void)state;
	check_table(ROWS(acknowledging_nothing_new), next, 1, false, 0);
}

static void every_state_takes_a_segment_that_acknowledges_what_was_never_sent(void **state)
{
	(void)state;
	check_table(ROWS(acknowledging_the_future), next, 1, true, 1);
	check_table(ROWS(acknowledging_the_future), next, 1, true, 0x7fffff00u);
}

static void no_state_is_changed_from_outside_of_the_window(void **state)
{
	static const uint32_t far[] = { 70000, 0x40000000u, 0x7ffffff0u, 0x80001000u, 0xffff0000u, 0u - 100 };

	(void)state;
	check_table(ROWS(out_of_window), far, sizeof far / sizeof far[0], true, 0);
	check_table(ROWS(out_of_window), far, sizeof far / sizeof far[0], false, 0);
	check_table(ROWS(out_of_window), far, sizeof far / sizeof far[0], true, 1);
}

/* RFC 9293, 3.10.7.4, "first": in the window, but not the next. */
static void every_state_challenges_a_reset_elsewhere_in_the_window(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof out_of_window / sizeof out_of_window[0]; row++) {
		struct wire *w = in_state(&out_of_window[row]);
		enum tcp_state before = w->c.state;
		struct tcp_segment reset = { .seq = w->c.rcv_nxt + 1, .flags = R };
		tcp_core_input(&w->c, &reset, w->now);
		tcp_core_output(&w->c, w->now);
		assert_state(w, before);
		assert_int_equal(answer_of(w, &reset), before == TCP_TIME_WAIT ? '-' : 'A');
		wire_free(w);
	}
}

/* A FIN that the peer sends again, since our ACK of it was lost. */
static void every_state_acknowledges_a_known_fin_again(void **state)
{
	static const enum tcp_state states[] = { TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK, TCP_TIME_WAIT };

	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct wire *w = in_state(&(struct row){ .state = states[i] });
		struct tcp_segment fin = {
			.seq = w->c.rcv_nxt - 1, .ack = w->c.snd_una, .flags = A | F, .window = 65535
		};
		tcp_core_input(&w->c, &fin, w->now);
		tcp_core_output(&w->c, w->now);
		assert_state(w, states[i]);
		expect(w, .seq = w->c.snd_nxt - OUR_ISS, .ack = 2, .flags = A);
		expect_nothing(w);
		wire_free(w);
	}
}

/* A FIN that comes before the bytes in front of it is acknowledged at once, as all that is out of order is. */
static void fin_out_of_order_gets_a_duplicate_ack(void **state)
{
	struct wire *w = established();

	(void)state;
	send(w, .seq = 11, .ack = 1, .flags = A | F);
	expect(w, .seq = 1, .ack = 1, .flags = A);
	assert_state(w, TCP_ESTABLISHED);
	wire_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_takes_a_segment_that_acknowledges_all),
		cmocka_unit_test(every_state_takes_a_segment_that_acknowledges_nothing_new),
		cmocka_unit_test(every_state_takes_a_segment_that_acknowledges_what_was_never_sent),
		cmocka_unit_test(no_state_is_changed_from_outside_of_the_window),
		cmocka_unit_test(every_state_challenges_a_reset_elsewhere_in_the_window),
		cmocka_unit_test(every_state_acknowledges_a_known_fin_again),
		cmocka_unit_test(fin_out_of_order_gets_a_duplicate_ack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
