/* SPDX-License-Identifier: ISC
 *
 * Fibers, as they run everywhere but under the address sanitizer.
 */
#include "fiber.h"

void fiber_init(struct fiber *fiber, void *lowest, size_t size)
{
	struct fiber_frame *frame = (struct fiber_frame *)((char *)lowest + size) - 1;

	*frame = FIBER_FRAME(fiber_main);
	*fiber = (struct fiber){ .stack_pointer = frame, .lowest = lowest, .size = size };
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	fiber_swap(&from->stack_pointer, to->stack_pointer);
}

_Noreturn void fiber_leave(struct fiber *from, struct fiber *to)
{
	fiber_swap(&from->stack_pointer, to->stack_pointer);
	__builtin_unreachable();
}
