/* SPDX-License-Identifier: ISC
 *
 * The part of the stream that lies in the user's memory: loans, and between them runs of the ring. Each loan knows
 * where in the stream it begins; what no loan covers, from tx_begin on, lies in the ring, in order and without gaps.
 */
#include <errno.h>

#include <skerry/log.h>

#include "tcp_core.h"
#include "tcp_sequence.h"

enum { LENT_MAX = 1 << 30 }; /* of a connection: half of what sequence numbers can tell apart */

static uint32_t end_of(const struct tcp_loan *loan)
{
	return loan->begin + (uint32_t)loan->len;
}

int tcp_core_lend(struct tcp_connection *c, struct tcp_loan *loan)
{
	struct tcp_loan **last = &c->lent;
	int err = tcp_may_write(c);

	must(loan->len <= TCP_LOAN_MAX);
	if (err < 0)
		return err;
	if (c->lent_bytes > LENT_MAX - (uint32_t)loan->len)
		return -EAGAIN;
	while (*last)
		last = &(*last)->next;
	*last = loan;
	loan->next = NULL;
	loan->begin = c->tx_begin + tcp_queued(c);
	c->lent_bytes += (uint32_t)loan->len;
	return 0;
}

/* Takes the first loan out of the list and gives it back. */
static void give_back(struct tcp_connection *c, int error)
{
	struct tcp_loan *loan = c->lent;

	c->lent = loan->next;
	if (loan->released)
		loan->released(loan, error);
}

static void add_piece(struct tcp_segment *segment, const void *data, uint32_t len)
{
	segment->pieces[segment->count++] = (struct platform_piece){ .data = data, .len = len };
	segment->len += len;
}

/* A run of the ring, one or two pieces, as far as they fit. */
static void add_run(const struct tcp_connection *c, struct tcp_segment *segment, uint32_t offset, uint32_t len)
{
	struct platform_piece pieces[2];
	size_t count = ring_pieces(&c->tx, offset, len, pieces);

	for (size_t i = 0; i < count && segment->count < 2; i++)
		add_piece(segment, pieces[i].data, (uint32_t)pieces[i].len);
}

uint32_t tcp_lent_pieces(const struct tcp_connection *c, uint32_t offset, uint32_t len, struct tcp_segment *segment)
{
	uint32_t begin = c->tx_begin + offset, end = begin + len, before = 0; /* lent bytes in front of seq */
	const struct tcp_loan *loan = c->lent;
	uint32_t seq = begin;

	segment->len = 0;
	segment->count = 0;
	while (seq != end && segment->count < 2) {
		uint32_t at = segment->len;

		if (loan && !seq_before(seq, end_of(loan))) {
			before += end_of(loan) - seq_later(loan->begin, c->tx_begin);
			loan = loan->next;
		} else if (loan && !seq_before(seq, loan->begin)) {
			add_piece(segment, (const uint8_t *)loan->data + (seq - loan->begin),
				seq_earlier(end, end_of(loan)) - seq);
		} else {
			add_run(c, segment, seq - c->tx_begin - before,
				(loan ? seq_earlier(end, loan->begin) : end) - seq);
		}
		seq += segment->len - at;
	}
	return segment->len;
}

void tcp_lent_consume(struct tcp_connection *c, uint32_t len)
{
	uint32_t seq = c->tx_begin, end = seq + len;

	while (seq != end) {
		struct tcp_loan *loan = c->lent;
		uint32_t next;

		if (!loan || seq_before(seq, loan->begin)) {
			next = loan ? seq_earlier(end, loan->begin) : end;
			ring_consume(&c->tx, next - seq);
		} else {
			next = seq_earlier(end, end_of(loan));
			c->lent_bytes -= next - seq;
			if (next == end_of(loan))
				give_back(c, 0);
		}
		seq = next;
	}
}

void tcp_lent_release(struct tcp_connection *c)
{
	c->lent_bytes = 0;
	while (c->lent)
		give_back(c, c->error ? c->error : -ECONNRESET);
}
