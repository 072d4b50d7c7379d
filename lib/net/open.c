/* SPDX-License-Identifier: ISC
 *
 * The stack that most programs have, with the transports that they use.
 *
 * The references to these are weak: alone they do not make the linker take a transport out of the library. tcp_calls.c
 * and udp_calls.c do, and they are taken when the program calls what is in them.
 */
#include <skerry/layers.h>

extern const struct stack_tcp stack_tcp __attribute__((weak));
extern const struct stack_udp stack_udp __attribute__((weak));

int stack_open(struct net *net, const struct stack_config *config, struct stack **stack)
{
	static const struct stack_layers layers = { .tcp = &stack_tcp, .udp = &stack_udp };

	return stack_assemble(net, config, &layers, stack);
}
