/* SPDX-License-Identifier: ISC
 *
 * For the tests of DHCP: leases an address, tells what else the server gave, and gives back what it is sent on port 7.
 */
#include <errno.h>

#include <skerry/dhcp.h>
#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

LOG_SOURCE(application);

enum { PRIVATE_OPTION = 224 };

static void tell(const struct dhcp_lease *lease)
{
	char value[512], text[IP_TEXT_MAX];
	ssize_t len = dhcp_options_get(&lease->options, PRIVATE_OPTION, value, sizeof value);

	log_info("domain %s, mask %u, server %s", lease->domain, lease->prefix_len, ip_format(&lease->server, text));
	for (size_t i = 0; i < lease->dns_count; i++)
		log_info("DNS server %s", ip_format(&lease->dns[i], text));
	if (len >= 0)
		log_info("private option of %zd bytes: %.*s", len, (int)len, value);
}

static int echo(void *arg)
{
	struct tcp *flow = arg;
	char buf[256];
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, FOREVER)) > 0)
		if (tcp_write(flow, buf, (size_t)len, FOREVER) < 0)
			break;
	log_info("connection ended with %zd", len);
	tcp_close(flow);
	return 0;
}

int start(struct net *net)
{
	static const uint8_t wanted[] = { PRIVATE_OPTION, 0 };
	const struct stack_config config = { .dhcp = &stack_dhcp, .hostname = "lease", .dhcp_options = wanted };
	struct tcp_listener *listener;
	struct stack *stack;
	struct tcp *flow;
	int err = stack_open(net, &config, &stack);

	if (err < 0)
		return err;
	tell(stack_lease(stack));
	err = tcp_listen(stack, 7, &listener);
	while (err == 0 && (err = tcp_accept(listener, &flow, FOREVER)) == 0)
		err = task_spawn(task_orphans(), echo, flow, NULL);
	stack_close(stack);
	return err;
}
