/* SPDX-License-Identifier: ISC
 *
 * The names of what a stack counts.
 */
#include <skerry/counters.h>

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
