/* SPDX-License-Identifier: ISC
 *
 * A TCP flow as source and sink. Both may run at once, in two tasks. The flow stays the caller's, who ends it with what
 * became of its streams:
 *
 *	int err = stream_run(source_tcp(&in, flow), ..., deadline);
 *	tcp_finish(flow, err);
 */
#ifndef SKERRY_TCP_STREAM_H
#define SKERRY_TCP_STREAM_H

#include <skerry/stream.h>
#include <skerry/tcp.h>

/* Complete when the peer has ended its stream. tcp_read's errors, -ENOMEM. */
struct source_tcp {
	struct source source;
	struct tcp *flow;
	uint8_t *buf;
};
struct source *source_tcp(struct source_tcp *source, struct tcp *flow);

/* Ends our stream (FIN) when it is complete, and only then. tcp_write's errors. */
struct sink_tcp {
	struct sink sink;
	struct tcp *flow;
};
struct sink *sink_tcp(struct sink_tcp *sink, struct tcp *flow);

/* Closes the flow, or with an error resets it, so that the peer does not take what failed for complete. Does not block.
 * The handle is void. */
void tcp_finish(struct tcp *flow, int error);

#endif
