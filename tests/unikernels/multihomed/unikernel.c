/* SPDX-License-Identifier: ISC
 *
 * For the tests of several networks: one stack on two links, and another on a third. On port 7 each tells by which
 * address it was reached.
 */
#include <stdio.h>
#include <string.h>

#include <skerry/route.h>
#include <skerry/task.h>
#include <skerry/tcp.h>

#include "keys.h"

static int tell(void *stack)
{
	struct tcp_listener *listener;
	int err = tcp_listen(stack, 7, &listener);

	while (err == 0) {
		char text[IP_ENDPOINT_TEXT_MAX];
		struct ip_endpoint local;
		struct tcp *flow;

		err = tcp_accept(listener, &flow, FOREVER);
		if (err < 0)
			break;
		tcp_local(flow, &local);
		ip_endpoint_format(&local, text);
		(void)tcp_write(flow, text, strlen(text), FOREVER);
		tcp_close(flow);
	}
	return err;
}

static int add_address(struct stack *stack, struct net *net, const struct key_ipv4 *key)
{
	struct ip_address address = ip_from_v4(key->address);

	return key->set ? stack_add_address(stack, net, &address, key->prefix_len) : 0;
}

static int add_route(
	struct stack *stack, struct net *net, const struct key_ipv4 *prefix, const struct key_ipv4 *gateway)
{
	const struct stack_route route = { ip_from_v4(prefix->address), prefix->prefix_len,
		ip_from_v4(gateway->address), net };

	return gateway->set ? stack_add_route(stack, &route) : 0;
}

int start(struct stack *stack, struct net *lan, struct stack *management)
{
	static const struct key_ipv4 everywhere;
	struct task *teller;
	int result, err = stack_add_interface(stack, lan);

	if (err == 0)
		err = add_address(stack, lan, &keys.lan_ipv4);
	if (err == 0)
		err = add_address(stack, NULL, &keys.alias);
	if (err == 0)
		err = add_route(stack, lan, &everywhere, &keys.lan_gateway);
	if (err == 0)
		err = add_route(stack, NULL, &keys.far, &keys.far_gateway);
	if (err == 0)
		err = task_spawn(NULL, tell, stack, &teller);
	if (err < 0)
		return err;
	err = tell(management);
	(void)task_await(teller, &result, FOREVER);
	return err;
}
