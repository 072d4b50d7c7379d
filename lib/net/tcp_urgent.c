/* SPDX-License-Identifier: ISC
 *
 * Urgent data (RFC 9293, 3.8.5): it lies in the stream like all other, and the user may ask how far it reaches. A file
 * of its own, which only programs that ask have in them.
 */
#include "tcp_core.h"
#include "tcp_sequence.h"

uint32_t tcp_core_urgent(const struct tcp_connection *c)
{
	uint32_t unread = c->rcv_nxt - c->fin_received - c->rx.len;

	return c->urgent && seq_after(c->urgent_end, unread) ? c->urgent_end - unread : 0;
}

/* The pointer is that of the octet behind urgent data (MUST-62), and only moves on. */
void tcp_urgent_input(struct tcp_connection *c, uint32_t end)
{
	if (tcp_core_urgent(c) == 0 || seq_after(end, c->urgent_end))
		c->urgent_end = end;
	c->urgent = true;
}

/* Else, half of the sequence space later, it would seem to lie ahead. */
void tcp_urgent_forget(struct tcp_connection *c)
{
	c->urgent = tcp_core_urgent(c) > 0;
}
