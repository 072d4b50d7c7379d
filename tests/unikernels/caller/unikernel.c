/* SPDX-License-Identifier: ISC
 *
 * Connects to a peer, sends it MEGABYTE bytes and counts what comes back, and says how that went. Then lists its
 * addresses and the name servers that routers advertise.
 */
#include <string.h>

#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "keys.h"

LOG_SOURCE(caller);

enum { MEGABYTE = 1 << 20, CHUNK = 8192, LISTED = 16, SECONDS = 60 };

static int send_all(void *flow)
{
	static char chunk[CHUNK];
	ssize_t len = 0;

	for (int i = 0; i < MEGABYTE / CHUNK && len >= 0; i++)
		len = tcp_write(flow, chunk, CHUNK, clock_deadline(SECOND(SECONDS)));
	return len < 0 ? (int)len : tcp_shutdown(flow);
}

static int count_bytes(struct tcp *flow, size_t *bytes)
{
	static char chunk[CHUNK];
	ssize_t len;

	while ((len = tcp_read(flow, chunk, CHUNK, clock_deadline(SECOND(SECONDS)))) > 0)
		*bytes += (size_t)len;
	return (int)len;
}

static int call(struct stack *stack)
{
	struct ip_endpoint peer = { .port = (uint16_t)keys.port }, local;
	char text[IP_ENDPOINT_TEXT_MAX];
	struct task *sender;
	struct tcp *flow;
	size_t bytes = 0;
	int err = ip_parse(keys.peer, &peer.address), sent;

	if (err == 0)
		err = tcp_connect(stack, &peer, &flow, clock_deadline(SECOND(SECONDS)));
	if (err < 0)
		return err;
	tcp_local(flow, &local);
	err = task_spawn(NULL, send_all, flow, &sender);
	if (err == 0) {
		err = count_bytes(flow, &bytes);
		(void)task_await(sender, &sent, FOREVER);
		log_info("sent %d from %s, received %d: %zu bytes", sent, ip_endpoint_format(&local, text), err, bytes);
	}
	tcp_close(flow);
	return err;
}

int start(struct stack *stack)
{
	struct ip_address listed[LISTED];
	char text[IP_TEXT_MAX];
	int err = call(stack);
	size_t count;

	if (err < 0)
		log_info("cannot call %s: %s", keys.peer, strerror(-err));
	count = stack_addresses(stack, listed, LISTED);
	for (size_t i = 0; i < count; i++)
		log_info("has %s", ip_format(&listed[i], text));
	count = stack_advertised_resolvers(stack, listed, LISTED);
	for (size_t i = 0; i < count; i++)
		log_info("may ask %s", ip_format(&listed[i], text));
	log_info("done");
	return task_sleep(FOREVER);
}
