/* SPDX-License-Identifier: ISC
 *
 * A stack that the program puts together on a network device: Ethernet and IPv4, and on these UDP, TCP and DHCP. It
 * says what it sees: IPv6, which it does not speak; the port of each datagram; and who connects to port 80, and what
 * they send first.
 */
#include <skerry/layers.h>
#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "keys.h"

LOG_SOURCE(application);

enum { IPV6 = 0x86dd, PORT = 80 };

static void see_frame(struct stack_listener *listener, uint16_t type, const uint8_t *payload, size_t len)
{
	(void)listener;
	(void)payload;
	(void)len;
	if (type == IPV6)
		log_info("ipv6");
}

/* Shows every datagram, and leaves it to whoever has its port: DHCP, or nobody, and then its sender is told so. */
static bool see_datagram(struct stack_listener *listener, const struct ip_endpoint *source,
	const struct ip_endpoint *destination, const uint8_t *data, size_t len)
{
	(void)listener;
	(void)source;
	(void)data;
	(void)len;
	log_info("udp packet on port %u", destination->port);
	return false;
}

static int talk(void *arg)
{
	struct tcp *flow = arg;
	struct ip_endpoint peer;
	char address[IP_TEXT_MAX], buf[256];
	ssize_t len;

	tcp_peer(flow, &peer);
	log_info("new tcp from %s %u", ip_format(&peer.address, address), peer.port);
	len = tcp_read(flow, buf, sizeof buf, FOREVER);
	if (len > 0)
		log_info("read: %zd \"%.*s\"", len, (int)len, buf);
	else
		log_info(len == 0 ? "read: eof" : "read: error");
	return 0;
}

static int serve(struct stack *stack)
{
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(stack, PORT, &listener);

	if (err < 0)
		return err;
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0)
		if (task_spawn_with(task_orphans(), talk, flow, tcp_close_resource, NULL) < 0)
			tcp_abort(flow);
	task_group_cancel(task_orphans());
	tcp_unlisten(listener);
	return err;
}

int start(struct net *net)
{
	struct stack_listener listener = { .frame = see_frame, .datagram = see_datagram };
	const struct stack_layers layers = { .udp = &stack_udp, .tcp = &stack_tcp, .listener = &listener };
	struct stack_config config = { .gateway = keys.ipv4_gateway, .hostname = "custom-stack" };
	struct stack *stack;
	int err;

	if (keys.dhcp)
		config.dhcp = &stack_dhcp;
	else
		config.ipv4 = keys.ipv4;
	err = stack_assemble(net, &config, &layers, &stack);
	if (err < 0)
		return err;
	err = serve(stack);
	stack_close(stack);
	return err;
}
