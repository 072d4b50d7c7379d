/* SPDX-License-Identifier: ISC
 *
 * For tests of sending: whoever connects to port 9000 gets 20 MiB, and the end.
 */
#include <skerry/tcp.h>

enum { CHUNK = 16384, CHUNKS = 20 * 1024 * 1024 / CHUNK };

int start(struct stack *stack)
{
	static const char bytes[CHUNK];
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(stack, 9000, &listener);

	if (err < 0)
		return err;
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0) {
		for (int i = 0; i < CHUNKS && tcp_write(flow, bytes, CHUNK, FOREVER) == CHUNK; i++)
			;
		tcp_close(flow);
	}
	tcp_unlisten(listener);
	return err;
}
