/* SPDX-License-Identifier: ISC
 *
 * Writing without a copy: tcp_lend and tcp_deliver, and what they are on our own stack.
 */
#include <errno.h>

#include "tcp_stack.h"

int own_tcp_lend(struct tcp *base, struct tcp_loan *loan, uint64_t deadline)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;
	int err;

	if (task_cancelled())
		return -ECANCELED;
	while ((err = tcp_core_lend(&flow->core, loan)) == -EAGAIN) {
		err = wait_on(&flow->writers, deadline);
		if (err < 0)
			return err;
	}
	if (err == 0)
		tcp_flow_push(flow);
	return err;
}

void own_tcp_reset(struct tcp *base)
{
	struct tcp_flow *flow = (struct tcp_flow *)(void *)base;

	if (flow->core.state == TCP_CLOSED)
		return;
	tcp_core_abort(&flow->core, -ECONNRESET);
	tcp_flow_settle(flow);
}

int tcp_lend(struct tcp *flow, struct tcp_loan *loan, uint64_t deadline)
{
	return loan->len == 0 || loan->len > TCP_LOAN_MAX ? -EINVAL : flow->ops->lend(flow, loan, deadline);
}

/* A loan whose end a task waits for. */
struct delivery {
	struct tcp_loan loan;
	struct wait_queue ended;
	bool over;
	int error;
};

static void end_delivery(struct tcp_loan *loan, int error)
{
	struct delivery *delivery = (struct delivery *)loan;

	delivery->over = true;
	delivery->error = error;
	wake_all(&delivery->ended);
}

static int deliver(struct tcp *flow, const void *buf, size_t len, uint64_t deadline)
{
	struct delivery delivery = { .loan = { .data = buf, .len = len, .released = end_delivery } };
	int err = tcp_lend(flow, &delivery.loan, deadline);

	while (err == 0 && !delivery.over)
		err = wait_on(&delivery.ended, deadline);
	if (err < 0)
		flow->ops->reset(flow);
	return err < 0 ? err : delivery.error;
}

ssize_t tcp_deliver(struct tcp *flow, const void *buf, size_t len, uint64_t deadline)
{
	const uint8_t *bytes = buf;
	size_t done = 0, piece;
	int err = 0;

	for (; err == 0 && done < len; done += piece) {
		piece = len - done < TCP_LOAN_MAX ? len - done : TCP_LOAN_MAX;
		err = deliver(flow, bytes + done, piece, deadline);
	}
	return err < 0 ? err : (ssize_t)len;
}
