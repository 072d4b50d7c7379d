/* SPDX-License-Identifier: ISC
 *
 * The names of what a stack counts, and of what its connections go through.
 */
#include "tcp_core.h"

const char *const tcp_state_names[TCP_STATES] = { "CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED",
	"FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT" };

#define NAME(counter) #counter,
static const char *const counter_names[STACK_NAMED_COUNTERS] = { STACK_COUNTERS(NAME) };

#define PART(reason, counter) #reason,
#define ALONE(reason)         #reason,
static const char *const drop_names[DROP_REASONS] = { STACK_DROPS(PART, ALONE) };

const char *stack_counter_name(size_t index)
{
	return counter_names[index];
}

uint64_t stack_counter_value(const struct stack_counters *counters, size_t index)
{
	return ((const uint64_t *)(const void *)counters)[index];
}

const char *stack_drop_name(enum stack_drop reason)
{
	return drop_names[reason];
}
