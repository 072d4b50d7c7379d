/* SPDX-License-Identifier: ISC
 *
 * A stack's counters, for who asks. Drops are counted once, by their reasons, and ICMP messages by their types: what
 * the MIBs count of them are sums, which are made here.
 */
#include "tcp_stack.h"

/* Which counter a reason is a part of, as its place among them; NONE: none. */
enum { NONE = UINT8_MAX };
#define INDEX(counter)        (offsetof(struct stack_counters, counter) / sizeof(uint64_t))
#define PART(reason, counter) [DROP_##reason] = INDEX(counter),
#define ALONE(reason)         [DROP_##reason] = NONE,
static const uint8_t wholes[DROP_REASONS] = { STACK_DROPS(PART, ALONE) };
_Static_assert(INDEX(drops) < NONE, "each counter has an index");

static uint64_t sum(const uint64_t *counts, size_t count)
{
	uint64_t all = 0;

	for (size_t i = 0; i < count; i++)
		all += counts[i];
	return all;
}

void own_stack_counters(const struct stack *base, struct stack_counters *counters)
{
	const struct own_stack *stack = (const struct own_stack *)base;
	uint64_t *all = (uint64_t *)(void *)counters;

	*counters = stack->counters;
	for (size_t i = 0; i < DROP_REASONS; i++) {
		if (wholes[i] != NONE)
			all[wholes[i]] += counters->drops[i];
	}
	counters->IcmpInMsgs = sum(counters->icmp_in, STACK_ICMP_TYPES) + counters->drops[DROP_ICMP_HEADER] +
			       counters->drops[DROP_ICMP_CHECKSUM];
	counters->IcmpOutMsgs = sum(counters->icmp_out, STACK_ICMP_TYPES);
	counters->Icmp6InMsgs = sum(counters->icmp6_in, STACK_ICMP6_TYPES) + counters->drops[DROP_ICMP6_HEADER] +
				counters->drops[DROP_ICMP6_CHECKSUM];
	counters->Icmp6OutMsgs = sum(counters->icmp6_out, STACK_ICMP6_TYPES);
	for (const struct tcp_node *node = stack->tcp ? stack->tcp->all.first : NULL; node; node = node->next) {
		enum tcp_state state = node->flow->core.state;

		counters->TcpCurrEstab += state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
	}
}

void stack_counters(const struct stack *stack, struct stack_counters *counters)
{
	stack->ops->counters(stack, counters);
}
