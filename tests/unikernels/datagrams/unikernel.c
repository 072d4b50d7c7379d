/* SPDX-License-Identifier: ISC
 *
 * Sends each datagram back to where it came from. One of the text "to ADDRESS" is first sent on to that address's port
 * 9, and the answer says what udp_send returned. Listens on TCP port 7, too, but accepts nobody.
 */
#include <stdio.h>
#include <string.h>

#include <skerry/tcp.h>
#include <skerry/udp.h>

#include "keys.h"

enum { SEND_SECONDS = 10 };

/* What sending to the address named in text comes to, as text. */
static ssize_t send_on(struct udp *socket, char *text, size_t size)
{
	struct ip_endpoint to = { .port = 9 };
	int err = ip_parse(text + 3, &to.address);

	if (err == 0)
		err = udp_send(socket, &to, "x", 1, clock_deadline(SECOND(SEND_SECONDS)));
	return snprintf(text, size, "%d", err);
}

int start(struct stack *stack)
{
	static char buf[UDP_PAYLOAD_MAX + 1];
	struct ip_endpoint from;
	struct tcp_listener *listener;
	struct udp *socket;
	ssize_t len;
	int err = udp_bind(stack, (uint16_t)keys.port, &socket);

	if (err == 0)
		err = tcp_listen(stack, 7, &listener);

	if (err < 0)
		return err;
	while ((len = udp_receive(socket, buf, sizeof buf - 1, &from, FOREVER)) >= 0) {
		buf[len] = '\0';
		if (strncmp(buf, "to ", 3) == 0)
			len = send_on(socket, buf, sizeof buf);
		(void)udp_send(socket, &from, buf, (size_t)len, clock_deadline(SECOND(SEND_SECONDS)));
	}
	tcp_unlisten(listener);
	udp_close(socket);
	return (int)len;
}
